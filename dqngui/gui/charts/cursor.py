"""The cursor line and the readout next to the mouse, for painted charts and for pyqtgraph plots."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QLabel, QWidget

from dqngui.gui.charts.layout.axis import pixel_middle
from dqngui.gui.style import theme as themes

CURSOR = "accent"  # its colour in the theme
AWAY, EDGE = 12, 4  # pixels from the mouse to the readout, and from the readout to the right edge


def draw_line(painter: QPainter, pen: QPen, x: float, top: float, bottom: float) -> None:
    """Draw an upright line through the middle of a pixel."""
    painter.setPen(pen)
    x = pixel_middle(x)
    painter.drawLine(QPointF(x, top), QPointF(x, bottom))


def draw_cursor(painter: QPainter, x: float, top: float, bottom: float, *, edged: bool) -> None:
    """Draw the cursor; `edged`: with edges in the card's colour, so that it is visible on colours."""
    theme = themes.current()
    if edged:
        painter.fillRect(QRectF(pixel_middle(x) - 1.5, top, 3, bottom - top), theme.color("surface"))
    draw_line(painter, QPen(theme.color(CURSOR), 1), x, top, bottom)


def beside(x: float, width: float, room: float) -> int:
    """Left edge of a readout `width` pixels wide at x: right of x, or left of it where it would leave the room."""
    left = x + AWAY if x + AWAY + EDGE + width < room else x - AWAY - width
    return max(0, int(left))


def above(y: float, height: float, room: float) -> int:
    """Upper edge of a readout `height` pixels high at y: above y, or below it where there is no room above."""
    top = y - height - 6 if y > height + 8 else y + AWAY
    return max(0, int(min(top, room - height)))


class Readout(QLabel):
    """A text next to the mouse; hidden while empty."""

    def __init__(self, chart: QWidget, *, rich: bool = False) -> None:
        super().__init__(chart)
        self.setObjectName("readout")
        self.setTextFormat(Qt.TextFormat.RichText if rich else Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_text(self, text: str, x: float, y: float | None, room: QSize) -> None:
        """Show a text at a point of a chart of size `room`, at the top if y is None. An empty text hides it."""
        if not text:
            self.hide()
            return
        self.setText(text)
        self.adjustSize()
        top = 8 if y is None else above(y, self.height(), room.height())
        self.move(beside(x, self.width(), room.width()), top)
        self.show()
