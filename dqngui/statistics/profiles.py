"""The performance profile: the share of runs whose score is above each threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dqngui.statistics.intervals import MIN_VALUES
from dqngui.statistics.proportions import proportion_ends
from dqngui.statistics.quantiles import Floats


class Profile(NamedTuple):
    """A performance profile at thresholds (T,).

    Attributes:
        share: share of the runs above each threshold (T,).
        low, high: ends of each share's interval (T,), as of `proportion_interval`; NaN with fewer than MIN_VALUES runs.
    """

    share: Floats
    low: Floats
    high: Floats


def performance_profile(scores: npt.ArrayLike, thresholds: npt.ArrayLike, level: float = 0.95) -> Profile:
    """Share of independent scores (N,) above each of the thresholds (T,), with an interval of each share alone.

    NaN scores are left out; NaN without any. The run-score distribution of Agarwal et al. 2021, arXiv:2108.13264,
    section 4.1.
    """
    array = np.asarray(scores, dtype=np.float64).ravel()
    array = array[~np.isnan(array)]
    at = np.asarray(thresholds, dtype=np.float64).ravel()
    if not len(array):
        return Profile(*(np.full(len(at), np.nan) for _ in range(3)))
    above = (array[:, None] > at).sum(0)
    share = above / len(array)
    if len(array) < MIN_VALUES:
        return Profile(share, np.full(len(at), np.nan), np.full(len(at), np.nan))
    return Profile(share, *proportion_ends(above, np.full(len(at), float(len(array))), level))
