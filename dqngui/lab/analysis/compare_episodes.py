"""Compares two episodes step by step and bit for bit: from which step on they differ, if they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dqngui.lab.playback.episode import PlayedEpisode

COMPARED = ("observation", "q", "action", "reward")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing two episodes as far as both are known.

    Attributes:
        known: number of steps that were compared.
        whole: the result is final: both have ended, or they differ in length.
        differs: the first step with any difference, even of one bit; None without a difference.
        diverges: the first step at which the actions differ or one episode has ended; None if there is none so far.
    """

    known: int
    whole: bool
    differs: int | None
    diverges: int | None

    @property
    def identical(self) -> bool:
        """Whether all compared steps are equal bit for bit."""
        return self.differs is None


def compare(one: PlayedEpisode, other: PlayedEpisode) -> Comparison:
    """Compare two episodes as far as they are known."""
    known = min(one.length, other.length)
    ends = _end(one, other)
    parts = [_first_difference(getattr(one, name), getattr(other, name), known) for name in COMPARED]
    differs = min((t for t in [*parts, ends] if t is not None), default=None)
    diverges = min((t for t in [parts[COMPARED.index("action")], ends] if t is not None), default=None)
    whole = ends is not None or (one.ended and other.ended)
    return Comparison(known, whole, differs, diverges)


def _end(one: PlayedEpisode, other: PlayedEpisode) -> int | None:
    """The step at which only one episode has ended; None if there is none, or it is not known yet."""
    short, long = sorted((one, other), key=lambda playing: playing.length)
    if short.ended and (long.length > short.length or (long.ended and long.truncated != short.truncated)):
        return short.length
    return None


def _first_difference(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic], known: int) -> int | None:
    """The first of `known` rows that is not the same in every bit: a NaN equals itself, and zero is not minus zero."""
    a, b = np.ascontiguousarray(one[:known]), np.ascontiguousarray(other[:known])
    if a.shape != b.shape or a.dtype != b.dtype:
        return 0 if known else None
    if not a.size:
        return None
    apart = (a.view(np.uint8).reshape(known, -1) != b.view(np.uint8).reshape(known, -1)).any(axis=1)
    return int(apart.argmax()) if apart.any() else None
