"""The intervals contain the true value as often as they claim, and are not shown where they would not."""

from __future__ import annotations

import numpy as np
import pytest

from dqngui.statistics import (
    MIN_SKEWED_VALUES,
    MIN_VALUES,
    clustered_mean_intervals,
    clustered_proportion_interval,
    difference_interval,
    mean_interval,
    mean_intervals,
    paired_difference_interval,
    proportion_interval,
    reason,
    skewed_mean_interval,
    stratified_interval,
)
from tests.evidence.coverage import KINDS, skewed_coverage, student_coverage, wilson_coverage


@pytest.mark.parametrize("count", range(MIN_VALUES, 31))
def test_the_interval_of_a_mean_covers_normal_values_as_often_as_it_claims(count: int) -> None:
    assert 0.93 <= student_coverage(*KINDS["normal"], count, 10_000) <= 0.97


@pytest.mark.parametrize("count", [MIN_VALUES, 8, 11, 12, 20])
def test_the_interval_of_a_mean_covers_exponential_values_at_ninety_percent(count: int) -> None:
    assert student_coverage(*KINDS["exponential"], count, 40_000) >= 0.897  # 0.9 less two errors of the simulation


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_for_skewed_values_covers_each_kind(kind: str) -> None:
    assert skewed_coverage(*KINDS[kind], MIN_SKEWED_VALUES, 300) >= 0.88  # 0.91 or more, with 300 repeats


def test_the_interval_of_clusters_covers_although_steps_of_an_episode_resemble_each_other() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(5, 50, (20, 1))
    sums = counts * rng.normal(size=(20, 4000)) + np.sqrt(counts) * rng.normal(size=(20, 4000))
    low, high = clustered_mean_intervals(sums, counts[:, 0])
    assert 0.92 <= ((low <= 0) & (high >= 0)).mean() <= 0.97


@pytest.mark.parametrize(("rate", "count"), [(0.5, 20), (0.9, 50), (0.99, 100), (1.0, 10)])
def test_the_interval_of_a_proportion_covers(rate: float, count: int) -> None:
    assert wilson_coverage(rate, count) >= 0.9


def test_all_right_is_not_certainty() -> None:
    found = proportion_interval(10, 10)
    assert found is not None and found.high == 1.0 and found.low == pytest.approx(0.7225, abs=1e-3)
    clustered = clustered_proportion_interval([30] * 10, [30] * 10)
    assert clustered is not None and clustered.low == pytest.approx(0.7225, abs=1e-3)


def test_too_few_or_equal_values_have_no_interval_and_a_reason() -> None:
    assert mean_interval([1.0, 2.0, 3.0, np.nan, np.nan]) is None and reason([1.0, 2.0, 3.0, np.nan]) == "few"
    assert mean_interval([500.0] * 9) is None and reason([500.0] * 9) == "equal"
    assert reason([1, 2, 3, 4, 5]) is None
    assert skewed_mean_interval(np.arange(MIN_SKEWED_VALUES - 1)) is None
    assert proportion_interval(0, 0) is None
    assert stratified_interval([]) is None and difference_interval([1, 2], [3, 4, 5, 6, 7]) is None


def test_columns_have_the_same_interval_as_alone() -> None:
    values = np.random.default_rng(1).normal(size=(14, 3))
    values[6:, 1] = np.nan
    low, high = mean_intervals(values)
    for column in range(3):
        assert mean_interval(values[:, column]) == pytest.approx((low[column], high[column]))


def test_differences_and_strata_cover() -> None:
    rng = np.random.default_rng(2)
    hits = np.zeros(3)
    for _ in range(1000):
        shared = rng.normal(size=8)
        a, b = shared + 0.2 * rng.normal(size=8), shared + 0.2 * rng.normal(size=8) - 1
        apart = difference_interval(rng.normal(1, 1, 12), rng.normal(0, 3, 20))
        pairs = paired_difference_interval(a, b)
        strata = stratified_interval([rng.normal(0, 1, 12), rng.normal(4, 2, 12)])
        assert apart and pairs and strata
        hits += [apart.low <= 1 <= apart.high, pairs.low <= 1 <= pairs.high, strata.low <= 2 <= strata.high]
        assert pairs.high - pairs.low < 1.2  # what both share does not count
    assert (hits >= 930).all() and (hits <= 985).all()
