"""Measures by simulation how often each interval contains the true value, and writes `dqngui/statistics/COVERAGE.md`.

python -m tests.evidence.coverage
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dqngui.statistics import (
    MIN_CLUSTERS,
    MIN_SKEWED_VALUES,
    MIN_VALUES,
    Interval,
    clustered_proportion_interval,
    mean_intervals,
    proportion_interval,
    skewed_mean_interval,
)

FILE = Path(__file__).resolve().parents[2] / "dqngui" / "statistics" / "COVERAGE.md"
Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]


def mixture(success: float, spread: float) -> Draw:
    """Returns of 500 with probability `success`, else 0, plus normal noise with this standard deviation."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        return 500.0 * (rng.random(shape) < success) + spread * rng.normal(size=shape)

    return draw


KINDS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda rng, shape: rng.normal(size=shape), 0.0),
    "exponential": (lambda rng, shape: rng.exponential(size=shape), 1.0),
    "lognormal, σ 0.5": (lambda rng, shape: rng.lognormal(0, 0.5, shape), float(np.exp(0.125))),
    "lognormal, σ 1": (lambda rng, shape: rng.lognormal(0, 1, shape), float(np.exp(0.5))),
    "0 or 500, half": (mixture(0.5, 0), 250.0),
    "0 or 500, 80 %, ± 30": (mixture(0.8, 30), 400.0),
    "0 or 500, 90 %, ± 30": (mixture(0.9, 30), 450.0),
}
"""Kinds of values: how they are drawn, and their true mean."""


def student_coverage(draw: Draw, mean: float, count: int, repeats: int, seed: int = 0) -> float:
    """Share of shown `mean_interval`s of `count` values that contain the mean."""
    low, high = mean_intervals(draw(np.random.default_rng(seed), (count, repeats)))
    shown = np.isfinite(low)
    return float(((low <= mean) & (mean <= high))[shown].mean()) if shown.any() else float("nan")


def skewed_coverage(draw: Draw, mean: float, count: int, repeats: int, seed: int = 0) -> float:
    """Share of shown `skewed_mean_interval`s of `count` values that contain the mean."""
    rows = draw(np.random.default_rng(seed), (repeats, count))
    return _share((skewed_mean_interval(row, seed=index) for index, row in enumerate(rows)), mean)


def wilson_coverage(rate: float, count: int) -> float:
    """Exact coverage of `proportion_interval` for `count` trials: a sum over the numbers of successes."""
    from scipy.stats import binom

    found = (proportion_interval(successes, count) for successes in range(count + 1))
    inside = np.array([each is not None and each.low - 1e-12 <= rate <= each.high + 1e-12 for each in found])
    return float((binom.pmf(np.arange(count + 1), count, rate) * inside).sum())


def clustered_coverage(rate: float, clusters: int, repeats: int, seed: int = 0) -> float:
    """Share of `clustered_proportion_interval`s that contain the rate; 20 steps an episode, correlation 0.2 (beta)."""
    rng = np.random.default_rng(seed)
    rates = (
        rng.beta(4 * rate, 4 * (1 - rate), (repeats, clusters)) if 0 < rate < 1 else np.full((repeats, clusters), rate)
    )
    successes = rng.binomial(20, rates)
    return _share((clustered_proportion_interval(row, np.full(clusters, 20)) for row in successes), rate)


def _share(intervals: Sequence[Interval | None] | object, value: float) -> float:
    shown = [each for each in intervals if each is not None]  # type: ignore[attr-defined]
    return float(np.mean([each.low - 1e-12 <= value <= each.high + 1e-12 for each in shown])) if shown else float("nan")


def _table(title: str, counts: Sequence[int], rows: dict[str, list[float]]) -> list[str]:
    lines = [f"| {title} | {' | '.join(f'n = {count}' for count in counts)} |", "|---" * (len(counts) + 1) + "|"]
    for name, values in rows.items():
        cells = ["–" if np.isnan(x) else f"**{100 * x:.1f}**" if x < 0.9 else f"{100 * x:.1f}" for x in values]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def main() -> None:
    few, many, trials = (5, 6, 8, 10, 12, 15, 20, 30), (30, 50, 100), (5, 10, 20, 50, 100)
    clusters = (5, 10, 20, 50)
    rates = {"0.5": 0.5, "0.9": 0.9, "0.99": 0.99, "1 (all right)": 1.0}
    lines = [
        "# How often the intervals contain the true value",
        "",
        "Made by `python -m tests.evidence.coverage` (`make coverage`), with fixed seeds. Each number is the share",
        "in percent of the shown 95 % intervals that contain the true value; **bold** is below 90. An interval is not",
        f"shown for fewer than {MIN_VALUES} values (or {MIN_CLUSTERS} clusters), with `skewed_mean_interval` for",
        f"fewer than {MIN_SKEWED_VALUES}, nor for a mean of values that are all equal.",
        "",
        "## `mean_interval`: seeds, and other values that are about normal or moderately skewed (20,000 repeats)",
        "",
        *_table("values", few, {k: [student_coverage(*v, n, 20_000) for n in few] for k, v in KINDS.items()}),
        "The bold cells are kinds for which this function must not be used: values that mostly succeed and rarely",
        "fail, and very long tails. No data of this size show that they are of such a kind. Use `skewed_mean_interval`",
        "for returns of single episodes, and give the number of seeds that passed, with `proportion_interval`, beside",
        "a mean over seeds.",
        "",
        "## `skewed_mean_interval`: values of any shape, such as returns of single episodes (2,000 repeats)",
        "",
        *_table("values", many, {k: [skewed_coverage(*v, n, 2_000) for n in many] for k, v in KINDS.items()}),
        "## `proportion_interval`: independent trials (exact)",
        "",
        *_table("true rate", trials, {k: [wilson_coverage(v, n) for n in trials] for k, v in rates.items()}),
        "## `clustered_proportion_interval`: n episodes of 20 steps whose results are correlated (0.2; 5,000 repeats)",
        "",
        *_table(
            "true rate", clusters, {k: [clustered_coverage(v, n, 5_000) for n in clusters] for k, v in rates.items()}
        ),
    ]
    FILE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
