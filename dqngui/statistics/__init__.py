"""Means and confidence intervals: the one place where the window, the measurements and the evidence get them.

Every function of an interval returns None where the interval could not hold what it claims: too few values, or values
without any spread. `reason` says which. COVERAGE.md beside this file lists how often each interval contained the true
value in simulations.
"""

from dqngui.statistics.clusters import (
    MIN_CLUSTERS,
    clustered_mean_interval,
    clustered_mean_intervals,
    clustered_proportion_interval,
)
from dqngui.statistics.decimals import decimals
from dqngui.statistics.intervals import (
    MIN_VALUES,
    Interval,
    difference_interval,
    mean_interval,
    mean_intervals,
    paired_difference_interval,
    reason,
    stratified_interval,
    unseen_share,
)
from dqngui.statistics.means import mean_of
from dqngui.statistics.proportions import proportion_interval

__all__ = [
    "MIN_CLUSTERS",
    "MIN_VALUES",
    "Interval",
    "clustered_mean_interval",
    "clustered_mean_intervals",
    "clustered_proportion_interval",
    "decimals",
    "difference_interval",
    "mean_interval",
    "mean_intervals",
    "mean_of",
    "paired_difference_interval",
    "proportion_interval",
    "reason",
    "stratified_interval",
    "unseen_share",
]
