"""How many decimals of an interval say something."""

from __future__ import annotations

import math

import pytest

from dqngui.statistics import decimals


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(8.122, 9.878, 1), (401.2, 439.0, 0), (-0.0012, 0.0031, 4), (0.0, 0.0, 6), (math.nan, 1.0, 6), (0.0, 1e-30, 6)],
)
def test_an_interval_shows_two_digits_of_its_width(low: float, high: float, wanted: int) -> None:
    assert decimals(low, high) == wanted
