"""Which actions were legal at each row of a replay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.legal_actions import Mask
from dqngui.learning.saved import check_array


class LegalRows:
    """The masks of a replay's rows, one bit for each action. They take memory once an environment tells the first one.

    Args:
        rows: number of rows.
        actions: number of actions A.
    """

    def __init__(self, rows: int, actions: int) -> None:
        self._rows, self._actions = rows, actions
        self._bits: NDArray[np.uint8] | None = None  # (rows, ⌈A / 8⌉)

    def put(self, rows: NDArray[np.int64], legal: Mask | None) -> None:
        """Write the masks (n, A) of some rows (n,); None: every action is legal there."""
        if self._bits is None:
            if legal is None:
                return
            self._bits = np.full((self._rows, -(-self._actions // 8)), 255, np.uint8)
        self._bits[rows] = 255 if legal is None else np.packbits(legal, axis=1)

    def at(self, rows: NDArray[np.int64]) -> Mask | None:
        """The masks (…, A) of rows (…); None if no environment has told any."""
        if self._bits is None:
            return None
        return np.unpackbits(self._bits[rows], axis=-1, count=self._actions).view(np.bool_)

    def cut(self, rows: NDArray[np.int64]) -> dict[str, NDArray[np.uint8]]:
        """What `paste` needs for some rows (n,), by name; nothing if no environment has told any."""
        return {} if self._bits is None else {"legal": self._bits[rows]}

    def paste(self, rows: NDArray[np.int64], columns: Mapping[str, NDArray[Any]]) -> None:
        """Store what `cut` gave. Raises DoesNotFit."""
        if "legal" in columns:
            check_array("legal", columns["legal"], (len(rows), -(-self._actions // 8)), np.uint8)
            if self._bits is None:
                self._bits = np.full((self._rows, -(-self._actions // 8)), 255, np.uint8)
        if self._bits is not None:
            self._bits[rows] = columns.get("legal", 255)

    def arrays(self) -> dict[str, NDArray[np.uint8]]:
        """What `restore` needs, by name; nothing if no environment has told any."""
        return {} if self._bits is None else {"legal": self._bits}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` gave. Raises ValueError when it does not fit."""
        self._bits = None
        if "legal" in arrays:
            kept, shape = arrays["legal"], (self._rows, -(-self._actions // 8))
            if kept.shape != shape or kept.dtype != np.uint8:
                raise ValueError(f"legal actions of shape {kept.shape}, expected {shape}")
            self._bits = kept.copy()
