"""Confidence intervals of what is counted per step while whole episodes (clusters) are independent.

Steps of one episode resemble each other, so the interval must come from the spread between episodes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dqngui.statistics.intervals import MIN_VALUES, Interval
from dqngui.statistics.proportions import proportion_interval
from dqngui.statistics.quantiles import Floats, normal_quantile, t_quantile

MIN_CLUSTERS = MIN_VALUES
"""Smallest number of clusters with an interval."""


def clustered_mean_interval(sums: npt.ArrayLike, counts: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of the mean per unit, Σ sums / Σ counts, from clusters with sums (N,) and counts of units (N,).

    For a difference of two measures on the same units, give the differences of their sums. Clusters without units are
    left out. None with fewer than MIN_CLUSTERS clusters, or if their means are all equal. Ratio estimator with N - 1
    degrees of freedom: Cochran 1977, Sampling Techniques, 3rd edition, equation 6.13.
    """
    low, high = clustered_mean_intervals(np.asarray(sums, dtype=np.float64).reshape(-1, 1), counts, level)
    return None if np.isnan(low[0]) else Interval(float(low[0]), float(high[0]))


def clustered_mean_intervals(sums: npt.ArrayLike, counts: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """`clustered_mean_interval` of many columns: sums (N, C) and counts (N,) or (N, C) to low (C,) and high (C,), NaN
    where there is none.
    """
    totals, units, ratio, error, clusters = _ratio(sums, counts)
    usable = (clusters >= MIN_CLUSTERS) & (error > 1e-12 * np.abs(totals / np.maximum(units, 1e-300)).max(0))
    half = np.where(usable, t_quantile(level, np.maximum(clusters - 1, 1)) * error, np.nan)
    return ratio - half, ratio + half


def clustered_proportion_interval(
    successes: npt.ArrayLike, counts: npt.ArrayLike, level: float = 0.95
) -> Interval | None:
    """Interval of a proportion per unit, Σ successes / Σ counts, from clusters (N,); it has a width also if all units
    succeed.

    Wilson's interval with the effective number of units, which is between the number of clusters and that of units:
    p (1 - p) divided by the ratio estimator's variance, times (z / t(N - 1))². Without any spread between clusters it
    is the number of clusters, as nothing is known of how much the units of a cluster resemble each other. None with
    fewer than MIN_CLUSTERS clusters. Korn & Graubard 1998, Survey Methodology 24(2); with Wilson's interval Dean &
    Pagano 2015, Journal of Survey Statistics and Methodology 3(4).
    """
    _, _, ratios, errors, clusters = _ratio(np.asarray(successes, dtype=np.float64).reshape(-1, 1), counts)
    count, rate, error = int(clusters[0]), float(ratios[0]), float(errors[0])
    if count < MIN_CLUSTERS:
        return None
    effective = float(count)
    if error > 1e-9:
        wider = normal_quantile(level) / float(t_quantile(level, count - 1))
        units = float(np.asarray(counts, dtype=np.float64).sum())
        effective = min(max(rate * (1 - rate) / error**2 * wider**2, count * wider**2), units)
    return proportion_interval(rate * effective, effective, level)


def _ratio(sums: npt.ArrayLike, counts: npt.ArrayLike) -> tuple[Floats, Floats, Floats, Floats, npt.NDArray[np.int64]]:
    """Sums (N, C), counts (N, C), ratio (C,), its standard error (C,) and number of clusters with units (C,)."""
    totals = np.asarray(sums, dtype=np.float64)
    units = np.asarray(counts, dtype=np.float64)
    units = np.broadcast_to(units[:, None] if units.ndim == 1 else units, totals.shape)
    totals = np.where(units > 0, totals, 0.0)
    clusters = (units > 0).sum(0)
    all_units = np.maximum(units.sum(0), 1e-300)
    ratio = totals.sum(0) / all_units
    residuals = totals - ratio * units  # zero for clusters without units
    variance = clusters / np.maximum(clusters - 1, 1) * (residuals**2).sum(0) / all_units**2
    return totals, units, ratio, np.sqrt(variance), clusters
