"""What is seen at the steps that the player shows, asked for only while somebody looks at it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.gui.player import Player
from dqngui.gui.playing import Playing

MOST = 256
"""Steps whose descriptions are kept."""


class Seen(QObject):
    """The descriptions of steps of the player's episode, the newest of which is asked for, one at a time.

    Attributes:
        wanted: somebody looks.

    Signals:
        came(int): that of step t is there.
    """

    came = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wanted = False
        self._player: Player | None = None
        self._of: Playing | None = None
        self._kept: dict[int, dict[str, Any]] = {}
        self._asked: int | None = None  # under way
        self._next: int | None = None

    def attach(self, player: Player) -> None:
        """Follow this player."""
        self._player = player
        player.moved.connect(self._on_moved)
        player.described.connect(self._on_described)

    def look(self, wanted: bool) -> None:
        """Begin to look, or leave it."""
        if wanted != self.wanted:
            self.wanted = wanted
            player = self._player
            if wanted and player is not None and player.playing is not None:
                self._on_moved(player.playing.t)

    def at(self, playing: Playing, t: int) -> dict[str, Any]:
        """What is known of what is seen at step t: `observation`, `text/NAME`, `picture`; empty until it is there."""
        return self._kept.get(t, {}) if playing is self._of else {}

    def knows(self, playing: Playing, t: int) -> bool:
        """Whether the description of step t has come, be it that there was nothing to tell."""
        return playing is self._of and t in self._kept

    @Slot(int)
    def _on_moved(self, t: int) -> None:
        player = self._player
        if player is None or not self.wanted:
            return
        if player.playing is not self._of:
            self._of, self._asked, self._next = player.playing, None, None
            self._kept.clear()
        if t in self._kept or self._of is None:
            return
        if self._asked is None:
            self._asked = t
            player.describe(t)
        else:
            self._next = t

    @Slot(object)
    def _on_described(self, event: m.Described) -> None:
        if self._of is None or event.number != self._of.number:
            return
        self._asked = None
        while len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[event.t] = event.tensors
        following, self._next = self._next, None
        if following is not None:
            self._on_moved(following)
        self.came.emit(event.t)


def texts_of(told: dict[str, Any]) -> dict[str, str]:
    """The texts of a description, by the name of their part."""
    prefix = "text/"
    return {
        name.removeprefix(prefix): bytes(values).decode(errors="replace")
        for name, values in told.items()
        if name.startswith(prefix)
    }
