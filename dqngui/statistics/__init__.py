"""Means and confidence intervals: the one place where the window, the measurements and the evidence get them.

Every function of an interval returns None where the interval could not hold what it claims: too few values, or values
without any spread. `reason` says which, for a mean. COVERAGE.md beside this file lists how often each interval
contained the true value in simulations, and where it did in less than 90 % although the sample does not show it.
"""

from dqngui.statistics.aggregates import (
    iqm,
    iqm_interval,
    iqm_intervals,
    iqms,
    median_interval,
    median_intervals,
    medians,
)
from dqngui.statistics.clusters import (
    MIN_CLUSTERS,
    clustered_mean_interval,
    clustered_mean_intervals,
    clustered_proportion_interval,
    clustered_proportion_intervals,
)
from dqngui.statistics.decimals import decimals
from dqngui.statistics.improvement import improvement_interval, probability_of_improvement
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
from dqngui.statistics.profiles import Profile, performance_profile
from dqngui.statistics.proportions import proportion_interval
from dqngui.statistics.references import difference_of_estimates, prediction_interval

__all__ = [
    "MIN_CLUSTERS",
    "MIN_VALUES",
    "Interval",
    "Profile",
    "clustered_mean_interval",
    "clustered_mean_intervals",
    "clustered_proportion_interval",
    "clustered_proportion_intervals",
    "decimals",
    "difference_interval",
    "difference_of_estimates",
    "improvement_interval",
    "iqm",
    "iqm_interval",
    "iqm_intervals",
    "iqms",
    "mean_interval",
    "mean_intervals",
    "mean_of",
    "median_interval",
    "median_intervals",
    "medians",
    "paired_difference_interval",
    "performance_profile",
    "prediction_interval",
    "probability_of_improvement",
    "proportion_interval",
    "reason",
    "stratified_interval",
    "unseen_share",
]
