"""Which steps, pictures and descriptions of the episode are asked of the process, and which picture is shown."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from dqngui import messages as m
from dqngui.lab.playback.agent_client import AgentClient
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.episode_requests import EpisodeRequests
from dqngui.lab.playback.frame_cache import FrameCache, Pixels, Prefetch, pixels_of
from dqngui.lab.playback.playhead import Playhead
from dqngui.lab.playback.timing import Timing

PICTURE_S = 0.038  # between two pictures, so at most about 25 a second
SUBSTITUTE_AFTER_S = 0.12  # another picture is shown in place of one that takes longer
AFTER_SEEK_S = 0.06  # nothing is drawn ahead while a person scrubs
MAX_TRAINING_STEPS = 4096  # steps of a training episode that are played though nobody has come so far yet
ENDLESS = 1 << 30
STEPS = 32  # steps are asked for in multiples of this, so that panels draw new ones now and then, not at each picture


class FrameRequests(QObject):
    """Asks for the picture of the step at the playhead and for the steps behind it.

    At most two requests are under way, one being drawn while the other's picture travels, so a slow process slows
    the clock and never builds a queue. Pictures that were drawn are kept; while the episode is paused those around
    the shown step are drawn ahead of need, one at a time, and given up for any that is asked for.

    Attributes:
        frame: the picture (H, W, 3) of step `PlayedEpisode.t`; None where there is none.
        stands_in: the step that `frame` really is of, while the picture of the shown one is still being drawn.
        size: (width, height) in pixels that pictures are drawn in.
        in_sight: somebody looks at pictures.
        cache: the pictures that are kept.

    Signals:
        framed(array | None, int): the picture of step t; None where the environment draws none.
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
        self.cache = FrameCache()
        self._client, self._episodes, self._playhead = client, episodes, playhead
        self._clock, self._picture_s = timing.clock, picture_s
        self._play_until = 0
        self._request: m.Look | None = None  # the newest one under way
        self._earlier_pending = False  # one before it is under way too
        self._describing = False  # the description of a step is under way
        self._shown: tuple[int, int] | None = None  # episode and step of the last picture
        self._requested_at = self._seek_at = self._clock() - 1.0
        self._prefetch = Prefetch()

    # -- what the player says ---------------------------------------------------------------------

    def begin_episode(self, t: int) -> None:
        """An episode was asked for: ask for its step t."""
        self.give_up()
        self._play_until = 0
        self.cache.clear()
        self._prefetch.begin()
        ready = self._client.ready
        self._send(t, picture=self.in_sight and ready is not None and not ready.no_picture)

    def give_up(self) -> None:
        """Nothing that was asked for will come any more."""
        self._request, self._earlier_pending, self._describing = None, False, False
        self._prefetch.cancel()

    def forget(self) -> None:
        """Show nothing of the former agent."""
        self.frame = self._shown = self.substitute_step = None

    def draw_again(self) -> None:
        """Draw the shown step once more."""
        self._shown = None

    def draw_at(self, size: tuple[int, int]) -> bool:
        """Draw pictures in another (width, height) in pixels, the present one too; False if that is the size now."""
        if size == self.size:
            return False
        self.size = size
        self.draw_again()
        self.cache.clear()
        self.give_up()  # what is under way has another size
        return True

    def note_seek(self) -> None:
        """A person seeks a step now."""
        self._seek_at = self._clock()

    def play_until(self, until: int) -> bool:
        """Play the present episode up to a step, though none so far on is shown yet; False if that was asked before."""
        if until <= self._play_until:
            return False
        self._play_until = until
        return True

    @property
    def is_settled(self) -> bool:
        """The step at the playhead is shown, and nothing is under way."""
        playing = self._episodes.playing
        if playing is None or self._request is not None or self._describing:
            return False
        return self._shown == (playing.number, self._playhead.t)

    def describe(self, t: int) -> None:
        """Ask what is seen at step t of the present episode; the newest question wins."""
        if self._episodes.begun:
            self._describing = True
            self._client.send(m.Describe(number=self._episodes.number, t=t))

    # -- asking -----------------------------------------------------------------------------------

    def update(self, playing: PlayedEpisode, now: float) -> None:
        """Show a kept picture of the present step, or ask for it and for the steps behind it."""
        self._show_kept(playing, now)
        self._request_next(playing, now)

    def _request_next(self, playing: PlayedEpisode, now: float) -> None:
        t, request = self._playhead.t, self._request
        person_drives = self._episodes.request.person_drives
        draws = self.in_sight and not playing.ready.no_picture
        new = t != request.t if request is not None and draws else self._shown != (playing.number, t)
        if new and now - self._requested_at < self._picture_s:
            return
        waits = person_drives and t == playing.length  # somebody decides what follows
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
        """Show the picture of the present step if it was drawn before; a picture near it while that takes long."""
        t, paused = self._playhead.t, self._playhead.paused
        if self._shown == (playing.number, t) or not self.in_sight or playing.ready.no_picture:
            return
        if not paused and now - self._requested_at < self._picture_s:
            return
        frame = self.cache.get(t)
        if frame is not None:
            if self._request is not None and self._request.t is not None:
                self._request, self._earlier_pending = None, False  # of another step
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
        """While nothing else is asked for, have a picture near the shown one drawn; whether one is or will be."""
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
        """How many steps should be known while step t is shown."""
        request = self._episodes.request
        if request.person_drives:
            return ENDLESS  # each comes as soon as it was driven
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

    # -- what the process says --------------------------------------------------------------------

    def take_steps(self, playing: PlayedEpisode) -> None:
        """The episode has more steps."""
        request = self._request
        if request is not None and request.t is None and (playing.ended or playing.length >= request.until):
            self._request = None
        if playing.ended and self._playhead.t > playing.length:
            self._playhead.seek(playing.length)

    def take_frame(self, event: m.Frame) -> None:
        """A picture has come."""
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
                playhead.seek(event.t)  # the episode was shorter than what was asked for
            if request is not None and request.t is not None and self._shown is not None:
                self._prefetch.note_duration(event.t, self._clock() - self._requested_at)
            self._request = None
        self._earlier_pending = False
        if playing is None or self._shown != (playing.number, playhead.t):  # else a late one of another step
            self._show(pixels, event.t)

    def take_description(self, event: m.Described) -> None:
        """What is seen at a step has come."""
        self._describing = False
        self.described.emit(event)
