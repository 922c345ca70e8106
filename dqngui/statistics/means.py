"""The mean of numbers that may be as large as a float can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean


def mean_of(values: Sequence[float]) -> float:
    """Mean of one or more numbers, as `statistics.fmean`, also where their sum is larger than any float.

    NaN where one of them is NaN or where both infinities are among them.
    """
    try:
        return fmean(values)
    except OverflowError:
        largest = max(map(abs, values))
        return largest * fmean([value / largest for value in values])
    except ValueError:  # infinity minus infinity
        return math.nan
