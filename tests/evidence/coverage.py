"""Measures how often each interval contains the true value, and writes `dqngui/statistics/COVERAGE.md`.

python -m tests.evidence.coverage
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import skew

from dqngui.statistics import MIN_CLUSTERS, MIN_VALUES, unseen_share
from tests.evidence import coverage_aggregates
from tests.evidence.coverage_aggregates import AGGREGATED, PAIRS, aggregate_coverage, improvement_coverage
from tests.evidence.coverage_means import (
    COUNTS,
    HEAVY,
    HIDDEN,
    KINDS,
    Coverage,
    Floats,
    Kind,
    both_outcomes,
    clustered_mean_coverage,
    difference_coverage,
    mean_coverage,
    stratified_coverage,
    student_coverage,
    two_valued_coverage,
)
from tests.evidence.coverage_proportions import (
    CANDIDATES,
    RATES,
    clustered_coverage,
    coverage_at,
    mean_coverage_and_width,
    smallest_clustered_coverage,
    smallest_coverage,
)
from tests.evidence.coverage_references import NETWORKS, told_apart
from tests.evidence.coverage_returns import stored_returns

FILE = Path(__file__).resolve().parents[2] / "dqngui" / "statistics" / "COVERAGE.md"


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


def _of_heavy_tails() -> list[str]:
    tests = stored_returns()
    skewness = np.array([each.skewness for each in tests])
    samples = skew(np.random.default_rng(0).lognormal(0, 1.25, (100, 10_000)), bias=False)
    few, most = np.quantile(samples, (0.05, 0.95))
    counts = (5, 10, 20, 50)
    covered = {count: [each.coverage(count, 4_000) for each in tests] for count in counts}
    bad = {count: np.array(values) < 0.9 for count, values in covered.items()}
    tasks = sorted({each.task for each, *low in zip(tests, *bad.values(), strict=True) if any(low)})
    rows = {
        "tests below 90 %": [str(int(bad[count].sum())) for count in counts],
        "median coverage": [_percent(float(np.median(covered[count]))) for count in counts],
        "smallest coverage": [_percent(min(covered[count])) for count in counts],
    }
    return [
        "## `mean_interval`: values with a longer tail than the rule can see (20,000 repeats)",
        "",
        *_of_means(HEAVY),
        "If returns are like these, the interval is too low and too narrow, and the sample does not show it: a sample",
        "without a value of the tail looks like one of lighter values, so no rule on the sample can hide these and",
        "show those. Take more episodes before you trust a mean of such returns.",
        "",
        f"Do real returns look like that? {len(tests)} stored tests of the evidence have 50 or more episodes and three",
        f"or more distinct returns. Their skewness is between {skewness.min():.1f} and {skewness.max():.1f}; 100",
        f"lognormal values with σ 1.25 have {few:.1f} to {most:.1f} in 90 % of the samples. So none of these tests has",
        f"such a tail of large returns. {int((skewness < -2).sum())} are below -2: returns near the largest possible",
        "one, with rare failures, as in the next section. With each test as the population and samples drawn from it:",
        "",
        *_table("returns of stored tests", counts, rows),
        f"The tests below 90 % are of: {', '.join(tasks) if tasks else 'no task'}.",
        "",
    ]


def _of_trials() -> list[str]:
    sizes = (5, 10, 20, 50, 100, 200)
    smallest = {count: smallest_coverage(count) for count in range(MIN_VALUES, 201)}
    least = min(smallest, key=lambda count: smallest[count].covered)
    listed = {
        "smallest over all rates": [
            f"{_percent(smallest[count].covered)} (rate {smallest[count].rate:.3f})" for count in COUNTS
        ],
        **{
            name: [_percent(float(coverage_at(rate, count)[0])) for count in COUNTS]
            for name, rate in (("0.5", 0.5), ("0.9", 0.9), ("0.99", 0.99), ("1 (all right)", 1.0))
        },
    }
    compared = {}
    for name, rule in CANDIDATES.items():
        cells = []
        for count in sizes:
            covered, width = mean_coverage_and_width(count, rule)
            cells.append(f"{_percent(smallest_coverage(count, rule).covered)} / {_percent(covered)} / {width:.3f}")
        compared[name] = cells
    return [
        "## `proportion_interval`: independent trials (exact)",
        "",
        f"No interval of fewer than {MIN_VALUES} trials. Over all rates and all numbers of trials from {MIN_VALUES} to",
        f"200 the smallest coverage is {_percent(smallest[least].covered)}, at n = {least} and a rate of",
        f"{smallest[least].rate:.3f}.",
        "",
        *_table("true rate", COUNTS, listed),
        "Other intervals, with the smallest coverage over all rates / the mean coverage / the mean width:",
        "",
        *_table("interval", sizes, compared),
        "The chosen one is the shortest with 93 % or more everywhere among those that take numbers that are not whole,",
        "as the effective number of steps in episodes is. Blaker's, up to 3 % shorter with few trials, does not.",
        "",
    ]


def _of_clusters(kinds: Mapping[str, Kind]) -> list[str]:
    counts = (5, 10, 20, 50)
    means = {
        f"{name}, {lengths}": [
            _with_shown(clustered_mean_coverage(kind, n, 60_000, geometric=lengths == "geometric")) for n in counts
        ]
        for lengths in ("5 to 49", "geometric")
        for name, kind in kinds.items()
    }
    rates = {}
    for unequal, steps in ((False, "20 steps"), (True, "1 to 39 steps")):
        for correlation in (0, 0.2, 1):
            found = [smallest_clustered_coverage(n, 2_000, correlation, unequal) for n in counts]
            rates[f"{steps}, correlation {correlation:g}"] = [f"{_percent(v)} (rate {rate:g})" for v, rate in found]
    rates["all right, 20 steps"] = [_percent(clustered_coverage(1.0, n, 100)) for n in counts]
    return [
        "## `clustered_mean_interval`: n episodes whose steps resemble each other (60,000 repeats)",
        "",
        f"No interval of fewer than {MIN_CLUSTERS} episodes, or if one or two of them have most steps. Lengths of the",
        "episodes: 5 to 49 steps, and geometric ones with a mean of 20. For normal values the interval is a little too",
        "wide where few episodes have very unequal lengths.",
        "",
        *_table("values, steps", counts, means),
        "## `clustered_proportion_interval`: the smallest coverage over rates (2,000 repeats each)",
        "",
        f"Rates {', '.join(f'{rate:g}' for rate in RATES)}; with the interval of",
        "`proportion_interval` for the effective number of steps. With correlation 1 all steps of an episode are right",
        "or all are wrong.",
        "",
        *_table("episodes", counts, rates),
    ]


def _of_aggregates() -> list[str]:
    counts = coverage_aggregates.COUNTS
    iqms, medians = (
        {name: [_with_shown(aggregate_coverage(of, name, n, 20_000)) for n in counts] for name in AGGREGATED}
        for of in ("iqm", "median")
    )
    return [
        "## `iqm_interval`: the interquartile mean over runs (20,000 repeats)",
        "",
        f"No interval: fewer than {MIN_VALUES} values, or all equal. What it contains is the interquartile mean of the",
        "distribution. The hull of Student's t interval with the Winsorised variance and of Hall's; where one gap is",
        "unusually large, also of the means between the quartiles moved by z / (2 √n).",
        "",
        *_table("values", counts, iqms),
        "Where 70 % of the runs solve a task and 5 ran, all five solve it in 17 % of the samples, and nothing in these",
        "shows the others (`unseen_share`).",
        "",
        "## `median_interval`: the median over runs (20,000 repeats)",
        "",
        "No interval as above. Between order statistics, interpolated to the level where no gap is unusually large.",
        "",
        *_table("values", counts, medians),
    ]


def _of_improvement() -> list[str]:
    sizes = [(n, n) for n in coverage_aggregates.COUNTS] + [(5, 20)]
    rows = {name: [_percent(improvement_coverage(name, *size, 20_000).covered) for size in sizes] for name in PAIRS}
    head = ["groups", *(f"{first} and {second}" for first, second in sizes)]
    return [
        "## `improvement_interval`: the probability that a run of one group beats one of another (20,000 repeats)",
        "",
        f"No interval if a group has fewer than {MIN_VALUES} values.",
        "",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()),
        "",
        "A performance profile shows the interval of `proportion_interval` at each threshold alone.",
        "",
    ]


def _of_references() -> list[str]:
    counts = (20, 50, 200)
    rows = {}
    for name, mean, accuracy, steps in (
        ("score 0.5", 0.5, False, 1),
        ("accuracy 0.8, 1 step", 0.8, True, 1),
        ("accuracy 0.8, 10 steps", 0.8, True, 10),
        ("accuracy 0.95, 10 steps", 0.95, True, 10),
    ):
        for spread in (0, 0.05, 0.1, 0.2):
            found = [told_apart(mean, spread, count, 4_000, accuracy, steps) for count in counts]
            rows[f"{name}, spread {spread:g}"] = [
                f"{100 * (each.above + each.below):.1f} ({100 * each.above:.1f} above)" for each in found
            ]
    return [
        "## `difference_of_estimates` with `prediction_interval`: an agent that is one more untrained network",
        "",
        f"Share in percent of the samples whose interval of the agent's score less the mean of {NETWORKS} untrained",
        "networks excludes 0, which should be at most 5; then the share where it is above 0, which should be at most",
        "2.5: only these would be said to hold more than an untrained network. All scores are normal around one mean,",
        "with a spread between networks, and measured on n episodes (4,000 repeats). The agent's interval is that of",
        "the clusters. Accuracies are cut to 1: with a mean near 1 and a large spread they are not normal, and up to 7",
        "are excluded, all of them below 0. Scores that are cut below, most of them near the least possible one,",
        "mirror this: as many would then be above 0.",
        "",
        *_table("networks", counts, rows),
    ]


def main() -> None:
    few = (5, 7, 10, 20)
    some = {name: KINDS[name] for name in ("normal", "exponential", "lognormal, σ 1")}
    groups = {
        f"difference, {k}": [_percent(difference_coverage(v, n, 4_000)) for n in few] for k, v in some.items()
    } | {f"three tasks, {k}": [_percent(stratified_coverage(v, n, 4_000)) for n in few] for k, v in some.items()}
    two_valued = min(two_valued_coverage(count) for count in range(MIN_VALUES, 201))
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
        *_of_heavy_tails(),
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
        f"Over all n from {MIN_VALUES} to 200 the smallest is {_percent(two_valued)}.",
        "",
        "## `difference_interval` (n and 20 values) and `stratified_interval` (3 tasks of n values; 4,000 repeats)",
        "",
        *_table("values", few, groups),
        *_of_trials(),
        *_of_clusters(some),
        *_of_references(),
        *_of_aggregates(),
        *_of_improvement(),
    ]
    FILE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
