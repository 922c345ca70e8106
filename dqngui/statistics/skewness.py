"""The t interval of an estimate whose distribution leans to one side."""

from __future__ import annotations

from typing import Any

import numpy as np

from dqngui.statistics.quantiles import Floats, t_quantile


def third_cumulant(centred: Floats, count: Any) -> Any:
    """Unbiased third cumulant of values (N, ...) less their mean, `count` of them (the others are 0), (...)."""
    factor = np.asarray(count) / np.maximum((np.asarray(count) - 1.0) * (np.asarray(count) - 2.0), 1.0)
    return factor * (centred**3).sum(0)


def skewed_ends(middle: Any, error: Any, freedom: Any, skewness: Any, level: float) -> tuple[Any, Any]:
    """Low and high end of an interval: the hull of Student's t interval and of Hall's, which corrects it for skewness.

    Hall's follows the longer tail: it ends farther away on the side where rare large values pull the mean. Student's
    alone misses the mean of lognormal values in 15 % of the samples, the hull in less than 10 % (COVERAGE.md).

    Args:
        middle: the estimate.
        error: its standard error, > 0.
        freedom: degrees of freedom.
        skewness: of the estimate; of a mean of N values theirs divided by √N.

    Hall 1992, Journal of the Royal Statistical Society B 54(1), the monotone transformation g of section 2.
    """
    t = t_quantile(level, freedom)
    below, above = np.maximum(_corrected(t, skewness), t), np.minimum(_corrected(-t, skewness), -t)
    return middle - below * error, middle - above * error


def _corrected(t: Any, skewness: Any) -> Any:
    """The studentised error x with x + γx²/3 + γ²x³/27 + γ/6 = t, where γ is the skewness."""
    slope = np.where(np.abs(skewness) < 1e-9, 1e-9, skewness) / 3
    return (np.cbrt(1 + 3 * slope * (t - slope / 2)) - 1) / slope
