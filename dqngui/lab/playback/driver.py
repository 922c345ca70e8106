"""Lets a person drive the player's episode with keys: tracks held keys, and does each step when it is due.

A driven episode exists only in the player: it never enters a replay buffer or a run's files.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from PySide6.QtCore import QObject, Signal, Slot

from dqngui.lab.background.timing import TickTimer
from dqngui.lab.playback.driving_keys import DrivingKeys
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.messages import PlayerReady
from dqngui.texts import say, words

TICK_MS = 5
SLOW_FPS = 20.0
"""Tasks with fewer steps per second wait for a key at each step."""
MAX_QUEUED_KEYS = 2  # queued key presses while each step waits for a key

Actor = Literal["person", "idle", "agent"]
"""Who chose an action: a person with a key; without a key the no-op (`idle`), or the agent if there is no no-op."""


def waits_for_keys(ready: PlayerReady) -> bool:
    """Whether each step should wait for a key: the task is slow, or it has no picture and no no-op."""
    return ready.fps < SLOW_FPS or (bool(ready.no_picture) and DrivingKeys.of(ready.actions).idle is None)


class Driver(QObject):
    """Lets a person act in the player's episode until control is handed back to the agent.

    Without a key the no-op is done, or the agent acts if the task has no no-op. Keys are Qt key codes;
    the widget with the keyboard focus calls `press`, `release` and `release_all`.

    Attributes:
        driving: whether a person drives.
        waits: whether each step waits for a key instead of the clock.
        keys: the action of each key.
        actors: who chose the action of each step.
        playing: the driven episode; None until it has begun.

    Signals:
        changed: one of these attributes or `words` changed.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.driving = self.waits = False
        self.keys = DrivingKeys.of(())
        self.actors: dict[int, Actor] = {}
        self.playing: PlayedEpisode | None = None
        self._player: Player | None = None
        self._shown_before: PlayedEpisode | None = None  # the episode shown when the driven one was requested
        self._held: list[int] = []
        self._queued_keys: deque[int] = deque(maxlen=MAX_QUEUED_KEYS)
        self._sent = -1  # the last step that was requested
        self._refused: int | None = None  # an action that was asked for last and is not legal
        self._due = 0.0
        self._timer: TickTimer | None = None

    def attach(self, player: Player) -> None:
        """Set the player to drive; called once."""
        self._player = player
        self._timer = TickTimer(TICK_MS, player.timing, precise=True, parent=self)
        self._timer.ticked.connect(self.tick)
        player.grew.connect(self._on_grew)
        player.changed.connect(self._on_player)

    # -- taking over and handing back --------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether the driven episode has ended."""
        return self.playing is not None and self.playing.ended

    @property
    def words(self) -> str:
        """A line of text: who drives, and what the next key does."""
        player, playing = self._player, self.playing
        if not self.driving or player is None:
            return ""
        if playing is None:
            return words(say("driver.coming"))
        if playing.ended:
            return words(say("driver.ended"))
        if player.paused:
            return words(say("driver.paused"))
        if self._refused is not None:
            return words(say("driver.not_legal", action=self.keys.names[self._refused]))
        return words(say("driver.by_key") if self.waits else say("driver.driving"))

    @property
    def idle_in_words(self) -> str:
        """A sentence: what happens while no key is held."""
        if self.waits:
            return words(say("driver.nothing"))
        idle = self.keys.idle
        if idle is None:
            return words(say("driver.agent_acts"))
        return words(say("driver.idle", action=self.keys.names[idle]))

    @Slot()
    def toggle(self) -> None:
        """Take over, or hand back."""
        if self.driving:
            self.hand_back()
        else:
            self.begin()

    def begin(self) -> None:
        """Take over at the shown step, or at the start if the episode has ended."""
        player = self._player
        playing = player.playing if player is not None else None
        if player is None or playing is None or player.problem or self._timer is None or playing.ready.choices:
            return
        if not self.driving:
            self.driving = True
            self.keys, self.waits = DrivingKeys.of(playing.ready.actions), waits_for_keys(playing.ready)
            self._timer.start()
        t = min(playing.t, playing.length)
        if playing.ended and t >= playing.length:
            t = 0
        known = self.actors if playing.person_acted else {}
        self.actors = {step: actor for step, actor in known.items() if step < t}
        self._shown_before, self.playing, self._sent = playing, None, -1
        self._due = float("-inf")
        self._forget_keys()
        player.episodes.begin(playing.seed, actions=playing.action[:t].tolist(), person_drives=True, at=t)
        player.play()
        self.changed.emit()

    @Slot()
    def hand_back(self) -> None:
        """Let the agent continue the episode, or play the next one if it has ended."""
        player, playing = self._player, self.playing
        if not self.driving or player is None:
            return
        self._stop()
        if playing is None or playing.ended:
            player.episodes.next_episode()
        else:
            player.episodes.hand_back()
        player.play()

    @Slot(bool)
    def set_waits(self, waits: bool) -> None:
        """Set whether each step waits for a key or follows the environment's pace."""
        self.waits = waits
        self._queued_keys.clear()
        self.changed.emit()

    def _stop(self) -> None:
        """End the driving."""
        self.driving = False
        if self._timer is not None:
            self._timer.stop()
        self._shown_before = self.playing = None
        self._forget_keys()
        self.changed.emit()

    # -- the player --------------------------------------------------------------------------------

    @Slot()
    def _on_player(self) -> None:
        if self.driving and self._player is not None:
            playing = self._player.playing
            if self._player.problem or self._player.client.agent is None:
                self._stop()
            elif playing is not None and playing.person_acted and playing is not self.playing:
                self._on_grew(playing)  # `grew` is not emitted before the first step
            else:
                self.changed.emit()

    @Slot(object)
    def _on_grew(self, playing: PlayedEpisode | None) -> None:
        player = self._player
        if not self.driving or player is None:
            return
        if playing is not None and playing.person_acted:
            if playing is not self.playing and playing.length < playing.given:
                return  # the steps before the take-over are still being played
            if playing is not self.playing:
                self.playing, self._sent = playing, -1
            player.seek(playing.length)
            if playing.ended:
                self._forget_keys()
                player.pause()
            self.changed.emit()
            self.tick()
        elif playing is None or playing is not self._shown_before:
            self._stop()  # another episode was chosen meanwhile

    @Slot()
    def tick(self) -> None:
        """Do the next step if it is due and the last one was answered."""
        player, playing = self._player, self.playing
        if player is None or playing is None or playing.ended or player.paused or self._sent >= playing.length:
            return
        if self.waits:
            if not self._queued_keys:
                return
            action = self.keys.action_of((*self._held, self._queued_keys.popleft()))
            if not self._is_legal(action):
                self._refuse(action)
                return
        else:
            now = player.timing.clock()
            if now < self._due:
                return
            pace = 1.0 / (player.speed * (playing.ready.fps or 30.0))
            self._due = self._due + pace if now - self._due < pace else now + pace
            action = self.keys.action_of(self._held)
            if action is None and self._queued_keys:  # pressed and released between two steps
                action = self.keys.action_of(self._queued_keys)
            self._queued_keys.clear()
        self._refuse(None if self._is_legal(action) else action)
        if self._refused is not None:
            action = None
        idle = self.keys.idle if self._is_legal(self.keys.idle) else None
        actor: Actor = "person" if action is not None else "agent" if idle is None else "idle"
        self._sent = playing.length
        self.actors[self._sent] = actor
        player.episodes.drive(self._sent, action if action is not None else idle)

    def _is_legal(self, action: int | None) -> bool:
        """Whether an action, or the agent's own (None), can be taken at the step that is next."""
        legal = () if self.playing is None else self.playing.legal_next
        return action is None or not legal or legal[action]

    def _refuse(self, action: int | None) -> None:
        """Say that an action is not legal; None: say nothing about it any more."""
        if action != self._refused:
            self._refused = action
            self.changed.emit()

    # -- the keys ----------------------------------------------------------------------------------

    def press(self, key: int, *, again: bool = False) -> None:
        """Handle a pressed key; `again`: an automatic repeat of a held key."""
        player = self._player
        if player is None or (again and not self.waits):
            return
        if self.ended:
            if not again:
                self.begin()
            return
        if not again:
            self._held.append(key)
        self._queued_keys.append(key)
        if player.paused:
            player.play()
        self.tick()

    def release(self, key: int) -> None:
        """Handle a released key."""
        if key in self._held:
            self._held.remove(key)

    def release_all(self) -> None:
        """Release all keys and pause, because the keyboard focus left; the next key continues."""
        self._forget_keys()
        if self._player is not None and not self.ended:
            self._player.pause()

    def _forget_keys(self) -> None:
        self._refused = None
        self._held.clear()
        self._queued_keys.clear()
