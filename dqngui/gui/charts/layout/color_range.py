"""Which value has which colour: indices of values in a table of 256 colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

GAP = 255
"""The index of a missing value's colour."""
TOP = 254
"""The index of the highest value's colour."""


@dataclass(frozen=True, slots=True)
class ColorRange:
    """The values of the first and the last colour; `signed`: the colours are those of signed values."""

    signed: bool = False
    low: float = 0.0
    high: float = 1.0

    @property
    def limits(self) -> tuple[float, float]:
        """The values of the first and the last colour."""
        return self.low, self.high

    def indices(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Indices of values in the table of colours."""
        return indices(values, self.low, self.high)


SHARES = ColorRange()
"""The colours of shares, from 0 to 1."""


def indices(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    """Indices of values in a colour table: 0 (low and below) … 254 (high and above), 255 for NaN."""
    scaled = np.clip((values - low) * (TOP / max(high - low, 1e-30)), 0, TOP) + 0.5
    missing = np.isnan(scaled)
    if missing.any():
        scaled = np.where(missing, GAP, scaled)
    return scaled.astype(np.uint8)
