"""An agent beside reference networks: the interval of one more network's score, and that of a difference to it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from dqngui.statistics.intervals import MIN_VALUES, Interval
from dqngui.statistics.quantiles import t_quantile


def prediction_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval that contains one more value like these (N,), such as the score of one more untrained network.

    Mean ± t(N - 1) · s · √(1 + 1 / N), for normal values (Student's t; Hahn & Meeker 1991, Statistical Intervals,
    section 4.7). It does not become narrow with many values, unlike the interval of a mean. All equal values give an
    interval without width: on the same episodes, networks may truly score the same. None with fewer than MIN_VALUES
    values or if one is not finite, as a network without a score may be unlike the others.
    """
    array = np.asarray(values, dtype=np.float64).ravel()
    if len(array) < MIN_VALUES or not np.isfinite(array).all():
        return None
    low, high = float(array.min()), float(array.max())
    if low == high:
        return Interval(low, high)
    middle = float(array.mean())
    half = float(t_quantile(level, len(array) - 1)) * float(array.std(ddof=1)) * (1 + 1 / len(array)) ** 0.5
    return Interval(middle - half, middle + half)


def difference_of_estimates(
    first: float,
    first_ends: tuple[float, float],
    second: float,
    second_ends: tuple[float, float],
    level: float = 0.95,
) -> Interval:
    """Interval of first − second from the intervals of two independent estimates, whose ends may lie unequally far.

    Args:
        first, second: the estimates.
        first_ends, second_ends: low and high end of each one's interval, around it. Where the second is the mean of
            reference values, give their `prediction_interval`: the result then asks whether the first is one of them.
        level: what both intervals claim, and so what this one claims; it changes no number.

    The method of variance estimates recovery: each end is the square root of a sum of squared distances (Zou & Donner
    2008, Statistics in Medicine 27(10)). An end that is not a number makes the interval one of NaN.
    """
    if not 0 < level < 1:
        raise ValueError(f"a level is between 0 and 1: {level}")
    value = first - second
    below = math.hypot(first - first_ends[0], second_ends[1] - second)
    above = math.hypot(first_ends[1] - first, second - second_ends[0])
    return Interval(value - below, value + above)
