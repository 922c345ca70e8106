"""The line below a picture with lines of attention: the colour of each head, and the step's notes."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.layout.text import Label
from dqngui.gui.charts.painted_text import FontLetters, paint_labels
from dqngui.gui.scene.lines_drawn import HEAD_COLOURS
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX
from dqngui.texts import say, words

HEIGHT, SIGN, GAP = 18, 14, 6  # pixels: the whole line, a head's sign, between sign, text and the next
MOST = 8
"""So many heads are named; colours repeat after them."""


class HeadLegend(QWidget):
    """Names the heads by their colours on the left, and the step's notes on the right, as far as there is room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heads = 0
        self._notes = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(words(say("lines.legend")))

    def sizeHint(self) -> QSize:
        return QSize(120, HEIGHT)

    @property
    def text(self) -> str:
        """What stands there: the heads, then the notes."""
        return " · ".join(part for part in (*self._names(), self._notes) if part)

    def show_step(self, heads: int, notes: Mapping[str, str]) -> None:
        """Show this many heads, and the step's notes by name."""
        text = " · ".join(f"{name} {value}" for name, value in notes.items())
        if (heads, text) != (self._heads, self._notes):
            self._heads, self._notes = heads, text
            self.setAccessibleDescription(self.text)
            self.setToolTip("" if not heads else words(say("lines.meaning")))
            self.update()

    def _names(self) -> list[str]:
        return [words(say("lines.head", number=head + 1)) for head in range(min(self._heads, MOST))]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = themes.font(TICK_PX)
        painter.setFont(font)
        letters = FontLetters(font)
        labels, left, middle = [], 0.0, self.height() / 2
        noted = min(letters.width(self._notes), 0.6 * self.width())
        for head, name in enumerate(self._names()):
            width = letters.width(name)
            if left + SIGN + GAP + width > self.width() - noted - GAP:
                break
            for colour, thick in (("#000000", 5.0), (HEAD_COLOURS[head], 3.0)):
                pen = QPen(QColor(colour), thick)
                pen.setCapStyle(Qt.PenCapStyle.RoundCap)
                painter.setPen(pen)
                painter.drawLine(QPointF(left + 3, middle), QPointF(left + SIGN - 3, middle))
            labels.append(Label(QRectF(left + SIGN + GAP / 2, 0, width, HEIGHT), name))
            left += SIGN + width + 2 * GAP
        place = QRectF(left, 0, self.width() - left, HEIGHT)
        labels.append(Label(place, letters.shortened(self._notes, place.width()), "right", "text"))
        paint_labels(painter, labels)
