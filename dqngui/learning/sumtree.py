"""A sum tree: draws replay rows with probabilities proportional to their priorities, in O(log n)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class SumTree:
    """Non-negative weights of `size` leaves, with the sum of each subtree."""

    def __init__(self, size: int) -> None:
        self.levels = max(1, int(np.ceil(np.log2(size))))
        self.first_leaf = 1 << self.levels
        self.sums = np.zeros(2 * self.first_leaf, dtype=np.float64)

    @property
    def total(self) -> float:
        return float(self.sums[1])

    def __getitem__(self, leaves: NDArray[np.int64]) -> NDArray[np.float64]:
        return self.sums[leaves + self.first_leaf]

    def set(self, leaves: NDArray[np.int64], weights: NDArray[np.float64] | float) -> None:
        """Replace the weights of some leaves; if a leaf is given twice, the last weight counts."""
        nodes = leaves + self.first_leaf
        self.sums[nodes] = weights
        for _ in range(self.levels):
            nodes = np.unique(nodes >> 1) if len(nodes) > 1 else nodes >> 1
            self.sums[nodes] = self.sums[2 * nodes] + self.sums[2 * nodes + 1]

    def draw(self, uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """A leaf for each uniform number in [0, 1); the probability of a leaf is its share of the total."""
        rest = uniform * self.total
        nodes = np.ones(len(rest), dtype=np.int64)
        for _ in range(self.levels):
            nodes *= 2
            left = self.sums[nodes]
            right = rest >= left
            rest -= np.where(right, left, 0.0)
            nodes += right
        return nodes - self.first_leaf
