"""An agent that is one more untrained network is seldom told apart from them; one that is better is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dqngui.statistics import difference_of_estimates, mean_interval, prediction_interval
from tests.evidence.coverage_references import told_apart


@pytest.mark.parametrize("episodes", [20, 200])
@pytest.mark.parametrize("spread", [0, 0.05, 0.2])
@pytest.mark.parametrize("accuracy", [False, True])
def test_one_more_untrained_network_is_seldom_told_apart(episodes: int, spread: float, accuracy: bool) -> None:
    found = told_apart(0.5, spread, episodes, 1_000, accuracy)
    assert found.above <= 0.04 and found.above + found.below <= 0.065  # 0.025 and 0.05, and the simulation's error


def test_networks_near_all_right_are_never_said_to_be_surpassed_too_often() -> None:
    for spread in (0.02, 0.1):
        assert told_apart(0.95, spread, 200, 1_000, True, steps=10).above <= 0.04


def test_a_prediction_interval_contains_one_more_value_as_often_as_it_claims() -> None:
    values = np.random.default_rng(0).normal(3, 2, (4_000, 9))
    found = [prediction_interval(row[:8]) for row in values]
    inside = np.mean(
        [each is not None and each.low <= row[8] <= each.high for each, row in zip(found, values, strict=True)]
    )
    assert 0.94 <= inside <= 0.96
    mean = mean_interval(values[0, :8])
    assert mean is not None and found[0] is not None and found[0].high - found[0].low > 2 * (mean.high - mean.low)


def test_few_or_missing_scores_have_no_prediction() -> None:
    assert prediction_interval([1, 2, 3, 4]) is None
    assert prediction_interval([1, 2, 3, 4, 5, math.nan]) is None
    assert prediction_interval([1, 2, 3, 4, 5, math.inf]) is None
    assert prediction_interval([0.1 + 0.2] * 8) == (0.1 + 0.2, 0.1 + 0.2)


def test_a_difference_joins_the_sides_that_can_make_it_small_or_large() -> None:
    found = difference_of_estimates(0.9, (0.6, 1.0), 0.5, (0.4, 0.9))
    assert found == pytest.approx((0.4 - 0.5, 0.4 + 0.02**0.5))  # 0.3 and 0.4 to the low side, 0.1 and 0.1 to the high
    alike = difference_of_estimates(3, (2, 4), 1, (1, 1))
    assert alike == pytest.approx((1, 3))  # nothing is added by a reference without spread
    back = difference_of_estimates(0.5, (0.4, 0.8), 0.9, (0.6, 1.0))
    there = difference_of_estimates(0.9, (0.6, 1.0), 0.5, (0.4, 0.8))
    assert back == pytest.approx((-there.high, -there.low))
    with pytest.raises(ValueError, match="between 0 and 1"):
        difference_of_estimates(3, (2, 4), 1, (1, 1), level=95)
