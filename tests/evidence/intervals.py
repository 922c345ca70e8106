"""The interquartile mean of a few seeds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def interquartile_mean(values: npt.ArrayLike) -> float:
    """Mean without the lowest and highest quarter of the values (N,), N >= 1; a quarter is rounded down.

    Agarwal et al. 2021, arXiv:2108.13264, as their library computes it.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())
