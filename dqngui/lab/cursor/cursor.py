"""The cursor: the moment of training that every card marks. None stands for live."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cursor:
    """A pinned moment; the live cursor is None.

    Attributes:
        step: environment steps since the run began.
        episode, t: the episode and the step in it, where one is chosen.
    """

    step: int
    episode: int | None = None
    t: int | None = None
