"""The mean of numbers that may be as large as a float can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean


def mean_of(values: Sequence[float]) -> float:
    """Mean of one or more numbers, as `statistics.fmean`, also where their sum is larger than any float.

    NaN where one of them is NaN or where both infinities are among them. Raises ValueError without any number.
    """
    if not values:
        raise ValueError("the mean of no numbers")
    if not all(map(math.isfinite, values)):
        return sum(values) / len(values)
    try:
        return fmean(values)
    except OverflowError:
        return math.fsum(value / len(values) for value in values)
