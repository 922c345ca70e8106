"""The probability of improvement: how often a run of one group beats a run of another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dqngui.statistics.intervals import MIN_VALUES, Interval
from dqngui.statistics.quantiles import Floats, normal_quantile

_HALVINGS = 45


def probability_of_improvement(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """P(X > Y) + P(X = Y) / 2 of values (N,) and (M,): the Mann-Whitney statistic divided by N · M.

    NaN values are left out; infinite ones count, for example runs that never reached a return. NaN if a group is empty.
    Of several tasks, take the mean of the tasks' probabilities. Agarwal et al. 2021, arXiv:2108.13264, section 4.3.
    """
    first, second = _known(x), _known(y)
    if not len(first) or not len(second):
        return float("nan")
    return float(_wins(first[:, None], second[:, None]).mean())


def improvement_interval(x: npt.ArrayLike, y: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval of `probability_of_improvement` for independent groups (N,) and (M,); None with fewer than MIN_VALUES
    values in one.

    The hull of two. Method 5 of Newcombe 2006, Statistics in Medicine 25(4), holds for few values of similar spread
    and has a width also where one group is always above. Wilson's interval with the number of trials that the
    variance of the placements speaks for (DeLong et al. 1988, Biometrics 44(3)), from min(N, M) to N · M, holds for
    different spreads. COVERAGE.md has the measured coverage.
    """
    first, second = _known(x), _known(y)
    if min(len(first), len(second)) < MIN_VALUES:
        return None
    low, high = improvement_ends(first[:, None], second[:, None], level)
    return Interval(float(low[0]), float(high[0]))


def improvement_ends(x: Floats, y: Floats, level: float) -> tuple[Floats, Floats]:
    """Low and high ends (C,) of that interval for each column of values (N, C) and (M, C), of any N and M >= 2."""
    n, m = len(x), len(y)
    wins = _wins(x, y)
    share = wins.mean((0, 1))
    z = normal_quantile(level)
    variance = wins.mean(1).var(0, ddof=1) / n + wins.mean(0).var(0, ddof=1) / m
    spread = variance > 0
    trials = np.where(spread, share * (1 - share) / np.where(spread, variance, 1.0), float(n * m))
    wilson = _wilson(share, np.clip(trials, min(n, m), n * m), z)
    return (
        np.minimum(_newcombe_low(share, n, m, z), wilson[0]),
        np.maximum(1 - _newcombe_low(1 - share, n, m, z), wilson[1]),
    )


def _known(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[~np.isnan(array)]


def _wins(x: Floats, y: Floats) -> Floats:
    """(N, M, C): 1 where a value of x is above that of y, 1/2 where they are equal."""
    found: Floats = (x[:, None] > y[None]) + 0.5 * (x[:, None] == y[None])
    return found


def _newcombe_low(share: Floats, n: int, m: int, z: float) -> Floats:
    """The share p below the seen one with seen - p = z √V(p); V is that of exponential values, with n and m in the
    part that weighs them replaced by their mean.
    """
    mean_count = (n + m) / 2
    low, high = np.zeros_like(share), share.copy()
    for _ in range(_HALVINGS):
        p = (low + high) / 2
        weight = 2 * mean_count - 1 - (3 * mean_count - 3) / ((2 - p) * (1 + p))
        far = share - p > z * np.sqrt(p * (1 - p) / (n * m) * weight)
        low, high = np.where(far, p, low), np.where(far, high, p)
    return low


def _wilson(share: Floats, trials: Floats, z: float) -> tuple[Floats, Floats]:
    """Wilson 1927, Journal of the American Statistical Association 22(158)."""
    middle = share + z**2 / (2 * trials)
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return (middle - half) / (1 + z**2 / trials), (middle + half) / (1 + z**2 / trials)
