"""Models of the drawn maps of all heads: places, labels, and the values that are coloured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

from dqngui.gui.charts.layout.color_range import ColorRange
from dqngui.gui.charts.layout.step_axis import StepScale
from dqngui.gui.charts.layout.text import Label, Letters, widest

APART = 5.0  # pixels between two maps
RIGHT = 8.0
NARROW = 240  # pixels; in a narrower chart layers are named by their numbers only


@dataclass(frozen=True, slots=True)
class MapGrid:
    """Places and labels of maps in rows (layers) and columns (heads).

    Attributes:
        first: place of the first map, in pixels.
        layers, heads: how many there are.
        layer_labels, head_labels: their names; none for a single one.
        caption: names of the axes of each map; None without room.
    """

    first: QRectF
    layers: int
    heads: int
    layer_labels: tuple[Label, ...]
    head_labels: tuple[Label, ...]
    caption: Label | None

    @property
    def labels(self) -> tuple[Label, ...]:
        """All labels."""
        return (*self.layer_labels, *self.head_labels, *([self.caption] if self.caption else []))

    def place(self, layer: int, head: int) -> QRectF:
        """The place of a map, in pixels."""
        width, height = self.first.width(), self.first.height()
        return QRectF(
            self.first.left() + head * (width + APART), self.first.top() + layer * (height + APART), width, height
        )

    def pixels(self, layer: int, head: int) -> QRectF:
        """The whole pixels of a map."""
        return QRectF(self.place(layer, head).toRect())

    def frame(self, layer: int, head: int) -> QRectF:
        """The frame around a map under the mouse."""
        return self.pixels(layer, head).adjusted(-1.5, -1.5, 0.5, 0.5)

    def map_at(self, at: QPointF) -> tuple[int, int] | None:
        """(layer, head) under a point; None between the maps."""
        for layer in range(self.layers):
            for head in range(self.heads):
                if self.place(layer, head).contains(at):
                    return layer, head
        return None


@dataclass(frozen=True, slots=True, eq=False)
class StepGridDrawn:
    """Maps of one step.

    Attributes:
        maps: their places and labels.
        values: what is coloured (layers, heads, rows, columns); None: nothing is painted.
        colors: which values the colours stand for.
    """

    maps: MapGrid
    values: npt.NDArray[Any] | None
    colors: ColorRange


@dataclass(frozen=True, slots=True, eq=False)
class TimeGridDrawn:
    """Maps over the steps of an episode.

    Attributes:
        maps: their places and labels.
        values: what is coloured, of each layer (steps, heads, past steps); (): nothing is painted.
        colors: which values the colours stand for.
        span: number of steps on a map's axis.
    """

    maps: MapGrid
    values: tuple[npt.NDArray[np.float32], ...]
    colors: ColorRange
    span: int

    def known(self, layer: int, head: int) -> QRectF:
        """The part of a map whose steps are played; the part behind it is empty."""
        place = self.maps.pixels(layer, head)
        return place.adjusted(0, 0, place.width() * len(self.values[layer]) / self.span - place.width(), 0)

    def cursor_x(self, head: int, t: int) -> float:
        """Pixels from the left edge to the cursor at step t in the maps of a head."""
        return StepScale(self.maps.place(0, head), self.span).x_of(t)


def step_grid_drawn(maps: MapGrid, values: npt.NDArray[Any], high: float) -> StepGridDrawn:
    """Colour values (layers, heads, rows, columns) from 0 to `high`, if there is one map for each layer and head."""
    fits = values.shape[:2] == (maps.layers, maps.heads)
    return StepGridDrawn(maps, values if fits else None, ColorRange(False, 0.0, high))


def time_grid_drawn(maps: MapGrid, values: Sequence[npt.NDArray[np.float32]], high: float, span: int) -> TimeGridDrawn:
    """Colour values from 0 to `high`, of each layer (steps, heads, past steps), if there are as many as layers."""
    return TimeGridDrawn(maps, tuple(values) if len(values) == maps.layers else (), ColorRange(False, 0.0, high), span)


def lay_out(
    layers: Sequence[str], heads: Sequence[str], axes: tuple[str, str], size: tuple[float, float], letters: Letters
) -> MapGrid:
    """Compute the grid; all maps have the same size."""
    (width, height), line = size, letters.line
    layer_names = layers if width >= NARROW else [name.split()[-1] if name else "" for name in layers]
    left = 6.0 + (widest(layer_names, letters) + 6 if len(layers) > 1 else 0.0)
    top = line + 2.0 if len(heads) > 1 else 4.0
    wide = (width - left - RIGHT - APART * (len(heads) - 1)) / len(heads)
    high = (height - top - line - 4 - APART * (len(layers) - 1)) / len(layers)
    bare = MapGrid(QRectF(left, top, max(1.0, wide), max(1.0, high)), len(layers), len(heads), (), (), None)
    below = QRectF(0, height - line - 1, width - 2, line)
    caption = letters.shortened(" × ".join(axis for axis in axes if axis), below.width())
    return MapGrid(
        bare.first,
        bare.layers,
        bare.heads,
        _layer_labels(layer_names, bare, letters) if len(layers) > 1 else (),
        _head_labels(heads, bare, letters) if len(heads) > 1 else (),
        Label(below, caption, "center") if line + 4 < height / 2 else None,
    )


def _layer_labels(names: Sequence[str], grid: MapGrid, letters: Letters) -> tuple[Label, ...]:
    placed = []
    for layer, name in enumerate(names):
        place = grid.place(layer, 0)
        at = QRectF(2, place.center().y() - letters.line / 2, place.left() - 8, letters.line)
        placed.append(Label(at, name, "right"))
    return tuple(placed)


def _head_labels(names: Sequence[str], grid: MapGrid, letters: Letters) -> tuple[Label, ...]:
    """Names above the maps, or only their numbers; none where even these have no room."""
    placed = []
    for head, name in enumerate(names):
        place = grid.place(0, head)
        text = name if letters.width(name) <= place.width() else name.split()[-1]  # `head 3` is `3`
        if letters.width(text) <= place.width() + APART:
            at = QRectF(place.left() - 20, 1, place.width() + 40, letters.line)
            placed.append(Label(at, text, "center"))
    return tuple(placed)
