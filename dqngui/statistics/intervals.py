"""Confidence intervals of means and of differences of means; the sample decides which method is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from dqngui.statistics.quantiles import Floats, finite_values
from dqngui.statistics.skewness import skewed_ends, third_cumulant
from dqngui.statistics.two_values import share_intervals

MIN_VALUES = 5
"""Smallest number of values with an interval of their mean."""
Reason = Literal["few", "equal"]
"""Why there is no interval: too few values, or values that are all equal (their spread is not known to be zero)."""
_ROUNDING = 1e-12  # values that differ by less than this share of their size are equal: sums differ by their order


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
    return None if differ(found.min(), found.max()) else "equal"


def differ(least: Any, most: Any) -> Any:
    """Whether values between these two differ by more than rounding."""
    return most / 2 - least / 2 > _ROUNDING / 2 * np.maximum(np.abs(least), np.abs(most))


def mean_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of the mean of independent values (N,), with the method that the sample asks for.

    - Fewer than MIN_VALUES values, or all equal: None (`reason` says which).
    - Two distinct values, such as returns of 0 and 500: the interval of the share of the larger one, in the unit of the
      values (`two_values`).
    - Else the hull of Student's t interval, mean ± t(N - 1) · s / √N, and of Hall's, which follows the longer tail
      (`skewness`).

    Skewed samples keep their interval, because they show the tail that moves the mean. COVERAGE.md has the measured
    coverage of this choice. No interval holds for an outcome that no value shows (`unseen_share`).
    """
    low, high = mean_intervals(finite_values(values), level)
    return None if np.isnan(low) else Interval(float(low), float(high))


def mean_intervals(values: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """`mean_interval` of each column: values (N, ...) to low (...) and high (...), NaN where there is none.

    Values that are not finite (columns of different lengths) are left out.
    """
    array = np.asarray(values, dtype=np.float64)
    shape = array.shape[1:]
    array = array.reshape(len(array), int(np.prod(shape)))
    there = np.isfinite(array)
    counts = there.sum(0)
    least, most = (
        np.where(there, array, np.inf).min(0, initial=np.inf),
        np.where(there, array, -np.inf).max(0, initial=-np.inf),
    )
    low, high = np.full(array.shape[1], np.nan), np.full(array.shape[1], np.nan)
    usable = (counts >= MIN_VALUES) & differ(least, most)
    two = usable & (~there | (array == least) | (array == most)).all(0)
    if two.any():
        larger = (array[:, two] == most[two]).sum(0)
        shares = share_intervals(larger, counts[two], level)
        low[two], high[two] = (least[two] * (1 - share) + most[two] * share for share in shares)
    rest = usable & ~two
    if rest.any():
        low[rest], high[rest] = _skewed_intervals(array[:, rest], there[:, rest], counts[rest], level)
    return low.reshape(shape), high.reshape(shape)


def _skewed_intervals(
    array: Floats, there: npt.NDArray[np.bool_], counts: npt.NDArray[np.int64], level: float
) -> tuple[Floats, Floats]:
    means = np.where(there, array, 0.0).sum(0) / counts
    centred = np.where(there, array - means, 0.0)
    scale = np.abs(centred).max(0)  # so that no power leaves the range of numbers
    centred /= scale
    variances = (centred**2).sum(0) / (counts - 1)
    skewness = third_cumulant(centred, counts) / variances**1.5 / np.sqrt(counts)
    return skewed_ends(means, scale * np.sqrt(variances / counts), counts - 1, skewness, level)


def unseen_share(count: int, level: float = 0.95) -> float:
    """The largest share of an outcome that none of `count` independent values shows, 1 - (1 - level)^(1 / count).

    Hanley & Lippman-Hand 1983, Journal of the American Medical Association 249(13) (3 / count, for many).
    """
    return float(1 - (1 - level) ** (1 / count))


def difference_interval(a: npt.ArrayLike, b: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of mean(a) - mean(b) for independent groups (N,) and (M,) with any spreads.

    None if a group has fewer than MIN_VALUES values, or if neither has a spread. Degrees of freedom: Welch 1947,
    Biometrika 34(1-2); corrected for skewness as `mean_interval` is.
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
    fewer than MIN_VALUES values, or if no group has a spread. Degrees of freedom: Satterthwaite 1946, Biometrics 2(6);
    corrected for skewness as `mean_interval` is.
    """
    found = [finite_values(group) for group in groups]
    return _weighted_sum_interval(found, np.full(len(found), 1 / max(len(found), 1)), level)


def _weighted_sum_interval(groups: Sequence[Floats], weights: Floats, level: float) -> Interval | None:
    if not groups or any(len(group) < MIN_VALUES for group in groups):
        return None
    counts = np.array([len(group) for group in groups])
    if not any(differ(group.min(), group.max()) for group in groups):
        return None
    scale = float(max(np.ptp(group) for group in groups))  # so that no power leaves the range of numbers
    groups = [group / scale for group in groups]
    parts = weights**2 * np.array([group.var(ddof=1) for group in groups]) / counts  # variances of the weighted means
    middle = float(weights @ np.array([group.mean() for group in groups]))
    freedom = float(parts.sum() ** 2 / (parts**2 / (counts - 1)).sum())
    thirds = np.array([third_cumulant(group - group.mean(), len(group)) for group in groups])
    skewness = float((weights**3 * thirds / counts**2).sum() / parts.sum() ** 1.5)
    low, high = skewed_ends(middle, float(parts.sum()) ** 0.5, freedom, skewness, level)
    return Interval(float(low) * scale, float(high) * scale)
