"""The cursor: the moment of training that every card marks. None stands for live."""

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
    """What a card asks of the cursor. The answer comes to all cards at once: the window calls `seek` on them."""

    def pick(self, cursor: Cursor | None) -> None:
        """Pin an episode by its number, or the episode nearest to a step; None: be live."""
        ...

    def readout(self, number: int) -> list[str]:
        """Lines of text about an episode of the open run, by its number from 0."""
        ...
