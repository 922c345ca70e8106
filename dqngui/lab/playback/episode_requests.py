"""Which episode the player's process plays: one after the other, one that was asked for, or one that was recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs
from PySide6.QtCore import QObject, Signal

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.envs.seeds import PLAY_SEEDS
from dqngui.hosts import Host, open_host
from dqngui.lab.playback.agent_client import AgentClient
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice
from dqngui.lab.playback.episode import EpisodeRequest, PlayedEpisode
from dqngui.messages import Intervention, Request


@dataclass(frozen=True, slots=True)
class Former:
    """What played before a recorded episode did."""

    agent: AgentRef | None
    choice: WeightsChoice
    asked: EpisodeRequest
    weights_step: int
    paused: bool
    finishing: bool


class EpisodeRequests(AgentClient):
    """An agent's process and the episode that was asked of it.

    Attributes:
        playing: the episode; None until the first one of an agent began.
        paused, epsilon, repeats: as chosen; `repeats` plays the same episode again at its end.
        weights: of the present episode, where the agent still trains.

    Signals:
        grew(Playing | None): the episode has more steps, or is another one, or there is none.
    """

    grew = Signal(object)

    def __init__(self, open_host: Callable[[str, Request], Host] = open_host, parent: QObject | None = None) -> None:
        super().__init__(open_host, parent)
        self.playing: PlayedEpisode | None = None
        self.paused = self.repeats = False
        self.epsilon = 0.0
        self.weights: m.Weights | None = None
        self._number = 0
        self._fresh = PLAY_SEEDS
        self._pictures, self._views = True, False  # who looks
        self._inside = False  # somebody else looks at views
        self._derived: tuple[str, ...] = ()  # and at these, which take longer
        self._former: Former | None = None

    def _ask_first(self, t: int) -> None:
        """An episode was asked for: ask for its step t."""
        raise NotImplementedError

    # -- what the user asks -----------------------------------------------------------------------

    def set_repeats(self, repeats: bool) -> None:
        """Play the same episode again at its end, rather than the next one."""
        self.repeats = repeats
        self.changed.emit()

    def set_epsilon(self, epsilon: float) -> None:
        """Share of random actions, 0 … 1; the episode begins again with it, unless it was asked for as it is."""
        if epsilon != self.epsilon:
            self.epsilon = epsilon
            if self._ready is not None and not self._asked.special:
                self._begin(replace(self._asked, at=0))
            self.changed.emit()

    def begin(
        self,
        seed: int,
        *,
        actions: Sequence[int] = (),
        changes: Sequence[Intervention] = (),
        driven: bool = False,
        at: int = 0,
    ) -> None:
        """Begin an episode of the agent that plays, with the weights that it has, and show step `at` of it.

        Args:
            actions: done first, whatever the agent says; an episode that was recorded, or one up to where it branches.
            changes: interventions.
            driven: behind `actions` each step waits for `drive`.
        """
        self._asked = EpisodeRequest(seed, tuple(map(int, actions)), tuple(changes), driven, at, human=driven)
        if self._ready is not None:
            self._begin(self._asked, newer=False)
        self.changed.emit()

    def drive(self, t: int, action: int | None) -> None:
        """Do step t of a driven episode; None lets the agent act. Any other step is ignored."""
        if self._begun:
            self._send(m.Drive(number=self._number, t=t, action=action))
            self._wake()

    def hand_back(self) -> None:
        """The agent goes on in the driven episode, from where it stands."""
        playing = self.playing
        if self._begun and self._asked.driven and playing is not None:
            self._send(m.Drive(number=self._number, t=playing.length, onward=True))
            self._asked = replace(self._asked, actions=tuple(playing.action.tolist()), driven=False)
            self._leave()  # what is under way asked for no steps ahead
            self._wake()

    def next_episode(self, seed: int | None = None) -> None:
        """Begin an episode with this seed, by default with one that has not been played; a recorded one is left."""
        if seed is None:
            self._fresh += 1
            seed = self._fresh
        if self._former is not None:
            self._restore(EpisodeRequest(seed))
            return
        self._asked = EpisodeRequest(seed)
        if self._finishing:
            self._use_best()
        elif self._ready is not None:
            self._begin(self._asked)

    def look_inside(self, wanted: bool, derived: Sequence[str] = ()) -> None:
        """Record views though no panel that draws them is in sight, and compute some that take longer.

        The episode is played anew up to its step where it lacks them.
        """
        missing = set(derived) - set(self._derived)
        self._inside, self._derived = wanted, tuple(derived)
        playing = self.playing
        if playing is not None and self._begun and ((wanted and not playing.recorded) or missing):
            self._begin(self._again(playing), newer=False)

    @property
    def _telling(self) -> m.PlayerReady:
        """What the agent announced, with the views that are computed because somebody asked for them."""
        assert self._ready is not None
        asked = tuple(view for view in self._ready.derivable if view.name in self._derived)
        return structs.replace(self._ready, views=(*self._ready.views, *asked)) if asked else self._ready

    # -- recorded episodes ------------------------------------------------------------------------

    @property
    def recorded(self) -> bool:
        """A recorded episode plays in place of what `go_back` returns to."""
        return self._former is not None

    def play_episode(
        self, folder: Path, checkpoint: int, seed: int, actions: Sequence[int], t: int = 0
    ) -> EpisodeRequest:
        """Play an episode that was recorded, watched by an agent of stored weights, and stand at its step t.

        What played before comes back with `go_back`. Returns what `PlayedEpisode.asked` of this episode will be.
        """
        if self._former is None:
            self._former = self._present()
        agent = AgentRef(None, folder)
        opened = self._ready is not None and not self.problem and (self.agent, self.choice) == (agent, checkpoint)
        asked = EpisodeRequest(seed, tuple(map(int, actions)), at=t, recorded=True)
        self.agent, self.choice, self._asked = agent, checkpoint, asked
        self._finishing, self.paused = False, True
        if opened:
            self._begin(asked)
        else:
            self._open_agent()
        self.changed.emit()
        return asked

    def choose(self, weights: WeightsChoice) -> None:
        """Other weights of the same agent: a recorded episode stays at its step."""
        at = self.playing.t if self.playing is not None and self._asked.recorded else 0
        super().choose(weights)
        self._asked = replace(self._asked, at=at)

    def go_back(self) -> None:
        """Leave the recorded episode; what played before goes on, at the step where it was if its weights are kept."""
        if self._former is not None:
            former = self._former.asked
            kept = self._former.choice != "newest" or (
                self._weights is not None and self._weights.step == self._former.weights_step
            )
            self._restore(former if kept else replace(former, at=0))

    def _present(self) -> Former:
        playing = self.playing
        asked = self._asked if playing is None or not self._begun else self._again(playing)
        step = playing.weights_step if playing is not None else -1
        return Former(self.agent, self.choice, asked, step, self.paused, self._finishing)

    def _restore(self, asked: EpisodeRequest) -> None:
        former, self._former = self._former, None
        assert former is not None
        self.agent, self.choice, self._finishing = former.agent, former.choice, former.finishing
        self.paused, self._asked = former.paused, asked
        if self.agent is None:
            self.close()
        elif self._finishing and asked.seed != former.asked.seed:
            self._use_best()
        else:
            self._open_agent()
            self.changed.emit()

    def open(
        self,
        *,
        experiment: Experiment | None = None,
        folder: Path | None = None,
        checkpoint: WeightsChoice = "best",
        source: str = "",
    ) -> None:
        self._forget()
        super().open(experiment=experiment, folder=folder, checkpoint=checkpoint, source=source)

    def close(self) -> None:
        self._forget()
        super().close()

    def _forget(self) -> None:
        """Another agent: what was asked of the former one would mean nothing to it."""
        if self._former is not None:
            self.paused = self._former.paused
        self._former, self._asked = None, EpisodeRequest(self._asked.seed)

    # -- episodes ---------------------------------------------------------------------------------

    def _begin(self, asked: EpisodeRequest, *, newer: bool = True) -> None:
        """Begin an episode, with newer weights if they came, and go to its step `asked.at`."""
        self._asked = asked
        if self.choice == "newest":
            if self._weights is None:
                self._ask_weights()
                return
            if newer and not self._weights_sent:
                self._weights_sent, self.weights = True, self._weights
                self._send(m.UseWeights(step=self._weights.step, tensors=self._weights.tensors))
        else:
            self.weights = None
        self._number += 1
        self._begun = False
        self._leave()
        self._send(
            m.BeginEpisode(
                number=self._number, seed=asked.seed, epsilon=0.0 if asked.recorded else self.epsilon,
                record=self._views or self._inside, derive=self._derived,
                actions=asked.actions, interventions=asked.changes, driven=asked.driven,
            )
        )  # fmt: skip
        self._ask_first(asked.at)

    def _again(self, playing: PlayedEpisode) -> EpisodeRequest:
        """The same episode from the step that is shown, with what was driven so far."""
        done = tuple(playing.action.tolist()) if self._asked.human else self._asked.actions
        return replace(self._asked, at=playing.t, actions=done)
