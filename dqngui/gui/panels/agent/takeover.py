"""Lets a person drive the episode that is shown: keys choose the actions, at the environment's own pace.

A driven episode lives in the player alone, which stores nothing: it never reaches a replay or a run's files.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from dqngui.lab.playback.driving_keys import DrivingKeys
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.messages import PlayerReady

TICK_MS = 5
SLOW_FPS = 20.0
"""A task that goes slower than this by itself is one of turns."""
MOST_TAPS = 2  # keys pressed ahead while each step waits for one

Actor = Literal["hand", "idle", "agent"]
"""Who chose a step of a driven episode: a key; no key, so that nothing was done; no key, so that the agent acted."""


def goes_by_turns(ready: PlayerReady) -> bool:
    """Whether each step had better wait for a key: the task is slow by itself, or has neither a pace nor a no-op."""
    return ready.fps < SLOW_FPS or (bool(ready.no_picture) and DrivingKeys.of(ready.actions).idle is None)


class Takeover(QObject):
    """The keyboard of one card drives the episode that the player shows, until it is handed back to the agent.

    Keys count only while the focus is in the card; when it leaves, the episode is paused, and the next key drives on.
    With no key down the action that does nothing is done, or the agent acts where the task has none.

    Attributes:
        driving: a person drives.
        waits: each step waits for a key, rather than for the clock.
        keys: which key does what.
        actors: who chose each step of the episode, by its number.

    Signals:
        changed: look at all of it, and at `words`, again.
    """

    changed = Signal()

    def __init__(self, card: QWidget) -> None:
        super().__init__(card)
        self.driving = self.waits = False
        self.keys = DrivingKeys.of(())
        self.actors: dict[int, Actor] = {}
        self._card = card
        self._player: Player | None = None
        self._former: PlayedEpisode | None = None  # shown when the driven one was asked for
        self._playing: PlayedEpisode | None = None  # the driven one, once it is there
        self._held: list[int] = []
        self._taps: deque[int] = deque(maxlen=MOST_TAPS)
        self._sent = -1  # the step that was asked for last
        self._due = 0.0
        self._watched: list[QWidget] = []
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._turn)

    def attach(self, player: Player) -> None:
        """Drive what this player plays."""
        self._player = player
        player.grew.connect(self._on_grew)
        player.changed.connect(self._on_player)

    # -- taking and giving back -------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """The driven episode has come to its end."""
        return self._playing is not None and self._playing.ended

    @property
    def words(self) -> str:
        """What is so, and what the next key does."""
        player, playing = self._player, self._playing
        if not self.driving or player is None:
            return ""
        if playing is None:
            return "Bringing the episode here…"
        if playing.ended:
            return "Ended · a key tries again · Esc returns"
        if player.paused:
            return "Paused · a key drives on · Esc returns"
        return "You are driving, key by key · Esc returns" if self.waits else "You are driving · Esc returns"

    @property
    def idle_in_words(self) -> str:
        """What happens while no key is down."""
        if self.waits:
            return "Without a key nothing happens."
        idle = self.keys.idle
        return f"Without a key: {self.keys.names[idle]}." if idle is not None else "Without a key the agent acts."

    @Slot()
    def toggle(self) -> None:
        """Take over, or hand back."""
        if self.driving:
            self.hand_back()
        else:
            self.begin()

    def begin(self) -> None:
        """Take over at the step that is shown; at an episode's end, at its start."""
        player = self._player
        playing = player.playing if player is not None else None
        if player is None or playing is None or player.problem:
            return
        if not self.driving:
            self.driving = True
            self.keys, self.waits = DrivingKeys.of(playing.ready.actions), goes_by_turns(playing.ready)
            self._watch()
            self._card.setFocus(Qt.FocusReason.OtherFocusReason)
            self._timer.start()
        t = min(playing.t, playing.length)
        if playing.ended and t >= playing.length:
            t = 0
        self.actors = {step: actor for step, actor in self.actors.items() if step < t} if playing.human else {}
        self._former, self._playing, self._sent, self._due = playing, None, -1, 0.0
        self._release()
        player.begin(playing.seed, actions=playing.action[:t].tolist(), driven=True, at=t)
        player.play()
        self.changed.emit()

    @Slot()
    def hand_back(self) -> None:
        """The agent plays on in the same episode; behind its end it plays the next one."""
        player, playing = self._player, self._playing
        if not self.driving or player is None:
            return
        self._stop()
        if playing is None or playing.ended:
            player.next_episode()
        else:
            player.hand_back()
        player.play()

    def set_waits(self, waits: bool) -> None:
        """Let each step wait for a key, or go at the environment's pace."""
        self.waits = waits
        self._taps.clear()
        self.changed.emit()

    def _stop(self) -> None:
        """Nobody drives any more."""
        self.driving = False
        self._timer.stop()
        self._unwatch()
        self._former = self._playing = None
        self._release()
        self.changed.emit()

    # -- the player -------------------------------------------------------------------------------

    @Slot()
    def _on_player(self) -> None:
        if self.driving and self._player is not None:
            playing = self._player.playing
            if self._player.problem or self._player.agent is None:
                self._stop()
            elif playing is not None and playing.human and playing is not self._playing:
                self._on_grew(playing)  # before its first step nothing grows
            else:
                self.changed.emit()

    @Slot(object)
    def _on_grew(self, playing: PlayedEpisode | None) -> None:
        player = self._player
        if not self.driving or player is None:
            return
        if playing is not None and playing.human:
            if playing is not self._playing and playing.length < playing.given:
                return  # the steps before the person's own still come
            if playing is not self._playing:
                self._playing, self._sent = playing, -1
            player.seek(playing.length)
            if playing.ended:
                self._release()
                player.pause()
            self.changed.emit()
            self._turn()
        elif playing is None or playing is not self._former:
            self._stop()  # another episode was chosen meanwhile

    @Slot()
    def _turn(self) -> None:
        """Do the next step if it is time for it, and the last one has come back."""
        player, playing = self._player, self._playing
        if player is None or playing is None or playing.ended or player.paused or self._sent >= playing.length:
            return
        now = time.perf_counter()
        if self.waits:
            if not self._taps:
                return
            action = self.keys.action_of((*self._held, self._taps.popleft()))
        else:
            if now < self._due:
                return
            pace = 1.0 / (player.speed * (playing.ready.fps or 30.0))
            self._due = self._due + pace if now - self._due < pace else now + pace
            action = self.keys.action_of(self._held)
            if action is None and self._taps:  # pressed and let go between two steps
                action = self.keys.action_of(self._taps)
            self._taps.clear()
        actor: Actor = "hand" if action is not None else "agent" if self.keys.idle is None else "idle"
        self._sent = playing.length
        self.actors[self._sent] = actor
        player.drive(self._sent, action if action is not None else self.keys.idle)

    # -- the keys ---------------------------------------------------------------------------------

    def _watch(self) -> None:
        self._watched = [self._card, *self._card.findChildren(QWidget)]
        for widget in self._watched:
            widget.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._on_focus)  # type: ignore[union-attr]

    def _unwatch(self) -> None:
        for widget in self._watched:
            widget.removeEventFilter(self)
        self._watched = []
        QApplication.instance().focusChanged.disconnect(self._on_focus)  # type: ignore[union-attr]

    def _release(self) -> None:
        self._held.clear()
        self._taps.clear()

    def _on_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        if now is None or not (now is self._card or self._card.isAncestorOf(now)):
            self._release()
            if self._player is not None and not self.ended:
                self._player.pause()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the card and of what is in it; an accepted override keeps them from being shortcuts."""
        kind = event.type()
        if kind not in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride):
            return False
        assert isinstance(event, QKeyEvent)
        held_with = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        key = int(event.key())
        returns = key == Qt.Key.Key_Escape
        if held_with != Qt.KeyboardModifier.NoModifier or not (returns or self.keys.takes(key)):
            return False
        event.accept()
        if kind == QEvent.Type.KeyPress and returns:
            self.hand_back()
        elif kind == QEvent.Type.KeyPress:
            self._press(key, again=event.isAutoRepeat())
        elif kind == QEvent.Type.KeyRelease and not event.isAutoRepeat() and key in self._held:
            self._held.remove(key)
        return True

    def _press(self, key: int, *, again: bool) -> None:
        player = self._player
        if player is None or (again and not self.waits):
            return
        if self.ended:
            if not again:
                self.begin()
            return
        if not again:
            self._held.append(key)
        self._taps.append(key)
        if player.paused:
            player.play()
        self._turn()
