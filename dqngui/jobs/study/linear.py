"""Ridge regression with cross-validation: each row is predicted by a fit to the other folds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FOLDS = 5
STRENGTHS = 10.0 ** np.arange(-4.0, 4.0)
"""Penalties λ to choose from, as multiples of the number of rows; inputs have unit variance."""
FAINTEST = 0.01
"""An input whose standard deviation is less than this share of the mean one is not scaled up to unit variance."""


def held_out(x: Array, y: Array, fold: NDArray[np.int64]) -> Array:
    """Predictions of y (n, G, C) from x (n, d); the rows of each fold are predicted by a fit to all other folds.

    Each of the G groups of C columns is fitted separately, min |y - x W|² + λ|W|² with an intercept, in closed form
    from one eigendecomposition (Hoerl and Kennard 1970); λ is the one of `STRENGTHS` whose generalised cross-validation
    error is smallest (Golub, Heath and Wahba 1979), found from the fitted rows alone.
    """
    predicted = np.empty_like(y)
    for each in np.unique(fold):
        out = fold == each
        predicted[out] = _fitted(x[~out], y[~out], x[out])
    return predicted


def _fitted(x: Array, y: Array, new: Array) -> Array:
    centre, spread = x.mean(0), x.std(0)
    spread = np.maximum(spread, max(FAINTEST * float(spread.mean()), 1e-12))
    mean = y.mean(0)
    x, new, y = (x - centre) / spread, (new - centre) / spread, y - mean
    power, basis, answers = decomposed(x, y.reshape(len(y), -1))
    answers = answers.reshape(len(power), *y.shape[1:])  # (r, G, C)
    shrink = power / (power + (len(x) * STRENGTHS)[:, None])  # (S, r)
    used = shrink.sum(1)
    left = (y**2).sum((0, 2)) - np.einsum("sr,rg->sg", 1 - (1 - shrink) ** 2, (answers**2).sum(2))
    error = np.maximum(left, 0) / (1 - np.minimum((used + 1) / len(x), 0.999))[:, None] ** 2
    error[used > 0.9 * len(x)] = np.inf  # it fits everything, so its error says nothing
    best = error.argmin(0)  # (G,)
    weights = shrink[best].T[:, :, None] * answers  # (r, G, C)
    return np.asarray(np.einsum("nr,rgc->ngc", new @ basis, weights) + mean)


def decomposed(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues (r,) of x'x, a basis (d, r) with x basis = U, and U'y (r, m), for U orthonormal."""
    rows, columns = x.shape
    if columns <= rows:
        power, vectors = np.linalg.eigh(x.T @ x)
    else:
        power, vectors = np.linalg.eigh(x @ x.T)
    keep = power > 1e-10 * max(float(power[-1]), 1e-300)
    power, vectors = power[keep], vectors[:, keep]
    root = np.sqrt(power)
    basis = vectors / root if columns <= rows else x.T @ vectors / power
    answers = basis.T @ (x.T @ y) if columns <= rows else vectors.T @ y
    return power, basis, answers
