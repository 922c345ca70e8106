"""Confidence intervals of what is counted per step while whole episodes (clusters) are independent.

Steps of one episode resemble each other, so the interval must come from the spread between episodes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dqngui.statistics.intervals import MIN_VALUES, Interval
from dqngui.statistics.proportions import proportion_ends
from dqngui.statistics.quantiles import Floats, normal_quantile, t_quantile
from dqngui.statistics.skewness import skewed_ends, third_cumulant

MIN_CLUSTERS = MIN_VALUES
"""Smallest number of clusters with an interval."""
MIN_ALIKE = 3
"""Smallest number of equal clusters that count as much as those given, 1 / √Σ share³, for an interval of a mean."""
_ENOUGH = 5
"""With failures (or successes) in fewer clusters, their spread says little about how much units resemble each other."""


def clustered_mean_interval(sums: npt.ArrayLike, counts: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of the mean per unit, Σ sums / Σ counts, from clusters with sums (N,) and counts of units (N,).

    For a difference of two measures on the same units, give the differences of their sums. Clusters without units are
    left out. None with fewer than MIN_CLUSTERS clusters, if one or two of them have most units (MIN_ALIKE), or if their
    means are all equal. Ratio estimator with the jackknife's variance (Cochran 1977, Sampling Techniques, 3rd edition,
    section 6.17), corrected for the skewness of the clusters' residuals as `mean_interval` is. Clusters of unequal
    sizes count as fewer equal ones, in the degrees of freedom and in the skewness.
    """
    low, high = clustered_mean_intervals(np.asarray(sums, dtype=np.float64).reshape(-1, 1), counts, level)
    return None if np.isnan(low[0]) else Interval(float(low[0]), float(high[0]))


def clustered_mean_intervals(sums: npt.ArrayLike, counts: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """`clustered_mean_interval` of many columns: sums (N, C) and counts (N,) or (N, C) to low (C,) and high (C,), NaN
    where there is none.
    """
    found = _ratio(sums, counts)
    means = np.abs(found.totals / np.maximum(found.units, 1e-300))
    units = np.maximum(found.units.sum(0), 1e-300)
    alike = 1 / np.maximum(((found.units / units) ** 3).sum(0), 1e-300) ** 0.5  # equal clusters that count as much
    usable = (found.clusters >= MIN_CLUSTERS) & (alike >= MIN_ALIKE) & (found.error > 1e-12 * means.max(0))
    clusters, alike = np.maximum(found.clusters, 2), np.maximum(alike, MIN_ALIKE)
    error = np.where(usable, found.error, 1.0)
    scale = (1 - 1 / clusters) / units  # so that the sum is the error of the ratio
    skewness = np.where(usable, third_cumulant(found.residuals * scale, alike) * clusters / error**3, 0.0)
    low, high = skewed_ends(found.ratio, error, alike - 1, skewness, level)
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


def clustered_proportion_interval(
    successes: npt.ArrayLike, counts: npt.ArrayLike, level: float = 0.95
) -> Interval | None:
    """Interval of a proportion per unit, Σ successes / Σ counts, from clusters (N,); it has a width also if all units
    succeed.

    `proportion_interval` with the effective number of units, which is between the number of clusters and that of units:
    p (1 - p) divided by the ratio estimator's variance, times (z / t(N - 1))². With failures (or successes) in fewer
    than 5 clusters it is at most the number of clusters, as little is known of how much their units resemble each
    other. None with fewer than MIN_CLUSTERS clusters. Korn & Graubard 1998, Survey Methodology 24(2).
    """
    low, high = clustered_proportion_intervals(np.asarray(successes, np.float64).reshape(-1, 1), counts, level)
    return None if np.isnan(low[0]) else Interval(float(low[0]), float(high[0]))


def clustered_proportion_intervals(
    successes: npt.ArrayLike, counts: npt.ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats]:
    """`clustered_proportion_interval` of many columns: successes (N, C) and counts (N,) or (N, C) to low (C,) and high
    (C,), NaN where there is none.
    """
    found = _ratio(successes, counts)
    rate, units = np.clip(found.ratio, 0.0, 1.0), found.units.sum(0)
    usable = found.clusters >= MIN_CLUSTERS
    clusters = np.maximum(found.clusters, 2).astype(np.float64)
    wider = (normal_quantile(level) / t_quantile(level, clusters - 1)) ** 2
    spread = found.error > 1e-9
    asked = rate * (1 - rate) / np.where(spread, found.error, 1.0) ** 2 * wider
    effective = np.where(spread, np.minimum(np.maximum(asked, clusters * wider), units), clusters)
    with_both = np.minimum((found.totals > 0).sum(0), (found.totals < found.units).sum(0))
    effective = np.where(with_both < _ENOUGH, np.minimum(effective, clusters), effective)
    low, high = proportion_ends(rate * effective, np.maximum(effective, 1.0), level)
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


class _Ratio(NamedTuple):
    """The ratio estimator of C columns from N clusters.

    Attributes:
        totals, units: sums and counts (N, C).
        ratio, error: the mean per unit and its standard error (C,).
        residuals: of totals from the ratio of the other clusters (N, C); zero for clusters without units.
        clusters: number of clusters with units (C,).
    """

    totals: Floats
    units: Floats
    ratio: Floats
    error: Floats
    residuals: Floats
    clusters: npt.NDArray[np.int64]


def _ratio(sums: npt.ArrayLike, counts: npt.ArrayLike) -> _Ratio:
    totals = np.asarray(sums, dtype=np.float64)
    units = np.asarray(counts, dtype=np.float64)
    units = np.broadcast_to(units[:, None] if units.ndim == 1 else units, totals.shape)
    totals = np.where(units > 0, totals, 0.0)
    clusters = (units > 0).sum(0)
    all_units = np.maximum(units.sum(0), 1e-300)
    ratio = totals.sum(0) / all_units
    share = np.where(clusters > 1, units / all_units, 0.0)
    residuals = (totals - ratio * units) / (1 - share)  # a large cluster draws the ratio to itself
    variance = (clusters - 1) / np.maximum(clusters, 1) * (residuals**2).sum(0) / all_units**2
    return _Ratio(totals, units, ratio, np.sqrt(variance), residuals, clusters)
