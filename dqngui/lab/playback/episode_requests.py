"""Chooses the episode that the agent process plays: the next one, a requested one, or a training episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs
from PySide6.QtCore import QObject, Signal

from dqngui import messages as m
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.lab.playback.agent_client import AgentClient
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice
from dqngui.lab.playback.episode import EpisodeRequest, PlayedEpisode
from dqngui.lab.playback.playhead import Playhead


@dataclass(frozen=True, slots=True)
class PlayedBefore:
    """The state of the player before a training episode was opened; `go_back` restores it."""

    agent: AgentRef | None
    choice: WeightsChoice
    request: EpisodeRequest
    weights_step: int
    paused: bool
    finishing: bool


class EpisodeRequests(QObject):
    """Requests episodes from the process, and holds the one that plays.

    Attributes:
        request: the last request.
        playing: the playing episode; None until the first episode of an agent has begun.
        begun: whether the process has begun the requested episode.
        number: number of the requested episode; answers with another number are outdated.
        weights: weights of the present episode, if the agent is in training.
        repeats: whether the same episode begins again at its end.
        epsilon: share of random actions.

    Signals:
        changed: the request, the episode, `repeats` or `epsilon` changed.
        requested(int): an episode was requested; step t is to be shown first.
        interrupted: requested steps and pictures will not arrive.
    """

    changed = Signal()
    requested = Signal(int)
    interrupted = Signal()

    def __init__(self, client: AgentClient, playhead: Playhead, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.request = EpisodeRequest(PLAY_SEEDS)
        self.playing: PlayedEpisode | None = None
        self.begun = False
        self.number = 0
        self.weights: m.Weights | None = None
        self.repeats = False
        self.epsilon = 0.0
        self.views_in_sight = False
        self._client, self._playhead = client, playhead
        self._last_seed = PLAY_SEEDS
        self._records_views = False  # even if no visible card draws them
        self._derived: tuple[str, ...] = ()  # requested views that take longer to compute
        self._before: PlayedBefore | None = None

    # -- user actions ------------------------------------------------------------------------------

    def set_repeats(self, repeats: bool) -> None:
        """Set whether the same episode begins again at its end."""
        self.repeats = repeats
        self.changed.emit()

    def set_epsilon(self, epsilon: float) -> None:
        """Set the share of random actions, 0 … 1. The episode restarts unless its actions are prescribed."""
        if epsilon != self.epsilon:
            self.epsilon = epsilon
            if self._client.ready is not None and not self.request.is_prescribed:
                self.send(replace(self.request, at=0))
            self.changed.emit()

    def begin(
        self,
        seed: int,
        *,
        actions: Sequence[int] = (),
        person_drives: bool = False,
        at: int = 0,
    ) -> None:
        """Begin an episode with the present weights, and show its step `at`.

        Args:
            actions: prescribed actions of the first steps, such as those of a recorded episode.
            person_drives: after `actions` each step waits for `drive`.
        """
        given = tuple(map(int, actions))
        self.request = EpisodeRequest(seed, given, person_drives, at, person_acted=person_drives)
        if self._client.ready is not None:
            self.send(self.request, newer_weights=False)
        self.changed.emit()

    def drive(self, t: int, action: int | None) -> None:
        """Do step t of a driven episode; action None lets the agent act. A step other than the next one is ignored."""
        if self.begun:
            self._client.send(m.Drive(number=self.number, t=t, action=action))

    def hand_back(self) -> None:
        """Let the agent continue the driven episode from its last step."""
        playing = self.playing
        if self.begun and self.request.person_drives and playing is not None:
            self._client.send(m.Drive(number=self.number, t=playing.length, onward=True))
            self.request = replace(self.request, actions=tuple(playing.action.tolist()), person_drives=False)
            self.interrupted.emit()  # open requests do not include later steps

    def next_episode(self, seed: int | None = None) -> None:
        """Begin an episode with this seed, or a new seed; a training episode is closed."""
        if seed is None:
            self._last_seed += 1
            seed = self._last_seed
        if self._before is not None:
            self._restore(EpisodeRequest(seed))
            return
        self.request = EpisodeRequest(seed)
        if self._client.finishing:
            self._client.use_best()
        elif self._client.ready is not None:
            self.send(self.request)

    def record_views(self, wanted: bool, derived: Sequence[str] = ()) -> None:
        """Record views even if no visible panel draws them, and compute `derived` views, which take longer.

        If the episode lacks them, it is replayed up to the shown step.
        """
        missing = set(derived) - set(self._derived)
        self._records_views, self._derived = wanted, tuple(derived)
        playing = self.playing
        if playing is not None and self.begun and ((wanted and not playing.has_views) or missing):
            self.send(self._from_shown_step(playing), newer_weights=False)

    def set_views_in_sight(self, in_sight: bool) -> None:
        """Set whether a visible card draws views; an episode without them is replayed up to the shown step."""
        self.views_in_sight = in_sight
        playing = self.playing
        if in_sight and self.begun and playing is not None and not playing.has_views:
            self.send(self._from_shown_step(playing), newer_weights=False)

    # -- training episodes -------------------------------------------------------------------------

    @property
    def plays_training_episode(self) -> bool:
        """Whether a training episode plays; `go_back` ends that."""
        return self._before is not None

    def play_training_episode(self, folder: Path, checkpoint: int, seed: int, actions: Sequence[int]) -> EpisodeRequest:
        """Replay a training episode with an agent of stored weights, and pause at its beginning.

        `go_back` restores the player. Returns the request, which is later `PlayedEpisode.request`.
        """
        if self._before is None:
            self._before = self._what_plays()
        client, agent = self._client, AgentRef(None, folder)
        opened = (
            client.ready is not None and not client.problem and (client.agent, client.choice) == (agent, checkpoint)
        )
        self.request = EpisodeRequest(seed, tuple(map(int, actions)), from_training=True)
        client.choose_silently(agent, checkpoint)
        self._playhead.paused = True
        if opened:
            self.send(self.request)
        else:
            client.reopen()
        self.changed.emit()
        return self.request

    def go_back(self) -> None:
        """Leave the training episode and restore the earlier one, at its step if its weights still exist."""
        before = self._before
        if before is not None:
            newest = self._client.weights
            kept = before.choice != "newest" or (newest is not None and newest.step == before.weights_step)
            self._restore(before.request if kept else replace(before.request, at=0))

    def _what_plays(self) -> PlayedBefore:
        client, playing = self._client, self.playing
        request = self.request if playing is None or not self.begun else self._from_shown_step(playing)
        step = playing.weights_step if playing is not None else -1
        return PlayedBefore(client.agent, client.choice, request, step, self._playhead.paused, client.finishing)

    def _restore(self, request: EpisodeRequest) -> None:
        client, before, self._before = self._client, self._before, None
        assert before is not None
        client.choose_silently(before.agent, before.choice, finishing=before.finishing)
        self._playhead.paused, self.request = before.paused, request
        if client.agent is None:
            client.close()
        elif client.finishing and request.seed != before.request.seed:
            client.use_best()
        else:
            client.reopen()
            self.changed.emit()

    # -- events of the client and the process ------------------------------------------------------

    def forget(self) -> None:
        """Drop requests for the former agent, because another agent was chosen."""
        if self._before is not None:
            self._playhead.paused = self._before.paused
        self._before, self.request, self.playing = None, EpisodeRequest(self.request.seed), None

    def show_first(self, t: int) -> None:
        """Show step t of the episode when it begins again."""
        self.request = replace(self.request, at=t)

    def send(self, request: EpisodeRequest, *, newer_weights: bool = True) -> None:
        """Make the process begin an episode, with newer weights if there are any."""
        client = self._client
        self.request = request
        if client.choice == "newest":
            if client.weights is None:
                client.ask_weights()
                return
            if newer_weights and client.send_weights():
                self.weights = client.weights
        else:
            self.weights = None
        self.number += 1
        self.begun = False
        client.send(
            m.BeginEpisode(
                number=self.number, seed=request.seed, epsilon=0.0 if request.from_training else self.epsilon,
                record=self.views_in_sight or self._records_views, derive=self._derived,
                actions=request.actions, driven=request.person_drives,
            )
        )  # fmt: skip
        self.requested.emit(request.at)

    def take_began(self, event: m.EpisodeBegan) -> None:
        """Handle the beginning of an episode."""
        client = self._client
        if event.number != self.number or client.ready is None:
            return
        if self.views_in_sight and not event.recorded:
            self.send(self.request, newer_weights=False)  # panels became visible meanwhile
            return
        self.begun = True
        client.clear_problem()
        self.playing = PlayedEpisode(self._ready_with_derived(client.ready), event, client.source, self.request)
        self._playhead.seek(self.request.at)  # panels keep the former episode until this one has steps
        self.changed.emit()

    def _ready_with_derived(self, ready: m.PlayerReady) -> m.PlayerReady:
        """The agent's description, with the requested derived views added."""
        asked = tuple(view for view in ready.derivable if view.name in self._derived)
        return structs.replace(ready, views=(*ready.views, *asked)) if asked else ready

    def _from_shown_step(self, playing: PlayedEpisode) -> EpisodeRequest:
        """A request for the same episode from the shown step, with the actions of a person so far."""
        done = tuple(playing.action.tolist()) if self.request.person_acted else self.request.actions
        return replace(self.request, at=playing.t, actions=done)
