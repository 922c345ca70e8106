"""Requests steps, pictures and descriptions of the episode from the process, and chooses the shown picture."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from dqngui import messages as m
from dqngui.lab.background.timing import Timing
from dqngui.lab.playback.agent_client import AgentClient
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.episode_requests import EpisodeRequests
from dqngui.lab.playback.frame_cache import FrameCache, Pixels, Prefetch, pixels_of
from dqngui.lab.playback.playhead import Playhead

PICTURE_S = 0.038  # least time between two pictures: about 25 a second
SUBSTITUTE_AFTER_S = 0.12  # waiting time after which a substitute picture is shown
AFTER_SEEK_S = 0.06  # no drawing ahead for this time after a seek
MAX_TRAINING_STEPS = 4096  # steps of a training episode that are played ahead
ENDLESS = 1 << 30
STEPS = 32  # steps are requested in multiples of this, so that panels redraw less often


class FrameRequests(QObject):
    """Requests the picture at the playhead and the steps after it.

    At most two requests are open: one is drawn while the other is transferred. So a slow process slows
    the clock, and no queue grows. Drawn pictures are kept. While the episode is paused, pictures around
    the shown step are drawn ahead one at a time, and cancelled for any other request.

    Attributes:
        frame: the picture (H, W, 3) of step `PlayedEpisode.t`; None without a picture.
        substitute_step: the step of `frame` while the picture of the shown step is still being drawn, else None.
        size: (width, height) of pictures in pixels.
        in_sight: whether a visible card shows pictures.
        cache: the kept pictures.

    Signals:
        framed(array | None, int): the picture of step t; None if the environment draws none.
        moved(int): another step t is shown.
        described(Described): the answer to `describe`.
    """

    framed = Signal(object, int)
    moved = Signal(int)
    described = Signal(object)

    def __init__(
        self,
        client: AgentClient,
        episodes: EpisodeRequests,
        playhead: Playhead,
        timing: Timing,
        *,
        picture_s: float = PICTURE_S,
        parent: QObject | None = None,
    ) -> None:
        """`picture_s` is the least time between two pictures, in seconds."""
        super().__init__(parent)
        self.frame: Pixels | None = None
        self.substitute_step: int | None = None
        self.size = (640, 480)
        self.in_sight = True
        self.cache = FrameCache(timing.clock)
        self._client, self._episodes, self._playhead = client, episodes, playhead
        self._clock, self._picture_s = timing.clock, picture_s
        self._play_until = 0
        self._request: m.Look | None = None  # the newest open request
        self._earlier_pending = False  # the request before it is open too
        self._describing = False  # a description was requested
        self._shown: tuple[int, int] | None = None  # episode and step of the last picture
        self._requested_at = self._seek_at = self._clock() - 1.0
        self._prefetch = Prefetch()

    # -- calls of the player -----------------------------------------------------------------------

    def begin_episode(self, t: int) -> None:
        """Begin an episode at its step t."""
        self.give_up()
        self._play_until = 0
        self.cache.clear()
        self._prefetch.begin()
        ready = self._client.ready
        self._send(t, picture=self.in_sight and ready is not None and not ready.no_picture)

    def give_up(self) -> None:
        """Drop all open requests: they will not be answered."""
        self._request, self._earlier_pending, self._describing = None, False, False
        self._prefetch.cancel()

    def forget(self) -> None:
        """Drop the picture of the former agent."""
        self.frame = self._shown = self.substitute_step = None

    def draw_again(self) -> None:
        """Request the picture of the shown step again."""
        self._shown = None

    def draw_at(self, size: tuple[int, int]) -> bool:
        """Set the (width, height) of pictures in pixels, and redraw; False if the size is unchanged."""
        if size == self.size:
            return False
        self.size = size
        self.draw_again()
        self.cache.clear()
        self.give_up()  # open requests have the former size
        return True

    def note_seek(self) -> None:
        """Note that a person seeks a step now."""
        self._seek_at = self._clock()

    def play_until(self, until: int) -> bool:
        """Play the present episode ahead up to a step; False if that was requested before."""
        if until <= self._play_until:
            return False
        self._play_until = until
        return True

    @property
    def is_settled(self) -> bool:
        """Whether the step at the playhead is shown and no request is open."""
        playing = self._episodes.playing
        if playing is None or self._request is not None or self._describing:
            return False
        return self._shown == (playing.number, self._playhead.t)

    def describe(self, t: int) -> None:
        """Request the description of step t; a newer request replaces it."""
        if self._episodes.begun:
            self._describing = True
            self._client.send(m.Describe(number=self._episodes.number, t=t))

    # -- requests ----------------------------------------------------------------------------------

    def update(self, playing: PlayedEpisode, now: float) -> None:
        """Show the kept picture of the present step, or request it and the steps after it."""
        self._show_kept(playing, now)
        self._request_next(playing, now)

    def _request_next(self, playing: PlayedEpisode, now: float) -> None:
        t, request = self._playhead.t, self._request
        person_drives = self._episodes.request.person_drives
        draws = self.in_sight and not playing.ready.no_picture
        new = t != request.t if request is not None and draws else self._shown != (playing.number, t)
        if new and now - self._requested_at < self._picture_s:
            return
        waits = person_drives and t == playing.length  # a person chooses the next action
        if new and not draws and (t < playing.length or playing.ended or waits):
            self._show(None, min(t, playing.length))
            new, self._requested_at = False, now
        if request is not None and (request.t is None or self._earlier_pending):
            return
        enough = playing.ended or person_drives or playing.length >= self._until(t)
        if (new and draws) or (request is None and not enough):
            self._earlier_pending = request is not None
            self._send(t, picture=new and draws)

    def _show_kept(self, playing: PlayedEpisode, now: float) -> None:
        """Show the kept picture of the present step; if its drawing takes long, the nearest kept picture."""
        t, paused = self._playhead.t, self._playhead.paused
        if self._shown == (playing.number, t) or not self.in_sight or playing.ready.no_picture:
            return
        if not paused and now - self._requested_at < self._picture_s:
            return
        frame = self.cache.get(t)
        if frame is not None:
            if self._request is not None and self._request.t is not None:
                self._request, self._earlier_pending = None, False  # they are for another step
            self._requested_at = now
            self._show(frame, t)
        elif (
            paused
            and playing.t != t
            and now - self._seek_at > SUBSTITUTE_AFTER_S
            and (t < playing.length or playing.ended)
        ):
            near = self.cache.nearest(t)
            before = playing.t if self.substitute_step is None else self.substitute_step
            self.substitute_step = before if near is None else near
            playing.t, self.frame = t, self.frame if near is None else self.cache.get(near)
            self.framed.emit(self.frame, t)
            self.moved.emit(t)

    def draw_ahead(self, playing: PlayedEpisode, now: float) -> bool:
        """Request a picture to draw ahead if no other request is open; returns whether one is drawn or planned."""
        if not self.in_sight or playing.ready.no_picture or self._client.notice or self._shown is None:
            return False
        if not self._prefetch.is_pending:
            t = self._prefetch.next(self.cache, self._playhead.t, playing.length + playing.ended)
            if t is None:
                return False
            if now - self._seek_at > AFTER_SEEK_S:
                self._prefetch.request(t)
                until = self._until(self._playhead.t)
                self._client.send(m.Look(number=self._episodes.number, until=until, t=t, size=self.size))
        return True

    def _send(self, t: int, *, picture: bool) -> None:
        self._prefetch.cancel()
        self._requested_at = self._clock()
        self._request = m.Look(
            number=self._episodes.number, until=self._until(t), t=t if picture else None, size=self.size
        )
        self._client.send(self._request)

    def _until(self, t: int) -> int:
        """The number of steps that should be known while step t is shown."""
        request = self._episodes.request
        if request.person_drives:
            return ENDLESS  # a driven step arrives as soon as it is done
        until = max(-(-(t + self._playhead.ahead) // STEPS) * STEPS, self._play_until)
        if request.from_training:
            return min(max(until, MAX_TRAINING_STEPS), len(request.actions))
        return until

    def _show(self, frame: Pixels | None, t: int) -> None:
        playing = self._episodes.playing
        if playing is not None:
            playing.t, self.frame, self._shown, self.substitute_step = t, frame, (playing.number, t), None
            self.framed.emit(frame, t)
            self.moved.emit(t)

    # -- events of the process ---------------------------------------------------------------------

    def take_steps(self, playing: PlayedEpisode) -> None:
        """Handle new steps of the episode."""
        request = self._request
        if request is not None and request.t is None and (playing.ended or playing.length >= request.until):
            self._request = None
        if playing.ended and self._playhead.t > playing.length:
            self._playhead.seek(playing.length)

    def take_frame(self, event: m.Frame) -> None:
        """Handle a picture."""
        if event.size != self.size:
            return
        request, playing, pixels, playhead = self._request, self._episodes.playing, pixels_of(event), self._playhead
        if pixels is not None:
            self.cache.put(event.t, pixels, hurried=not playhead.paused)
        if self._prefetch.receive(event.t) and event.t != playhead.t and (request is None or request.t != event.t):
            return
        shorter = playing is not None and playing.ended and event.t == playing.length
        if request is None or request.t is None or request.t == event.t or shorter:
            if request is not None and request.t is not None and event.t < request.t and playhead.t >= request.t:
                playhead.seek(event.t)  # the episode ended before the requested step
            if request is not None and request.t is not None and self._shown is not None:
                self._prefetch.note_duration(event.t, self._clock() - self._requested_at)
            self._request = None
        self._earlier_pending = False
        if playing is None or self._shown != (
            playing.number,
            playhead.t,
        ):  # otherwise it is a late picture of another step
            self._show(pixels, event.t)

    def take_description(self, event: m.Described) -> None:
        """Handle a description."""
        self._describing = False
        self.described.emit(event)
