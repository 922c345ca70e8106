"""A second agent process, which plays episodes beside the player's: what if something were otherwise, or another agent.

It has no clock: it plays as far as it is asked to, and draws the steps that the player shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from dqngui import messages as m
from dqngui.hosts import Host, open_host
from dqngui.lab.playback.agent_client import AgentClient
from dqngui.lab.playback.agent_ref import AgentRef, WeightsChoice
from dqngui.lab.playback.episode import EpisodeRequest, PlayedEpisode
from dqngui.lab.playback.frame_cache import as_image
from dqngui.messages import Event, Intervention, Request

TICK_MS = 25
DRAIN_MS = 4.0


@dataclass(frozen=True, slots=True)
class EpisodeVariant:
    """An episode to be played. Equal ones of the same weights are the same episode, step by step.

    Attributes:
        record: with views; an agent that is looked into computes in another order, so that its last bits differ.
        actions: done first, whatever the agent says.
    """

    seed: int
    epsilon: float = 0.0
    record: bool = True
    actions: tuple[int, ...] = ()
    changes: tuple[Intervention, ...] = ()


class SecondPlayer(AgentClient):
    """Plays takes one after the other, and draws pictures of the last one. The process starts with the first of them.

    Attributes:
        takes: what it was asked for.
        played: their episodes, as far as they have begun.
        frame: the newest picture of the last take, and its step.
        picture_size: (width, height) in pixels that pictures are drawn in.

    Signals:
        grew: an episode has more steps, or is another one.
        framed(QImage | None, int): the picture of step t of the last take; None where the environment draws none.
    """

    grew = Signal()
    framed = Signal(object, int)

    def __init__(self, *, open_host: Callable[[str, Request], Host] = open_host, parent: QObject | None = None) -> None:
        super().__init__(open_host, parent)
        self.takes: tuple[EpisodeVariant, ...] = ()
        self.played: dict[EpisodeVariant, PlayedEpisode] = {}
        self.frame: tuple[QImage | None, int] | None = None
        self.picture_size = (320, 240)
        self._until = 0
        self._index = 0  # of the take that is being played
        self._present: EpisodeVariant | None = None  # the one that the process has
        self._number = 0
        self._grown = False
        self._wanted: int | None = None
        self._drawing = False
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    # -- what is asked ----------------------------------------------------------------------------

    def play(
        self,
        agent: AgentRef,
        choice: WeightsChoice,
        takes: Sequence[EpisodeVariant],
        *,
        until: int,
        weights: m.Weights | None = None,
    ) -> None:
        """Play takes with certain weights of an agent, each up to step `until`; those that are known already stay.

        `weights`: of an agent that trains, whose choice is `newest`.
        """
        same = (agent, choice) == (self.agent, self.choice) and weights is self._weights and not self.problem
        self._until, self.takes = until, tuple(takes)
        self.played = {take: self.played[take] for take in takes if self._is_known(take)} if same else {}
        self._ends = 0
        if same:
            if self._ready is not None:
                self._begin()
        else:
            trains = choice == "newest"
            self.open(
                experiment=agent.experiment if trains else None,
                folder=agent.folder,
                checkpoint=choice,
                source=agent.name,
            )
            self.agent = agent  # as it was given, to be known again
            if weights is not None:
                self.use_weights(weights)
        self.start()
        self.grew.emit()

    def reach(self, until: int) -> None:
        """Play the takes further."""
        if until > self._until:
            self._until = until
            if self._present is not None and self._ready is not None:
                self._look()  # an earlier one too, or the last would wait for it in vain

    def forget(self) -> None:
        """Play nothing any more, and keep nothing."""
        if self.takes:
            self.takes, self.played, self._begun, self._present = (), {}, False, None
            self._blank()

    def show(self, t: int | None) -> None:
        """Draw step t of the last take from now on; None: nobody looks."""
        self._wanted = t
        self._wake()

    def draw_at(self, size: tuple[int, int]) -> None:
        """Draw pictures in another (width, height) in pixels, the present one too."""
        if size != self.picture_size:
            self.picture_size, self.frame = size, None
            self._wake()

    @property
    def playing(self) -> PlayedEpisode | None:
        """The last take, once it has begun."""
        return self.played.get(self.takes[-1]) if self.takes else None

    @property
    def loading(self) -> str:
        """What is waited for; empty once the last take has steps, or there is none."""
        playing = self.playing
        if not self.takes or self.problem or (playing is not None and playing.length):
            return ""
        if self._host is None:
            return "Starting a second player…"
        if self._ready is None:
            return "Loading the agent…"
        return "Playing the episode…" if self._is_last else "Playing the episode as it is…"

    @property
    def busy(self) -> bool:
        """Steps that were asked for will come."""
        return bool(self.takes) and not self.problem and not all(self._is_known(take) for take in self.takes)

    # -- the process ------------------------------------------------------------------------------

    def stop(self) -> None:
        self._timer.stop()
        super().stop()

    def _begin(self, asked: EpisodeRequest | None = None) -> None:
        """Begin the first take that is not known yet; the last one is there to be drawn and played further."""
        last = len(self.takes) - 1
        self._index = next((i for i, take in enumerate(self.takes) if not self._is_known(take)), last)
        if not self.takes or (self._is_known(self.takes[last]) and self._present == self.takes[last]):
            return
        if self.choice == "newest":
            if self._weights is None:
                return
            if not self._weights_sent:
                self._weights_sent = True
                self._send(m.UseWeights(step=self._weights.step, tensors=self._weights.tensors))
        take = self._present = self.takes[self._index]
        self._number += 1
        self._begun, self._drawing = False, False
        self.frame = None
        self._send(
            m.BeginEpisode(
                number=self._number, seed=take.seed, epsilon=take.epsilon, record=take.record,
                actions=take.actions, interventions=take.changes,
            )
        )  # fmt: skip
        self._look()

    def _look(self, t: int | None = None) -> None:
        self._drawing = t is not None
        self._send(m.Look(number=self._number, until=self._until, t=t, size=self.picture_size))
        self._wake()

    @property
    def _is_last(self) -> bool:
        return self._index == len(self.takes) - 1

    def _is_known(self, take: EpisodeVariant) -> bool:
        playing = self.played.get(take)
        return playing is not None and (playing.ended or playing.length >= self._until)

    def _wake(self) -> None:
        if not self._timer.isActive() and self._host is not None and not self._over:
            self._timer.start()

    def _blank(self) -> None:
        self.frame = None
        self.played = {}
        self.grew.emit()
        self.framed.emit(None, 0)

    def _leave(self) -> None:
        self._drawing = False

    @Slot()
    def _tick(self) -> None:
        host = self._host
        if host is None:
            self._timer.stop()
            return
        for event in self._drain(DRAIN_MS):
            self._take(event)
        if self._grown:
            self._grown = False
            self.grew.emit()
        self._draw()
        if not host.alive and host.join(0):
            self._ended()
        elif not self.busy and not self._drawing:
            self._timer.stop()

    def _draw(self) -> None:
        """Ask for the picture that is wanted, one at a time."""
        playing, t = self.playing, self._wanted
        if playing is None or t is None or not self._begun or self._drawing or not playing.length:
            return
        t = min(t, playing.length) if playing.ended else t
        if self.frame is not None and self.frame[1] == t:
            return
        if playing.ready.no_picture:
            self._show(None, t)
        elif playing.ended or t < playing.length:
            self._look(t)

    def _show(self, image: QImage | None, t: int) -> None:
        self.frame = image, t
        self.framed.emit(image, t)

    def _take(self, event: Event) -> None:
        match event:
            case m.PlayerReady() if self.agent is not None:
                self._ready, self.problem = event, ""
                self.played, self._present = {}, None
                self._begin()
                self.changed.emit()
            case m.EpisodeBegan(number=self._number) if self._ready is not None and self._index < len(self.takes):
                self._begun = True
                self.played[self.takes[self._index]] = PlayedEpisode(self._ready, event, self.source)
                self._grown = True
            case m.Played() if self._begun and event.number == self._number:
                self._take_steps(event)
            case m.Frame() if self._begun and event.number == self._number:
                self._drawing = False
                self._show(as_image(event), event.t)
            case m.Warned() if self._ready is not None:
                self.notice = event.words
                self.changed.emit()
            case m.Failed():
                self._begun = False
                self._fail(event.words)

    def _take_steps(self, event: m.Played) -> None:
        take = self.takes[self._index]
        self.played[take].take(event)
        self._grown = True
        if not self._is_last and self._is_known(take):
            self._begin()
