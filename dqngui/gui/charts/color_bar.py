"""A bar with the colours of a map and the values at their ends, small enough for a card's header."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.canvas import TOP, color_table, image_of
from dqngui.gui.charts.layout.axis import short
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX, Theme

LENGTH, HEIGHT, GAP = 32, 10, 4


class ColorBar(QWidget):
    """The lowest value, the colours, and the highest value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._signed, self._low, self._high = False, 0.0, 1.0
        self._type = themes.font(TICK_PX)
        self._metrics = QFontMetricsF(self._type)
        self._ramp = np.arange(TOP + 1, dtype=np.uint8).reshape(1, -1)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._update_tooltip()

    @property
    def limits(self) -> tuple[float, float]:
        return self._low, self._high

    def set_levels(self, signed: bool, low: float, high: float) -> None:
        """The values of the first and the last colour."""
        if (signed, low, high) != (self._signed, self._low, self._high):
            self._signed, self._low, self._high = signed, low, high
            self._update_tooltip()
            self.updateGeometry()
            self.update()

    def _update_tooltip(self) -> None:
        text = f"Colours from {short(self._low)} to {short(self._high)}"
        self.setToolTip(f"{text}; values outside have the colours of the ends")
        self.setAccessibleName(text)

    def restyle(self, theme: Theme) -> None:
        self.update()

    def sizeHint(self) -> QSize:
        words = sum(self._metrics.horizontalAdvance(short(each)) for each in (self._low, self._high))
        return QSize(round(words) + LENGTH + 2 * GAP + 2, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._type)
        theme = themes.current()
        painter.setPen(theme.color("muted"))
        align = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        x, high = 0.0, float(self.height())
        width = self._metrics.horizontalAdvance(short(self._low)) + 1
        painter.drawText(QRectF(x, 0, width, high), align, short(self._low))
        x += width + GAP
        bar = QRectF(round(x), (high - HEIGHT) // 2, LENGTH, HEIGHT)
        painter.drawImage(bar, image_of(self._ramp, color_table(self._signed)))
        painter.setPen(theme.color("line"))
        painter.drawRect(bar.adjusted(0, 0, -1, -1))
        painter.setPen(theme.color("muted"))
        x += LENGTH + GAP
        painter.drawText(QRectF(x, 0, self.width() - x, high), align, short(self._high))
