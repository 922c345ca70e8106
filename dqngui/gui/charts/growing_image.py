"""An image of a map over an episode that grows step by step; only new steps are converted to colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from dqngui.gui.charts.canvas import image_of
from dqngui.gui.charts.layout.color_range import GAP, indices
from dqngui.gui.charts.timeline import extremes

AT_ONCE = 1_000_000
"""Values converted to colours in one call; takes about 10 ms."""


class GrowingImage:
    """An image of values (steps, rows): one pixel column for `size` steps, one pixel line for one or more rows.

    Attributes:
        image: the image; `columns` pixels wide, each for `size` steps.
        done: number of steps in it.
    """

    def __init__(self) -> None:
        self.image, self.done, self.columns, self.size = QImage(), 0, 0, 1
        self._made_of: tuple[object, ...] = ()
        self._places: npt.NDArray[np.uint8] = np.empty((0, 0), np.uint8)

    def forget(self) -> None:
        """Start again at the next `add`: the values, their order or their colours have changed."""
        self._made_of = ()

    def add(
        self,
        values: npt.NDArray[np.float32],
        order: npt.NDArray[np.intp],
        *,
        span: int,
        size: int,
        lines: int,
        signed: bool,
        limits: tuple[float, float],
        table: Sequence[int],
        at_once: int | None = AT_ONCE,
    ) -> None:
        """Convert new values (steps, rows) to colours, at most `at_once` values; None: all.

        The episode has at most `span` steps. Where there are more rows than `lines` of pixels, some rows share a line.
        Of values in one pixel the highest is drawn, of signed values the one farthest from zero.
        """
        rows = len(order)
        merged = max(1, math.ceil(rows / max(1, lines)))
        made_of = (span, size, merged, rows, signed, limits)
        if made_of != self._made_of:
            self._made_of = made_of
            self.size, self.columns = size, 4 * math.ceil(span / size / 4)  # image lines are aligned to 4 bytes
            self._places = np.full((math.ceil(rows / merged), self.columns), GAP, np.uint8)
            self.image = image_of(self._places, table)
            self.done = 0
        first = self.done // size * size
        last = len(values)
        if at_once is not None:
            last = min(last, first + max(1, at_once // max(rows, 1) // size) * size)
        if last <= self.done:
            return
        new = values[first:last]
        if not np.array_equal(order, np.arange(rows)):
            new = new[:, order]
        new = _together(extremes(new, size, signed), merged, signed).T
        column = first // size
        self._places[:, column : column + new.shape[1]] = indices(new, *limits)
        self.done = last


def _together(values: npt.NDArray[np.float32], size: int, signed: bool) -> npt.NDArray[np.float32]:
    """One column for every `size` columns of values (n, R), as `extremes` makes one row for some rows."""
    if size == 1 or not len(values):
        return values
    starts = np.arange(0, values.shape[1], size)
    high: npt.NDArray[np.float32] = np.fmax.reduceat(values, starts, axis=1)
    if not signed:
        return high
    low = np.fmin.reduceat(values, starts, axis=1)
    return np.where(-low > high, low, high)
