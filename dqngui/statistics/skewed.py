"""The confidence interval of the mean of many skewed values, by the bootstrap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dqngui.statistics.intervals import Interval
from dqngui.statistics.quantiles import finite_values

MIN_SKEWED_VALUES = 20
"""Smallest number of values with a bootstrap interval."""
RESAMPLES = 2000


def skewed_mean_interval(values: npt.ArrayLike, level: float = 0.95, seed: int = 0) -> Interval | None:
    """Bias-corrected and accelerated (BCa) bootstrap interval of the mean of independent values (N,).

    2,000 resamples from a generator with `seed`; the acceleration is the skewness of the values divided by 6 √N, which
    is the jackknife's for a mean. None with fewer than MIN_SKEWED_VALUES values, or if all are equal. Efron 1987,
    Journal of the American Statistical Association 82(397), equation 2.3.
    """
    from scipy.special import ndtr, ndtri  # here, so that the window starts without scipy

    found = finite_values(values)
    count = len(found)
    if count < MIN_SKEWED_VALUES or np.ptp(found) <= 0:
        return None
    picks = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    means = np.sort(found[picks].mean(1))
    middle = found.mean()
    below = ((means < middle).sum() + 0.5 * (means == middle).sum()) / RESAMPLES
    bias = ndtri(min(max(below, 0.5 / RESAMPLES), 1 - 0.5 / RESAMPLES))
    centred = found - middle
    acceleration = (centred**3).sum() / (6 * (centred**2).sum() ** 1.5)
    ends = bias + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    shares = ndtr(bias + ends / (1 - acceleration * ends))
    low, high = np.quantile(means, np.clip(shares, 0, 1))
    return Interval(float(low), float(high))
