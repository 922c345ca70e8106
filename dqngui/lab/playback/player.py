"""The player: plays an agent's episodes at a chosen speed, and knows the shown step."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.hosts import OpenHost, open_host
from dqngui.lab.background.elapsed import Elapsed
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.playback.agent_client import AgentClient
from dqngui.lab.playback.agent_ref import WeightsChoice
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.episode_requests import EpisodeRequests
from dqngui.lab.playback.frame_cache import Pixels
from dqngui.lab.playback.frame_requests import PICTURE_S, FrameRequests
from dqngui.lab.playback.playhead import FASTEST, SLOWEST, Playhead
from dqngui.messages import Event
from dqngui.texts import Text, say

TICK_MS = 20
LONGEST_TICK_S = 0.25  # longest time that one tick adds to the clock
DRAIN_MS = 6.0
FRESH_S = 3.0
"""Seconds after which newer weights of an agent in training play another episode, while a card shows its views."""
ASKED_BEFORE_S = 0.3  # so much earlier newer weights are asked for, so that they are there and still new
END_S = 0.05  # longest wait for a process without further events


class Player(QObject):
    """Plays episodes of one agent one after the other, at a chosen speed.

    The process only simulates and draws on request; the clock is here.

    Attributes:
        client: the process with the open agent and its weights.
        episodes: requests episodes.
        frames: requests steps and pictures, and holds the shown picture.
        playhead: the position in the episode, and how time moves it.
        timing: the clock.

    Signals:
        changed: agent, speed, pause, seed, ε or problem changed, so controls must refresh.
        grew(PlayedEpisode | None): the episode has more steps, or it was replaced; None: there is none.
        moved(int): another step t is shown.
        framed(array | None, int): the picture (H, W, 3) uint8 of step t; None if the environment draws none.
        described(Described): the answer to `frames.describe`.
    """

    changed = Signal()
    grew = Signal(object)
    moved = Signal(int)
    framed = Signal(object, int)
    described = Signal(object)

    def __init__(
        self,
        *,
        open_host: OpenHost = open_host,
        timing: Timing | None = None,
        picture_s: float = PICTURE_S,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.timing = timing = timing or Timing()
        self.playhead = Playhead()
        self.client = AgentClient(open_host, timing, self)
        self.episodes = EpisodeRequests(self.client, self.playhead, self)
        self.frames = FrameRequests(self.client, self.episodes, self.playhead, timing, picture_s=picture_s, parent=self)
        self._grown = False
        self._elapsed = Elapsed()
        self._shown_s, self._sought = 0.0, False  # of this episode: seconds, and whether a person chose a step
        self._ticked_at = timing.clock()
        self._timer = TickTimer(TICK_MS, timing, precise=True, parent=self)
        self._timer.ticked.connect(self.tick)
        self.client.agent_left.connect(self._on_agent_left)
        self.client.opened.connect(self._on_opened)
        self.client.first_weights.connect(self._on_first_weights)
        self.client.interrupted.connect(self._on_interrupted)
        self.client.sent.connect(self._wake)
        self.client.changed.connect(self.changed)
        self.episodes.requested.connect(self.frames.begin_episode)
        self.episodes.interrupted.connect(self.frames.give_up)
        self.episodes.changed.connect(self.changed)
        self.frames.framed.connect(self.framed)
        self.frames.moved.connect(self.moved)
        self.frames.described.connect(self.described)

    # -- the process -------------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Start the process, which then runs as long as the window."""
        self.client.start()

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

    # -- agent and weights -------------------------------------------------------------------------

    @property
    def problem(self) -> Text | str:
        """Why no agent plays; "" if one does. `client.restart` tries again."""
        return self.client.problem

    @property
    def loading(self) -> Text | str:
        """What the first episode waits for, and for how long already; "" while an episode plays."""
        return self._elapsed.with_seconds(self._waits_for())

    def _waits_for(self) -> Text | str:
        client = self.client
        if client.agent is None or client.problem or self.playing is not None:
            return ""
        if not client.running:
            return say("player.starting")
        if client.ready is None:
            return say("player.loading")
        if client.choice == "newest" and client.weights is None:
            return say("player.no_weights")
        return say("player.beginning")

    def open(
        self,
        *,
        experiment: Experiment | None = None,
        folder: Path | None = None,
        checkpoint: WeightsChoice = "best",
        source: str = "",
    ) -> None:
        """Play another agent: of a stored run, or with `experiment` one in training, whose weights the client gets."""
        self.client.open(experiment=experiment, folder=folder, checkpoint=checkpoint, source=source)

    def finish(self, folder: Path | None) -> None:
        """Note the end of training: from the next episode on the best checkpoint plays, unless one was chosen."""
        self.client.finish(folder)
        if self.client.finishing and not self.episodes.begun:
            self.client.use_best()

    def choose(self, weights: WeightsChoice) -> None:
        """Play other weights from the start of the same episode; a training episode stays at its step."""
        stays = self.playing is not None and self.episodes.request.from_training
        self.episodes.show_first(self.playing.t if self.playing is not None and stays else 0)
        self.client.choose(weights)

    # -- time --------------------------------------------------------------------------------------

    @property
    def playing(self) -> PlayedEpisode | None:
        """The playing episode; None until the first episode of an agent has begun."""
        return self.episodes.playing

    @property
    def paused(self) -> bool:
        """Whether the clock is paused."""
        return self.playhead.paused

    @property
    def speed(self) -> float:
        """0.1 … 20; 1 is the environment's own pace."""
        return self.playhead.speed

    def set_speed(self, speed: float) -> None:
        self.playhead.speed = min(max(speed, SLOWEST), FASTEST)
        self.changed.emit()

    def play(self) -> None:
        self._set_paused(False)

    def pause(self) -> None:
        self._set_paused(True)

    def toggle(self) -> None:
        """Play if it is paused, and pause if it plays."""
        self._set_paused(not self.paused)

    def _set_paused(self, paused: bool) -> None:
        self.playhead.paused = paused
        self._wake()
        self.changed.emit()

    def step(self, steps: int) -> None:
        """Pause, and move by a number of steps (negative: back)."""
        self.pause()
        self.seek(self.playhead.t + steps)

    def seek(self, t: int) -> None:
        """Show step t of this episode, or its end if it is shorter."""
        playing = self.playing
        if playing is not None and self.episodes.begun:
            self._sought = True
            self.playhead.seek(min(t, playing.length) if playing.ended else t)
            self.frames.note_seek()
            self._wake()
            self._timer.at_once()  # a person waits

    def seek_end(self) -> None:
        """Show the last known step."""
        playing = self.playing
        if playing is not None:
            self.seek(playing.length if playing.ended else max(playing.length - 1, 0))

    def play_until(self, t: int) -> None:
        """Simulate the present episode ahead up to a step."""
        if self.frames.play_until(t):
            self._wake()

    # -- display -----------------------------------------------------------------------------------

    @property
    def frame(self) -> Pixels | None:
        """The picture (H, W, 3) of step `playing.t`; None without a picture."""
        return self.frames.frame

    def show_in(self, *, pictures: bool, views: bool) -> None:
        """Set whether visible cards draw pictures, and views. Without any the clock stops."""
        self.frames.in_sight = pictures
        if pictures and self.playing is not None:
            self.frames.draw_again()
        self.episodes.set_views_in_sight(views)
        self._wake()

    @property
    def in_sight(self) -> tuple[bool, bool]:
        """The last values given to `show_in`: (pictures, views)."""
        return self.frames.in_sight, self.episodes.views_in_sight

    def draw_at(self, size: tuple[int, int]) -> None:
        """Set the (width, height) of pictures in pixels, and redraw."""
        if self.frames.draw_at(size):
            self._wake()

    # -- events of the parts -----------------------------------------------------------------------

    @Slot()
    def _on_agent_left(self) -> None:
        self.episodes.forget()
        self.frames.forget()
        self.grew.emit(None)
        self.framed.emit(None, 0)

    @Slot()
    def _on_opened(self) -> None:
        ready = self.client.ready
        self.playhead.fps = (ready.fps if ready is not None else 0.0) or 30.0
        self.episodes.send(self.episodes.request)

    @Slot()
    def _on_first_weights(self) -> None:
        if not self.episodes.begun:
            self.episodes.send(self.episodes.request)

    @Slot()
    def _on_interrupted(self) -> None:
        if self.client.ready is None:
            self.episodes.begun = False
        self.frames.give_up()

    # -- the clock ---------------------------------------------------------------------------------

    @property
    def awake(self) -> bool:
        """Whether something moves or an answer is expected, so that ticks are needed."""
        return self._timer.active

    @Slot()
    def _wake(self) -> None:
        if not self._timer.active and any(self.in_sight) and not self.client.stopped:
            self._ticked_at = self.timing.clock()
            self._timer.start()

    @Slot(float)
    def tick(self, now: float) -> None:
        """Advance by the time since the last tick; `now`: seconds of the clock."""
        elapsed, self._ticked_at = min(now - self._ticked_at, LONGEST_TICK_S), now
        self._receive()
        if self._elapsed.follow(self._waits_for(), now):
            self.changed.emit()
        client, episodes, playing = self.client, self.episodes, self.playing
        if not client.running or client.agent is None or not any(self.in_sight):
            self._timer.stop()
            return
        if playing is None or not episodes.begun:
            if client.ready is not None and not episodes.begun and client.weights is None:
                client.ask_weights()
            return
        if not self.paused:
            self._move(playing, elapsed)
        if episodes.begun:
            self.frames.update(playing, now)
        if self.paused and self.frames.is_settled and not self.frames.draw_ahead(playing, now):
            self._timer.stop()

    def _move(self, playing: PlayedEpisode, elapsed: float) -> None:
        playhead = self.playhead
        playhead.advance(elapsed, playing)
        if (
            playing.ended and playing.t >= playing.length and playhead.t >= playing.length
        ):  # the playhead was not moved back
            self.client.ask_weights()
            if playhead.hold(elapsed):
                self._go_on()
        else:
            self._keep_fresh(playing, elapsed)

    def _keep_fresh(self, playing: PlayedEpisode, elapsed: float) -> None:
        """Go on with newer weights of an agent in training in place of a long episode, so that its views are of now."""
        self._shown_s += elapsed
        client, episodes = self.client, self.episodes
        whole = episodes.request.is_prescribed or episodes.repeats or self._sought or not episodes.views_in_sight
        if whole or client.choice != "newest" or client.finishing or self._shown_s < FRESH_S - ASKED_BEFORE_S:
            return
        client.ask_weights()
        newer = client.weights is not None and client.weights.step > playing.weights_step
        if newer and self._shown_s >= FRESH_S:
            episodes.next_episode()

    def _go_on(self) -> None:
        """Continue after the end of the episode was shown long enough."""
        episodes, request = self.episodes, self.episodes.request
        if request.is_prescribed and (not episodes.repeats or request.person_drives):
            self.pause()  # a requested episode stays at its end
        elif self.client.finishing and not request.is_prescribed:
            self.client.use_best()
        elif episodes.repeats:
            self.playhead.seek(0)
        else:
            episodes.next_episode()

    def _receive(self) -> None:
        for event in self.client.drain(DRAIN_MS):
            self._take(event)
        if self._grown:
            self._grown = False
            self.grew.emit(self.playing)
        self.client.restart_if_ended(END_S)

    def _take(self, event: Event) -> None:
        if isinstance(event, m.EpisodeBegan):
            self.episodes.take_began(event)
            self._shown_s, self._sought = 0.0, False
            return
        if not self.episodes.begun or getattr(event, "number", None) != self.episodes.number:
            return  # the event is about a former episode
        match event:
            case m.Played() if self.playing is not None:
                self.playing.take(event)
                self.frames.take_steps(self.playing)
                self._grown = True
            case m.Frame():
                self.frames.take_frame(event)
            case m.Described():
                self.frames.take_description(event)
