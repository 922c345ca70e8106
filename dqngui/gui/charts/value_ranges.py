"""Which values get the colours at a map's ends: they change in steps, so that colours hold still as values arrive."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

SAMPLE = 20_000  # values that a level is judged by
HELD = 0.995  # share of the values that lie within the level


def rounded_up(value: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below a value; 0 for 0."""
    if value <= 1e-12:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(round(n * power, 12) for n in (1, 2, 5, 10) if n * power >= value * (1 - 1e-6))


class Levels:
    """The level of a map's last colour, judged at steps 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, … of an episode.

    It depends on the values alone, not on when they were looked at.
    """

    def __init__(self) -> None:
        self.high, self._at, self._next = 0.0, 0, 1

    def take(self, values: npt.NDArray[Any]) -> float:
        """The level for values (steps, ...), all so far: 1, 2 or 5 times a power of ten; 1 where all are 0."""
        while self._next <= len(values):
            self._at, self._next = self._next, max(self._next + 1, int(self._next * 1.25))
            if self._next > len(values):
                part = values[: self._at].reshape(-1)
                part = np.abs(part[:: max(1, len(part) // SAMPLE)])
                part = part[np.isfinite(part)]
                self.high = rounded_up(float(np.quantile(part, HELD))) if len(part) else 0.0
        return self.high or 1.0
