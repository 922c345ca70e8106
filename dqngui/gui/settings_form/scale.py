"""Conversion of a setting's number to a slider position, and back."""

from __future__ import annotations

import math
from typing import Any

from dqngui.schema import Field

STOPS = 1000
"""Largest slider position; the smallest is 0."""


class Scale:
    """Maps the values of a bounded setting to slider positions 0..STOPS.

    On a logarithmic scale with lower bound 0, position 0 stands for the value 0.
    """

    def __init__(self, low: float, high: float, *, log: bool = False, whole: bool = False) -> None:
        self._low, self._high, self._log, self._whole = low, high, log, whole
        self._zero = log and low <= 0
        smallest = low if low > 0 else (1.0 if whole else high * 1e-5)
        self._first = 1 if self._zero else 0
        self._smallest, self._span = smallest, (math.log(high / smallest) if log else high - low)

    @classmethod
    def of(cls, field: Field) -> Scale:
        """The scale for a number with bounds."""
        low, high = field.low or 0.0, field.high if field.high is not None else 1.0
        if field.low_open and low == 0:
            low = high * 1e-5
        return cls(low, high, log=field.log, whole=field.type is int)

    def position(self, value: float) -> int:
        """The position of a value; values outside the bounds get the nearer end."""
        value = min(max(value, self._low), self._high)
        if self._zero and value < self._smallest:
            return 0
        share = (math.log(value / self._smallest) if self._log else value - self._low) / self._span
        return self._first + round(share * (STOPS - self._first))

    def value(self, position: int) -> Any:
        """The value at a position, rounded to 2 significant digits (logarithmic) or 3 decimals (linear)."""
        if position <= 0 or position >= STOPS:
            end = self._high if position > 0 else self._low
            return int(end) if self._whole else float(end)
        share = (position - self._first) / (STOPS - self._first)
        raw = self._smallest * math.exp(share * self._span) if self._log else self._low + share * self._span
        rounded = float(f"{raw:.2g}") if self._log else round(raw, 3)
        if self._whole:
            rounded = round(raw) if raw < 100 else round(rounded)
        return type(rounded)(min(max(rounded, self._low), self._high))
