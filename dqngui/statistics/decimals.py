"""How many decimals of an interval say something."""

from __future__ import annotations

import math

MOST = 6


def decimals(low: float, high: float) -> int:
    """Decimals that show two digits of an interval's width: 1 for [8.12, 9.88], 0 for [401, 439]; at most `MOST`."""
    width = high - low
    if not math.isfinite(width) or width <= 0:
        return MOST
    return min(max(0, 1 - math.floor(math.log10(width))), MOST)
