"""The interquartile mean and the median of runs, each with an interval that holds for few of them.

Both are taken of the runs of one task; of runs that found a task's solution and runs that did not, the middle half may
hide the others. Where a sample shows such a gap, the interval follows the ranks and not the spread (`_GAPS`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import comb

import numpy as np
import numpy.typing as npt

from dqngui.statistics.intervals import MIN_VALUES, Interval, differ
from dqngui.statistics.quantiles import Floats, finite_values, normal_quantile
from dqngui.statistics.skewness import skewed_ends, third_cumulant

_TRIMMED = 0.25  # share of the values left out at each end
_GAPS = {5: 0.683, 6: 0.603, 7: 0.545, 8: 0.5, 10: 0.439, 12: 0.395, 15: 0.354, 20: 0.311, 30: 0.267, 50: 0.226}
"""By the number of values: the largest gap between neighbours, as a share of their range, in 90 % of normal samples."""
_Ends = tuple[Floats, Floats]


def iqm(values: npt.ArrayLike) -> float:
    """Interquartile mean: the mean of the middle half of values of any shape, of all runs and tasks together.

    The smallest and the largest quarter are left out, each rounded down to whole values. Values that are not finite are
    left out; NaN without any. Agarwal et al. 2021, arXiv:2108.13264, section 4.2.
    """
    return float(iqms(finite_values(values)))


def iqms(values: npt.ArrayLike) -> Floats:
    """`iqm` of each column: values (N, ...) to (...)."""
    return _each_column(values, 1, lambda ordered: (_iqm_of(ordered),))[0]


def medians(values: npt.ArrayLike) -> Floats:
    """Median of the finite values of each column: values (N, ...) to (...); NaN without any."""
    return _each_column(values, 1, lambda ordered: (np.median(ordered, axis=0),))[0]


def iqm_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of the interquartile mean of the values' distribution, from independent values (N,).

    - Fewer than MIN_VALUES values, or all equal: None.
    - The hull of two intervals of the trimmed mean: Student's t with the Winsorised variance (Tukey & McLaughlin 1963,
      Sankhyā A 25(3)), and Hall's for the skewness of the Winsorised values (`skewness`).
    - Where one gap between neighbours is unusually large, or the Winsorised values are all equal, also the hull with
      the means between the quartiles ± z / (2 √N): with a gap the middle half may by chance show one side of it only.

    COVERAGE.md has the measured coverage of this choice.
    """
    return _first(iqm_intervals(finite_values(values), level))


def iqm_intervals(values: npt.ArrayLike, level: float = 0.95) -> _Ends:
    """`iqm_interval` of each column: values (N, ...) to low (...) and high (...), NaN where there is none."""
    low, high = _each_column(values, 2, lambda ordered: _iqm_ends(ordered, level), at_least=MIN_VALUES)
    return low, high


def median_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of the median of the values' distribution, from independent values (N,); None as for `iqm_interval`.

    Between two order statistics, whatever the distribution (Conover 1999, Practical Nonparametric Statistics, section
    3.2), interpolated to the level (Hettmansperger & Sheather 1986, Statistics & Probability Letters 4(2)) where no gap
    is unusually large. Of 5 values the widest, from the smallest to the largest, holds in 93.75 % of the samples.
    """
    return _first(median_intervals(finite_values(values), level))


def median_intervals(values: npt.ArrayLike, level: float = 0.95) -> _Ends:
    """`median_interval` of each column: values (N, ...) to low (...) and high (...), NaN where there is none."""
    low, high = _each_column(values, 2, lambda ordered: _median_ends(ordered, level), at_least=MIN_VALUES)
    return low, high


# -- of ordered values (N, C) ---------------------------------------------------------------------


def _iqm_of(ordered: Floats) -> Floats:
    cut = int(_TRIMMED * len(ordered))
    found: Floats = ordered[cut : len(ordered) - cut].mean(0)
    return found


def _iqm_ends(ordered: Floats, level: float) -> _Ends:
    count = len(ordered)
    cut = int(_TRIMMED * count)
    kept = count - 2 * cut
    middle = _iqm_of(ordered)
    winsorised = np.clip(ordered, ordered[cut], ordered[count - cut - 1])
    centred = winsorised - winsorised.mean(0)
    scale = np.maximum(np.abs(centred).max(0), 1e-300)  # so that no power leaves the range of numbers
    centred /= scale
    spread = np.sqrt((centred**2).sum(0) / (count - 1))
    flat = ~differ(winsorised[0], winsorised[-1])
    spread = np.where(flat, 1.0, spread)
    error = scale * spread / ((1 - 2 * cut / count) * count**0.5)
    skewness = third_cumulant(centred, count) / spread**3 / count**0.5
    low, high = skewed_ends(middle, error, kept - 1, skewness, level)
    low, high = np.where(flat, middle, low), np.where(flat, middle, high)
    gap = flat | _has_gap(ordered)
    shift = normal_quantile(level) / 2 / count**0.5
    below, above = (_mean_between(ordered, _TRIMMED + by, 1 - _TRIMMED + by) for by in (-shift, shift))
    return np.where(gap, np.minimum(low, below), low), np.where(gap, np.maximum(high, above), high)


def _mean_between(ordered: Floats, first: float, last: float) -> Floats:
    """Mean of the quantiles between two shares; below 0 and above 1 the smallest and the largest value goes on."""
    edges = np.arange(len(ordered) + 1) / len(ordered)
    edges[0], edges[-1] = min(0.0, first), max(1.0, last)
    weights = np.clip(np.minimum(edges[1:], last) - np.maximum(edges[:-1], first), 0.0, None) / (last - first)
    found: Floats = weights @ ordered
    return found


def _has_gap(ordered: Floats) -> npt.NDArray[np.bool_]:
    largest = float(np.interp(np.log(len(ordered)), np.log(list(_GAPS)), list(_GAPS.values())))
    found: npt.NDArray[np.bool_] = np.diff(ordered, axis=0).max(0) > largest * (ordered[-1] - ordered[0])
    return found


def _median_ends(ordered: Floats, level: float) -> _Ends:
    count = len(ordered)
    covers = [_between_ranks(rank, count) for rank in range(1, count // 2 + 1)] + [0.0]
    rank = max((number for number, share in enumerate(covers, 1) if share >= level), default=0)
    if rank == 0:  # too few values for this level
        return ordered[0], ordered[-1]
    part = (covers[rank - 1] - level) / (covers[rank - 1] - covers[rank])
    inwards = (count - rank) * part / (rank + (count - 2 * rank) * part)
    weight = np.where(_has_gap(ordered), 0.0, inwards)
    inner = min(rank, count - 1)
    low = (1 - weight) * ordered[rank - 1] + weight * ordered[inner]
    high = (1 - weight) * ordered[count - rank] + weight * ordered[count - 1 - inner]
    return np.minimum(low, high), np.maximum(low, high)


def _between_ranks(rank: int, count: int) -> float:
    """Probability that the median lies between the order statistics `rank` from below and from above."""
    return 1 - 2 * sum(comb(count, below) for below in range(rank)) / 2**count


# -- columns of different lengths -----------------------------------------------------------------


def _each_column(
    values: npt.ArrayLike, outputs: int, of: Callable[[Floats], tuple[Floats, ...]], at_least: int = 1
) -> tuple[Floats, ...]:
    """What a function of ordered values (N, C) gives for each column; NaN for a column with fewer finite values, and,
    where an interval is asked for, for one whose values are all equal.
    """
    array = np.asarray(values, dtype=np.float64)
    shape = array.shape[1:]
    found = tuple(np.full(int(np.prod(shape)), np.nan) for _ in range(outputs))
    for columns, ordered in _by_count(array.reshape(len(array), -1) if len(array) else np.empty((0, len(found[0])))):
        usable = np.ones(len(columns), bool) if outputs == 1 else differ(ordered[0], ordered[-1])
        if len(ordered) >= at_least and usable.any():
            for each, part in zip(found, of(ordered[:, usable]), strict=True):
                each[columns[usable]] = part
    return tuple(each.reshape(shape) for each in found)


def _by_count(array: Floats) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
    """Columns of (N, C) with equally many finite values: their indices, and these values in order."""
    ordered = np.sort(np.where(np.isfinite(array), array, np.nan), axis=0)  # NaN comes last
    counts = np.isfinite(ordered).sum(0)
    for count in np.unique(counts[counts > 0]):
        columns = np.flatnonzero(counts == count)
        yield columns, ordered[:count, columns]


def _first(ends: _Ends) -> Interval | None:
    return None if np.isnan(ends[0]) else Interval(float(ends[0]), float(ends[1]))
