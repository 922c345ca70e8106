"""How often the intervals of means, of clusters' means, of differences and of strata contain the true value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, skew, t

from dqngui.statistics import (
    Interval,
    clustered_mean_intervals,
    difference_interval,
    mean_intervals,
    stratified_interval,
)
from dqngui.statistics.two_values import share_intervals

COUNTS = (5, 7, 10, 20, 30, 50, 100)
Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]


class Kind(NamedTuple):
    """A kind of values: how they are drawn, and their true mean."""

    draw: Draw
    mean: float


def mixture(success: float, spread: float) -> Kind:
    """Returns of 500 with probability `success`, else 0, plus normal noise with this standard deviation."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        return 500.0 * (rng.random(shape) < success) + spread * rng.normal(size=shape)

    return Kind(draw, 500.0 * success)


def mostly_at_end(success: float) -> Kind:
    """Returns of 500, the largest possible one, with probability `success`, else uniform from 0 to 400."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        return np.where(rng.random(shape) < success, 500.0, rng.uniform(0, 400, shape))

    return Kind(draw, 500.0 * success + 200.0 * (1 - success))


def lognormal(sigma: float) -> Kind:
    """exp(x) of normal x with mean 0 and this standard deviation."""
    return Kind(lambda rng, shape: rng.lognormal(0, sigma, shape), float(np.exp(sigma**2 / 2)))


def capped(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Exponential values of mean 600, capped at 500 as the length of an episode is: 43 % are 500."""
    return np.minimum(rng.exponential(600, shape), 500)


KINDS: dict[str, Kind] = {
    "normal": Kind(lambda rng, shape: rng.normal(size=shape), 0.0),
    "uniform": Kind(lambda rng, shape: rng.random(shape), 0.5),
    "exponential": Kind(lambda rng, shape: rng.exponential(size=shape), 1.0),
    "lognormal, σ 0.5": lognormal(0.5),
    "lognormal, σ 1": lognormal(1.0),
    "exponential, capped at 500": Kind(capped, float(600 * (1 - np.exp(-5 / 6)))),
    "500 in 80 %, else 0 to 400": mostly_at_end(0.8),
    "500 in 95 %, else 0 to 400": mostly_at_end(0.95),
    "0 or 500, 50 %": mixture(0.5, 0),
    "0 or 500, 80 %": mixture(0.8, 0),
    "0 or 500, 90 %": mixture(0.9, 0),
    "0 or 500, 98 %": mixture(0.98, 0),
    "0 or 500, 50 %, ± 30": mixture(0.5, 30),
}
"""Kinds of values that a sample of the smallest size shows, or of which it then has no interval."""
HEAVY = {f"lognormal, σ {sigma:g}": lognormal(sigma) for sigma in (1.25, 1.5, 2.0)}
"""Kinds with a tail so long that few samples show it."""
HIDDEN: dict[str, Kind] = {"0 or 500, 80 %, ± 30": mixture(0.8, 30), "0 or 500, 90 %, ± 30": mixture(0.9, 30)}
"""Kinds with a rare outcome; a sample without it looks like normal values."""


class Coverage(NamedTuple):
    """Share of the shown intervals that contain the true value (NaN if none is shown), and share of the samples with an
    interval.
    """

    covered: float
    shown: float


def mean_coverage(
    kind: Kind, count: int, repeats: int, seed: int = 0, among: Callable[[Floats], npt.NDArray[np.bool_]] | None = None
) -> Coverage:
    """Coverage of `mean_interval` for `count` values, among all samples or those that a function of (count, repeats)
    values selects.
    """
    values = kind.draw(np.random.default_rng(seed), (count, repeats))
    if among is not None:
        values = values[:, among(values)]
    return _coverage(*mean_intervals(values), kind.mean)


def student_coverage(kind: Kind, count: int, repeats: int, seed: int = 0) -> tuple[Coverage, Coverage]:
    """Coverage of Student's t interval alone: of all samples, and of those that are not more skewed than 98 % of normal
    ones.
    """
    rng = np.random.default_rng(seed)
    most = np.quantile(np.abs(skew(rng.normal(size=(count, repeats)))), 0.98)
    values = kind.draw(rng, (count, repeats))
    mean, half = values.mean(0), t.ppf(0.975, count - 1) * values.std(0, ddof=1) / count**0.5
    low, high = mean - half, mean + half
    leaning = np.abs(skew(values)) > most
    left = np.where(leaning, np.nan, low), np.where(leaning, np.nan, high)
    return _coverage(low, high, kind.mean), _coverage(*left, kind.mean)


def both_outcomes(values: Floats) -> npt.NDArray[np.bool_]:
    """Which samples (columns) of a mixture of 0 and 500 show both."""
    seen: npt.NDArray[np.bool_] = (values < 250).any(0) & (values > 250).any(0)
    return seen


def two_valued_coverage(count: int) -> float:
    """Exact coverage of the interval of two-valued samples, for the share where it is smallest (beside an end)."""
    larger = np.arange(1, count)
    low, high = share_intervals(larger, np.full(count - 1, count), 0.95)
    ends = np.unique(np.concatenate([low, high]))
    shares = np.concatenate([ends - 1e-9, ends + 1e-9])
    shares = shares[(shares > 1e-6) & (shares < 1 - 1e-6)][:, None]
    chances = binom.pmf(larger, count, shares)
    inside = (low <= shares) & (shares <= high)
    return float(((chances * inside).sum(1) / chances.sum(1)).min())


def clustered_mean_coverage(
    kind: Kind, clusters: int, repeats: int, seed: int = 0, geometric: bool = False
) -> Coverage:
    """Coverage of `clustered_mean_intervals`: episodes of 5 to 49 steps, or of geometric lengths with mean 20; each has
    its own level and noise of steps.
    """
    rng = np.random.default_rng(seed)
    shape = clusters, repeats
    counts = rng.geometric(0.05, shape) if geometric else rng.integers(5, 50, shape)
    sums = counts * kind.draw(rng, (clusters, repeats)) + np.sqrt(counts) * rng.normal(size=(clusters, repeats))
    return _coverage(*clustered_mean_intervals(sums, counts), kind.mean)


def difference_coverage(kind: Kind, count: int, repeats: int, seed: int = 0) -> float:
    """Share of `difference_interval`s that contain the difference: `count` values of a kind and 20 with twice their
    spread.
    """
    rng = np.random.default_rng(seed)
    pairs = ((kind.draw(rng, (count,)), 2 * kind.draw(rng, (20,))) for _ in range(repeats))
    return _share((difference_interval(*pair) for pair in pairs), -kind.mean)


def stratified_coverage(kind: Kind, count: int, repeats: int, seed: int = 0) -> float:
    """Share of `stratified_interval`s that contain the mean of three tasks, with spreads of 1, 2 and 4."""
    rng = np.random.default_rng(seed)
    groups = ([scale * kind.draw(rng, (count,)) for scale in (1, 2, 4)] for _ in range(repeats))
    return _share((stratified_interval(each) for each in groups), 7 / 3 * kind.mean)


def _coverage(low: Floats, high: Floats, mean: float) -> Coverage:
    shown = np.isfinite(low)
    inside = (low - 1e-9 <= mean) & (mean <= high + 1e-9)
    return Coverage(float(inside[shown].mean()) if shown.any() else float("nan"), float(shown.mean()))


def _share(intervals: Iterable[Interval | None], value: float) -> float:
    shown = [each for each in intervals if each is not None]
    return float(np.mean([each.low - 1e-12 <= value <= each.high + 1e-12 for each in shown])) if shown else float("nan")
