"""How often intervals of proportions contain the true rate: exactly for independent trials, simulated for clusters."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, binom, chi2, norm

from dqngui.statistics import clustered_proportion_intervals, proportion_interval
from dqngui.statistics.proportions import WEIGHT, proportion_ends

LEVEL = 0.95
RATES = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
"""Rates of the simulations with clusters; those below 0.5 mirror them."""
Floats = npt.NDArray[np.float64]
Rule = Callable[[int], tuple[Floats, Floats]]
"""Low and high ends (n + 1,) for 0 to n successes in n trials."""


class Smallest(NamedTuple):
    """The smallest coverage over rates, and a rate where it is."""

    covered: float
    rate: float


def shown(count: int) -> tuple[Floats, Floats]:
    """The ends that `proportion_interval` shows; NaN where it shows none."""
    found = [proportion_interval(successes, count) or (np.nan, np.nan) for successes in range(count + 1)]
    low, high = np.array(found).T
    return low, high


def tails(weight: float) -> Rule:
    """The interval whose two tails count the probability of what was seen with a weight."""
    return lambda count: proportion_ends(np.arange(count + 1), np.full(count + 1, count), LEVEL, weight)


def wilson(count: int) -> tuple[Floats, Floats]:
    """Wilson 1927, Journal of the American Statistical Association 22(158)."""
    z, rate = norm.ppf((1 + LEVEL) / 2), np.arange(count + 1) / count
    middle = (rate + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count))
    low, high = np.maximum(middle - half, 0), np.minimum(middle + half, 1)
    low[0], high[-1] = 0, 1
    return low, high


def modified_wilson(count: int) -> tuple[Floats, Floats]:
    """Wilson's with Poisson limits near 0 and 1 (Brown, Cai & DasGupta 2001, Statistical Science 16(2), 4.1)."""
    low, high = wilson(count)
    for few in range(1, 3 if count <= 50 else 4):
        limit = chi2.ppf(1 - LEVEL, 2 * few) / (2 * count)
        low[few], high[count - few] = min(low[few], limit), max(high[count - few], 1 - limit)
    return low, high


def agresti_coull(count: int) -> tuple[Floats, Floats]:
    """Agresti & Coull 1998, The American Statistician 52(2)."""
    z = norm.ppf((1 + LEVEL) / 2)
    rate = (np.arange(count + 1) + z * z / 2) / (count + z * z)
    half = z * np.sqrt(rate * (1 - rate) / (count + z * z))
    return np.maximum(rate - half, 0), np.minimum(rate + half, 1)


def jeffreys(count: int) -> tuple[Floats, Floats]:
    """Equal-tailed posterior interval with Jeffreys' prior, to 0 for no success and to 1 for all."""
    k = np.arange(count + 1)
    low, high = (beta.ppf((1 + side * LEVEL) / 2, k + 0.5, count - k + 0.5) for side in (-1, 1))
    low[0], high[-1] = 0, 1
    return low, high


@cache
def blaker(count: int) -> tuple[Floats, Floats]:
    """Blaker 2000, Canadian Journal of Statistics 28(4), on a grid of 20,000 rates, rounded outwards."""
    k, grid = np.arange(count + 1), np.linspace(0, 1, 20_001)
    chances = binom.pmf(k[:, None], count, grid)
    tail = np.minimum(binom.cdf(k[:, None], count, grid), binom.sf(k[:, None] - 1, count, grid))
    order = np.argsort(tail, 0)
    total = np.cumsum(np.take_along_axis(chances, order, 0), 0)
    accepted = np.empty(tail.shape, np.bool_)
    np.put_along_axis(accepted, order, total > 1 - LEVEL, 0)
    low = grid[np.maximum(accepted.argmax(1) - 1, 0)]
    high = grid[np.minimum(20_001 - accepted[:, ::-1].argmax(1), 20_000)]
    return low, high


CANDIDATES: dict[str, Rule] = {
    "Wilson": wilson,
    "Jeffreys": jeffreys,
    "Wilson with Poisson limits": modified_wilson,
    "Agresti and Coull": agresti_coull,
    "mid-P: weight 0.5": tails(0.5),
    f"this module: weight {WEIGHT:g}": tails(WEIGHT),
    "Blaker": blaker,
    "Clopper and Pearson: weight 1": tails(1.0),
}


def coverage_at(rates: npt.ArrayLike, count: int, rule: Rule = shown) -> Floats:
    """Exact coverage at true rates (R,) for `count` trials: a sum over the numbers of successes."""
    low, high = rule(count)
    true = np.asarray(rates, dtype=np.float64).reshape(-1, 1)
    inside = (low - 1e-12 <= true) & (true <= high + 1e-12)
    covered: Floats = (binom.pmf(np.arange(count + 1), count, true) * inside).sum(1)
    return covered


def smallest_coverage(count: int, rule: Rule = shown) -> Smallest:
    """Exact smallest coverage over all rates between 0 and 1.

    Between two ends of intervals the same numbers of successes are accepted, so the coverage has one maximum there and
    is smallest beside an end.
    """
    ends = np.unique(np.concatenate(rule(count)))
    rates = np.concatenate([ends - 1e-9, ends + 1e-9])
    rates = rates[(rates > 0) & (rates < 1)]
    covered = coverage_at(rates, count, rule)
    return Smallest(float(covered.min()), float(rates[covered.argmin()]))


def mean_coverage_and_width(count: int, rule: Rule) -> tuple[float, float]:
    """Means over 4,000 rates spread evenly from 0 to 1."""
    rates = (np.arange(4_000) + 0.5) / 4_000
    low, high = rule(count)
    widths = (binom.pmf(np.arange(count + 1), count, rates[:, None]) * (high - low)).sum(1)
    return float(coverage_at(rates, count, rule).mean()), float(widths.mean())


def clustered_coverage(
    rate: float, clusters: int, repeats: int, correlation: float = 0.2, unequal: bool = False, seed: int = 0
) -> float:
    """Share of `clustered_proportion_interval`s that contain the rate: episodes of 20 steps, or of 1 to 39.

    The rate of each episode is drawn from a beta distribution; with correlation 1 all of its steps are equal.
    """
    rng = np.random.default_rng(seed)
    shape = clusters, repeats
    steps = rng.integers(1, 40, shape) if unequal else np.full(shape, 20)
    if correlation == 0 or rate in (0, 1):
        rates = np.full(shape, rate)
    elif correlation == 1:
        rates = (rng.random(shape) < rate).astype(np.float64)
    else:
        scale = (1 - correlation) / correlation
        rates = rng.beta(scale * rate, scale * (1 - rate), shape)
    low, high = clustered_proportion_intervals(rng.binomial(steps, rates), steps)
    return float(((low - 1e-12 <= rate) & (rate <= high + 1e-12)).mean())


def smallest_clustered_coverage(clusters: int, repeats: int, correlation: float, unequal: bool) -> Smallest:
    """The smallest of the simulated coverages at RATES."""
    found = [clustered_coverage(rate, clusters, repeats, correlation, unequal) for rate in RATES]
    return Smallest(min(found), RATES[int(np.argmin(found))])
