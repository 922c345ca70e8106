"""A sum tree: draws leaves with probabilities proportional to their weights, in O(log n)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class SumTree:
    """Non-negative weights of `size` leaves, with the sum of each subtree.

    The sums lie in one array: node i has the children 2i and 2i + 1, node 1 is the root.
    """

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
        if len(leaves) * self.levels > self.first_leaf:
            self._add_up()
            return
        # A parent of several of the leaves is computed several times, with the same result; to look for these would
        # cost more than to compute them.
        sums = self.sums
        for _ in range(self.levels):
            children = nodes & -2
            total = sums.take(children)
            children += 1
            total += sums.take(children)
            nodes >>= 1
            sums[nodes] = total

    def _add_up(self) -> None:
        """Compute the sums of all subtrees."""
        first = self.first_leaf
        while first > 1:
            level = self.sums[first : 2 * first]
            np.add(level[0::2], level[1::2], out=self.sums[first // 2 : first])
            first //= 2

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
