"""Several choices made at once, kept as one whole number: the last choice varies fastest.

A robot chooses a bin for each of its joints, and a game may have several dials. The combinations of D choices are as
many as the product of their sizes, but their values are learned one choice at a time (`nets.choices`). Wherever an
action is stored, played again or told, it is the index of the combination, 0 to product − 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MOST_COMBINED = 2**62
"""Combinations must fit into a signed number of 64 bits."""


class Choices:
    """D choices of `sizes` options each.

    Attributes:
        sizes: options of each choice, (D,).
        count: number of combinations.
        options: options of all choices together, the entries that lie side by side in values and masks.
        strides: by how much an option more of each choice raises the index of the combination, (D,).
        first: entry of each choice's first option, (D,).
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.sizes, self.count, self.options = sizes, math.prod(sizes), sum(sizes)
        self._sizes = np.array(sizes, np.int64)
        self.strides = np.array([math.prod(sizes[place + 1 :]) for place in range(len(sizes))], np.int64)
        self.first = np.concatenate([[0], np.cumsum(self._sizes)[:-1]]).astype(np.int64)

    def split(self, action: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """The option of each choice, (…) -> (…, D)."""
        parts: NDArray[np.int64] = np.asarray(action, np.int64)[..., None] // self.strides % self._sizes
        return parts

    def join(self, parts: NDArray[np.int64]) -> NDArray[np.int64]:
        """The index of the combination, (…, D) -> (…)."""
        joined: NDArray[np.int64] = np.asarray((np.asarray(parts, np.int64) * self.strides).sum(-1), np.int64)
        return joined

    def entries(self, action: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """The entries of the chosen options, (…) -> (…, D)."""
        return self.split(action) + self.first

    def allows(self, action: NDArray[np.int64] | int, legal: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether all chosen options are legal, (…); `legal` (…, options)."""
        return np.asarray(np.take_along_axis(legal, self.entries(action), -1).all(-1))

    def random(self, generator: np.random.Generator, count: int, legal: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """Random options for every choice, drawn evenly among the legal ones, as combinations (count,)."""
        if legal is None:
            return self.join(generator.integers(self._sizes, size=(count, len(self.sizes))))
        parts = np.empty((count, len(self.sizes)), np.int64)
        for place, (first, size) in enumerate(zip(self.first, self.sizes, strict=True)):
            mask = legal[:, first : first + size]
            drawn = (generator.random(count) * mask.sum(1)).astype(np.int64)
            parts[:, place] = (mask.cumsum(1) > drawn[:, None]).argmax(1)
        return self.join(parts)
