"""The mean of returns, however large they are."""

from __future__ import annotations

import math
from statistics import fmean

import pytest

from dqngui.statistics import mean_of


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([1e308] * 3, 1e308),
        ([1e308, 1e308, -1e308, 2.0], 2.5e307),
        ([1.7e308, -1.7e308] * 5, 0.0),
        ([math.inf, 1.0], math.inf),
        ([1e308, 1e308, math.inf], math.inf),
        ([-math.inf, 1e308, 1e308], -math.inf),
    ],
)
def test_a_sum_beyond_any_float_has_a_mean(values: list[float], mean: float) -> None:
    assert mean_of(values) == pytest.approx(mean)


def test_what_has_no_mean_is_no_number_and_no_error() -> None:
    assert math.isnan(mean_of([math.inf, -math.inf]))
    assert math.isnan(mean_of([math.nan, 1.0]))
    with pytest.raises(ValueError, match="no numbers"):
        mean_of([])


def test_usual_numbers_have_their_usual_mean() -> None:
    values = [0.1, 0.2, 0.3, 1e-9, -7.0]
    assert mean_of(values) == fmean(values)
