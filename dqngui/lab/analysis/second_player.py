"""A second agent process, which plays episodes to compare with the player's: with interventions, or by another agent.

It has no clock: it plays up to a requested step, and draws the step that the player shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.hosts import OpenHost, open_host
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.playback.agent_client import AgentClient
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.frame_cache import Pixels, pixels_of
from dqngui.messages import Event, Intervention
from dqngui.texts import Text, say

TICK_MS = 25
DRAIN_MS = 4.0


@dataclass(frozen=True, slots=True)
class EpisodeVariant:
    """An episode to play. Equal variants with the same weights give the same episode, step by step.

    Attributes:
        record: record views; recording changes the order of computation, so that the last bits differ.
        actions: prescribed actions of the first steps; afterwards the agent chooses.
        interventions: changes to what the agent observes, remembers, attends to or does at some steps.
    """

    seed: int
    epsilon: float = 0.0
    record: bool = True
    actions: tuple[int, ...] = ()
    interventions: tuple[Intervention, ...] = ()


class SecondPlayer(QObject):
    """Plays variants one after the other, and draws pictures of the last one; the process starts with the first.

    Attributes:
        client: the process with the open agent and its weights.
        variants: the requested variants.
        played: the episodes of the variants that have begun.
        frame: the newest picture (H, W, 3) of the last variant, and its step.
        picture_size: (width, height) of pictures in pixels.

    Signals:
        changed: agent, problem or notice changed.
        grew: an episode has more steps, or it was replaced.
        framed(array | None, int): the picture of step t of the last variant; None if the environment draws none.
    """

    changed = Signal()
    grew = Signal()
    framed = Signal(object, int)

    def __init__(
        self, *, open_host: OpenHost = open_host, timing: Timing | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        timing = timing or Timing()
        self.client = AgentClient(open_host, timing, self)
        self.variants: tuple[EpisodeVariant, ...] = ()
        self.played: dict[EpisodeVariant, PlayedEpisode] = {}
        self.frame: tuple[Pixels | None, int] | None = None
        self.picture_size = (320, 240)
        self._until = 0
        self._index = 0  # index of the playing variant
        self._present: EpisodeVariant | None = None  # the variant that is open in the process
        self._begun = False
        self._number = 0
        self._grown = False
        self._shown_step: int | None = None
        self._drawing = False
        self._timer = TickTimer(TICK_MS, timing, parent=self)
        self._timer.ticked.connect(self.tick)
        self.client.agent_left.connect(self._on_agent_left)
        self.client.opened.connect(self._on_opened)
        self.client.first_weights.connect(self._begin)
        self.client.interrupted.connect(self._on_interrupted)
        self.client.sent.connect(self._wake)
        self.client.changed.connect(self.changed)

    # -- requests ----------------------------------------------------------------------------------

    def play(
        self,
        agent: AgentRef,
        choice: WeightsChoice,
        variants: Sequence[EpisodeVariant],
        *,
        until: int,
        weights: m.Weights | None = None,
    ) -> None:
        """Play variants with chosen weights of an agent, each up to step `until`; known ones are kept.

        `weights`: the weights of an agent in training, if `choice` is `newest`.
        """
        client = self.client
        same = (agent, choice) == (client.agent, client.choice) and weights is client.weights and not client.problem
        self._until, self.variants = until, tuple(variants)
        self.played = {variant: self.played[variant] for variant in variants if self._is_known(variant)} if same else {}
        client.allow_restart()
        if same:
            if client.ready is not None:
                self._begin()
        else:
            client.open_agent(agent, choice)
            if weights is not None:
                client.use_weights(weights)
        client.start()
        self.grew.emit()

    def play_until(self, until: int) -> None:
        """Play all variants up to a later step."""
        if until > self._until:
            self._until = until
            if self._present is not None and self.client.ready is not None:
                self._request()  # also for an earlier variant, since the last one waits for it

    def forget(self) -> None:
        """Stop playing and drop all episodes."""
        if self.variants:
            self.variants, self._begun, self._present = (), False, None
            self._on_agent_left()

    def show(self, t: int | None) -> None:
        """Draw step t of the last variant; None: draw nothing."""
        self._shown_step = t
        self._wake()

    def draw_at(self, size: tuple[int, int]) -> None:
        """Set the (width, height) of pictures in pixels, and redraw."""
        if size != self.picture_size:
            self.picture_size, self.frame = size, None
            self._wake()

    @property
    def playing(self) -> PlayedEpisode | None:
        """The episode of the last variant; None until it has begun."""
        return self.played.get(self.variants[-1]) if self.variants else None

    @property
    def problem(self) -> Text | str:
        """Why no episode can be played; "" if one can."""
        problem = self.client.problem
        if isinstance(problem, Text) and problem.key == "trust.asked":
            return say("trust.other_run", names=problem.args.get("names"))
        return problem

    @property
    def loading(self) -> Text | str:
        """What the last variant waits for; "" when it has steps, or without variants."""
        playing = self.playing
        if not self.variants or self.problem or (playing is not None and playing.length):
            return ""
        if not self.client.running:
            return say("player.starting_second")
        if self.client.ready is None:
            return say("player.loading")
        return say("player.playing") if self._is_last else say("player.playing_unchanged")

    @property
    def busy(self) -> bool:
        """Whether requested steps are still expected."""
        return bool(self.variants) and not self.problem and not all(map(self._is_known, self.variants))

    # -- the process -------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the process or its communication thread still runs."""
        return self.client.alive

    def stop(self) -> None:
        """End the process for good; it has nothing to save."""
        self._timer.stop()
        self.client.stop()

    def join(self) -> None:
        """Release the process after it has ended (not `alive`)."""
        self.client.join()

    @Slot()
    def _begin(self) -> None:
        """Begin the first variant that is not complete, or the last one, which can be drawn and played further."""
        client, last = self.client, len(self.variants) - 1
        self._index = next((i for i, variant in enumerate(self.variants) if not self._is_known(variant)), last)
        if not self.variants or (self._is_known(self.variants[last]) and self._present == self.variants[last]):
            return
        if client.choice == "newest":
            if client.weights is None:
                return
            client.send_weights()
        variant = self._present = self.variants[self._index]
        self._number += 1
        self._begun, self._drawing = False, False
        self.frame = None
        client.send(
            m.BeginEpisode(
                number=self._number, seed=variant.seed, epsilon=variant.epsilon, record=variant.record,
                actions=variant.actions, interventions=variant.interventions,
            )
        )  # fmt: skip
        self._request()

    def _request(self, t: int | None = None) -> None:
        """Request the steps up to `until`, and the picture of step t."""
        self._drawing = t is not None
        self.client.send(m.Look(number=self._number, until=self._until, t=t, size=self.picture_size))

    @property
    def _is_last(self) -> bool:
        return self._index == len(self.variants) - 1

    def _is_known(self, variant: EpisodeVariant) -> bool:
        playing = self.played.get(variant)
        return playing is not None and (playing.ended or playing.length >= self._until)

    # -- events of the client and the process ------------------------------------------------------

    @Slot()
    def _on_agent_left(self) -> None:
        self.frame = None
        self.played = {}
        self.grew.emit()
        self.framed.emit(None, 0)

    @Slot()
    def _on_opened(self) -> None:
        self.played, self._present = {}, None
        self._begin()

    @Slot()
    def _on_interrupted(self) -> None:
        self._begun = self._drawing = False

    @Slot()
    def _wake(self) -> None:
        if self.client.running and not self.client.stopped:
            self._timer.start()

    @Slot()
    def tick(self) -> None:
        """Process the new events, and request the next picture."""
        if not self.client.running:
            self._timer.stop()
            return
        for event in self.client.drain(DRAIN_MS):
            self._take(event)
        if self._grown:
            self._grown = False
            self.grew.emit()
        self._draw()
        if not self.client.restart_if_ended() and not self.busy and not self._drawing:
            self._timer.stop()

    def _draw(self) -> None:
        """Request the picture of the shown step; one request at a time."""
        playing, t = self.playing, self._shown_step
        if playing is None or t is None or not self._begun or self._drawing or not playing.length:
            return
        t = min(t, playing.length) if playing.ended else t
        if self.frame is not None and self.frame[1] == t:
            return
        if playing.ready.no_picture:
            self._show(None, t)
        elif playing.ended or t < playing.length:
            self._request(t)

    def _show(self, frame: Pixels | None, t: int) -> None:
        self.frame = frame, t
        self.framed.emit(frame, t)

    def _take(self, event: Event) -> None:
        if getattr(event, "number", None) != self._number:
            return  # the event is about a former episode
        match event:
            case m.EpisodeBegan() if self.client.ready is not None and self._index < len(self.variants):
                self._begun = True
                variant = self.variants[self._index]
                self.played[variant] = PlayedEpisode(self.client.ready, event, self.client.source)
                self._grown = True
            case m.Played() if self._begun:
                self._take_steps(event)
            case m.Frame() if self._begun:
                self._drawing = False
                self._show(pixels_of(event), event.t)

    def _take_steps(self, event: m.Played) -> None:
        variant = self.variants[self._index]
        self.played[variant].take(event)
        self._grown = True
        if not self._is_last and self._is_known(variant):
            self._begin()
