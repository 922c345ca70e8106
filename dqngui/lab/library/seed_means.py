"""The mean of several runs at each step, with a 95 % confidence interval."""

from __future__ import annotations

import numpy as np

from dqngui.lab.session.curve import Floats

# Quantiles 0.975 of Student's t for 1 to 10 degrees of freedom; above 10 an expansion is exact
# to three digits (Abramowitz and Stegun 1964, 26.7.5).
_T = np.array([12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281])
_Z = 1.959964


def t_quantile(freedom: Floats) -> Floats:
    """Half the width of a 95 % interval of a mean, in standard errors, for degrees of freedom (P,) >= 1."""
    z = _Z
    many = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    many += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return np.where(freedom <= len(_T), _T[np.minimum(freedom, len(_T)).astype(int) - 1], many)


def mean_and_interval(returns: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean of the runs, and the lower and upper end of its 95 % interval, each (P,).

    Args:
        returns: (R, P), a row for each run; NaN where a run has no data.

    NaN where fewer than two runs have data. The interval is Student's t, so it holds for runs whose returns at a
    step are about normal.
    """
    known = np.isfinite(returns)
    count = known.sum(axis=0).astype(float)
    enough = count >= 2
    n = np.where(enough, count, np.nan)
    mean = np.where(known, returns, 0.0).sum(axis=0) / n
    squares = np.where(known, (returns - mean) ** 2, 0.0).sum(axis=0)
    error = np.sqrt(squares / (n - 1) / n)
    half = t_quantile(np.where(enough, count - 1, 1.0)) * error
    return mean, mean - half, mean + half
