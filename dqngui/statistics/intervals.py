"""Confidence intervals of means and of differences of means, by Student's t."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from dqngui.statistics.quantiles import Floats, finite_values, t_quantile

MIN_VALUES = 5
"""Smallest number of values with an interval of their mean."""
Reason = Literal["few", "equal"]
"""Why there is no interval: too few values, or values that are all equal (their spread is not known to be zero)."""


class Interval(NamedTuple):
    """A confidence interval, in the unit of the values.

    Attributes:
        low: lower end.
        high: upper end, >= low.
    """

    low: float
    high: float


def reason(values: npt.ArrayLike) -> Reason | None:
    """Why `mean_interval` gives no interval for these values; None if it gives one. Values that are not finite are
    left out, here and in all functions below.
    """
    found = finite_values(values)
    if len(found) < MIN_VALUES:
        return "few"
    return None if np.ptp(found) > 0 else "equal"


def mean_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Student's t interval of the mean of independent values (N,): mean ± t(N - 1) · s / √N.

    None with fewer than MIN_VALUES values, or if all are equal. Student 1908, Biometrika 6(1).
    """
    found = finite_values(values)
    if reason(found) is not None:
        return None
    return around(float(found.mean()), float(found.std(ddof=1)) / len(found) ** 0.5, len(found) - 1, level)


def mean_intervals(values: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """`mean_interval` of each column: values (N, ...) to low (...) and high (...), NaN where there is none.

    Values that are not finite (columns of different lengths) are left out.
    """
    array = np.asarray(values, dtype=np.float64)
    there = np.isfinite(array)
    counts = there.sum(0)
    sums = np.where(there, array, 0.0).sum(0)
    means = sums / np.maximum(counts, 1)
    squares = np.where(there, (array - means) ** 2, 0.0).sum(0)
    usable = (counts >= MIN_VALUES) & (squares > 0)
    freedom = np.maximum(counts - 1, 1)
    half = t_quantile(level, freedom) * np.sqrt(squares / freedom / np.maximum(counts, 1))
    half = np.where(usable, half, np.nan)
    return means - half, means + half


def difference_interval(a: npt.ArrayLike, b: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of mean(a) - mean(b) for independent groups (N,) and (M,) with any spreads.

    None if a group has fewer than MIN_VALUES values, or if neither has a spread. Welch 1947, Biometrika 34(1-2).
    """
    groups = [finite_values(a), finite_values(b)]
    return _weighted_sum_interval(groups, np.array([1.0, -1.0]), level)


def paired_difference_interval(a: npt.ArrayLike, b: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of the mean of a - b for pairs (N,) and (N,), for example of the same seeds.

    A pair with a value that is not finite is left out. None as for `mean_interval`. Raises ValueError if the lengths
    differ.
    """
    first, second = np.asarray(a, dtype=np.float64).ravel(), np.asarray(b, dtype=np.float64).ravel()
    if len(first) != len(second):
        raise ValueError(f"pairs need equal lengths: {len(first)} and {len(second)}")
    return mean_interval(first - second, level)


def stratified_interval(groups: Sequence[npt.ArrayLike], level: float = 0.95) -> Interval | None:
    """Interval of the mean of the groups' means, each group (N_g,) weighing the same, for example one for each task.

    The spread between groups does not count, as the tasks are chosen and not drawn. None without groups, if a group has
    fewer than MIN_VALUES values, or if no group has a spread. Degrees of freedom: Satterthwaite 1946, Biometrics 2(6).
    """
    found = [finite_values(group) for group in groups]
    return _weighted_sum_interval(found, np.full(len(found), 1 / max(len(found), 1)), level)


def _weighted_sum_interval(groups: Sequence[Floats], weights: Floats, level: float) -> Interval | None:
    if not groups or any(len(group) < MIN_VALUES for group in groups):
        return None
    counts = np.array([len(group) for group in groups])
    parts = weights**2 * np.array([group.var(ddof=1) for group in groups]) / counts  # variances of the weighted means
    if parts.sum() <= 0:
        return None
    middle = float(weights @ np.array([group.mean() for group in groups]))
    freedom = float(parts.sum() ** 2 / (parts**2 / (counts - 1)).sum())
    return around(middle, float(parts.sum()) ** 0.5, freedom, level)


def around(middle: float, error: float, freedom: float, level: float) -> Interval:
    """The t interval around an estimate with a standard error and degrees of freedom."""
    half = float(t_quantile(level, freedom)) * error
    return Interval(middle - half, middle + half)
