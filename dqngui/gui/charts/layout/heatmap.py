"""A model of a drawn heatmap: places of its maps, labels around them, colours and numbers in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

from dqngui.gui.charts.layout.axis import GAP, row_ticks, spread_labels
from dqngui.gui.charts.layout.cell_numbers import CellNumber, cell_numbers
from dqngui.gui.charts.layout.color_range import SHARES, ColorRange
from dqngui.gui.charts.layout.map_labels import gutter, row_labels, row_title, title_width
from dqngui.gui.charts.layout.text import Label, Letters, widest

BETWEEN = 12.0  # pixels between two maps
RIGHT = 10.0
TITLED_FROM = 140  # pixels; in a lower chart the title of the columns has no line of its own


@dataclass(frozen=True, slots=True)
class HeatmapNames:
    """Names of the maps, of their rows and columns, and of the axes.

    Attributes:
        titles: of the maps; the title of a single map is not shown.
        axes: what the rows are, and what the columns are.
        pictures: cells are to be nearly square, and the maps to fill whole rows.
    """

    titles: tuple[str, ...] = ("",)
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    axes: tuple[str, str] = ("", "")
    pictures: bool = False

    def in_words(self, single_name: str, index: int, row: int, column: int, value: str) -> str:
        """A cell in words: `head 1 · pole angle → cart position · 0.42`; `single_name` names a single map."""
        title = self.titles[index] if len(self.titles) > 1 else single_name
        parts = [title, _named(self.axes[0], self.rows[row]), _named(self.axes[1], self.columns[column]), value]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, eq=False)
class HeatmapDrawn:
    """Maps with their labels, colours and numbers.

    Attributes:
        places: of the maps, in pixels.
        across: maps in one line.
        frame: frame around the chosen map, if there are several.
        marker: marker at the chosen row of a single map.
        cells: which colour each cell has (maps, rows, columns); None: no values, cells are not painted.
        colors: which values the colours stand for.
        numbers: values written in the cells.
    """

    names: HeatmapNames
    places: tuple[QRectF, ...] = ()
    across: int = 1
    titles: tuple[Label, ...] = ()
    row_labels: tuple[Label, ...] = ()
    column_labels: tuple[Label, ...] = ()
    axis_titles: tuple[Label, ...] = ()
    frame: QRectF | None = None
    marker: QPointF | None = None
    cells: npt.NDArray[np.uint8] | None = None
    colors: ColorRange = SHARES
    numbers: tuple[CellNumber, ...] = ()

    @property
    def labels(self) -> tuple[Label, ...]:
        """All labels around the maps."""
        return (*self.row_labels, *self.titles, *self.column_labels, *self.axis_titles)

    def cell(self, at: QPointF) -> tuple[int, int, int] | None:
        """(map, row, column) under a point; None outside the maps."""
        rows, columns = len(self.names.rows), len(self.names.columns)
        for index, place in enumerate(self.places):
            if place.contains(at):
                row = int((at.y() - place.top()) / place.height() * rows)
                column = int((at.x() - place.left()) / place.width() * columns)
                return index, min(row, rows - 1), min(column, columns - 1)
        return None


@dataclass(frozen=True, slots=True)
class _Frame:
    """Pixels around the maps."""

    width: float
    height: float
    left: float
    top: float
    bottom: float

    def map_size(self, count: int, across: int) -> tuple[float, float]:
        """Width and height of each of `count` maps, with `across` maps per line."""
        down = -(-count // across)
        width = (self.width - self.left - RIGHT - BETWEEN * (across - 1)) / across
        return width, (self.height - self.bottom - down * self.top) / down


def heatmap_gutter(names: HeatmapNames, width: float, letters: Letters, least: float) -> float:
    """Pixels left of the maps, at least as many as other drawings below need."""
    return max(least, gutter(bool(names.axes[0]), widest(names.rows, letters), width, letters))


def lay_out(
    names: HeatmapNames, size: tuple[float, float], letters: Letters, *, least_gutter: float, chosen: int | None
) -> HeatmapDrawn:
    """Arrange the maps in rows, so that the names of their rows and columns fit best."""
    if not names.rows or not names.columns:
        return HeatmapDrawn(names)
    (width, height), line = size, letters.line
    titled_below = bool(names.axes[1]) and height >= TITLED_FROM
    left = heatmap_gutter(names, width, letters, least_gutter)
    top = line + 2.0 if len(names.titles) > 1 else 4.0
    frame = _Frame(width, height, left, top, line + 3.0 + line * titled_below)
    across = _best_across(names, frame, letters)
    places = _places(len(names.titles), frame, across)
    column_lines = _column_lines(names.columns, places[0].width() / len(names.columns), letters)
    if len(column_lines) > 1:
        lower = replace(frame, bottom=frame.bottom + line)
        row, lower_row = (each.map_size(len(names.titles), across)[1] / len(names.rows) for each in (frame, lower))
        if len(row_ticks(len(names.rows), lower_row, line)) == len(row_ticks(len(names.rows), row, line)):
            frame, places = lower, _places(len(names.titles), lower, across)
        else:  # names of rows matter more
            column_lines = (names.columns,)
    several = len(places) > 1
    floor = max(place.bottom() for place in places) + 2
    beside = not titled_below and across == 1 and width >= 240 and bool(names.axes[1]) and _counts(names.columns)
    ends = letters.width(names.axes[1]) + 10 if beside else 0.0
    chosen_place = places[chosen] if several and chosen is not None and chosen < len(places) else None
    return HeatmapDrawn(
        names,
        places,
        across,
        titles=_map_titles(names.titles, places, chosen, letters) if several else (),
        row_labels=tuple(
            label
            for place in places[::across]
            for label in row_labels(names.rows, place, title_width(bool(names.axes[0]), letters), height, letters)
        ),
        column_labels=tuple(
            label
            for place in places[:across]
            for number, texts in enumerate(column_lines)
            for label in _column_labels(
                texts, place, floor + number * line, letters, alone=across == 1, width=width, ends=ends
            )
            if label.text
        ),
        axis_titles=_axis_titles(
            names, frame, places, floor + (len(column_lines) - 1) * line, letters, below=titled_below, beside=beside
        ),
        frame=None if chosen_place is None else QRectF(chosen_place.toRect()).adjusted(-1.5, -1.5, 0.5, 0.5),
        marker=None if several else _marker(places[0], len(names.rows), chosen),
    )


def with_values(
    drawn: HeatmapDrawn, values: npt.NDArray[Any], colors: ColorRange, letters: Letters, *, numbered: bool
) -> HeatmapDrawn:
    """Colour the cells of a heatmap by values (maps, rows, columns); `numbered`: write those of a single map."""
    if not len(values):
        return replace(drawn, colors=colors)
    cells = np.ascontiguousarray(colors.indices(values))
    numbers = cell_numbers(drawn.places[0], values[0], cells[0], letters) if numbered and len(drawn.places) == 1 else ()
    return replace(drawn, cells=cells, colors=colors, numbers=numbers)


def _best_across(names: HeatmapNames, frame: _Frame, letters: Letters) -> int:
    """The best number of maps per line."""
    count = len(names.titles)
    title = widest(names.titles, letters) + 2
    name = min(widest(names.columns, letters), 80.0) + 8

    def fit(across: int) -> tuple[float, float, float]:
        cell_w, cell_h = frame.map_size(count, across)
        wide = min(1.0, cell_w / len(names.columns) / (name if len(names.columns) <= 8 else 8.0), cell_w / title)
        tall = min(1.0, cell_h / len(names.rows) / (letters.line + 2))
        even = -(-count % across)
        if names.pictures:
            square = -abs(math.log(max(cell_w, 1.0) / len(names.columns) * len(names.rows) / max(cell_h, 1.0)))
            return -float(even != 0), square, 0.0
        return round(min(wide, tall), 3), even, -abs(math.log(max(cell_w, 1.0) / max(cell_h, 1.0)))

    return max(range(1, count + 1), key=fit)


def _places(count: int, frame: _Frame, across: int) -> tuple[QRectF, ...]:
    width, height = frame.map_size(count, across)
    return tuple(
        QRectF(
            frame.left + (index % across) * (width + BETWEEN),
            frame.top + (index // across) * (height + frame.top),
            max(width, 1.0),
            max(height, 1.0),
        )
        for index in range(count)
    )


def _map_titles(
    titles: Sequence[str], places: Sequence[QRectF], chosen: int | None, letters: Letters
) -> tuple[Label, ...]:
    placed = []
    for index, (title, place) in enumerate(zip(titles, places, strict=True)):
        above = QRectF(place.left(), place.top() - letters.line - 1, place.width(), letters.line)
        fits = letters.width(title) <= place.width()
        text = title if fits else title.split()[-1]  # `head 3` is `3`
        placed.append(Label(above, text, token="accent" if index == chosen else "muted"))
    return tuple(placed)


def _axis_titles(
    names: HeatmapNames,
    frame: _Frame,
    places: Sequence[QRectF],
    floor: float,
    letters: Letters,
    *,
    below: bool,
    beside: bool,
) -> tuple[Label, ...]:
    """The title of the columns below their names, or after the last one; the title of the rows along the edge."""
    found: tuple[Label, ...] = ()
    if below:
        across = QRectF(frame.left, floor + letters.line - 1, frame.width - frame.left - RIGHT, letters.line)
        found = (Label(across, names.axes[1], "center"),)
    elif beside:
        found = (Label(QRectF(0, floor, frame.width - 2, letters.line), names.axes[1], "right"),)
    return (*found, *row_title(names.axes[0], places[0].top(), places[-1].bottom(), letters))


def _column_lines(columns: Sequence[str], room: float, letters: Letters) -> tuple[Sequence[str], ...]:
    """Names of columns in one line; in two, if names that would be cut to `room` pixels fit when divided at a space."""
    if len(columns) == 1 or widest(columns, letters) + GAP <= room:
        return (columns,)
    halves = [_divided(name, letters) for name in columns]
    if max(letters.width(half) for pair in halves for half in pair) + GAP > room:
        return (columns,)
    return tuple(zip(*halves, strict=True))


def _divided(name: str, letters: Letters) -> tuple[str, str]:
    """A name in two lines, divided at the space with which the longer one is shortest."""
    words = name.split(" ")
    pairs = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words) + 1)]
    return min(pairs, key=lambda pair: max(map(letters.width, pair)))


def _column_labels(
    columns: Sequence[str],
    place: QRectF,
    y: float,
    letters: Letters,
    *,
    alone: bool,
    width: float,
    ends: float,
) -> tuple[Label, ...]:
    """Names of a map's columns below it, clear of each other, of the next map's, and of `ends` pixels at the right."""
    room, beside = place.width() / len(columns), BETWEEN / 2 - 2
    left, right = (0.0, width) if alone else (place.left() - beside, place.right() + beside)
    right -= ends
    placed: list[Label] = []
    for index, text in reversed(spread_labels(columns, room, letters)):
        wide = letters.width(text) + 2
        x = place.left() + (index + 0.5) * room - wide / 2
        if not placed and not ends:
            x = min(x, right - wide)
        x = max(x, left)
        if x + wide <= right:
            placed.append(Label(QRectF(x, y, wide, letters.line), text, "center"))
            right = x - 2
    return tuple(placed[::-1])


def _marker(place: QRectF, rows: int, chosen: int | None) -> QPointF | None:
    if chosen is None or chosen >= rows:
        return None
    return QPointF(place.left(), place.top() + (chosen + 0.5) * place.height() / rows)


def _counts(names: Sequence[str]) -> bool:
    return all(name.lstrip("−").isdigit() for name in names)


def _named(axis: str, name: str) -> str:
    """A number with the name of its axis; other names unchanged."""
    return f"{axis} {name}" if _counts(name.split(" · ")) else name
