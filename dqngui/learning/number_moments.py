"""Mean and deviation of observed numbers, which rare outliers do not change.

A sensor that once in a thousand steps says 1e6 would have a deviation of 3e4, in which all that it says else vanishes.
So no number counts as further from the mean than `LIMIT` deviations, unless so many are further that they are part of
what is usual. Numbers within the limits count as they are, and all of a column that is the same at nearly all steps, as
is a contact that comes seldom: there is nothing else to see in it.

The deviation of such a column is nearly 0, and what comes seldom would be far away in deviations: ±10 after clipping,
while the rest is 0. So where most rows have the same number, the others are at most `FARTHEST_OTHERS` units from it.
That changes nothing unless they are fewer than one row of 17. (A T-maze of 500 steps, seeds 10 to 12: LRU solved it
after 361,000, 441,000 and 842,000 steps by deviations alone, and after 160,000, 241,000 and 441,000 with this rule;
minGRU after 922,000, 1,443,000 and 762,000, then after 681,000, 721,000 and 842,000.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.spaces import ObservationPart
from dqngui.learning.saved import require, require_between

MEMORY = 100_000
"""Number of steps over which observations and returns are measured: older ones count less and less."""
LIMIT = 20.0
"""Distance from the mean in deviations from which a number is an outlier. A network sees none beyond 10."""
RARE = 1 / 200
"""Outliers that are more than this share of the steps are no outliers: the limits become wider."""
SELDOM = 1 / 20
"""A column that varies at a smaller share of the steps has no limits."""
EARLY = 1_000
"""Number of steps from which the deviation is known well enough to set limits. What was seen before is kept apart."""
MOST_PIXELS = 1_024
"""Number of a picture's pixels that are measured at each step, other ones each time."""
FARTHEST_OTHERS = 4.0
"""Largest root mean square distance, in units, of rows from the number that most rows have."""
_ENDS = 4  # of the first steps, this many of the smallest and of the largest numbers are kept apart
_FEWEST = 64  # steps from which these can be outliers
_FAR = 100.0  # deviations of the others from which they are; the speed of a crash has 30
_FEWEST_BEYOND = 4  # fewer outliers between two settings of the limits are rare
_CONSTANT = 1e-6  # a deviation below this share of the mean is rounding

Columns = NDArray[np.float64]


class NumberMoments:
    """Mean and deviation of the numbers of one part of the observation over the last steps.

    Of entities they are those of all rows that are present, for each of a row's numbers; the number that tells presence
    stays as it is. Of pictures they are those of all pixels, for each channel.
    """

    def __init__(self, part: ObservationPart) -> None:
        self.name, self.part = part.name, part
        self.columns = part.measured_numbers
        self.pixels = part.shape[0] // self.columns if part.kind == "image" else 1
        self.size = min(self.pixels, MOST_PIXELS)  # rows of a step
        self.moments = _Moments(self.columns)
        self.usual = None if part.kind == "image" else _Usual(self.columns)  # a picture has no column for each pixel
        self.early: _EarlyMoments | None = _EarlyMoments(self.columns, _ENDS * self.size)
        self.limits = _Limits(self.columns)

    def observe(self, part: NDArray[Any]) -> None:
        """Include one step of every environment, (N, F)."""
        rows = self._rows(part)
        if not len(rows):
            return
        self.limits.clip(rows)
        if self.early is not None:
            self.early.include(rows)
        self.moments.include(rows)
        if self.usual is not None:
            self.usual.include(rows)
        if self.moments.count < EARLY * self.size:
            return
        if self.early is not None:
            self.moments = self.early.without_outliers(self.moments, self.size)
            self.limits.begin(self.moments, self.early.middle)
            self.early = None
        elif self.limits.fresh >= self.moments.count / 10:
            self.limits.set(self.moments)
        kept = self.moments.forget(MEMORY * self.size)
        if self.usual is not None and kept < 1.0:
            self.usual.forget(kept)

    def _rows(self, part: NDArray[Any]) -> Columns:
        """The numbers that are measured, as rows (…, columns)."""
        if self.part.kind != "image":
            rows = part.reshape(-1, self.columns).astype(np.float64)
            if self.part.kind == "entities":
                rows = rows[self.part.present(rows.reshape(-1, *self.part.raw_shape)).ravel()]
            return rows
        shaped = part.reshape(-1, *self.part.raw_shape)
        if "c" in self.part.axes:
            shaped = np.moveaxis(shaped, 1 + self.part.axes.index("c"), -1)
        pixels = shaped.reshape(len(part), self.pixels, self.columns)
        if self.size < self.pixels:
            places = np.arange(self.size) * self.pixels // self.size + int(self.moments.count) // self.size
            pixels = pixels[:, places % self.pixels]
        return pixels.reshape(-1, self.columns).astype(np.float64)

    def measured(self) -> tuple[Columns, Columns] | None:
        """Mean and deviation of each column, (F,) each; None if nothing was seen."""
        moments = self.moments
        if moments.origin is None:
            return None
        if self.early is not None:
            moments = self.early.without_outliers(moments, self.size)
        mean, deviation = moments.measured()
        varies = _varies(mean, deviation)
        if self.usual is not None:
            deviation = np.maximum(deviation, self.usual.distance(mean, deviation) / FARTHEST_OTHERS)
        deviation = np.where(varies, deviation, 1.0)
        if self.part.presence is not None:
            mean[self.part.presence], deviation[self.part.presence] = 0.0, 1.0
        return mean, deviation

    def arrays(self) -> dict[str, NDArray[Any]]:
        kept = self.moments.arrays("") | self.limits.arrays()
        if self.early is not None:
            kept |= self.early.arrays()
        if self.usual is not None:
            kept |= self.usual.arrays()
        return {f"{self.name}.{key}": value for key, value in kept.items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` gave.

        What an earlier version gave has no limits, which are set by what follows, and no usual numbers: its units stay
        the deviations.
        """
        keys = (*_Moments.KEYS, *_Limits.KEYS, *_EarlyMoments.KEYS, *_Usual.KEYS)
        own = {key: arrays[f"{self.name}.{key}"] for key in keys if f"{self.name}.{key}" in arrays}
        self.moments.restore(own, "")
        if "limits.low" in own:
            self.limits.restore(own)
        if "early.ends" in own:
            assert self.early is not None
            self.early.restore(own)
        else:
            self.early = None
        if self.usual is not None and "usual.number" in own:
            self.usual.restore(own)
        else:
            self.usual = None


class _Moments:
    """Count, sums and sums of squares of columns of numbers, as distances from an origin near them."""

    KEYS = ("origin", "count", "sums", "squares")

    def __init__(self, columns: int) -> None:
        self.origin: Columns | None = None  # so that squares do not cancel
        self.count, self.sums, self.squares = 0.0, np.zeros(columns), np.zeros(columns)

    def include(self, rows: Columns) -> None:
        """Include rows (N, F), N ≥ 1."""
        if self.origin is None:
            self.origin = rows[0].copy()
        rows = rows - self.origin
        self.count += len(rows)
        self.sums += np.add.reduce(rows, axis=0)
        self.squares += np.add.reduce(rows * rows, axis=0)

    def forget(self, most: int) -> float:
        """Let older rows count less, so that all together count as `most`; the factor by which they do."""
        if self.count <= most:
            return 1.0
        kept = most / self.count
        self.count, self.sums, self.squares = float(most), self.sums * kept, self.squares * kept
        return kept

    def measured(self) -> tuple[Columns, Columns]:
        """Mean and deviation, (F,) each."""
        assert self.origin is not None
        offset = self.sums / self.count
        deviation = np.sqrt(np.maximum(self.squares / self.count - offset * offset, 0.0))
        return self.origin + offset, deviation

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        origin = np.zeros(0) if self.origin is None else self.origin
        kept = {"origin": origin, "count": np.array(self.count), "sums": self.sums, "squares": self.squares}
        return {prefix + key: value.copy() for key, value in kept.items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        origin = arrays[f"{prefix}origin"]
        require(len(origin) in (0, len(self.sums)), f"{prefix}origin")
        require_between(f"{prefix}count", arrays[f"{prefix}count"], 0, 2**53)
        self.origin = origin.copy() if len(origin) else None
        self.count = float(arrays[f"{prefix}count"])
        self.sums, self.squares = (arrays[prefix + key].copy() for key in ("sums", "squares"))


class _Usual:
    """The number that most rows of a column have, and how many rows have another one.

    It is found by a majority vote (Boyer and Moore 1981) in which one row of each step votes. Rows from before it was
    found count as others.

    Attributes:
        number: that number, (F,).
        lead: of its votes over those for other numbers, (F,).
        others: rows with another number, (F,).
        rows, steps: rows and steps so far; older rows count less.
    """

    KEYS = tuple(f"usual.{key}" for key in ("number", "lead", "others", "rows", "steps"))

    def __init__(self, columns: int) -> None:
        self.number, self.lead, self.others = np.zeros((3, columns))
        self.rows, self.steps = 0.0, 0

    def include(self, rows: Columns) -> None:
        """Include the rows of a step (N, F), N ≥ 1."""
        voter = rows[self.steps % len(rows)]
        agrees = voter == self.number
        replaced = ~agrees & (self.lead < 1.0)
        if np.logical_or.reduce(replaced):
            self.number = np.where(replaced, voter, self.number)
            self.others = np.where(replaced, np.maximum(self.others, self.rows), self.others)
            agrees |= replaced
        self.lead += np.where(agrees, 1.0, -1.0)
        self.others += np.add.reduce(rows != self.number, axis=0)
        self.rows += len(rows)
        self.steps += 1

    def forget(self, kept: float) -> None:
        """Let all rows and votes count less, by this factor."""
        self.rows *= kept
        self.lead *= kept
        self.others *= kept

    def distance(self, mean: Columns, deviation: Columns) -> Columns:
        """Root mean square distance of the other numbers from the usual one; 0 where half of the rows or more are
        others, (F,).
        """
        squares = self.rows * (deviation**2 + (mean - self.number) ** 2)
        few = (self.others > 0) & (self.others < self.rows / 2)
        distance: Columns = np.sqrt(np.where(few, squares, 0.0) / np.where(few, self.others, 1.0))
        return distance

    def arrays(self) -> dict[str, NDArray[Any]]:
        values = (self.number, self.lead, self.others, self.rows, self.steps)
        return {key: np.array(value) for key, value in zip(self.KEYS, values, strict=True)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.number, self.lead, self.others = (arrays[key].copy() for key in self.KEYS[:3])
        self.rows, self.steps = float(arrays[self.KEYS[3]]), int(arrays[self.KEYS[4]])


class _EarlyMoments:
    """What the first steps showed, of which the smallest and the largest numbers of each column are kept apart.

    Args:
        ends: of each column, this many of the smallest and as many of the largest.
    """

    KEYS = ("early.ends", *(f"early.{key}" for key in _Moments.KEYS))

    def __init__(self, columns: int, ends: int) -> None:
        self.most = ends
        self.ends = np.zeros((0, columns))
        self.middle = _Moments(columns)

    def include(self, rows: Columns) -> None:
        """Include rows (N, F)."""
        rows = np.sort(np.concatenate([self.ends, rows]), axis=0)
        if len(rows) <= 2 * self.most:
            self.ends = rows
            return
        middle = rows[self.most : -self.most]
        if self.middle.origin is None:
            self.middle.origin = middle[len(middle) // 2].copy()
        self.middle.include(middle)
        self.ends = np.concatenate([rows[: self.most], rows[-self.most :]])

    def without_outliers(self, whole: _Moments, size: int) -> _Moments:
        """The moments of the same rows, in which rare outliers count as if they were at the limits."""
        if whole.count < _FEWEST * size or self.middle.origin is None or whole.origin is None:
            return whole
        low, high = _limits(*self.middle.measured(), _FAR)
        beyond = ((self.ends < low) | (self.ends > high)).sum(0)
        wrong = (beyond > 0) & (beyond <= max(size, RARE * whole.count))
        if not wrong.any():
            return whole
        mended = _Moments(len(whole.sums))
        mended.origin, mended.count = np.where(wrong, self.middle.origin, whole.origin), whole.count
        ends = self.ends.clip(*_limits(*self.middle.measured(), LIMIT)) - self.middle.origin
        mended.sums = np.where(wrong, self.middle.sums + ends.sum(0), whole.sums)
        mended.squares = np.where(wrong, self.middle.squares + (ends * ends).sum(0), whole.squares)
        return mended

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"early.ends": self.ends.copy(), **self.middle.arrays("early.")}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.ends = arrays["early.ends"].copy()
        self.middle.restore(arrays, "early.")


class _Limits:
    """The smallest and the largest number of each column that counts as it is.

    Attributes:
        usual: number of each column of which it is counted how often others come.
        fresh: number of rows since the limits were set.
    """

    KEYS = tuple(f"limits.{key}" for key in ("low", "high", "width", "beyond", "usual", "varied", "last", "fresh"))

    def __init__(self, columns: int) -> None:
        self.low, self.high = np.full(columns, -np.inf), np.full(columns, np.inf)
        self.width = np.full(columns, LIMIT)  # in deviations
        self.beyond = np.zeros(columns)  # rows outside of the limits since they were set
        self.usual = np.full(columns, np.nan)
        self.varied = np.zeros(columns)  # rows that differ from the usual number
        self.last = self.usual  # row
        self.fresh = 0

    def clip(self, rows: Columns) -> None:
        """Move what is outside of the limits to them, in place (N, F)."""
        self.fresh += len(rows)
        self.varied += np.add.reduce(rows != self.usual, axis=0)
        self.last = rows[-1].copy()
        outside = (rows < self.low) | (rows > self.high)
        if np.logical_or.reduce(outside, axis=None):
            self.beyond += outside.sum(0)
            np.clip(rows, self.low, self.high, out=rows)

    def begin(self, moments: _Moments, middle: _Moments) -> None:
        """Set the limits for the first time; `middle` are the moments without the smallest and the largest numbers."""
        assert middle.origin is not None
        _, deviation = middle.measured()
        self._set(moments, seldom=deviation == 0)
        self.usual = middle.origin.copy()

    def set(self, moments: _Moments) -> None:
        """Set the limits anew: ten times wider where what was outside is not rare, else of the usual width."""
        often = (self.beyond >= _FEWEST_BEYOND) & (self.beyond > RARE * self.fresh)
        self.width = np.where(often, self.width * 10, LIMIT)
        self._set(moments, seldom=self.varied < SELDOM * self.fresh)

    def _set(self, moments: _Moments, seldom: NDArray[np.bool_]) -> None:
        low, high = _limits(*moments.measured(), self.width)
        self.low, self.high = np.where(seldom, -np.inf, low), np.where(seldom, np.inf, high)
        self.usual = np.where(self.varied <= self.fresh / 2, self.usual, self.last)
        self.beyond, self.varied, self.fresh = np.zeros_like(self.beyond), np.zeros_like(self.varied), 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        values = (self.low, self.high, self.width, self.beyond, self.usual, self.varied, self.last, self.fresh)
        return {key: np.array(value) for key, value in zip(self.KEYS, values, strict=True)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        kept = [arrays[key].copy() for key in self.KEYS[:-1]]
        self.low, self.high, self.width, self.beyond, self.usual, self.varied, self.last = kept
        self.fresh = int(arrays[self.KEYS[-1]])


def _limits(mean: Columns, deviation: Columns, width: Columns | float) -> tuple[Columns, Columns]:
    """The smallest and the largest number within so many deviations; infinite where nothing varied."""
    reach = np.where(_varies(mean, deviation), width * deviation, np.inf)
    return mean - reach, mean + reach


def _varies(mean: Columns, deviation: Columns) -> NDArray[np.bool_]:
    varies: NDArray[np.bool_] = deviation > _CONSTANT * np.abs(mean)
    return varies
