"""Pins a training episode: the player then replays it with its recorded actions. Without a pin everything is live."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from dqngui.config import ConfigError
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.cursor.pinned_episode import PinnedEpisode, RunEpisodes, nearest_checkpoint, weights_changed_within
from dqngui.lab.library.ancestors import ancestors
from dqngui.lab.library.library import Library
from dqngui.lab.playback.agent_selection import AgentSelection
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.runs.checkpoints import checkpoints
from dqngui.runs.episodes import recorded_episode
from dqngui.runs.folder import read_experiment
from dqngui.texts import Text, say, words

RETRY_MS = 200
MAX_TRIES = 20  # of RETRY_MS each; a new episode is on the disk within a second
CHECKPOINT_LIST_S = 1.0  # the list of checkpoints is read again after this time


class Pinning(QObject):
    """Pins and unpins training episodes. Training goes on while an episode is pinned.

    A new pin replaces the one before it. An episode may belong to the
    open run or to an ancestor of it. If an episode cannot be pinned, `Session.message` gives the reason.

    Attributes:
        pinned: the pinned episode; None while live.

    Signals:
        changed: the pinned episode, a fact about it, or the result of `can_step` changed.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        player: Player,
        library: Library,
        agent_selection: AgentSelection,
        timing: Timing | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        timing = timing or Timing()
        self._clock = timing.clock
        self.pinned: PinnedEpisode | None = None
        self._session, self._player, self._library, self._agent_selection = session, player, library, agent_selection
        self._pending_pin: tuple[RunEpisodes, int] | None = None  # the episode to pin once it is on the disk
        self._tries = 0
        self._last_state: tuple[object, ...] = ()
        self._checkpoint_list: tuple[Path, float, list[int]] = (Path(), 0.0, [])
        self._retry_timer = TickTimer(RETRY_MS, timing, parent=self)
        self._retry_timer.ticked.connect(self.tick)
        session.cleared.connect(self._on_cleared)
        session.received.connect(self._emit_if_changed)
        session.changed.connect(self._emit_if_changed)
        session.rewound.connect(self._on_rewound)
        player.changed.connect(self._on_player)
        player.grew.connect(self._on_grew)

    # -- state -------------------------------------------------------------------------------------

    @property
    def cursor(self) -> Cursor | None:
        """The pinned moment; None while live."""
        pinned = self.pinned
        if pinned is None:
            return None
        playing = self._playing
        return Cursor(pinned.trace.step, pinned.number, playing.t if playing is not None else 0)

    @property
    def _playing(self) -> PlayedEpisode | None:
        """The replay of the pinned episode, once it has begun; a person may drive it from some step on."""
        playing, pinned = self._player.playing, self.pinned
        if playing is None or pinned is None or playing.request.seed != pinned.trace.seed:
            return None
        return playing

    @property
    def words(self) -> str:
        """The pinned episode, its weights and warnings about them, as one line; empty while live."""
        pinned, playing = self.pinned, self._playing
        if pinned is None:
            return ""
        if self._player.problem:
            parts = [pinned.name, say("pin.unplayable")]
        elif playing is None:
            parts = [pinned.name, say("pin.opening") if any(self._player.in_sight) else say("pin.unseen")]
        else:
            parts = self._parts(pinned, playing)
        return " · ".join(map(words, parts))

    def _parts(self, pinned: PinnedEpisode, playing: PlayedEpisode) -> list[Text]:
        """The parts of `words` while the pinned episode plays."""
        parts = [pinned.name]
        if pinned.differs:  # first, since a narrow card cuts off the end
            parts.append(say("pin.differs"))
        parts.append(pinned.weights_text(playing.weights_step))
        given, whole = playing.given, len(pinned.trace.actions)
        parts.append(say("pin.actions") if given >= whole else say("pin.actions_until", step=given))
        if pinned.weights_changed:
            parts.append(say("pin.learned"))
        return parts

    def readout(self, number: int) -> list[str]:
        """Lines for the readout of an episode of the open run: its length and the nearest checkpoint."""
        run = self._open_run()
        if not 0 <= number < run.count:
            return []
        length = int(run.history.lengths.y.values[number])
        lines = [words(say("pin.length", length=length))]
        if run.folder is not None:
            begin, end = run.span(number, self._session.run.experiment.env.num_envs)
            checkpoint = nearest_checkpoint(self._checkpoints(run.folder), begin)
            if checkpoint is not None:
                key = "pin.checkpoint_later" if checkpoint > end else "pin.checkpoint"
                lines.append(words(say(key, step=checkpoint)))
        return lines

    # -- requests ----------------------------------------------------------------------------------

    @Slot(object)
    def pick(self, cursor: Cursor | None) -> None:
        """Pin the episode with this number, or the one nearest to this step; None: unpin."""
        if cursor is None:
            self.live()
        elif cursor.episode is not None:
            self.pin_episode(cursor.episode)
        else:
            self.pin(cursor.step)

    def pin(self, step: float) -> None:
        """Pin the training episode that ended nearest to an environment step."""
        runs = self._runs()
        forks = self._session.history.forks
        fork = forks[0] if forks else None
        if fork is not None and step < fork.step and len(runs) == 1:
            self._show_message(self._why_parent_is_missing(round(step), fork.parent))
            return
        candidates = [(abs(run.step(n) - step), run, n) for run in runs if (n := run.nearest(step)) >= 0]
        if not candidates:
            self._show_message(say("pin.none_ended"))
            return
        _, run, number = min(candidates, key=lambda each: each[0])
        self._pin(run, number)

    def pin_episode(self, number: int) -> None:
        """Pin an episode of the open run by its number, from 0."""
        run = self._open_run()
        if 0 <= number < run.count:
            self._pin(run, number)

    def can_step(self, by: int) -> bool:
        """Whether a later (`by` > 0) or earlier (`by` < 0) episode exists; while live the newest counts as earlier."""
        at, open_run = self._current, self._open_run()
        if at is None:
            return by < 0 and open_run.count > 0
        run, number = at
        if by < 0:
            return number > 0 or (not run.name and bool(open_run.history.forks))
        return bool(run.name) or number < open_run.count - 1

    @property
    def _current(self) -> tuple[RunEpisodes, int] | None:
        """The episode that is pinned or about to be pinned."""
        return self._pending_pin or (None if self.pinned is None else (self.pinned.run, self.pinned.number))

    def step_episode(self, by: int) -> None:
        """Pin the episode `by` places later, or earlier if negative; the newest one if none is pinned."""
        runs = [each for each in self._runs() if each.count]
        if not runs:
            self._show_message(say("pin.none_ended"))
            return
        at = self._current
        index = next((i for i, each in enumerate(runs) if at is not None and each.same(at[0])), None)
        if at is None or index is None:
            self._pin(runs[-1], runs[-1].count - 1)
            return
        number = at[1] + by
        while number < 0 and index > 0:
            index -= 1
            number += runs[index].count
        while number >= runs[index].count and index < len(runs) - 1:
            number -= runs[index].count
            index += 1
        number = min(max(number, 0), runs[index].count - 1)
        if (runs[index].folder, number) != (at[0].folder, at[1]):
            self._pin(runs[index], number)

    @Slot()
    def live(self) -> None:
        """Unpin: the player returns to what it played before."""
        self._cancel_pending_pin()
        if self.pinned is not None:
            self.pinned = None
            self._player.episodes.go_back()
            self._agent_selection.let_go()
            self._emit_if_changed()

    # -- episodes ----------------------------------------------------------------------------------

    def _open_run(self) -> RunEpisodes:
        history = self._session.history
        return RunEpisodes(self._session.run.folder, "", history, len(history.returns))

    def _runs(self) -> list[RunEpisodes]:
        """The episodes of the open run's ancestors up to each fork, oldest first, and last those of the open run."""
        open_run = self._open_run()
        candidates = ancestors(open_run.history, self._session.run.folder, self._library)
        before = [
            RunEpisodes(
                each.folder, each.name, each.history,
                int(np.searchsorted(each.history.returns.x.values, each.step, "right")),
            )
            for each in reversed(candidates)
        ]  # fmt: skip
        return [*before, open_run]

    def _why_parent_is_missing(self, step: int, parent: str) -> Text:
        folder = self._session.run.folder
        if folder is not None and (folder.absolute().parent / Path(parent).name).is_dir():
            return say("pin.parent_read", step=step, parent=parent)
        return say("pin.parent_gone", step=step, parent=parent)

    def _pin(self, run: RunEpisodes, number: int) -> None:
        self._cancel_pending_pin()
        self._pending_pin = run, number
        self.tick()

    def _cancel_pending_pin(self) -> None:
        self._pending_pin, self._tries = None, 0
        self._retry_timer.stop()

    @Slot()
    def tick(self) -> None:
        """Open the pending episode if it is on the disk; otherwise the next tick tries again."""
        if self._pending_pin is None:
            return
        run, number = self._pending_pin
        problem = say("pin.no_files") if run.folder is None else self._open(run, number)
        if problem is None:
            self._tries += 1
            if self._session.state is State.RUNNING and self._tries < MAX_TRIES:
                self._retry_timer.start()
                return
            problem = say("pin.not_kept", episode=run.title(number))
        self._cancel_pending_pin()
        if isinstance(problem, Text):
            self._show_message(problem)

    def _open(self, run: RunEpisodes, number: int) -> Text | str | None:
        """Replay the episode. Returns "" on success, None if it is not on the disk yet, else the reason."""
        folder = run.folder
        assert folder is not None
        if not folder.is_dir():
            return say("pin.folder_gone", run=run.name or say("pin.this_run"))
        try:
            trace = recorded_episode(folder, number, run.step(number))
            experiment = self._session.run.present() if not run.name else read_experiment(folder)
        except ConfigError as error:
            return say("pin.not_played", episode=run.title(number), problem=error)
        except OSError as error:
            return say("pin.not_read", episode=run.title(number), problem=error.strerror or error)
        if trace is None:
            return None
        begin, end = run.span(number, experiment.env.num_envs)
        checkpoint = nearest_checkpoint(checkpoints(folder), begin)
        if checkpoint is None:
            return say("pin.no_weights", episode=run.title(number))
        weights_changed = weights_changed_within(experiment, run.history, begin, end)
        self.pinned = PinnedEpisode(run, number, trace, checkpoint, begin, weights_changed)
        self._agent_selection.hold()
        self._player.episodes.play_training_episode(folder, checkpoint, trace.seed, trace.actions.tolist())
        self._emit_if_changed()
        return ""

    def _checkpoints(self, folder: Path) -> list[int]:
        now = self._clock()
        if self._checkpoint_list[0] != folder or now - self._checkpoint_list[1] > CHECKPOINT_LIST_S:
            self._checkpoint_list = folder, now, checkpoints(folder)
        return self._checkpoint_list[2]

    # -- events of player and session --------------------------------------------------------------

    @Slot()
    def _on_player(self) -> None:
        """Unpin if the player was given another episode."""
        pinned = self.pinned
        if pinned is None:
            return
        if not self._player.episodes.plays_training_episode:
            self.pinned = None
            self._agent_selection.let_go()
        elif self._player.problem and self._checkpoint_was_deleted(pinned):
            self._pin(pinned.run, pinned.number)
        self._emit_if_changed()

    def _checkpoint_was_deleted(self, pinned: PinnedEpisode) -> bool:
        """Whether the chosen checkpoint was deleted by the running training, while others exist."""
        folder = pinned.run.folder
        steps = [] if folder is None else checkpoints(folder)
        return bool(steps) and pinned.checkpoint not in steps

    @Slot(object)
    def _on_grew(self, playing: PlayedEpisode | None) -> None:
        """Compare the replay with the log once the replay is complete."""
        pinned = self.pinned
        if pinned is None or playing is None or playing is not self._playing or pinned.compared:
            return
        if not playing.request.from_training:
            return
        if playing.ended or playing.length >= len(pinned.trace.actions):
            self.pinned = pinned.compare(playing)
            self._emit_if_changed()

    @Slot()
    def _on_cleared(self) -> None:
        self._go_live_because(say("pin.left_run"))

    @Slot(int)
    def _on_rewound(self, step: int) -> None:
        pinned = self.pinned
        if pinned is not None and not pinned.run.name and pinned.trace.step > step:
            self._go_live_because(say("pin.lost"))

    @Slot()
    def _emit_if_changed(self) -> None:
        """Emit `changed` if the pin, its texts or the result of `can_step` changed."""
        state = self.pinned, self.words, self.can_step(-1), self.can_step(1)
        if state != self._last_state:
            self._last_state = state
            self.changed.emit()

    def _go_live_because(self, why: Text) -> None:
        pinned = self.pinned is not None
        self.live()
        if pinned:
            self._show_message(why)

    def _show_message(self, text: Text) -> None:
        self._session.show_message(text)
