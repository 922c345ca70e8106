"""The cursor: the pinned moment of training that every card marks. Without a pin the cursor is None: live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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


class CursorControl(Protocol):
    """The part of `Pinning` that cards use. After a change the window calls `seek` of every card."""

    def pick(self, cursor: Cursor | None) -> None:
        """Pin the episode with this number, or the one nearest to this step. None unpins: the cursor is live again."""
        ...

    def readout(self, number: int) -> list[str]:
        """Lines of text about an episode of the open run. Episodes are numbered from 0."""
        ...
