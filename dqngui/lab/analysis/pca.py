"""The first two principal components of what a memory holds, step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dqngui.lab.playback.episode import GrowingRows

FEWEST = 8  # steps that axes are fitted to
MOST_STEPS, MOST_VALUES = 512, 1_000_000
"""What axes are fitted to at most; of a longer episode, or a larger state, steps are left out evenly."""
WIDE = 256  # units from which on the products of the steps are cheaper than those of the units
AT_ONCE = 4_000_000  # values that are projected before others get their turn
STILL = 1e-10  # share of the squared values below which nothing varies


@dataclass(frozen=True)
class Axes:
    """Two directions in which states differ most, fitted to some steps.

    Attributes:
        mean: of the states (D,).
        directions: (2, D), orthonormal; zeros where the states differ in fewer directions.
        shares: of the variance that lies along each of them.
        steps: of the episode that they were fitted to.
    """

    mean: npt.NDArray[np.float32]
    directions: npt.NDArray[np.float32]
    shares: tuple[float, float]
    steps: int

    def project(self, states: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """States (n, D) as places (n, 2)."""
        return np.asarray((states - self.mean) @ self.directions.T, np.float32)


def fit_axes(states: npt.NDArray[np.float32]) -> Axes | None:
    """Principal components of states (n, D); None where they hardly differ.

    The eigenvectors of the smaller of the two products, of units (D, D) or of steps (n, n) (the Gram matrix). Both
    axes point to where the episode goes, so that they seldom turn about as it grows.
    """
    count, width = states.shape
    most = min(MOST_STEPS if width <= WIDE else WIDE, max(FEWEST, MOST_VALUES // width))
    some = states[np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))]
    known = np.isfinite(some).all(axis=1)
    some = some.astype(np.float32, copy=False) if known.all() else some[known].astype(np.float32)
    if len(some) < 3:
        return None
    mean = some.mean(axis=0)
    x = some - mean
    total = float(np.vdot(x, x))
    if total <= STILL * max(float(np.vdot(some, some)), 1e-30):
        return None
    by_units = width <= len(x)
    product = (x.T @ x if by_units else x @ x.T).astype(np.float64)
    powers, vectors = np.linalg.eigh(product)
    powers, vectors = powers[::-1][:2], vectors[:, ::-1][:, :2].T  # the largest first, a row each
    directions = vectors if by_units else (vectors.astype(np.float32) @ x).astype(np.float64)
    sizes = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = np.where(powers[:, None] > 1e-9 * total, directions / np.maximum(sizes, 1e-30), 0.0)
    along = np.arange(len(x)) - (len(x) - 1) / 2
    directions *= np.where(along @ (x @ directions.T) < 0, -1.0, 1.0)[:, None]
    missing = 2 - len(directions)  # a state of a single unit
    directions = np.pad(directions, ((0, missing), (0, 0)))
    shares = [*(max(float(power), 0.0) / total for power in powers), 0.0]
    return Axes(mean, directions.astype(np.float32), (shares[0], shares[1]), count)


def milestone(length: int) -> int:
    """The last of 8, 10, 12, 15, 18, … that is not above a length; 0 below the first."""
    at = found = FEWEST
    while at <= length:
        found, at = at, max(at + 1, int(at * 1.25))
    return found if length >= FEWEST else 0


class Projection:
    """An episode's states as places in two axes, which are fitted anew now and then as it grows, or given.

    Attributes:
        axes: None until some steps differ.
    """

    def __init__(self, axes: Axes | None = None) -> None:
        self.axes = axes
        self._given = axes is not None
        self._fitted = 0
        self._places = GrowingRows()

    @property
    def places(self) -> npt.NDArray[np.float32]:
        """(steps, 2), as far as they are projected."""
        values = self._places.values
        return values if values.ndim == 2 else np.empty((0, 2), np.float32)

    def take(self, states: npt.NDArray[np.float32], ended: bool) -> bool:
        """Take the states (n, D) that are new, no more than is quick; True: there is more."""
        length = len(states)
        wanted = length if ended and length >= 3 else milestone(length)
        if not self._given and wanted > self._fitted:
            self._fitted = wanted
            self.axes, self._places = fit_axes(states[:wanted]), GrowingRows()
        if self.axes is None:
            return False
        known = len(self.places)
        last = min(length, known + max(1, math.floor(AT_ONCE / states.shape[1])))
        if last > known:
            self._places.put(known, self.axes.project(states[known:last]))
        return last < length
