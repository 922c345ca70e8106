"""The intervals contain the true value as often as they claim, and are not shown where they would not."""

from __future__ import annotations

import numpy as np
import pytest

from dqngui.statistics import (
    MIN_CLUSTERS,
    MIN_VALUES,
    clustered_mean_interval,
    difference_interval,
    mean_interval,
    mean_intervals,
    paired_difference_interval,
    reason,
    stratified_interval,
    unseen_share,
)
from tests.evidence.coverage_means import (
    COUNTS,
    HIDDEN,
    KINDS,
    both_outcomes,
    clustered_mean_coverage,
    difference_coverage,
    mean_coverage,
    stratified_coverage,
    two_valued_coverage,
)
from tests.thinned import thinned


@pytest.mark.parametrize("count", thinned(range(MIN_VALUES, 31)))
def test_the_interval_of_a_mean_covers_normal_values_as_often_as_it_claims(count: int) -> None:
    covered, shown = mean_coverage(KINDS["normal"], count, 10_000)
    assert 0.93 <= covered <= 0.97 and shown == 1


@pytest.mark.parametrize("count", thinned(COUNTS, one_of=2))
@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_of_a_mean_covers_every_kind_at_ninety_percent(kind: str, count: int) -> None:
    covered, _ = mean_coverage(KINDS[kind], count, 20_000)
    assert covered >= 0.896  # 0.9 less two errors of the simulation


@pytest.mark.parametrize("count", thinned(COUNTS, one_of=2))
@pytest.mark.parametrize("kind", HIDDEN)
def test_the_interval_covers_where_a_rare_failure_is_seen(kind: str, count: int) -> None:
    assert mean_coverage(HIDDEN[kind], count, 20_000, among=both_outcomes).covered >= 0.95


def test_an_outcome_that_no_value_shows_may_be_as_frequent_as_is_told() -> None:
    for count in COUNTS:
        failures = np.random.default_rng(count).random((count, 20_000)) < unseen_share(count)
        assert 0.04 <= (~failures.any(0)).mean() <= 0.06


@pytest.mark.parametrize("count", thinned([*range(MIN_VALUES, 31), 50, 100, 200]))
def test_the_interval_of_two_values_covers_whatever_their_shares(count: int) -> None:
    assert two_valued_coverage(count) >= 0.91


def test_the_interval_of_two_values_stays_between_them() -> None:
    found = mean_interval([0.0] + [500.0] * 9)
    assert found is not None and found.high == 500 and 250 < found.low < 400
    other = mean_interval([-500.0] * 9 + [0.0])
    assert other is not None and other.low == -500 and other.high == pytest.approx(found.low * -1 + 0, abs=1e-9)


def test_the_interval_of_skewed_values_reaches_farther_on_the_side_of_their_tail() -> None:
    values = np.random.default_rng(0).exponential(size=20)
    up, down = mean_interval(values), mean_interval(-values)
    assert up is not None and up.high - values.mean() > 1.2 * (values.mean() - up.low)
    assert down == pytest.approx((-up.high, -up.low))


@pytest.mark.parametrize("count", [5, 10, 20])
@pytest.mark.parametrize("kind", ["normal", "exponential", "lognormal, σ 1"])
def test_the_interval_of_clusters_covers_although_steps_of_an_episode_resemble_each_other(
    kind: str, count: int
) -> None:
    covered, shown = clustered_mean_coverage(KINDS[kind], count, 20_000)
    assert (0.895 if kind != "normal" else 0.93) <= covered <= 0.97 and shown >= 0.95


def test_clusters_of_which_one_has_most_units_have_no_interval_of_their_mean() -> None:
    assert clustered_mean_interval([1, 2, 3, 4, 5, 600], [10, 10, 10, 10, 10, 1000]) is None
    assert clustered_mean_interval([1, 2, 3, 4, 5, 6], [10] * 6) is not None
    assert clustered_mean_interval([1, 2, 3, 4], [10] * (MIN_CLUSTERS - 1)) is None


def test_too_few_or_equal_values_have_no_interval_and_a_reason() -> None:
    assert mean_interval([1.0, 2.0, 3.0, np.nan, np.nan]) is None and reason([1.0, 2.0, 3.0, np.nan]) == "few"
    assert mean_interval([500.0] * 9) is None and reason([500.0] * 9) == "equal"
    assert mean_interval([]) is None and reason([]) == "few"
    assert reason([1, 2, 3, 4, 5]) is None
    assert stratified_interval([]) is None and difference_interval([1, 2], [3, 4, 5, 6, 7]) is None


@pytest.mark.parametrize("unit", [1e-250, 1e-110, 1e110, 1e250])
def test_the_unit_of_the_values_makes_no_difference(unit: float) -> None:
    values = np.random.default_rng(2).exponential(size=12)
    other = values[::-1] * 2
    for interval in (mean_interval, lambda each: difference_interval(each, other * each.sum() / values.sum())):
        found, expected = interval(values * unit), interval(values)
        assert found is not None and expected is not None
        assert (found.low / unit, found.high / unit) == pytest.approx((expected.low, expected.high))


def test_values_that_differ_by_rounding_are_equal() -> None:
    values = [0.1 + 0.2, 0.3] * 5
    assert mean_interval(values) is None and reason(values) == "equal"
    assert difference_interval(values, values) is None and stratified_interval([values]) is None


def test_columns_have_the_same_interval_as_alone() -> None:
    values = np.random.default_rng(1).normal(size=(14, 2, 3))
    values[6:, 0, 1] = np.nan
    values[4:, 0, 2] = np.nan  # too few
    values[:, 1, 0] = 7.0
    values[:, 1, 1] = values[:, 1, 1] > 0
    values[3, 1, 1] = np.nan
    low, high = mean_intervals(values)
    for where in np.ndindex(2, 3):
        found = mean_interval(values[(slice(None), *where)])
        assert found is not None or (np.isnan(low[where]) and np.isnan(high[where]))
        assert found is None or found == pytest.approx((low[where], high[where]))
    assert np.isnan(low[0, 2]) and np.isnan(low[1, 0]) and np.isfinite(low[1, 1])


@pytest.mark.parametrize("kind", ["normal", "exponential", "lognormal, σ 1"])
def test_differences_and_strata_cover(kind: str) -> None:
    for count in (5, 12):
        assert 0.92 <= difference_coverage(KINDS[kind], count, 1500) <= 0.99
        assert 0.91 <= stratified_coverage(KINDS[kind], count, 1500) <= 0.975


def test_what_pairs_share_does_not_count() -> None:
    rng, hits, widths = np.random.default_rng(2), 0, []
    for _ in range(1000):
        shared = rng.normal(size=8)
        pairs = paired_difference_interval(shared + 0.2 * rng.normal(size=8), shared + 0.2 * rng.normal(size=8) - 1)
        assert pairs is not None
        widths.append(pairs.high - pairs.low)
        hits += pairs.low <= 1 <= pairs.high
    assert 930 <= hits <= 985
    assert np.mean(widths) < 0.7  # the difference has a spread of 0.28, each side of 1.02
