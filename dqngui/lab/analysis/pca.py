"""Principal component analysis: the memory's state at each step, projected on two axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dqngui.lab.playback.episode import GrowingRows

MIN_STEPS = 8  # steps that the first fit needs
MAX_STEPS, MAX_VALUES = 512, 1_000_000
"""Steps and values that a fit uses at most; with more, steps are skipped evenly."""
WIDE = 256  # units above which the Gram matrix of the steps is cheaper than the covariance of the units
CHUNK_VALUES = 4_000_000  # values that one call of `take` projects at most
CONSTANT_BELOW = 1e-10  # share of the squared values below which the states count as constant


@dataclass(frozen=True)
class Axes:
    """The first two principal axes of the states of some steps.

    Attributes:
        mean: mean state (D,).
        directions: (2, D), orthonormal; zeros where the states vary in fewer than two directions.
        shares: share of the variance explained by each axis.
        steps: number of steps of the episode at the fit.
    """

    mean: npt.NDArray[np.float32]
    directions: npt.NDArray[np.float32]
    shares: tuple[float, float]
    steps: int

    def project(self, states: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Project states (n, D) to points (n, 2)."""
        return np.asarray((states - self.mean) @ self.directions.T, np.float32)


def fit_axes(states: npt.NDArray[np.float32]) -> Axes | None:
    """Fit the first two principal axes of states (n, D); None if the states are nearly constant.

    Uses the eigenvectors of the smaller matrix: covariance of the units (D, D) or Gram matrix of the steps (n, n).
    The sign of each axis is chosen so that later steps lie in its positive direction; a new fit seldom flips it.
    """
    count, width = states.shape
    limit = min(MAX_STEPS if width <= WIDE else WIDE, max(MIN_STEPS, MAX_VALUES // width))
    sample = states[np.unique(np.linspace(0, count - 1, min(count, limit)).round().astype(int))]
    known = np.isfinite(sample).all(axis=1)
    sample = sample.astype(np.float32, copy=False) if known.all() else sample[known].astype(np.float32)
    if len(sample) < 3:
        return None
    mean = sample.mean(axis=0)
    x = sample - mean
    total = float(np.vdot(x, x))
    if total <= CONSTANT_BELOW * max(float(np.vdot(sample, sample)), 1e-30):
        return None
    by_units = width <= len(x)
    product = (x.T @ x if by_units else x @ x.T).astype(np.float64)
    powers, vectors = np.linalg.eigh(product)
    powers, vectors = powers[::-1][:2], vectors[:, ::-1][:, :2].T  # the largest first, one row each
    directions = vectors if by_units else (vectors.astype(np.float32) @ x).astype(np.float64)
    sizes = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = np.where(powers[:, None] > 1e-9 * total, directions / np.maximum(sizes, 1e-30), 0.0)
    along = np.arange(len(x)) - (len(x) - 1) / 2
    directions *= np.where(along @ (x @ directions.T) < 0, -1.0, 1.0)[:, None]
    missing = 2 - len(directions)  # a state with a single unit
    directions = np.pad(directions, ((0, missing), (0, 0)))
    shares = [*(max(float(power), 0.0) / total for power in powers), 0.0]
    return Axes(mean, directions.astype(np.float32), (shares[0], shares[1]), count)


def milestone(length: int) -> int:
    """The largest of 8, 10, 12, 15, 18, … that is at most a length; 0 below 8. A fit is due at each."""
    at = found = MIN_STEPS
    while at <= length:
        found, at = at, max(at + 1, int(at * 1.25))
    return found if length >= MIN_STEPS else 0


class Projection:
    """Projects an episode's states to points; the axes are given, or fitted again at each `milestone` as it grows.

    Attributes:
        axes: None until the states vary.
    """

    def __init__(self, axes: Axes | None = None) -> None:
        self.axes = axes
        self._given = axes is not None
        self._fitted = 0
        self._places = GrowingRows()

    @property
    def places(self) -> npt.NDArray[np.float32]:
        """The projected points (steps, 2); steps that are not projected yet are missing."""
        values = self._places.values
        return values if values.ndim == 2 else np.empty((0, 2), np.float32)

    def take(self, states: npt.NDArray[np.float32], ended: bool) -> bool:
        """Project the new ones of the states (n, D), at most `CHUNK_VALUES`; return whether states are left."""
        length = len(states)
        due = length if ended and length >= 3 else milestone(length)
        if not self._given and due > self._fitted:
            self._fitted = due
            self.axes, self._places = fit_axes(states[:due]), GrowingRows()
        if self.axes is None:
            return False
        known = len(self.places)
        last = min(length, known + max(1, math.floor(CHUNK_VALUES / states.shape[1])))
        if last > known:
            self._places.put(known, self.axes.project(states[known:last]))
        return last < length
