"""Small maps with common rows, columns and colours, for example one map per head at one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.canvas import Canvas, color_table, image_of
from dqngui.gui.charts.layout.axis import two_digits
from dqngui.gui.charts.layout.color_range import ColorRange
from dqngui.gui.charts.layout.heatmap import HeatmapDrawn, HeatmapNames, heatmap_gutter, lay_out, with_values
from dqngui.gui.charts.painted_text import paint_labels
from dqngui.gui.style import theme as themes
from dqngui.gui.style.palette import contrast
from dqngui.gui.style.theme import Theme


class Heatmap(Canvas):
    """Shares or signed values (maps, rows, columns) as colours.

    Attributes:
        names: of the maps, rows and columns.
        single_name: the name of a single map, for the readout.
        numbered: whether the values of a single map are written in its cells.
        chosen: index of the map that is framed, or the row that is marked in a single map; None: none.
        values: the values that are drawn (maps, rows, columns).
        drawn: places, labels, colours, numbers and marks, as they are painted.

    Signals:
        clicked(map, row, column): a cell was clicked.
    """

    clicked = Signal(int, int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.names = HeatmapNames()
        self.chosen: int | None = None
        self.single_name, self.numbered = "", False
        self.least_gutter = 0.0
        self.values: npt.NDArray[Any] = np.empty((0, 0, 0))
        self._colors = ColorRange()
        self._table = color_table(False)

    def arrange(
        self,
        titles: Sequence[str],
        rows: Sequence[str],
        columns: Sequence[str],
        axes: tuple[str, str],
        *,
        pictures: bool = False,
    ) -> None:
        """Name the maps, their rows and columns, and the axes of rows and columns."""
        names = HeatmapNames(tuple(titles), tuple(rows), tuple(columns), axes, pictures)
        if names != self.names:
            self.names = names
            self.values = np.empty((0, 0, 0))
            self.renew()

    def draw(self, values: npt.NDArray[Any], *, signed: bool = False, low: float = 0.0, high: float = 1.0) -> None:
        """Show values (maps, rows, columns) between two levels."""
        self.values = values
        if signed != self._colors.signed:
            self._table = color_table(signed)
        self._colors = ColorRange(signed, low, high)
        self.touch()

    def choose(self, index: int | None) -> None:
        """Frame a map, or mark a row if there is only one map."""
        if index != self.chosen:
            self.chosen = index
            self.renew()

    def set_gutter(self, least: float) -> None:
        """Set the least width left of the maps in pixels, to align with drawings below."""
        if least != self.least_gutter:
            self.least_gutter = least
            self.renew()

    @property
    def gutter(self) -> float:
        """Pixels left of the maps."""
        return heatmap_gutter(self.names, self.width(), self.letters, self.least_gutter)

    @property
    def drawn(self) -> HeatmapDrawn:
        return self.data_cache.get(self.size(), self._with_values)

    def _with_values(self) -> HeatmapDrawn:
        arranged = self.layout_cache.get(self.size(), self._lay_out)
        return with_values(arranged, self.values, self._colors, self.letters, numbered=self.numbered)

    def _lay_out(self) -> HeatmapDrawn:
        size = float(self.width()), float(self.height())
        return lay_out(self.names, size, self.letters, least_gutter=self.least_gutter, chosen=self.chosen)

    def restyle(self, theme: Theme) -> None:
        self._table = color_table(self._colors.signed)
        super().restyle(theme)

    # -- painting ----------------------------------------------------------------------------------

    def draw_frame(self, painter: QPainter) -> None:
        paint_labels(painter, self.drawn.labels)
        if self.drawn.frame is not None:
            painter.setPen(QPen(themes.current().color("accent"), 1))
            painter.drawRect(self.drawn.frame)

    def draw_data(self, painter: QPainter) -> None:
        drawn = self.drawn
        if drawn.cells is None:
            return
        for place, each in zip(drawn.places, drawn.cells, strict=False):
            painter.drawImage(QRectF(place.toRect()), image_of(each, self._table))
        for number in drawn.numbers:
            ground = QColor.fromRgb(self._table[number.color_index])
            painter.setPen(max((QColor("#000000"), QColor("#ffffff")), key=lambda each: contrast(each, ground)))
            painter.drawText(number.place, Qt.AlignmentFlag.AlignCenter, number.text)

    def draw_over(self, painter: QPainter) -> None:
        if self.drawn.marker is not None:
            self.marker(painter, self.drawn.marker.x(), self.drawn.marker.y())

    # -- mouse -------------------------------------------------------------------------------------

    def cell(self, at: QPointF) -> tuple[int, int, int] | None:
        """(map, row, column) under a point."""
        return self.drawn.cell(at)

    def words_at(self, index: int, row: int, column: int) -> str:
        """A cell in words: `head 1 · pole angle → cart position · 0.42`."""
        return self.names.in_words(self.single_name, index, row, column, two_digits(self.values[index, row, column]))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self.cell(event.position()) if len(self.values) else None
        self.show_text("" if cell is None else self.words_at(*cell), event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*cell)
