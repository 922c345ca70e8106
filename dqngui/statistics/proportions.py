"""Confidence intervals of proportions: success rates and accuracies."""

from __future__ import annotations

from dqngui.statistics.intervals import Interval
from dqngui.statistics.quantiles import normal_quantile


def proportion_interval(successes: float, count: float, level: float = 0.95) -> Interval | None:
    """Wilson's score interval of a proportion, from 0 to 1; it has a width also if all or none succeed.

    Args:
        successes: number of independent trials that succeeded, from 0 to `count`; need not be whole.
        count: number of trials; None is returned for 0.

    Wilson 1927, Journal of the American Statistical Association 22(158).
    """
    if count <= 0:
        return None
    z = normal_quantile(level)
    rate = min(max(successes / count, 0.0), 1.0)
    middle = (rate + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (rate * (1 - rate) / count + z * z / (4 * count * count)) ** 0.5
    return Interval(max(middle - half, 0.0), min(middle + half, 1.0))
