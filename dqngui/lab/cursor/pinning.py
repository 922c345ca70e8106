"""Pins training episodes: the player plays the pinned one as it was recorded. While none is pinned, all is live."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from dqngui.config import ConfigError
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.cursor.pinned_episode import PinnedEpisode, RunEpisodes, learned_within, nearest_checkpoint
from dqngui.lab.library.ancestors import ancestors
from dqngui.lab.library.library import Library
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.follow_session import SessionFollower
from dqngui.lab.playback.player import Player
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.runs.checkpoints import checkpoints
from dqngui.runs.episodes import recorded_episode
from dqngui.runs.folder import read_experiment
from dqngui.texts import Text, say, words

RETRY_MS = 200
TRIES = 20  # the newest episodes are on the disk within a second
LISTED_S = 1.0  # checkpoints are looked for again after so long


class Pinning(QObject):
    """Pins training episodes and lets go of them. While one is pinned, training and its curves go on.

    The newest pin wins: what an older one asked of the player is given up. Episodes are found where they ended: in the
    open run, or in the runs that it branched from. A sentence about what cannot be pinned goes to `Session.message`.

    Attributes:
        pinned: the episode; None while live.

    Signals:
        changed: another episode is pinned, or none, or what is known of it, or whether `can_step`.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        player: Player,
        library: Library,
        session_follower: SessionFollower,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.pinned: PinnedEpisode | None = None
        self._session, self._player, self._library, self._session_follower = session, player, library, session_follower
        self._wanted: tuple[RunEpisodes, int] | None = None  # not on the disk yet
        self._tries = 0
        self._said: tuple[object, ...] = ()
        self._listed: tuple[Path, float, list[int]] = (Path(), 0.0, [])
        self._waiting = QTimer(self, singleShot=True, interval=RETRY_MS)
        self._waiting.timeout.connect(self._try_again)
        session.cleared.connect(self._on_cleared)
        session.received.connect(self._say)
        session.changed.connect(self._say)
        session.rewound.connect(self._on_rewound)
        player.changed.connect(self._on_player)
        player.grew.connect(self._on_grew)

    # -- what is so -------------------------------------------------------------------------------

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
        """The pinned episode, once it plays: as it was recorded, or driven by hand from some step on."""
        playing, pinned = self._player.playing, self.pinned
        if playing is None or pinned is None or playing.request.seed != pinned.trace.seed:
            return None
        return playing

    @property
    def words(self) -> str:
        """What is pinned, with which weights, and what should be known of it; empty while live."""
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
        """What is said of the pinned episode while it plays."""
        parts = [pinned.name]
        if pinned.differs:  # before what a narrow card has no room for
            parts.append(say("pin.differs"))
        parts.append(pinned.weights_text(playing.weights_step))
        given, whole = playing.given, len(pinned.trace.actions)
        parts.append(say("pin.actions") if given >= whole else say("pin.actions_until", step=given))
        if pinned.learned:
            parts.append(say("pin.learned"))
        return parts

    def readout(self, number: int) -> list[str]:
        """Lines about an episode of the open run, for those who only look: its length, and the nearest checkpoint."""
        stretch = self._own()
        if not 0 <= number < stretch.count:
            return []
        length = int(stretch.history.lengths.y.values[number])
        lines = [words(say("pin.length", length=length))]
        if stretch.folder is not None:
            begin, end = stretch.span(number, self._session.run.experiment.env.num_envs)
            checkpoint = nearest_checkpoint(self._checkpoints(stretch.folder), begin)
            if checkpoint is not None:
                key = "pin.checkpoint_later" if checkpoint > end else "pin.checkpoint"
                lines.append(words(say(key, step=checkpoint)))
        return lines

    # -- what is asked ----------------------------------------------------------------------------

    @Slot(object)
    def pick(self, cursor: Cursor | None) -> None:
        """What a panel asks for: an episode by its number, the nearest to a step, or None to be live."""
        if cursor is None:
            self.live()
        elif cursor.episode is not None:
            self.pin_episode(cursor.episode)
        else:
            self.pin(cursor.step)

    def pin(self, step: float) -> None:
        """Pin the training episode that ended nearest to an environment step."""
        stretches = self._stretches()
        forks = self._session.history.forks
        fork = forks[0] if forks else None
        if fork is not None and step < fork.step and len(stretches) == 1:
            self._tell(self._why_missing(round(step), fork.parent))
            return
        found = [
            (abs(stretch.step(n) - step), stretch, n) for stretch in stretches if (n := stretch.nearest(step)) >= 0
        ]
        if not found:
            self._tell(say("pin.none_ended"))
            return
        _, stretch, number = min(found, key=lambda each: each[0])
        self._pin(stretch, number)

    def pin_episode(self, number: int) -> None:
        """Pin an episode of the open run by its number, from 0."""
        stretch = self._own()
        if 0 <= number < stretch.count:
            self._pin(stretch, number)

    def can_step(self, by: int) -> bool:
        """Whether there is such an episode: a later one, or an earlier one; while live the newest is an earlier one."""
        at, own = self._at, self._own()
        if at is None:
            return by < 0 and own.count > 0
        stretch, number = at
        if by < 0:
            return number > 0 or (not stretch.name and bool(own.history.forks))
        return bool(stretch.name) or number < own.count - 1

    @property
    def _at(self) -> tuple[RunEpisodes, int] | None:
        """The episode that is pinned, or will be."""
        return self._wanted or (None if self.pinned is None else (self.pinned.stretch, self.pinned.number))

    def step_episode(self, by: int) -> None:
        """Pin a later episode, or an earlier one; the newest where none is pinned."""
        stretches = [each for each in self._stretches() if each.count]
        if not stretches:
            self._tell(say("pin.none_ended"))
            return
        at = self._at
        index = next((i for i, each in enumerate(stretches) if at is not None and each.same(at[0])), None)
        if at is None or index is None:
            self._pin(stretches[-1], stretches[-1].count - 1)
            return
        number = at[1] + by
        while number < 0 and index > 0:
            index -= 1
            number += stretches[index].count
        while number >= stretches[index].count and index < len(stretches) - 1:
            number -= stretches[index].count
            index += 1
        number = min(max(number, 0), stretches[index].count - 1)
        if (stretches[index].folder, number) != (at[0].folder, at[1]):
            self._pin(stretches[index], number)

    @Slot()
    def live(self) -> None:
        """Let go: what played before goes on."""
        self._give_up()
        if self.pinned is not None:
            self.pinned = None
            self._player.episodes.go_back()
            self._session_follower.let_go()
            self._say()

    # -- episodes ---------------------------------------------------------------------------------

    def _own(self) -> RunEpisodes:
        history = self._session.history
        return RunEpisodes(self._session.run.folder, "", history, len(history.returns))

    def _stretches(self) -> list[RunEpisodes]:
        """The open run's episodes, and before them those of the runs it branched from up to there."""
        own = self._own()
        found = ancestors(own.history, self._session.run.folder, self._library)
        before = [
            RunEpisodes(
                each.folder, each.name, each.history,
                int(np.searchsorted(each.history.returns.x.values, each.step, "right")),
            )
            for each in reversed(found)
        ]  # fmt: skip
        return [*before, own]

    def _why_missing(self, step: int, parent: str) -> Text:
        folder = self._session.run.folder
        if folder is not None and (folder.absolute().parent / Path(parent).name).is_dir():
            return say("pin.parent_read", step=step, parent=parent)
        return say("pin.parent_gone", step=step, parent=parent)

    def _pin(self, stretch: RunEpisodes, number: int) -> None:
        self._give_up()
        self._wanted = stretch, number
        self._try_again()

    def _give_up(self) -> None:
        self._wanted, self._tries = None, 0
        self._waiting.stop()

    @Slot()
    def _try_again(self) -> None:
        """Open the episode that is wanted, once it is on the disk."""
        if self._wanted is None:
            return
        stretch, number = self._wanted
        problem = say("pin.no_files") if stretch.folder is None else self._open(stretch, number)
        if problem is None:
            self._tries += 1
            if self._session.state is State.RUNNING and self._tries < TRIES:
                self._waiting.start()
                return
            problem = say("pin.not_kept", episode=stretch.title(number))
        self._give_up()
        if isinstance(problem, Text):
            self._tell(problem)

    def _open(self, stretch: RunEpisodes, number: int) -> Text | str | None:
        """Play it; why not, empty if it plays, None where it is not on the disk (yet)."""
        folder = stretch.folder
        assert folder is not None
        if not folder.is_dir():
            return say("pin.folder_gone", run=stretch.name or say("pin.this_run"))
        try:
            trace = recorded_episode(folder, number, stretch.step(number))
            experiment = self._session.run.present() if not stretch.name else read_experiment(folder)
        except ConfigError as error:
            return say("pin.not_played", episode=stretch.title(number), problem=error)
        except OSError as error:
            return say("pin.not_read", episode=stretch.title(number), problem=error.strerror or error)
        if trace is None:
            return None
        begin, end = stretch.span(number, experiment.env.num_envs)
        checkpoint = nearest_checkpoint(checkpoints(folder), begin)
        if checkpoint is None:
            return say("pin.no_weights", episode=stretch.title(number))
        learned = learned_within(experiment, stretch.history, begin, end)
        self.pinned = PinnedEpisode(stretch, number, trace, checkpoint, begin, learned)
        self._session_follower.hold()
        self._player.episodes.play_training_episode(folder, checkpoint, trace.seed, trace.actions.tolist())
        self._say()
        return ""

    def _checkpoints(self, folder: Path) -> list[int]:
        now = time.monotonic()
        if self._listed[0] != folder or now - self._listed[1] > LISTED_S:
            self._listed = folder, now, checkpoints(folder)
        return self._listed[2]

    # -- what happens meanwhile -------------------------------------------------------------------

    @Slot()
    def _on_player(self) -> None:
        """The player was asked for something else: that is live."""
        pinned = self.pinned
        if pinned is None:
            return
        if not self._player.episodes.plays_training_episode:
            self.pinned = None
            self._session_follower.let_go()
        elif self._player.problem and self._is_thinned(pinned):
            self._pin(pinned.stretch, pinned.number)
        self._say()

    def _is_thinned(self, pinned: PinnedEpisode) -> bool:
        """The checkpoint that was chosen is gone, as a run that goes on keeps only so many, and there are others."""
        folder = pinned.stretch.folder
        steps = [] if folder is None else checkpoints(folder)
        return bool(steps) and pinned.checkpoint not in steps

    @Slot(object)
    def _on_grew(self, playing: PlayedEpisode | None) -> None:
        """Compare the episode with what the log says of it, once all of it was played again."""
        pinned = self.pinned
        if pinned is None or playing is None or playing is not self._playing or pinned.compared:
            return
        if not playing.request.from_training:
            return
        if playing.ended or playing.length >= len(pinned.trace.actions):
            self.pinned = pinned.compare(playing)
            self._say()

    @Slot()
    def _on_cleared(self) -> None:
        self._leave(say("pin.left_run"))

    @Slot(int)
    def _on_rewound(self, step: int) -> None:
        pinned = self.pinned
        if pinned is not None and not pinned.stretch.name and pinned.trace.step > step:
            self._leave(say("pin.lost"))

    @Slot()
    def _say(self) -> None:
        """Emit `changed` if anything that is said of the cursor changed."""
        said = self.pinned, self.words, self.can_step(-1), self.can_step(1)
        if said != self._said:
            self._said = said
            self.changed.emit()

    def _leave(self, why: Text) -> None:
        pinned = self.pinned is not None
        self.live()
        if pinned:
            self._tell(why)

    def _tell(self, text: Text) -> None:
        self._session.show_message(text)
