"""Means over a few seeds, and their confidence intervals."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_EXACT_UP_TO = 5
_RESAMPLES = 10_000


def interquartile_mean(values: npt.ArrayLike) -> float:
    """Mean without the lowest and highest quarter of the values (N,), N >= 1; a quarter is rounded down.

    Agarwal et al. 2021, arXiv:2108.13264, as their library computes it.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def bootstrap(values: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Percentile bootstrap interval of the mean over the first axis: (N, ...) to low (...) and high (...).

    Up to 5 values, all N^N resamples are used, so that the interval is exact. With more, 10,000 resamples are drawn
    with a fixed seed (Efron & Tibshirani 1993, chapter 13).
    """
    data = np.asarray(values, dtype=np.float64)
    count = len(data)
    if count <= _EXACT_UP_TO:
        picks = np.array(list(product(range(count), repeat=count)))
        times = np.stack([(picks == index).sum(1) for index in range(count)], axis=1)  # (R, N)
    else:
        times = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), _RESAMPLES)
    means = np.tensordot(times / count, data, axes=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
