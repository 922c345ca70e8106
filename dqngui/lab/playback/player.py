"""The window's player: a process that plays the agent, its clock, and the episode it plays."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from dqngui import messages as m
from dqngui.hosts import Host, open_host
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.episode_requests import EpisodeRequests
from dqngui.lab.playback.frame_cache import FrameCache, Prefetch, as_image
from dqngui.lab.playback.playhead import FASTEST, SLOWEST, Playhead
from dqngui.messages import Event, Request

TICK_MS = 20
PICTURE_S = 0.038  # between two pictures, so at most about 25 a second
DRAIN_MS = 6.0
LATE_S = 0.12  # a picture that takes longer is stood in for
CALM_S = 0.06  # nothing is drawn ahead while a hand scrubs
AT_ONCE = 4096  # steps of a recorded episode that are played though nobody has come so far yet
ENDLESS = 1 << 30
STEPS = 32  # steps are asked for in multiples of this, so that panels draw new ones now and then, not at each picture


class Player(EpisodeRequests):
    """Plays episode after episode of one agent, at a speed, and holds the step that is shown.

    The process only simulates and draws what it is asked for; the clock is here. At most two requests are under
    way, one being drawn while the other's picture travels, so a slow process slows the clock and never builds a queue.
    Pictures that were drawn are kept; while the episode stands still those around the shown step are drawn ahead of
    need, one at a time, and given up for any that is asked for.

    Attributes:
        agent, choice: who plays, with which of its weights.
        playing: the episode; None until the first one of an agent began.
        frame: the picture of step `playing.t`; None where there is none.
        paused, epsilon, repeats: as chosen; `repeats` plays the same episode again at its end.
        problem: why nothing plays; `restart` tries again.
        notice: what should be known of the agent that plays.
        stands_in: the step that `frame` really is of, while the picture of the shown one is still being drawn.
        picture_size: (width, height) in pixels that pictures are drawn in.
        weights: of the present episode, where the agent still trains.

    Signals:
        changed: agent, speed, pause, seed, ε or a problem changed; controls look again.
        grew(Playing | None): the episode has more steps, or is another one, or there is none.
        moved(int): another step t is shown.
        framed(QImage | None, int): the picture of step t; None where the environment draws none.
        described(Described): the answer to `describe`.
        weights_wanted: somebody who trains the agent should call `use_weights`.
    """

    moved = Signal(int)
    framed = Signal(object, int)
    described = Signal(object)

    def __init__(self, *, open_host: Callable[[str, Request], Host] = open_host, parent: QObject | None = None) -> None:
        super().__init__(open_host, parent)
        self.frame: QImage | None = None
        self.stands_in: int | None = None
        self.picture_size = (640, 480)
        self._foreseen = 0
        self._grown = False
        self._head = Playhead()
        self._look: m.Look | None = None  # the newest one under way
        self._second = False  # one before it is under way too
        self._describing = False  # what is seen at some step was asked
        self._shown: tuple[int, int] | None = None  # episode and step of the last picture
        self._asked_at = self._ticked_at = self._sought_at = 0.0
        self._kept = FrameCache()
        self._ahead = Prefetch()
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._tick)

    def stop(self) -> None:
        self._timer.stop()
        self._soon.stop()
        super().stop()

    def _leave(self) -> None:
        self._look, self._second, self._describing = None, False, False
        self._ahead.leave()

    def _blank(self) -> None:
        self.playing = self.frame = self._shown = self.stands_in = None
        self.grew.emit(None)
        self.framed.emit(None, 0)

    @property
    def loading(self) -> str:
        """What is waited for before the first episode; empty while one plays."""
        if self.agent is None or self.problem or self.playing is not None:
            return ""
        if self._host is None:
            return "Starting the player…"
        if self._ready is None:
            return "Loading the agent…"
        if self.choice == "newest" and self._weights is None:
            return "Waiting for the first weights…"
        return "Beginning an episode…"

    # -- what the user asks -----------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """0.1 … 20; 1 is the environment's own pace."""
        return self._head.speed

    def set_speed(self, speed: float) -> None:
        self._head.speed = min(max(speed, SLOWEST), FASTEST)
        self.changed.emit()

    def play(self) -> None:
        self._set_paused(False)

    def pause(self) -> None:
        self._set_paused(True)

    def toggle(self) -> None:
        self._set_paused(not self.paused)

    def _set_paused(self, paused: bool) -> None:
        self.paused = paused
        self._wake()
        self.changed.emit()

    def step(self, steps: int) -> None:
        """Pause, and show the step so many further on, or back."""
        self.pause()
        self.seek(self._head.t + steps)

    def seek(self, t: int) -> None:
        """Show step t of this episode (its last picture, if it is shorter)."""
        playing = self.playing
        if playing is not None and self._begun:
            self._head.seek(min(t, playing.length) if playing.ended else t)
            self._sought_at = time.perf_counter()
            self._wake()
            if self._timer.isActive():
                self._soon.start()  # a hand is waiting

    def seek_end(self) -> None:
        """Show the last step that is known."""
        playing = self.playing
        if playing is not None:
            self.seek(playing.length if playing.ended else max(playing.length - 1, 0))

    def describe(self, t: int) -> None:
        """Ask what is seen at step t of the present episode; the newest question wins."""
        if self._begun:
            self._describing = True
            self._send(m.Describe(number=self._number, t=t))
            self._wake()

    def foresee(self, until: int) -> None:
        """Know the present episode up to a step, though none so far on is shown yet."""
        if until > self._foreseen:
            self._foreseen = until
            self._wake()

    def replay(self) -> None:
        """The same episode from its start."""
        self.seek(0)
        self.play()

    def show_in(self, *, pictures: bool, views: bool) -> None:
        """Who looks: a card that draws pictures, cards that draw views. Without any the clock stands still."""
        self._pictures, self._views = pictures, views
        if pictures and self.playing is not None:
            self._shown = None
        playing = self.playing
        if views and self._begun and playing is not None and not playing.recorded:
            self._begin(self._again(playing), newer=False)
        self._wake()

    @property
    def sight(self) -> tuple[bool, bool]:
        """What `show_in` said last: (pictures, views)."""
        return self._pictures, self._views

    def draw_at(self, size: tuple[int, int]) -> None:
        """Draw pictures in another (width, height) in pixels, the present one too."""
        if size != self.picture_size:
            self.picture_size, self._shown = size, None
            self._kept.clear()
            self._leave()  # what is under way has another size
            self._wake()

    # -- episodes ---------------------------------------------------------------------------------

    def _ask_first(self, t: int) -> None:
        self._foreseen = 0
        self._kept.clear()
        self._ahead.begin()
        draws = self._pictures and self._ready is not None and not self._ready.no_picture
        self._request(t, picture=draws)
        self._wake()

    def _go_on(self) -> None:
        """The episode's end was shown for long enough."""
        if self._asked.special:
            if self.repeats and not self._asked.driven:
                self._head.seek(0)
            else:
                self.pause()  # somebody asked for this one, and may want to look at its end
        elif self._finishing:
            self._use_best()
        elif self.repeats:
            self._head.seek(0)
        else:
            self.next_episode()

    # -- the clock --------------------------------------------------------------------------------

    def _wake(self) -> None:
        if not self._timer.isActive() and (self._pictures or self._views) and not self._over:
            self._ticked_at = time.perf_counter()
            self._timer.start()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        elapsed, self._ticked_at = min(now - self._ticked_at, 0.25), now
        self._receive()
        if self._host is None or self.agent is None or not (self._pictures or self._views):
            self._timer.stop()
            return
        playing = self.playing
        if playing is None or not self._begun:
            if self._ready is not None and not self._begun and self._weights is None:
                self._ask_weights()
            return
        if not self.paused:
            self._move(playing, elapsed)
        if self._begun:
            self._show_kept(playing, now)
            self._ask(playing, now)
        settled = self._look is None and self._shown == (playing.number, self._head.t)
        if self.paused and settled and not self._describing and not self._draw_ahead(playing, now):
            self._timer.stop()

    def _move(self, playing: PlayedEpisode, elapsed: float) -> None:
        self._head.advance(elapsed, playing)
        if playing.ended and playing.t >= playing.length and self._head.t >= playing.length:  # nobody seeks back
            self._ask_weights()
            if self._head.hold(elapsed):
                self._go_on()

    def _ask(self, playing: PlayedEpisode, now: float) -> None:
        """Ask for the picture of the present step and for the steps behind it."""
        t, look = self._head.t, self._look
        draws = self._pictures and not playing.ready.no_picture
        new = t != look.t if look is not None and draws else self._shown != (playing.number, t)
        if new and now - self._asked_at < PICTURE_S:
            return
        waits = self._asked.driven and t == playing.length  # somebody decides what follows
        if new and not draws and (t < playing.length or playing.ended or waits):
            self._show(None, min(t, playing.length))
            new, self._asked_at = False, now
        if look is not None and (look.t is None or self._second):
            return
        enough = playing.ended or self._asked.driven or playing.length >= self._until(t)
        if (new and draws) or (look is None and not enough):
            self._second = look is not None
            self._request(t, picture=new and draws)

    def _show_kept(self, playing: PlayedEpisode, now: float) -> None:
        """Show the picture of the present step if it was drawn before; a picture near it while that takes long."""
        t = self._head.t
        if self._shown == (playing.number, t) or not self._pictures or playing.ready.no_picture:
            return
        if not self.paused and now - self._asked_at < PICTURE_S:
            return
        image = self._kept.get(t)
        if image is not None:
            if self._look is not None and self._look.t is not None:
                self._look, self._second = None, False  # of another step
            self._asked_at = now
            self._show(image, t)
        elif (
            self.paused and playing.t != t and now - self._sought_at > LATE_S and (t < playing.length or playing.ended)
        ):
            near = self._kept.nearest(t)
            before = playing.t if self.stands_in is None else self.stands_in
            self.stands_in = before if near is None else near
            playing.t, self.frame = t, self.frame if near is None else self._kept.get(near)
            self.framed.emit(self.frame, t)
            self.moved.emit(t)

    def _draw_ahead(self, playing: PlayedEpisode, now: float) -> bool:
        """While nothing else is asked for, have a picture near the shown one drawn; whether one is or will be."""
        if not self._pictures or playing.ready.no_picture or self.notice or self._shown is None:
            return False
        if not self._ahead.waits:
            t = self._ahead.next(self._kept, self._head.t, playing.length + playing.ended)
            if t is None:
                return False
            if now - self._sought_at > CALM_S:
                self._ahead.ask(t)
                self._send(m.Look(number=self._number, until=self._until(self._head.t), t=t, size=self.picture_size))
        return True

    def _request(self, t: int, *, picture: bool) -> None:
        self._ahead.leave()
        self._asked_at = time.perf_counter()
        self._look = m.Look(number=self._number, until=self._until(t), t=t if picture else None, size=self.picture_size)
        self._send(self._look)

    def _until(self, t: int) -> int:
        """How many steps should be known while step t is shown."""
        if self._asked.driven:
            return ENDLESS  # each comes as soon as it was driven
        until = max(-(-(t + self._head.ahead) // STEPS) * STEPS, self._foreseen)
        if self._asked.recorded:
            return min(max(until, AT_ONCE), len(self._asked.actions))
        return until

    def _show(self, frame: QImage | None, t: int) -> None:
        playing = self.playing
        if playing is not None:
            playing.t, self.frame, self._shown, self.stands_in = t, frame, (playing.number, t), None
            self.framed.emit(frame, t)
            self.moved.emit(t)

    # -- what the process says --------------------------------------------------------------------

    def _receive(self) -> None:
        host = self._host
        if host is None:
            return
        for event in self._drain(DRAIN_MS):
            self._take(event)
        if self._grown:
            self._grown = False
            self.grew.emit(self.playing)
        if not host.alive and host.join(0.05):
            self._ended()

    def _take(self, event: Event) -> None:
        match event:
            case m.PlayerReady() if self.agent is not None:
                self._ready, self._head.fps, self.problem = event, event.fps or 30.0, ""
                self._begin(self._asked)
                self.changed.emit()
            case m.EpisodeBegan(number=self._number, recorded=False) if self._ready is not None and self._views:
                self._begin(self._asked, newer=False)  # panels came in sight meanwhile
            case m.EpisodeBegan(number=self._number) if self._ready is not None:
                self._begun, self.problem = True, ""
                self.playing = PlayedEpisode(self._telling, event, self.source, self._asked)
                self._head.seek(self._asked.at)  # panels keep the former episode until this one has steps
                self.changed.emit()
            case m.Played() if self._begun and event.number == self._number and self.playing is not None:
                self._take_steps(self.playing, event)
            case m.Frame(size=self.picture_size) if self._begun and event.number == self._number:
                self._take_frame(event)
            case m.Described() if self._begun and event.number == self._number:
                self._describing = False
                self.described.emit(event)
            case m.Warned() if self._ready is not None:  # else of the former agent
                self.notice = event.words
                self.changed.emit()
            case m.Failed():
                self._fail(event.words)

    def _take_steps(self, playing: PlayedEpisode, event: m.Played) -> None:
        playing.take(event)
        look = self._look
        if look is not None and look.t is None and (playing.ended or playing.length >= look.until):
            self._look = None
        if playing.ended and self._head.t > playing.length:
            self._head.seek(playing.length)
        self._grown = True

    def _take_frame(self, event: m.Frame) -> None:
        look, playing, pixels = self._look, self.playing, event.tensors.get("pixels")
        if pixels is not None and pixels.size:
            self._kept.put(event.t, pixels, hurried=not self.paused)
        if self._ahead.took(event.t) and event.t != self._head.t and (look is None or look.t != event.t):
            return
        shorter = playing is not None and playing.ended and event.t == playing.length
        if look is None or look.t is None or look.t == event.t or shorter:
            if look is not None and look.t is not None and event.t < look.t and self._head.t >= look.t:
                self._head.seek(event.t)  # the episode was shorter than what was asked for
            if look is not None and look.t is not None and self._shown is not None:
                self._ahead.learn(event.t, time.perf_counter() - self._asked_at)
            self._look = None
        self._second = False
        if playing is None or self._shown != (playing.number, self._head.t):  # else a late one of another step
            self._show(as_image(event), event.t)
