"""Ranges of axes, bars and colours: they depend only on the data and change in steps.

A range that changed with every value would move each bar and tick on each redraw, and two panels with the same data
could disagree. So every range here is rounded, and does not depend on earlier calls.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SAMPLE = 20_000  # values from which a colour's level is estimated
HELD = 0.995  # share of the values that lie within the level
NICE = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0)  # ends of bars, times a power of ten
SHORTEST_SPAN = 64  # steps on the axis of a young episode
FEW = 10  # fewer values have no typical range
PADDING = 0.03  # of the range, above and below, so that points at the ends are not cut off


def rounded_up(value: float) -> float:
    """The smallest of 1, 2, 5 × 10^k that is not below a value; 0 for 0."""
    if value <= 1e-12:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(round(n * power, 12) for n in (1, 2, 5, 10) if n * power >= value * (1 - 1e-6))


# -- bars -----------------------------------------------------------------------------------------


def step_above(value: float) -> float:
    """The smallest of 1, 2, 3, 5, 7.5 × 10^k that is not below a magnitude; 0 for 0."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((nice * power for nice in NICE if nice * power >= value * (1 - 1e-9)), 10.0 * power)


def bar_range(low: float, high: float) -> tuple[float, float]:
    """Ends of bars for values in [low, high]; zero is inside, unless the values differ too little.

    Bars from zero on look alike where the values differ by less than a third of their size. Then the range begins
    one step below the lowest value.
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


def bar_share(value: float, limits: tuple[float, float]) -> float:
    """The position of a value between the ends of bars, 0 … 1; clipped to the nearer end."""
    low, high = limits
    share = (value - low) / (high - low) if high > low else 0.0
    return min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0


# -- colours --------------------------------------------------------------------------------------


class ColorLimit:
    """The value of a map's last colour, computed again at steps 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, … of an episode."""

    def __init__(self) -> None:
        self.high, self._at, self._next = 0.0, 0, 1

    def take(self, values: npt.NDArray[Any]) -> float:
        """The level for all values so far (steps, ...): 1, 2 or 5 times a power of ten; 1 where all are 0."""
        while self._next <= len(values):
            self._at, self._next = self._next, max(self._next + 1, int(self._next * 1.25))
            if self._next > len(values):
                part = values[: self._at].reshape(-1)
                part = np.abs(part[:: max(1, len(part) // SAMPLE)])
                part = part[np.isfinite(part)]
                self.high = rounded_up(float(np.quantile(part, HELD))) if len(part) else 0.0
        return self.high or 1.0


# -- axes -----------------------------------------------------------------------------------------


def episode_span(length: int, ended: bool) -> int:
    """Steps on an episode's axis: 64 · 1.25^k while the episode goes on, its length when it has ended."""
    if ended:
        return max(length, 1)
    growths = max(0, math.ceil(math.log(max(length, 1) / SHORTEST_SPAN) / math.log(1.25) - 1e-9))
    return round(SHORTEST_SPAN * 1.25**growths)


def training_span(steps: float) -> float:
    """Steps on the axis of a training run: the smallest of 1,000 · 1.25^k that holds a number of steps."""
    return 1000 * 1.25 ** max(0, math.ceil(math.log(max(steps, 1.0) / 1000) / math.log(1.25) - 1e-9))


def rounded_range(low: float, high: float) -> tuple[float, float]:
    """The range of a curve's axis; it changes only when the data leave it by an eighth to a quarter of their span."""
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high)):
        span = abs(high) or 1.0
        low, high = low - span / 2, high + span / 2
    step = 2.0 ** math.floor(math.log2(span)) / 4
    bottom, top = math.floor(low / step) * step, math.ceil(high / step) * step
    if -PADDING * high / 2 <= low < 0.5 * high:  # values a little below zero lie within the padding
        bottom = 0.0
    return bottom - PADDING * (top - bottom), top + PADDING * (top - bottom)


def typical_range(values: Floats) -> tuple[float, float]:
    """The range of the values (N,), N >= 1, without a few outliers that would flatten the rest.

    A value is an outlier beyond twice the span of the middle 90 %; then half that much room is left for it.
    """
    low, high = float(values.min()), float(values.max())
    if len(values) < FEW:
        return low, high
    ordered, most = np.sort(values), len(values) - 1
    first, last = ordered[math.ceil(0.05 * most)], ordered[math.floor(0.95 * most)]
    span = float(last - first)
    if span > 0 and high > last + 2 * span:
        high = float(last + span)
    if span > 0 and low < first - 2 * span:
        low = float(first - span)
    return low, high


def tenths_range(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The range of a plane's axis: ends are tenths of a rounded length, so that it grows seldom."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    step = rounded_up(max(high - low, 1e-4 * max(-low, high), 1e-9)) / 10  # smaller differences are rounding errors
    low, high = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return (low - (low == high)) * step, (high + (low == high)) * step
