"""The frame of a path: its place, titles and legend, and values as pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

from dqngui.gui.charts.layout.map_labels import row_title
from dqngui.gui.charts.layout.text import Label, Letters

RAMP = 44.0  # pixels of the colours in the legend
RIGHT, BETWEEN, INNER = 10.0, 10.0, 6.0
Range = tuple[float, float]


@dataclass(frozen=True)
class Colouring:
    """The colours of a path and their meaning.

    Attributes:
        colors: tokens of the theme or codes.
        index: which colour each step has (steps,).
        names: name of each colour, or of the first and the last colour.
    """

    colors: tuple[str, ...]
    index: npt.NDArray[np.intp]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Square:
    """A piece of colour in the legend; `token` is a token of the theme or a code."""

    place: QRectF
    token: str


@dataclass(frozen=True, slots=True)
class PathDrawn:
    """A path's frame.

    Attributes:
        place: where the path is, in pixels.
        across, up: the values at the ends of both axes.
        labels: titles of the axes and names of the colours.
        squares: the colours in the legend.
    """

    place: QRectF
    across: Range
    up: Range
    labels: tuple[Label, ...]
    squares: tuple[Square, ...]

    def pixels(self, places: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Places (n, 2) as pixels (n, 2)."""
        place, across, up = self.place.adjusted(INNER, INNER, -INNER, -INNER), self.across, self.up
        x = place.left() + (places[:, 0] - across[0]) / (across[1] - across[0]) * place.width()
        y = place.bottom() - (places[:, 1] - up[0]) / (up[1] - up[0]) * place.height()
        return np.stack([x, y], axis=1).astype(np.float64)


def lay_out(
    places: npt.NDArray[np.float32],
    colouring: Colouring,
    titles: tuple[str, str],
    ranges: tuple[Range, Range],
    size: tuple[float, float],
    letters: Letters,
) -> PathDrawn:
    """The frame around a path (steps, 2); without steps there are no titles and no legend."""
    (width, height), line = size, letters.line
    left, top = line + 8.0, line + 6.0
    place = QRectF(left, top, max(1.0, width - left - RIGHT), max(1.0, height - top - line - 4))
    if not len(places):
        return PathDrawn(place, *ranges, (), ())
    names, squares = _legend(colouring, place.left(), width - RIGHT, letters)
    below = Label(QRectF(place.left(), place.bottom() + 2, place.width(), line), titles[0], "center")
    beside = row_title(titles[1], place.top(), place.bottom(), letters)
    return PathDrawn(place, *ranges, (*names, below, *beside), squares)


def _legend(
    colouring: Colouring, left: float, right: float, letters: Letters
) -> tuple[tuple[Label, ...], tuple[Square, ...]]:
    """The legend: a colour ramp between two names, or a coloured square next to each name."""
    labels, squares = [], []
    one_each = len(colouring.names) == len(colouring.colors)
    top = (letters.line - 8) / 2 + 1
    for place, name in enumerate(colouring.names):
        width = letters.width(name) + 2
        if left + width + 14 > right:
            break
        if one_each:
            squares.append(Square(QRectF(left, top, 8, 8), colouring.colors[place]))
            left += 12
        labels.append(Label(QRectF(left, 1, width, letters.line), name))
        left += width + (BETWEEN if one_each else 4)
        if not one_each and place == 0:
            every = RAMP / len(colouring.colors)
            squares += [
                Square(QRectF(left + index * every, top, every + 0.5, 8), color)
                for index, color in enumerate(colouring.colors)
            ]
            left += RAMP + 4
    return tuple(labels), tuple(squares)
