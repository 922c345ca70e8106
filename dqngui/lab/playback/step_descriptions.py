"""Descriptions of what the agent observes at the shown steps, requested only while they are displayed."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player

MAX_KEPT = 256
"""Number of descriptions that are kept."""
STEPS_AHEAD = 4
"""Number of next steps that are described ahead."""


class StepDescriptions(QObject):
    """Requests descriptions of the player's episode one at a time: first that of the shown step.

    Then follow those of the next steps, so that they arrive before the pictures.

    Attributes:
        enabled: whether descriptions are requested.

    Signals:
        received(int): the description of step t has arrived.
    """

    received = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.enabled = False
        self._player: Player | None = None
        self._playing: PlayedEpisode | None = None
        self._kept: dict[int, dict[str, Any]] = {}
        self._request_pending = False  # a request is open

    def attach(self, player: Player) -> None:
        """Set the player whose steps are described; called once."""
        self._player = player
        player.moved.connect(self._on_moved)
        player.described.connect(self._on_described)

    def set_enabled(self, enabled: bool) -> None:
        """Start or stop requesting descriptions."""
        if enabled != self.enabled:
            self.enabled = enabled
            self._on_moved()

    def at(self, playing: PlayedEpisode, t: int) -> dict[str, Any]:
        """The description of step t: `observation`, `text/NAME`, `note/NAME`, `picture`; empty until it has arrived."""
        return self._kept.get(t, {}) if playing is self._playing else {}

    def has(self, playing: PlayedEpisode, t: int) -> bool:
        """Whether the description of step t has arrived, even an empty one."""
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
        self._on_moved()  # the shown step may have changed, or the answer may belong to another request
        self.received.emit(event.t)


def texts_of(description: dict[str, Any]) -> dict[str, str]:
    """The texts of a description, by the name of their part."""
    return _decoded(description, "text/")


def notes_in(description: dict[str, Any]) -> dict[str, str]:
    """The notes of a description (`dqngui.envs.step_notes`), by name."""
    return _decoded(description, "note/")


def _decoded(description: dict[str, Any], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): bytes(values).decode(errors="replace")
        for name, values in description.items()
        if name.startswith(prefix)
    }
