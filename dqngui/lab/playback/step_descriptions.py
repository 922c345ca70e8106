"""What the agent sees at the steps that the player shows, asked for only while somebody looks at it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player

MAX_KEPT = 256
"""Steps whose descriptions are kept."""
STEPS_AHEAD = 4
"""Next steps that are described ahead of need."""


class StepDescriptions(QObject):
    """The descriptions of steps of the player's episode, asked for one at a time: that of the shown step first.

    Then come those of the next steps, so that they are there when their pictures come.

    Attributes:
        wanted: somebody looks.

    Signals:
        came(int): the description of step t is there.
    """

    received = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.enabled = False
        self._player: Player | None = None
        self._playing: PlayedEpisode | None = None
        self._kept: dict[int, dict[str, Any]] = {}
        self._request_pending = False  # one is under way

    def attach(self, player: Player) -> None:
        """Describe the steps of this player's episode."""
        self._player = player
        player.moved.connect(self._on_moved)
        player.described.connect(self._on_described)

    def set_enabled(self, enabled: bool) -> None:
        """Ask for descriptions from now on, or no more."""
        if enabled != self.enabled:
            self.enabled = enabled
            self._on_moved()

    def at(self, playing: PlayedEpisode, t: int) -> dict[str, Any]:
        """The description of step t: `observation`, `text/NAME`, `picture`; empty until it is there."""
        return self._kept.get(t, {}) if playing is self._playing else {}

    def has(self, playing: PlayedEpisode, t: int) -> bool:
        """Whether the description of step t has come, even if it is empty."""
        return playing is self._playing and t in self._kept

    @Slot()
    def _on_moved(self) -> None:
        player = self._player
        if player is None or not self.enabled:
            return
        if player.playing is not self._playing:
            self._playing, self._request_pending = player.playing, False
            self._kept.clear()
        if self._playing is None or self._request_pending:
            return
        shown, known = self._playing.t, self._playing.length
        for t in range(shown, shown + 1 + STEPS_AHEAD):
            if t not in self._kept and (t == shown or t <= known):
                self._request_pending = True
                player.frames.describe(t)
                return

    @Slot(object)
    def _on_described(self, event: m.Described) -> None:
        if self._playing is None or event.number != self._playing.number:
            return
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[event.t] = event.tensors
        self._request_pending = False
        self._on_moved()  # it may be another step by now, or somebody else's question was answered in place of this
        self.received.emit(event.t)


def texts_of(description: dict[str, Any]) -> dict[str, str]:
    """The texts of a description, by the name of their part."""
    prefix = "text/"
    return {
        name.removeprefix(prefix): bytes(values).decode(errors="replace")
        for name, values in description.items()
        if name.startswith(prefix)
    }
