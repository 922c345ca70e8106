"""The interval of a proportion contains every true rate as often as COVERAGE.md says, and is shown from five trials."""

from __future__ import annotations

import numpy as np
import pytest

from dqngui.statistics import (
    MIN_CLUSTERS,
    MIN_VALUES,
    clustered_proportion_interval,
    clustered_proportion_intervals,
    proportion_interval,
)
from tests.evidence.coverage import FILE
from tests.evidence.coverage_means import COUNTS
from tests.evidence.coverage_proportions import (
    CANDIDATES,
    coverage_at,
    mean_coverage_and_width,
    smallest_clustered_coverage,
    smallest_coverage,
    wilson,
)
from tests.thinned import thinned


@pytest.mark.parametrize("count", thinned([*range(MIN_VALUES, 41), 100, 150]))
def test_the_interval_of_a_proportion_covers_every_rate(count: int) -> None:
    assert smallest_coverage(count).covered >= 0.93


def test_the_smallest_coverage_over_all_rates_is_below_any_of_a_grid() -> None:
    """Wilson's interval passes at the usual rates and fails between them: the measure sees it."""
    for count in (5, 20, 100):
        grid = coverage_at(np.linspace(0.001, 0.999, 2_000), count, wilson)
        smallest = smallest_coverage(count, wilson)
        assert smallest.covered <= grid.min() + 1e-9 and smallest.covered < 0.85
        assert coverage_at(smallest.rate, count, wilson)[0] == pytest.approx(smallest.covered)


def test_the_document_says_what_the_rule_covers_today() -> None:
    """`make coverage` was run after the last change of the rule."""
    row = next(line for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith("| smallest over all"))
    said = [float(cell.split()[0]) for cell in row.split("|")[2:-1]]
    assert said == pytest.approx([100 * smallest_coverage(count).covered for count in COUNTS], abs=0.06)


def test_no_other_interval_for_any_numbers_is_shorter_and_covers_every_rate() -> None:
    chosen = next(name for name in CANDIDATES if name.startswith("this module"))
    _, width = mean_coverage_and_width(20, CANDIDATES[chosen])
    counts = (5, 6, 7, 10, 20, 50)
    for name, rule in CANDIDATES.items():
        if name in (chosen, "Blaker"):  # Blaker's needs whole numbers
            continue
        covers = min(smallest_coverage(count, rule).covered for count in counts) >= 0.93
        assert not covers or mean_coverage_and_width(20, rule)[1] > width


@pytest.mark.parametrize("count", range(MIN_VALUES))
def test_fewer_than_five_trials_have_no_interval(count: int) -> None:
    assert proportion_interval(count, count) is None
    assert proportion_interval(0, float("nan")) is None
    assert clustered_proportion_interval([30] * (MIN_CLUSTERS - 1), [30] * (MIN_CLUSTERS - 1)) is None


def test_all_right_is_not_certainty() -> None:
    found, none = proportion_interval(10, 10), proportion_interval(0, 10)
    assert found is not None and found.high == 1 and found.low == pytest.approx((0.025 / 0.7) ** 0.1)
    assert none is not None and none.low == 0 and none.high == pytest.approx(1 - found.low)
    clustered = clustered_proportion_interval([30] * 10, [30] * 10)
    assert clustered is not None and clustered == pytest.approx(found)  # not more than 10 steps are known to differ


def test_the_ends_move_steadily_with_numbers_that_are_not_whole() -> None:
    successes = np.linspace(0, 7.5, 61)
    found = [proportion_interval(each, 7.5) for each in successes]
    low, high = np.array([each or (np.nan, np.nan) for each in found]).T
    assert (np.diff(low) >= 0).all() and (np.diff(high) >= 0).all()
    assert low[0] == 0 and high[-1] == 1 and np.abs(np.diff(low)).max() < 0.05
    assert (low <= successes / 7.5).all() and (successes / 7.5 <= high).all()
    assert low == pytest.approx(1 - high[::-1])
    nearly = proportion_interval(7.5 - 1e-12, 7.5)
    assert nearly == pytest.approx(found[-1])


def test_a_higher_level_gives_a_wider_interval() -> None:
    usual, wide = proportion_interval(7, 10), proportion_interval(7, 10, level=0.99)
    assert usual is not None and wide is not None and wide.low < usual.low < 0.7 < usual.high < wide.high


@pytest.mark.parametrize("clusters", [5, 10, 20])
@pytest.mark.parametrize(("correlation", "unequal"), [(0, False), (0.2, True), (1, True)])
def test_the_interval_of_clusters_covers_every_rate(clusters: int, correlation: float, unequal: bool) -> None:
    assert smallest_clustered_coverage(clusters, 500, correlation, unequal).covered >= 0.9


def test_columns_of_clusters_have_the_same_interval_as_alone() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 9, (8, 6))
    counts[3:, 5] = 0  # too few clusters
    successes = rng.binomial(counts, 0.8)
    low, high = clustered_proportion_intervals(successes, counts)
    for column in range(6):
        found = clustered_proportion_interval(successes[:, column], counts[:, column])
        assert (found or (np.nan, np.nan)) == pytest.approx((low[column], high[column]), nan_ok=True)
    assert np.isnan(low[5]) and np.isfinite(low[0])
