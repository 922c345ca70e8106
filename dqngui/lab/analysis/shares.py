"""What attention adds up to over an episode: the share of each key and the entropy, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dqngui.lab.analysis.views import Maps, entropy
from dqngui.lab.playback.episode import GrowingRows

AT_ONCE = 1_000_000
"""Values that are added up before others get their turn; about fifteen milliseconds."""


class Shares:
    """Means over some layers, their heads (or one of them) and rows; computed once a step, as steps come.

    Attributes:
        known: steps that have been added up.
    """

    def __init__(self, maps: Sequence[Maps], head: int | None) -> None:
        self._maps, self._head = tuple(maps), head
        self._keys, self._nats, self._most = GrowingRows(), GrowingRows(), GrowingRows()
        self.known = 0

    @property
    def keys(self) -> npt.NDArray[np.float32]:
        """Mean share of each key (known, keys), past steps oldest first."""
        return self._keys.values

    @property
    def nats(self) -> npt.NDArray[np.float32]:
        """Mean entropy (known,)."""
        return self._nats.values

    @property
    def most(self) -> npt.NDArray[np.float32]:
        """The largest entropy that was possible (known,)."""
        return self._most.values

    def take(self, values: Sequence[npt.NDArray[np.float32]]) -> bool:
        """Add up what is new of each layer's values (steps, *shape), no more than is quick; True: there is more."""
        length = min(len(each) for each in values)
        a_step = max(1, sum(each[0].size for each in values)) if length else 1
        last = min(length, self.known + max(1, AT_ONCE // a_step))
        if last > self.known:
            parts = [self._means(maps, each[self.known : last]) for maps, each in zip(self._maps, values, strict=True)]
            keys, nats, most = zip(*parts, strict=True)
            self._keys.put(self.known, np.stack(keys).mean(axis=0).astype(np.float32))
            self._nats.put(self.known, np.stack(nats).mean(axis=0).astype(np.float32))
            self._most.put(self.known, np.stack(most).max(axis=0).astype(np.float32))
            self.known = last
        return last < length

    def _means(self, maps: Maps, values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float64], ...]:
        """Shares (n, keys), entropies (n,) and the largest possible ones (n,) of one layer."""
        new = maps.heads_first(values)
        if self._head is not None:
            new = new[:, self._head : self._head + 1]
        nats, most = entropy(new)
        return new.mean(axis=(1, 2), dtype=np.float64), nats.mean(axis=(1, 2)), most.max(axis=(1, 2))
