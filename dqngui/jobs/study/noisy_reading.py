"""A linear probe that reads noisy numbers: ridge regression whose penalty is the noise, cross-validated by episode.

Fitting to inputs with Gaussian noise of variance σ² is, on average over the noise, ridge regression with the penalty
nσ² (Bishop 1995, Neural Computation 7(1)). So the fit needs no drawn noise; only what is predicted is read with noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dqngui.jobs.study.linear import FOLDS, Array, decomposed

DRAWS = 4
"""Draws of the noise with which every row is read."""
STRONGER = 10.0 ** np.arange(0.0, 4.0)
"""Penalties to choose from, as multiples of the one that the noise gives."""


def folds_of(episode: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fold of each row (n,), with equal numbers of the episodes that are there in every fold."""
    fold: NDArray[np.int64] = np.unique(episode, return_inverse=True)[1] % FOLDS
    return fold


def read_held_out(x: Array, y: Array, fold: NDArray[np.int64], noise: Array, seed: int) -> Array:
    """Predictions of y (n, C) from x (n, d) with noise, (L, DRAWS, n, C), each fold by a fit to the other folds.

    Args:
        noise: standard deviations of the noise (L,), > 0; the same draws are scaled by each.
    """
    predicted = np.empty((len(noise), DRAWS, *y.shape))
    generator = np.random.default_rng(seed)
    for each in np.unique(fold):
        out = fold == each
        predicted[:, :, out] = _read(x[~out], y[~out], x[out], noise, generator, DRAWS)
    return predicted


def read_again(x: Array, y: Array, noise: Array, seed: int) -> Array:
    """Predictions (L, 1, n, C) of the rows that the probe was fitted to, read again with other noise."""
    return _read(x, y, x, noise, np.random.default_rng(seed), 1)


def _read(x: Array, y: Array, new: Array, noise: Array, generator: np.random.Generator, draws: int) -> Array:
    centre, mean = x.mean(0), y.mean(0)
    x, new, y = x - centre, new - centre, y - mean
    power, basis, answers = decomposed(x, y)  # (r,), (d, r), (r, C)
    drawn = generator.standard_normal((draws, *new.shape))
    predicted = np.empty((len(noise), draws, len(new), y.shape[1]))
    whole = float((y**2).sum())
    for level, deviation in enumerate(noise):
        penalty = len(x) * deviation**2
        shrink = power / (power + penalty * STRONGER[:, None])  # (S, r)
        size = (answers**2).sum(1)
        left = whole - (1 - (1 - shrink) ** 2) @ size + penalty * (shrink**2 / power) @ size
        used = np.minimum((shrink.sum(1) + 1) / len(x), 0.999)
        best = int((np.maximum(left, 0) / (1 - used) ** 2).argmin())  # generalised cross-validation
        weights = basis @ (shrink[best][:, None] * answers)  # (d, C)
        predicted[level] = (new + deviation * drawn) @ weights + mean
    return predicted
