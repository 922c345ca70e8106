"""How often the intervals of the interquartile mean, the median and the probability of improvement hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from dqngui.statistics import MIN_VALUES, iqm, iqm_intervals, median_intervals
from dqngui.statistics.improvement import improvement_ends
from tests.evidence.coverage_means import HEAVY, HIDDEN, KINDS, Coverage, Floats, Kind, mixture

COUNTS = (3, 4, 5, 6, 8, 10, 20, 50)
Aggregate = Literal["iqm", "median"]
SOLVED: dict[str, Kind] = {
    f"0 or 500, {100 * share:.0f} %, ± {spread}": mixture(share, spread)
    for share, spread in ((0.6, 30), (0.7, 30), (0.5, 100), (0.7, 100))
}
"""Runs that solve a task or do not, as seeds often are: the middle half then lies on both sides of a gap."""
AGGREGATED: dict[str, Kind] = {**KINDS, **HEAVY, **HIDDEN, **SOLVED}
_INTERVALS = {"iqm": iqm_intervals, "median": median_intervals}
_PRECISE = 1_000_000


@cache
def true_value(aggregate: Aggregate, kind: str) -> float:
    """The aggregate of a kind's distribution, from a million values."""
    values = AGGREGATED[kind].draw(np.random.default_rng(7), (_PRECISE,))
    return iqm(values) if aggregate == "iqm" else float(np.median(values))


def aggregate_coverage(aggregate: Aggregate, kind: str, count: int, repeats: int, seed: int = 0) -> Coverage:
    """Coverage of `iqm_intervals` or `median_intervals` for `count` values."""
    low, high = _INTERVALS[aggregate](AGGREGATED[kind].draw(np.random.default_rng(seed), (count, repeats)))
    return _coverage(low, high, true_value(aggregate, kind))


class Pair(NamedTuple):
    """Two kinds of values: how the first and the second are drawn."""

    first: Callable[[np.random.Generator, tuple[int, ...]], Floats]
    second: Callable[[np.random.Generator, tuple[int, ...]], Floats]


def _shifted(by: float, scale: float = 1.0) -> Pair:
    return Pair(lambda rng, shape: by + rng.normal(size=shape), lambda rng, shape: scale * rng.normal(size=shape))


PAIRS: dict[str, Pair] = {
    "normal, equal": _shifted(0),
    "normal, 1 apart": _shifted(1),
    "normal, 2 apart": _shifted(2),
    "normal, 3 apart": _shifted(3),
    "normal, spreads 1 and 4, 1 apart": _shifted(1, 4),
    "normal, spreads 1 and 10": _shifted(0, 10),
    "exponential, 3 times as large": Pair(
        lambda rng, shape: 3 * rng.exponential(size=shape), lambda rng, shape: rng.exponential(size=shape)
    ),
    "lognormal, σ 1, 1 apart": Pair(
        lambda rng, shape: rng.lognormal(1, 1, shape), lambda rng, shape: rng.lognormal(0, 1, shape)
    ),
    "0 or 500 ± 30, 80 % and 20 %": Pair(mixture(0.8, 30).draw, mixture(0.2, 30).draw),
    "0 or 500, 80 % and 30 %": Pair(mixture(0.8, 0).draw, mixture(0.3, 0).draw),
    "0 or 500, both 90 %": Pair(mixture(0.9, 0).draw, mixture(0.9, 0).draw),
}


@cache
def true_probability(name: str) -> float:
    """P(X > Y) + P(X = Y) / 2 of a pair's distributions, from a million values of each."""
    first, second = (draw(np.random.default_rng(seed), (_PRECISE,)) for seed, draw in enumerate(PAIRS[name], 8))
    ordered = np.sort(second)
    below, until = (np.searchsorted(ordered, first, side) for side in ("left", "right"))
    return float((below + until).mean() / (2 * _PRECISE))


def improvement_coverage(name: str, first: int, second: int, repeats: int, seed: int = 0) -> Coverage:
    """Coverage of the interval of the probability of improvement for groups of these sizes."""
    if min(first, second) < MIN_VALUES:
        return Coverage(float("nan"), 0.0)
    rng, pair = np.random.default_rng(seed), PAIRS[name]
    ends = improvement_ends(pair.first(rng, (first, repeats)), pair.second(rng, (second, repeats)), 0.95)
    return _coverage(*ends, true_probability(name))


def _coverage(low: Floats, high: Floats, value: float) -> Coverage:
    shown = np.isfinite(low)
    inside = (low - 1e-9 <= value) & (value <= high + 1e-9)
    return Coverage(float(inside[shown].mean()) if shown.any() else float("nan"), float(shown.mean()))
