"""A curve of any length in growing numpy columns, which is queried by a range of x and a width in pixels.

A query returns a few points per pixel, so that a million points draw as fast as a thousand. Its result
depends only on the points and the query: a panel that was hidden draws the same curve as one that
was always visible.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
FACTOR = 4  # points of one pyramid level in one of the next


class GrowingColumn:
    """A growing column of float64; doubling keeps an append cheap."""

    def __init__(self) -> None:
        self._data: Floats = np.empty(1024)
        self.size = 0

    def extend(self, values: Floats) -> None:
        end = self.size + len(values)
        if end > len(self._data):
            grown = np.empty(max(end, 2 * len(self._data)))
            grown[: self.size] = self._data[: self.size]
            self._data = grown
        self._data[self.size : end] = values
        self.size = end

    @property
    def nbytes(self) -> int:
        """Memory that it holds, in bytes."""
        return self._data.nbytes

    @property
    def values(self) -> Floats:
        """The values so far, as a view (N,)."""
        return self._data[: self.size]


class Curve:
    """Points (x, y) in order of x, with a pyramid of minima and maxima and running sums of y.

    A missing, NaN or infinite y is a gap.

    Attributes:
        x, y: growing columns (N,).
    """

    def __init__(self) -> None:
        self.x, self.y = GrowingColumn(), GrowingColumn()
        self._levels: list[tuple[GrowingColumn, GrowingColumn]] = []  # level k: blocks of FACTOR ** (k + 1) points
        self._count, self._sum, self._squares = GrowingColumn(), GrowingColumn(), GrowingColumn()
        self._shift: float | None = None  # first y; squares of y - shift lose fewer digits

    def __len__(self) -> int:
        return self.x.size

    @property
    def nbytes(self) -> int:
        """Memory of its points, of the pyramid and of the sums, in bytes."""
        columns = [
            self.x,
            self.y,
            self._count,
            self._sum,
            self._squares,
            *(each for pair in self._levels for each in pair),
        ]
        return sum(column.nbytes for column in columns)

    def extend(self, x: Sequence[float] | Floats, y: Sequence[float | None] | Floats) -> None:
        """Append points; x never decreases."""
        xs = np.asarray(x, dtype=float)
        ys = np.array(y, dtype=float)  # a copy, and None becomes NaN
        ys[~np.isfinite(ys)] = np.nan
        self.x.extend(xs)
        self.y.extend(ys)
        self._grow_sums(ys)
        self._grow_levels()

    def _grow_sums(self, ys: Floats) -> None:
        known = np.isfinite(ys)
        if self._shift is None and known.any():
            self._shift = float(ys[known.argmax()])
        shifted = np.where(known, ys - (self._shift or 0.0), 0.0)
        for column, values in ((self._count, known), (self._sum, shifted), (self._squares, shifted**2)):
            last = column.values[-1] if column.size else 0.0
            column.extend(last + np.cumsum(values, dtype=float))

    def _grow_levels(self) -> None:
        low, high = self.y, self.y
        for level in range(40):
            if low.size < FACTOR:
                return
            if level == len(self._levels):
                self._levels.append((GrowingColumn(), GrowingColumn()))
            lows, highs = self._levels[level]
            start, stop = lows.size * FACTOR, low.size - low.size % FACTOR
            lows.extend(np.fmin.reduce(low.values[start:stop].reshape(-1, FACTOR), axis=1))
            highs.extend(np.fmax.reduce(high.values[start:stop].reshape(-1, FACTOR), axis=1))
            low, high = lows, highs

    @property
    def known(self) -> bool:
        """Whether any y is finite."""
        return self._shift is not None

    def span(self, x0: float, x1: float) -> tuple[int, int]:
        """Indices [first, stop) of the points with x0 <= x <= x1 and one more on either side."""
        x = self.x.values
        first = max(0, int(np.searchsorted(x, x0, "left")) - 1)
        return first, min(len(x), int(np.searchsorted(x, x1, "right")) + 1)

    def blocks(self, x0: float, x1: float, pixels: int) -> tuple[int, int, int]:
        """(first, stop, block): the span, widened to whole blocks of a size that leaves at most `pixels` of them."""
        first, stop = self.span(x0, x1)
        block = 1
        while (stop - first) > block * max(1, pixels):
            block *= FACTOR
        return first - first % block, stop, block

    def query(self, x0: float, x1: float, pixels: int) -> tuple[Floats, Floats]:
        """At most 2 * pixels + 2 points that look like the curve between x0 and x1: each block's lowest and highest."""
        first, stop, block = self.blocks(x0, x1, pixels)
        if block == 1:
            return self.x.values[first:stop].copy(), self.y.values[first:stop].copy()
        level = self._levels[round(np.log(block) / np.log(FACTOR)) - 1]
        begin, end = first // block, stop // block
        low, high = level[0].values[begin:end], level[1].values[begin:end]
        x = self.x.values
        left, right = x[begin * block : end * block : block], x[begin * block + block - 1 : end * block : block]
        if stop > end * block:  # the last block is still growing
            tail = self.y.values[end * block : stop]
            low, high = np.append(low, np.fmin.reduce(tail)), np.append(high, np.fmax.reduce(tail))
            left, right = np.append(left, x[end * block]), np.append(right, x[stop - 1])
        # A falling block is drawn from its highest point to its lowest, or a slope would look like a saw.
        y = self.y.values
        last = np.minimum(np.arange(begin + 1, begin + 1 + len(low)) * block, stop) - 1
        falls = y[begin * block : stop : block] > y[last]
        xs, ys = np.empty(2 * len(low)), np.empty(2 * len(low))
        xs[0::2], xs[1::2] = left, right
        ys[0::2], ys[1::2] = np.where(falls, high, low), np.where(falls, low, high)
        return xs, ys

    def scattered(self, x0: float, x1: float, places: int) -> tuple[Floats, Floats]:
        """At most 3 * places + 2 points to draw as dots: extremes, and one of each block for the crowd between them."""
        first, stop, block = self.blocks(x0, x1, places)
        x, y = self.query(x0, x1, places)
        if block > 1:
            x = np.append(x, self.x.values[first + block // 2 : stop : block])
            y = np.append(y, self.y.values[first + block // 2 : stop : block])
        known = np.isfinite(y)
        return x[known], y[known]

    def smoothed(self, x0: float, x1: float, places: int, window: int) -> tuple[Floats, Floats, Floats]:
        """(x, mean, sd) over the last `window` points, at up to `places` + 2 places evenly spread over x.

        Where a place stands for more points than the window, the mean is over all of these. Of points with the same x
        the place is the last one. The deviation of fewer than two points is NaN.
        """
        first, stop = self.span(x0, x1)
        if first >= stop:
            return np.empty(0), np.empty(0), np.empty(0)
        x = self.x.values
        before = int(np.searchsorted(x[:stop], x[first], "left")) - 1
        first = int(np.searchsorted(x[:stop], x[first], "right")) - 1
        inner = np.linspace(max(x0, x[first]), min(x1, x[stop - 1]), places)
        at = np.searchsorted(x, inner, "right") - 1
        at = np.unique(np.concatenate([[first], at[(at >= first) & (at < stop)], [stop - 1]]))
        mean, sd = self._moments(at, np.minimum(at - window, np.concatenate([[before], at[:-1]])))
        return x[at], mean, sd

    def moments_at(self, index: int, window: int) -> tuple[float, float]:
        """Mean and standard deviation of the `window` points up to an index; NaN where all are gaps.

        The deviation of fewer than two points is NaN.
        """
        mean, sd = self._moments(np.array([index]), np.array([index - window]))
        return float(mean[0]), float(sd[0])

    def means_at(self, steps: Floats, window: int) -> Floats:
        """Mean over the last `window` points at each of these ascending steps (P,), NaN outside the curve.

        Between two points it is interpolated. As in `smoothed`, a step that stands for more points than the
        window has the mean of all of these.
        """
        x = self.x.values
        if not len(x) or not len(steps):
            return np.full(len(steps), np.nan)
        right = np.clip(np.searchsorted(x, steps, "right"), 1, max(1, len(x) - 1))
        left = right - 1
        right = np.minimum(right, len(x) - 1)  # a curve of one point
        last = np.concatenate([left[:1], left[:-1]])
        ends = [
            self._moments(at, np.minimum(at - window, np.where(at > last, last, at - 1)))[0] for at in (left, right)
        ]
        gap = x[right] - x[left]
        share = np.where(gap > 0, (steps - x[left]) / np.where(gap > 0, gap, 1.0), 1.0)
        means = np.where(share >= 1, ends[1], np.where(share <= 0, ends[0], ends[0] + share * (ends[1] - ends[0])))
        return np.where((steps >= x[0]) & (steps <= x[-1]), means, np.nan)

    def _moments(self, at: npt.NDArray[np.int64], before: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Mean and deviation of the points after `before` up to `at`; NaN for too few points."""
        count, total, squares = (
            column.values[at] - np.where(before >= 0, column.values[np.maximum(before, 0)], 0.0)
            for column in (self._count, self._sum, self._squares)
        )
        known = np.where(count > 0, count, np.nan)
        mean = total / known
        sd = np.sqrt(np.maximum(squares / known - mean**2, 0.0))
        return mean + (self._shift or 0.0), np.where(count >= 2, sd, np.nan)

    def range(self, x0: float = -np.inf, x1: float = np.inf) -> tuple[float, float] | None:
        """Lowest and highest y between x0 and x1, or None where there is none."""
        ys = self.query(x0, x1, 256)[1]
        ys = ys[np.isfinite(ys)]
        return (float(ys.min()), float(ys.max())) if len(ys) else None

    def latest(self) -> float | None:
        """The newest y that is known."""
        for stop in range(self.y.size, 0, -256):
            part = self.y.values[max(0, stop - 256) : stop]
            known = np.flatnonzero(np.isfinite(part))
            if len(known):
                return float(part[known[-1]])
        return None

    def near(self, x: float) -> int | None:
        """Index of the point nearest to x; None where there are none."""
        values = self.x.values
        if not len(values):
            return None
        right = min(int(np.searchsorted(values, x)), len(values) - 1)
        left = max(0, right - 1)
        return left if abs(values[left] - x) <= abs(values[right] - x) else right
