"""Ranges of bars that grow in steps: a range that moved with every value would make the bars unreadable."""

from __future__ import annotations

import math

NICE = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0)


def step_above(value: float) -> float:
    """The least of 1, 2, 3, 5, 7.5 × 10^k that is not below a magnitude; 0 for 0."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((nice * power for nice in NICE if nice * power >= value * (1 - 1e-9)), 10.0 * power)


def bar_range(low: float, high: float) -> tuple[float, float]:
    """Ends of bars for values in [low, high]: zero is one of them or lies between, unless they differ too little.

    Values that differ by less than a third of their size would all look alike from zero on: then the range
    begins a step below the lowest.
    """
    if not math.isfinite(low) or not math.isfinite(high):
        return 0.0, 1.0
    if low > 0 and high - low < high / 3:
        step = step_above(max(high - low, high / 100) / 3)
        return math.floor(low / step) * step - step, math.ceil(high / step) * step
    if high < 0 and high - low < -low / 3:
        below, above = bar_range(-high, -low)
        return -above, -below
    return -step_above(-low), step_above(high) or (1.0 if low >= 0 else 0.0)
