"""A label for a fast-changing number. It paints itself, so that a change needs no new layout."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX


class NumberLabel(QWidget):
    """A caption in the secondary colour, and a number after it.

    Args:
        widest: a text of the usual largest width; for a wider text the widget grows and stays wider.
        right: aligned to the right.
        exact: always as wide as its text; for numbers that seldom change.
    """

    def __init__(self, widest: str, *, right: bool = False, exact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that Qt does not redraw the card behind it
        self._widest, self._right, self._exact = widest, right, exact
        self.caption = self.number = ""
        self._measure()

    def _measure(self) -> None:
        """Take the fonts of the present zoom, and the width that they need."""
        px = themes.zoomed(SECONDARY_PX)
        self._font, self._strong = themes.font(px), themes.font(px, QFont.Weight.DemiBold)
        self._metrics = QFontMetrics(self._strong)
        self._longest, self._measured = len(self.text()), ("", 0)
        texts = [self.text()] if self._exact and self.text() else [self._widest, self.text()]
        self._width = max(map(self._metrics.horizontalAdvance, texts)) + 2
        self.updateGeometry()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._measure()

    def text(self) -> str:
        """The shown text."""
        return " ".join(part for part in (self.caption, self.number) if part)

    def show_text(self, caption: str, number: str = "") -> None:
        """Show another caption and number."""
        if (caption, number) == (self.caption, self.number):
            return
        self.caption, self.number = caption, number
        text = self.text()
        if (
            self._exact or len(text) > self._longest
        ):  # all digits have the same width, so only longer texts need to be measured
            self._longest = len(text)
            needed = self._metrics.horizontalAdvance(text) + 2
            if needed > self._width or (self._exact and needed != self._width):
                self._width = needed
                self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._width, self._metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, area = themes.current(), self.rect()
        painter = QPainter(self)
        painter.fillRect(area, theme.color("surface"))
        painter.setFont(self._font)
        painter.setPen(theme.color("muted"))
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        side = middle | int(Qt.AlignmentFlag.AlignRight if self._right else 0)
        if self.caption:
            painter.drawText(area, side, self.caption)
        if self.number:
            left = self._caption_width() if self.caption else 0
            painter.setFont(self._strong)
            painter.setPen(theme.color("text"))
            painter.drawText(area.adjusted(left, 0, 0, 0), middle if self.caption else side, self.number)

    def _caption_width(self) -> int:
        if self._measured[0] != self.caption:
            self._measured = self.caption, QFontMetrics(self._font).horizontalAdvance(f"{self.caption} ")
        return self._measured[1]
