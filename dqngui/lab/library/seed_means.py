"""The mean of several runs at each step, with a 95 % confidence interval."""

from __future__ import annotations

import numpy as np

from dqngui.lab.session.curve import Floats
from dqngui.statistics import mean_intervals


def mean_and_interval(returns: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean of the runs, and the lower and upper end of its 95 % interval (`statistics.mean_intervals`), each (P,).

    Args:
        returns: (R, P), a row for each run; NaN where a run has no data.

    The mean is NaN where fewer than two runs have data; the interval also where too few runs have data for one.
    """
    known = np.isfinite(returns)
    count = known.sum(axis=0).astype(float)
    mean = np.where(known, returns, 0.0).sum(axis=0) / np.where(count >= 2, count, np.nan)
    low, high = mean_intervals(returns)
    return mean, low, high
