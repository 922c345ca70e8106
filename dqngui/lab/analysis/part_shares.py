"""Attention to each part of an observation, such as its picture, its sound and its words: the sum over its tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import View

Parts = tuple[tuple[str, int], ...]
"""Names of the parts, in the order of their tokens, and the number of tokens of each."""


def parts_of(playing: PlayedEpisode, view: View) -> Parts:
    """The parts whose tokens are the keys of a view; () if there is one part only, or if each key is a part."""
    parts, keys = playing.ready.parts, view.shape[-1]
    several = len(parts) > 1 and view.axes[-1] == "key"
    return parts if several and len(parts) < keys == sum(count for _, count in parts) else ()


def summed(shares: npt.NDArray[Any], parts: Parts) -> npt.NDArray[Any]:
    """Shares of keys (T, K) as those of parts (T, P)."""
    firsts = np.cumsum([0, *(count for _, count in parts)])[:-1]
    return np.add.reduceat(shares, firsts, axis=1) if len(shares) else np.zeros((0, len(parts)), shares.dtype)
