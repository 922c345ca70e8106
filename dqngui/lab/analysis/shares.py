"""A summary of attention at each step: mean share of each key, and mean entropy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dqngui.lab.analysis.views import Maps, entropy
from dqngui.lab.playback.episode import GrowingRows

CHUNK_VALUES = 1_000_000
"""Values that one call of `take` processes at most; about 15 ms."""


class AttentionSummary:
    """Mean attention over layers, heads (or one head) and rows; each step is computed once, when it arrives.

    Attributes:
        known: number of steps computed so far.
    """

    def __init__(self, maps: Sequence[Maps], head: int | None) -> None:
        self._maps, self._head = tuple(maps), head
        self._keys, self._entropies, self._maximum = GrowingRows(), GrowingRows(), GrowingRows()
        self.known = 0

    @property
    def keys(self) -> npt.NDArray[np.float32]:
        """Mean share of each key (known, keys), on the axis `lag` the oldest first."""
        return self._keys.values

    @property
    def entropies(self) -> npt.NDArray[np.float32]:
        """Mean entropy (known,), in nats."""
        return self._entropies.values

    @property
    def maximum(self) -> npt.NDArray[np.float32]:
        """The maximum entropy that was possible (known,), in nats."""
        return self._maximum.values

    def take(self, values: Sequence[npt.NDArray[np.float32]]) -> bool:
        """Process new steps of each layer's values (steps, *shape); return whether steps are left for the next call."""
        length = min(len(each) for each in values)
        per_step = max(1, sum(each[0].size for each in values)) if length else 1
        last = min(length, self.known + max(1, CHUNK_VALUES // per_step))
        if last > self.known:
            parts = [self._means(maps, each[self.known : last]) for maps, each in zip(self._maps, values, strict=True)]
            keys, entropies, maximum = zip(*parts, strict=True)
            self._keys.put(self.known, np.stack(keys).mean(axis=0).astype(np.float32))
            self._entropies.put(self.known, np.stack(entropies).mean(axis=0).astype(np.float32))
            self._maximum.put(self.known, np.stack(maximum).max(axis=0).astype(np.float32))
            self.known = last
        return last < length

    def _means(self, maps: Maps, values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float64], ...]:
        """Shares (n, keys), entropies (n,) and maximum entropies (n,) of one layer."""
        new = maps.heads_first(values)
        if self._head is not None:
            new = new[:, self._head : self._head + 1]
        entropies, maximum = entropy(new)
        return new.mean(axis=(1, 2), dtype=np.float64), entropies.mean(axis=(1, 2)), maximum.max(axis=(1, 2))
