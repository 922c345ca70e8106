"""A bar with the colours of a map and the values at their ends, small enough for a card's header."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dqngui.gui.charts.canvas import color_table, image_of
from dqngui.gui.charts.layout.color_bar import ColorBarDrawn, color_bar_drawn, wanted_width
from dqngui.gui.charts.layout.color_range import TOP, ColorRange
from dqngui.gui.charts.layout_cache import LayoutCache
from dqngui.gui.charts.painted_text import FontLetters, paint_labels
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX, Theme


class ColorBar(QWidget):
    """The lowest value, the colours, and the highest value.

    Attributes:
        drawn: the numbers and the place of the colours, as they are painted.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colors = ColorRange()
        self._type = themes.font(TICK_PX)
        self._letters = FontLetters(self._type)
        self._layout_cache = LayoutCache()
        self._ramp = np.arange(TOP + 1, dtype=np.uint8).reshape(1, -1)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._update_tooltip()

    @property
    def limits(self) -> tuple[float, float]:
        return self._colors.limits

    @property
    def drawn(self) -> ColorBarDrawn:
        return self._layout_cache.get(self.size(), self._lay_out)

    def _lay_out(self) -> ColorBarDrawn:
        return color_bar_drawn(self._colors, (float(self.width()), float(self.height())), self._letters)

    def set_levels(self, signed: bool, low: float, high: float) -> None:
        """The values of the first and the last colour."""
        colors = ColorRange(signed, low, high)
        if colors != self._colors:
            self._colors = colors
            self._layout_cache.forget()
            self._update_tooltip()
            self.updateGeometry()
            self.update()

    def _update_tooltip(self) -> None:
        text = self.drawn.described
        self.setToolTip(f"{text}; values outside have the colours of the ends")
        self.setAccessibleName(text)

    def restyle(self, theme: Theme) -> None:
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(wanted_width(self._colors, self._letters), 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        drawn = self.drawn
        painter = QPainter(self)
        painter.setFont(self._type)
        painter.drawImage(drawn.place, image_of(self._ramp, color_table(drawn.colors.signed)))
        painter.setPen(themes.current().color("line"))
        painter.drawRect(drawn.place.adjusted(0, 0, -1, -1))
        paint_labels(painter, drawn.labels)
