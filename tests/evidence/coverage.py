"""Measures by simulation how often each interval contains the true value, and writes `dqngui/statistics/COVERAGE.md`.

python -m tests.evidence.coverage
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, skew, t

from dqngui.statistics import (
    MIN_CLUSTERS,
    MIN_VALUES,
    Interval,
    clustered_mean_intervals,
    clustered_proportion_interval,
    difference_interval,
    mean_intervals,
    proportion_interval,
    stratified_interval,
    unseen_share,
)
from dqngui.statistics.two_values import share_intervals

FILE = Path(__file__).resolve().parents[2] / "dqngui" / "statistics" / "COVERAGE.md"
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


def capped(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Exponential values of mean 600, capped at 500 as the length of an episode is: 43 % are 500."""
    return np.minimum(rng.exponential(600, shape), 500)


KINDS: dict[str, Kind] = {
    "normal": Kind(lambda rng, shape: rng.normal(size=shape), 0.0),
    "uniform": Kind(lambda rng, shape: rng.random(shape), 0.5),
    "exponential": Kind(lambda rng, shape: rng.exponential(size=shape), 1.0),
    "lognormal, σ 0.5": Kind(lambda rng, shape: rng.lognormal(0, 0.5, shape), float(np.exp(0.125))),
    "lognormal, σ 1": Kind(lambda rng, shape: rng.lognormal(0, 1, shape), float(np.exp(0.5))),
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


def wilson_coverage(rate: float, count: int) -> float:
    """Exact coverage of `proportion_interval` for `count` trials: a sum over the numbers of successes."""
    found = (proportion_interval(successes, count) for successes in range(count + 1))
    inside = np.array([each is not None and each.low - 1e-12 <= rate <= each.high + 1e-12 for each in found])
    return float((binom.pmf(np.arange(count + 1), count, rate) * inside).sum())


def two_valued_coverage(count: int) -> float:
    """Exact coverage of the interval of two-valued samples, for the share where it is smallest."""
    larger = np.arange(1, count)
    low, high = share_intervals(larger, np.full(count - 1, count), 0.95)
    shares = np.linspace(0.001, 0.999, 1999)[:, None]
    chances = binom.pmf(larger, count, shares)
    inside = (low <= shares) & (shares <= high)
    return float(((chances * inside).sum(1) / chances.sum(1)).min())


def clustered_coverage(rate: float, clusters: int, repeats: int, seed: int = 0) -> float:
    """Share of `clustered_proportion_interval`s that contain the rate; 20 steps an episode, correlation 0.2 (beta)."""
    rng = np.random.default_rng(seed)
    rates = (
        rng.beta(4 * rate, 4 * (1 - rate), (repeats, clusters)) if 0 < rate < 1 else np.full((repeats, clusters), rate)
    )
    successes = rng.binomial(20, rates)
    return _share((clustered_proportion_interval(row, np.full(clusters, 20)) for row in successes), rate)


def clustered_mean_coverage(kind: Kind, clusters: int, repeats: int, seed: int = 0) -> Coverage:
    """Coverage of `clustered_mean_intervals`: episodes of 5 to 49 steps, each with its own level and noise of steps."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(5, 50, (clusters, repeats))
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


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"**{100 * value:.1f}**" if value < 0.9 else f"{100 * value:.1f}"


def _with_shown(found: Coverage) -> str:
    return _percent(found.covered) + (f" ({100 * found.shown:.0f} shown)" if found.shown < 0.9995 else "")


def _table(title: str, counts: Sequence[int], rows: Mapping[str, Sequence[str]]) -> list[str]:
    lines = [f"| {title} | {' | '.join(f'n = {count}' for count in counts)} |", "|---" * (len(counts) + 1) + "|"]
    return [*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()), ""]


def _of_means(kinds: Mapping[str, Kind], among: Callable[[Floats], npt.NDArray[np.bool_]] | None = None) -> list[str]:
    rows = {
        name: [_with_shown(mean_coverage(kind, count, 20_000, among=among)) for count in COUNTS]
        for name, kind in kinds.items()
    }
    return _table("values", COUNTS, rows)


def main() -> None:
    few = (5, 7, 10, 20)
    rates = {"0.5": 0.5, "0.9": 0.9, "0.99": 0.99, "1 (all right)": 1.0}
    some = {name: KINDS[name] for name in ("normal", "exponential", "lognormal, σ 1")}
    clustered = {
        f"mean, {name}": [_with_shown(clustered_mean_coverage(kind, n, 40_000)) for n in (5, 10, 20, 50)]
        for name, kind in some.items()
    } | {f"rate {k}": [_percent(clustered_coverage(v, n, 5_000)) for n in (5, 10, 20, 50)] for k, v in rates.items()}
    groups = {
        f"difference, {k}": [_percent(difference_coverage(v, n, 4_000)) for n in few] for k, v in some.items()
    } | {f"three tasks, {k}": [_percent(stratified_coverage(v, n, 4_000)) for n in few] for k, v in some.items()}
    student = {}
    for name in ("normal", "lognormal, σ 1"):
        found = [student_coverage(KINDS[name], count, 20_000) for count in COUNTS]
        student[f"{name}: all samples"] = [_with_shown(every) for every, _ in found]
        student[f"{name}: without skewed samples"] = [_with_shown(left) for _, left in found]
    lines = [
        "# How often the intervals contain the true value",
        "",
        "Made by `python -m tests.evidence.coverage` (`make coverage`), with fixed seeds. Each number is the share in",
        "percent of the shown 95 % intervals that contain the true value; **bold** is below 90. Where some samples",
        "have no interval, the share that has one follows. What is simulated is the whole rule: the sample chooses the",
        "method, or that there is no interval.",
        "",
        "## `mean_interval`: returns, seeds and other independent values (20,000 repeats)",
        "",
        f"No interval: fewer than {MIN_VALUES} values, or all equal. Two distinct values: the interval of a share that",
        "holds among the samples with both. Else the hull of Student's t and of Hall's interval for skewed values.",
        "",
        *_of_means(KINDS),
        "Skewed samples keep their interval. To show none of them, with Student's t interval for the others, would",
        "make the shown ones worse: what remains are the samples that by chance show no tail (skewed means: more than",
        "98 % of the normal samples are).",
        "",
        *_table("Student's t alone", COUNTS, student),
        "## `mean_interval`: an outcome that may not be seen (20,000 repeats)",
        "",
        "Returns near 500, and near 0 in a few episodes. Among all samples, then among those that show both outcomes:",
        "",
        *_of_means(HIDDEN),
        *_of_means(HIDDEN, both_outcomes),
        "The bold cells above come from samples without a failure. They are the same as normal values around 500, so",
        "no rule on the sample can hide them and show those. The reader is told instead, beside the interval, how",
        "frequent an outcome may be that none of the values shows (5 % of the samples miss it):",
        "",
        *_table("", COUNTS, {"share unseen": [f"{100 * unseen_share(count):.0f} %" for count in COUNTS]}),
        "## Two distinct values: the smallest coverage over all shares, among samples with both (exact)",
        "",
        *_table("", COUNTS, {"smallest": [_percent(two_valued_coverage(count)) for count in COUNTS]}),
        "## `difference_interval` (n and 20 values) and `stratified_interval` (3 tasks of n values; 4,000 repeats)",
        "",
        *_table("values", few, groups),
        "## `proportion_interval`: independent trials (exact)",
        "",
        *_table("true rate", COUNTS, {k: [_percent(wilson_coverage(v, n)) for n in COUNTS] for k, v in rates.items()}),
        "## `clustered_mean_interval` and `clustered_proportion_interval`: n episodes whose steps resemble each other",
        "",
        f"No interval of fewer than {MIN_CLUSTERS} episodes. Means: 40,000 repeats of 5 to 49 steps; rates: 5,000",
        "repeats of 20 steps, correlation 0.2.",
        "",
        *_table("values", (5, 10, 20, 50), clustered),
    ]
    FILE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
