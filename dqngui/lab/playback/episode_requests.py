"""Which episode the process plays: one after the other, one that was asked for, or one of the training."""

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
    """What played before an episode of the training was opened; `go_back` returns to it."""

    agent: AgentRef | None
    choice: WeightsChoice
    request: EpisodeRequest
    weights_step: int
    paused: bool
    finishing: bool


class EpisodeRequests(QObject):
    """The episode that was asked of the process, and what it plays of it.

    Attributes:
        request: what was asked for last.
        playing: the episode; None until the first one of an agent has begun.
        begun: the process has begun the episode that was asked for last.
        number: of that episode; answers about another number are old.
        weights: of the present episode, where the agent still trains.
        repeats: the same episode is played again at its end.
        epsilon: share of random actions.

    Signals:
        changed: the request, the episode, `repeats` or `epsilon` changed.
        requested(int): the process was told to begin an episode; step t should be shown first.
        interrupted: steps and pictures that were asked for will not come.
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
        self._records_views = False  # though no card that draws them is in sight
        self._derived: tuple[str, ...] = ()  # views that take longer and were asked for
        self._before: PlayedBefore | None = None

    # -- what the user asks -----------------------------------------------------------------------

    def set_repeats(self, repeats: bool) -> None:
        """Play the same episode again at its end, rather than the next one."""
        self.repeats = repeats
        self.changed.emit()

    def set_epsilon(self, epsilon: float) -> None:
        """Share of random actions, 0 … 1; the episode begins again with it, unless more than its seed was asked for."""
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
        """Begin an episode of the agent that plays, with the weights that it has, and show step `at` of it.

        Args:
            actions: done first, whatever the agent says; an episode that was recorded, or one up to where it branches.
            person_drives: after `actions` each step waits for `drive`.
        """
        given = tuple(map(int, actions))
        self.request = EpisodeRequest(seed, given, person_drives, at, person_acted=person_drives)
        if self._client.ready is not None:
            self.send(self.request, newer_weights=False)
        self.changed.emit()

    def drive(self, t: int, action: int | None) -> None:
        """Do step t of an episode that a person drives; None lets the agent act. Any other step is ignored."""
        if self.begun:
            self._client.send(m.Drive(number=self.number, t=t, action=action))

    def hand_back(self) -> None:
        """Let the agent go on in the episode that a person drives, from where it stands."""
        playing = self.playing
        if self.begun and self.request.person_drives and playing is not None:
            self._client.send(m.Drive(number=self.number, t=playing.length, onward=True))
            self.request = replace(self.request, actions=tuple(playing.action.tolist()), person_drives=False)
            self.interrupted.emit()  # what is under way asked for no steps ahead

    def next_episode(self, seed: int | None = None) -> None:
        """Begin an episode with this seed, or with a new one; an episode of the training is left."""
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
        """Record views though no panel that draws them is in sight, and compute some that take longer.

        The episode is played anew up to its step where it lacks them.
        """
        missing = set(derived) - set(self._derived)
        self._records_views, self._derived = wanted, tuple(derived)
        playing = self.playing
        if playing is not None and self.begun and ((wanted and not playing.has_views) or missing):
            self.send(self._from_shown_step(playing), newer_weights=False)

    def set_views_in_sight(self, in_sight: bool) -> None:
        """Cards that draw views are in sight; the episode is played anew up to its step if it has none."""
        self.views_in_sight = in_sight
        playing = self.playing
        if in_sight and self.begun and playing is not None and not playing.has_views:
            self.send(self._from_shown_step(playing), newer_weights=False)

    # -- episodes of the training -----------------------------------------------------------------

    @property
    def plays_training_episode(self) -> bool:
        """An episode of the training plays in place of what `go_back` returns to."""
        return self._before is not None

    def play_training_episode(self, folder: Path, checkpoint: int, seed: int, actions: Sequence[int]) -> EpisodeRequest:
        """Play an episode of the training, watched by an agent of stored weights, and pause at its beginning.

        What played before comes back with `go_back`. Returns what `PlayedEpisode.request` of this episode will be.
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
        """Leave the episode of the training for what played before, at its step if its weights are still there."""
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

    # -- what the client and the process say ------------------------------------------------------

    def forget(self) -> None:
        """Another agent is chosen: what was asked of the former one would mean nothing to it."""
        if self._before is not None:
            self._playhead.paused = self._before.paused
        self._before, self.request, self.playing = None, EpisodeRequest(self.request.seed), None

    def show_first(self, t: int) -> None:
        """Show step t of the episode when it begins again."""
        self.request = replace(self.request, at=t)

    def send(self, request: EpisodeRequest, *, newer_weights: bool = True) -> None:
        """Tell the process to begin an episode, with newer weights if they came."""
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
        """The process has begun an episode."""
        client = self._client
        if event.number != self.number or client.ready is None:
            return
        if self.views_in_sight and not event.recorded:
            self.send(self.request, newer_weights=False)  # panels came in sight meanwhile
            return
        self.begun = True
        client.clear_problem()
        self.playing = PlayedEpisode(self._ready_with_derived(client.ready), event, client.source, self.request)
        self._playhead.seek(self.request.at)  # panels keep the former episode until this one has steps
        self.changed.emit()

    def _ready_with_derived(self, ready: m.PlayerReady) -> m.PlayerReady:
        """What the agent announced, with the views that are computed because somebody asked for them."""
        asked = tuple(view for view in ready.derivable if view.name in self._derived)
        return structs.replace(ready, views=(*ready.views, *asked)) if asked else ready

    def _from_shown_step(self, playing: PlayedEpisode) -> EpisodeRequest:
        """The same episode from the step that is shown, with the actions that a person has done so far."""
        done = tuple(playing.action.tolist()) if self.request.person_acted else self.request.actions
        return replace(self.request, at=playing.t, actions=done)
