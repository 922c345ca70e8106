"""Small maps that share rows, columns and colours: one a head, say, at one step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.canvas import Canvas, color_table, image_of, indices, spread_labels, widest
from dqngui.gui.style import theme as themes
from dqngui.gui.style.palette import contrast
from dqngui.gui.style.theme import Theme

BETWEEN = 12.0  # pixels between two maps
RIGHT = 10.0
WIDEST_LABELS = 0.3  # of the width, for the names of rows


class Heatmap(Canvas):
    """Shares or signed values (maps, rows, columns) as colours.

    Attributes:
        titles, rows, columns: names of the maps (none is shown for a single one), of their rows and columns.
        whose: the only map in words, for the readout.
        numbered: the values of a single map stand in its cells, for one that seldom changes.
        chosen: index of the map that is framed, or with a single one of the row that is marked; None: none.

    Signals:
        clicked(map, row, column): a cell was clicked.
    """

    clicked = Signal(int, int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.titles: tuple[str, ...] = ("",)
        self.rows: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()
        self.chosen: int | None = None
        self.whose, self.numbered = "", False
        self.least_gutter = self._widest = 0.0
        self.values: npt.NDArray[Any] = np.empty((0, 0, 0))
        self._axes, self._pictures = ("", ""), False
        self._signed, self._low, self._high = False, 0.0, 1.0
        self._table = color_table(False)
        self._across = 1
        self._places: list[QRectF] = []

    def arrange(
        self,
        titles: Sequence[str],
        rows: Sequence[str],
        columns: Sequence[str],
        axes: tuple[str, str],
        *,
        pictures: bool = False,
    ) -> None:
        """Name the maps, rows and columns, and the axes of rows and columns; `pictures` have cells nearly square."""
        named = (tuple(titles), tuple(rows), tuple(columns))
        if (*named, axes) == (self.titles, self.rows, self.columns, self._axes):
            return
        (self.titles, self.rows, self.columns), self._axes, self._pictures = named, axes, pictures
        self._widest = widest(self.rows, self.metrics)
        self.values = np.empty((0, 0, 0))
        self._lay_out()

    def draw(self, values: npt.NDArray[Any], *, signed: bool = False, low: float = 0.0, high: float = 1.0) -> None:
        """Show values (maps, rows, columns) between two levels."""
        self.values = values
        if signed != self._signed:
            self._signed, self._table = signed, color_table(signed)
        self._low, self._high = low, high
        self.touch()

    def choose(self, index: int | None) -> None:
        """Frame a map, or mark a row of the only one."""
        if index != self.chosen:
            self.chosen = index
            self.renew()

    def restyle(self, theme: Theme) -> None:
        self._table = color_table(self._signed)
        super().restyle(theme)

    # -- layout -----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()
        super().resizeEvent(event)

    @property
    def _top(self) -> float:
        return float(self.line + 2) if len(self.titles) > 1 else 4.0

    @property
    def _bottom(self) -> float:
        return self.line + 3.0 + self.line * self._titled_below

    @property
    def _titled_below(self) -> bool:
        """The columns' title has a line of its own; else it stands at the end of theirs, if it fits."""
        return bool(self._axes[1]) and self.height() >= 140

    @property
    def gutter(self) -> float:
        """Pixels left of the maps."""
        return max(self.least_gutter, self._title_width + min(self._widest, WIDEST_LABELS * self.width()) + 13)

    @property
    def _title_width(self) -> float:
        return self.line + 4.0 if self._axes[0] else 4.0

    def set_gutter(self, least: float) -> None:
        """Leave at least so many pixels left of the maps, as drawings below do."""
        if least != self.least_gutter:
            self.least_gutter = least
            self._lay_out()

    def _lay_out(self) -> None:
        """Put the maps side by side and below each other, so that names of columns and rows fit best."""
        count = len(self.titles)
        if not self.rows or not self.columns:
            self._places = []
            return self.renew()
        title = widest(self.titles, self.metrics) + 2
        name = min(widest(self.columns, self.metrics), 80.0) + 8

        def fit(across: int) -> tuple[float, float, float]:
            cell_w, cell_h = self._map_size(across)
            wide = min(1.0, cell_w / len(self.columns) / (name if len(self.columns) <= 8 else 8.0), cell_w / title)
            tall = min(1.0, cell_h / len(self.rows) / (self.line + 2))
            even = -(-count % across)
            if self._pictures:
                square = -abs(math.log(max(cell_w, 1.0) / len(self.columns) * len(self.rows) / max(cell_h, 1.0)))
                return -float(even != 0), square, 0.0
            return round(min(wide, tall), 3), even, -abs(math.log(max(cell_w, 1.0) / max(cell_h, 1.0)))

        self._across = max(range(1, count + 1), key=fit)
        width, height = self._map_size(self._across)
        self._places = [
            QRectF(
                self.gutter + (index % self._across) * (width + BETWEEN),
                self._top + (index // self._across) * (height + self._top),
                max(width, 1.0),
                max(height, 1.0),
            )
            for index in range(count)
        ]
        self.renew()

    def _map_size(self, across: int) -> tuple[float, float]:
        down = -(-len(self.titles) // across)
        width = (self.width() - self.gutter - RIGHT - BETWEEN * (across - 1)) / across
        return width, (self.height() - self._bottom - down * self._top) / down

    # -- painting ---------------------------------------------------------------------------------

    def draw_frame(self, painter: QPainter) -> None:
        if not self._places:
            return
        theme = themes.current()
        for index, place in enumerate(self._places):
            if index % self._across == 0:
                self.row_labels(painter, self.rows, place, self._title_width)
            if len(self._places) > 1:
                above = QRectF(place.left(), place.top() - self.line - 1, place.width(), self.line)
                color = theme.color("accent" if index == self.chosen else "muted")
                title = self.titles[index]
                if self.metrics.horizontalAdvance(title) > place.width():
                    title = title.split()[-1]  # `head 3` is `3`
                self.words(painter, above, title, Qt.AlignmentFlag.AlignLeft, color)
        floor = max(place.bottom() for place in self._places) + 2
        for place in self._places[: self._across]:
            for at, text in self._column_labels(place, floor):
                self.words(painter, at, text, Qt.AlignmentFlag.AlignHCenter, theme.color("muted"))
        if self._titled_below:
            across = QRectF(self.gutter, floor + self.line - 1, self.width() - self.gutter - RIGHT, self.line)
            self.words(painter, across, self._axes[1], Qt.AlignmentFlag.AlignHCenter, theme.color("muted"))
        elif self._title_beside:
            end = QRectF(0, floor, self.width() - 2, self.line)
            self.words(painter, end, self._axes[1], Qt.AlignmentFlag.AlignRight, theme.color("muted"))
        self.upright(painter, self._axes[0], self._places[0].top(), self._places[-1].bottom())
        if len(self._places) > 1 and self.chosen is not None and self.chosen < len(self._places):
            painter.setPen(QPen(theme.color("accent"), 1))
            painter.drawRect(QRectF(self._places[self.chosen].toRect()).adjusted(-1.5, -1.5, 0.5, 0.5))

    @property
    def _title_beside(self) -> bool:
        """The columns' title takes the place of their last names."""
        counts = all(name.lstrip("−").isdigit() for name in self.columns)
        return counts and bool(self._axes[1]) and not self._titled_below and self._across == 1 and self.width() >= 240

    def _column_labels(self, place: QRectF, y: float) -> list[tuple[QRectF, str]]:
        """Where the names of a map's columns stand: below it, clear of each other and of the next map's."""
        room, beside = place.width() / len(self.columns), BETWEEN / 2 - 2
        left, right = place.left() - beside, place.right() + beside
        if self._across == 1:
            left, right = 0.0, float(self.width())
        if self._title_beside:
            right -= self.metrics.horizontalAdvance(self._axes[1]) + 10
        placed: list[tuple[QRectF, str]] = []
        for index, text in reversed(spread_labels(self.columns, room, self.metrics)):
            width = self.metrics.horizontalAdvance(text) + 2
            x = place.left() + (index + 0.5) * room - width / 2
            if not placed and not self._title_beside:
                x = min(x, right - width)
            x = max(x, left)
            if x + width <= right:
                placed.append((QRectF(x, y, width, self.line), text))
                right = x - 2
        return placed[::-1]

    def draw_data(self, painter: QPainter) -> None:
        if not len(self.values):
            return
        places = np.ascontiguousarray(indices(self.values, self._low, self._high))
        for place, each in zip(self._places, places, strict=False):
            painter.drawImage(QRectF(place.toRect()), image_of(each, self._table))
        if self.numbered and len(self._places) == 1:
            self._draw_numbers(painter, self._places[0], places[0])

    def _draw_numbers(self, painter: QPainter, place: QRectF, cells: npt.NDArray[np.uint8]) -> None:
        """The value in every cell, where cells are large enough."""
        wide, high = place.width() / len(self.columns), place.height() / len(self.rows)
        if high < self.line or wide < self.metrics.horizontalAdvance("−0.00") + 4:
            return
        for row, column in np.ndindex(cells.shape):
            ground = QColor.fromRgb(self._table[cells[row, column]])
            color = max((QColor("#000000"), QColor("#ffffff")), key=lambda each: contrast(each, ground))
            at = QRectF(place.left() + column * wide, place.top() + row * high, wide, high)
            text = f"{self.values[0, row, column]:.2f}".replace("-", "−")
            self.words(painter, at, text, Qt.AlignmentFlag.AlignHCenter, color)

    def draw_over(self, painter: QPainter) -> None:
        if len(self._places) == 1 and self.chosen is not None and self.chosen < len(self.rows):
            place = self._places[0]
            row = place.height() / len(self.rows)
            self.marker(painter, place.left(), place.top() + (self.chosen + 0.5) * row)

    # -- mouse ------------------------------------------------------------------------------------

    def cell(self, at: QPointF) -> tuple[int, int, int] | None:
        """(map, row, column) under a point."""
        for index, place in enumerate(self._places):
            if place.contains(at):
                row = int((at.y() - place.top()) / place.height() * len(self.rows))
                column = int((at.x() - place.left()) / place.width() * len(self.columns))
                return index, min(row, len(self.rows) - 1), min(column, len(self.columns) - 1)
        return None

    def told(self, index: int, row: int, column: int) -> str:
        """A cell in words: `head 1 · pole angle → cart position · 0.42`."""
        value = self.values[index, row, column]
        number = f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "nothing"
        title = self.titles[index] if len(self.titles) > 1 else self.whose
        parts = [title, _named(self._axes[0], self.rows[row]), _named(self._axes[1], self.columns[column]), number]
        return " · ".join(part for part in parts if part)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self.cell(event.position()) if len(self.values) else None
        self.say("" if cell is None else self.told(*cell), event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*cell)


def _named(axis: str, name: str) -> str:
    """A number with the name of its axis; other names speak for themselves."""
    numbers = all(part.lstrip("−").isdigit() for part in name.split(" · "))
    return f"{axis} {name}" if numbers else name
