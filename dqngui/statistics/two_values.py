"""The interval of a share where a sample has two distinct values, such as returns of 0 and 500."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dqngui.statistics.quantiles import Floats

_HALVINGS = 50


def share_intervals(larger: npt.ArrayLike, counts: npt.ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Low and high ends (N,) of the share of the larger value, which `larger` (N,) of `counts` (N,) values have.

    Both values were seen: 0 < larger < counts. The interval holds among the samples in which they were, as nothing is
    shown of the others: it inverts the binomial distribution given that both occur, with half of the probability of
    what was seen (mid-P). So one failure among N leaves open that failures are as rare as one likes. Lancaster 1961,
    Journal of the American Statistical Association 56(294), for mid-P.
    """
    pairs = np.stack([np.asarray(larger, np.int64).ravel(), np.asarray(counts, np.int64).ravel()], 1)
    found, where = np.unique(pairs, axis=0, return_inverse=True)
    k, n = found[:, 0], found[:, 1]
    low, high = _lowest(k, n, level), 1 - _lowest(n - k, n, level)
    where = where.ravel()
    return low[where], high[where]


def _lowest(k: npt.NDArray[np.int64], n: npt.NDArray[np.int64], level: float) -> Floats:
    """The share p at which k or more have probability (1 - level) / 2, given that neither 0 nor n have; 0 for k = 1."""
    from scipy.special import betainc, xlog1py  # here, so that the window starts without scipy

    low, high = np.zeros(len(k)), k / n
    for _ in range(_HALVINGS):
        p = (low + high) / 2
        all_of_them = p**n
        both = -np.expm1(xlog1py(n, -p)) - all_of_them
        more = betainc(k + 1, n - k, p) - all_of_them  # P(k < K < n)
        seen = betainc(k, n - k + 1, p) - all_of_them  # P(k <= K < n)
        far = (more + seen) / 2 < (1 - level) / 2 * both
        low, high = np.where(far, p, low), np.where(far, high, p)
    return np.where(k == 1, 0.0, low)
