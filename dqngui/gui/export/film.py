"""Exports the player's episode as a film, with panels next to the picture."""

from __future__ import annotations

import atexit
import contextlib
import math
import queue
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from dqngui.config import ConfigError
from dqngui.gui.cards.panel import Panel
from dqngui.gui.export.film_sheet import FilmSheet
from dqngui.gui.scene.image import as_image
from dqngui.lab.analysis.overlay import WeightsOverlay
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.lab.playback.step_descriptions import StepDescriptions
from dqngui.texts import Text, reason_of, say

LONGEST_S, GIF_S = 60.0, 20.0
GIF_FPS = 12.5  # frame rate of a GIF, which stores every picture in full
TICK_MS = 10
RETRY_MS = 400
"""A picture is requested again after this time, since the user may have moved the player."""
MAX_QUEUED_FRAMES = 4  # queued between the window and the encoder
LEAVE_S = 5.0
AFTER_END = 10**9  # a step after the end of any episode
CANCELLED = say("export.cancelled")


def shown_steps(length: int, fps: float, longest: float = LONGEST_S, every: int = 1) -> list[int]:
    """The steps that a film shows: every k-th and the end, so that the film is not longer than `longest` seconds.

    `fps`: pictures per second; `every`: the smallest k.
    """
    every = max(every, math.ceil(length / (longest * fps - 1)))
    return [*range(0, length, every), length]


def pace_of(path: Path, length: int, fps: float) -> tuple[list[int], float]:
    """The steps that a film file shows, and its steps per second; a GIF shows fewer."""
    if path.suffix.lower() != ".gif" or fps <= GIF_FPS:
        return shown_steps(length, fps, GIF_S if path.suffix.lower() == ".gif" else LONGEST_S), fps
    every = math.ceil(fps / GIF_FPS)
    return shown_steps(length, fps / every, GIF_S, every), fps / every


class Filming(QObject):
    """Makes one film: plays the episode, renders each step and encodes it; emits `ended` at the end.

    The player is paused, moves through the episode, and returns to its step at the end. Its recording and size
    change (`Player.show_in`, `draw_at`); the owner of the film must restore them afterwards.

    Attributes:
        path: path of the film; the file appears only when it is complete.
        active: whether the film was started and has not ended.

    Signals:
        progressed(int, int): frames done and their total; (0, 0) while the episode is played to its end.
        ended(Text | str): "" if the film was written; else the reason, `CANCELLED` after `cancel`.
    """

    progressed = Signal(int, int)
    ended = Signal(object)

    def __init__(
        self,
        player: Player,
        panels: Sequence[Panel],
        path: Path,
        parent: QObject | None = None,
        *,
        sees: bool = False,
        overlay: WeightsOverlay | None = None,
        lines: bool = False,
    ) -> None:
        """`panels`: panels made for the film; `sees`: draw the observation too, with `overlay`; `lines`: draw lines of
        attention.
        """
        super().__init__(parent)
        self.path = path
        self.active = False
        self._player, self._panels = player, list(panels)
        self._sheet: FilmSheet | None = None
        self._playing: PlayedEpisode | None = None
        self._encoder: _Encoder | None = None
        self._steps: list[int] = []
        self._done = 0
        self._before: tuple[bool, int] = (False, 0)
        self._waited_ms = 0
        self._recorded = False
        self._sees, self._overlay, self._lines = sees, overlay, lines
        self._descriptions = StepDescriptions(self)
        self._descriptions.attach(player)
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Start; `ended` always follows, but not during this call."""
        player = self._player
        self.active = True
        if player.playing is not None:
            self._before = (player.paused, player.playing.t)
        player.pause()
        self._recorded = bool(self._panels) or self._lines
        player.show_in(pictures=True, views=self._recorded)
        self._waited_ms = RETRY_MS
        player.framed.connect(self._on_frame)
        self._timer.start()

    @Slot()
    def cancel(self) -> None:
        """Cancel the film and delete the unfinished file."""
        if self.active:
            self._end(CANCELLED)

    @property
    def alive(self) -> bool:
        """Whether its thread is still writing or deleting the file."""
        return self._encoder is not None and self._encoder.alive

    def join(self) -> None:
        """Wait until that thread has ended; after `ended`."""
        if self._encoder is not None:
            self._encoder.join()

    # -- frames ------------------------------------------------------------------------------------

    @Slot()
    def _tick(self) -> None:
        player = self._player
        playing = player.playing
        self._waited_ms += TICK_MS
        if player.problem:
            self._end(player.problem)
        elif self._encoder is None:
            self._prepare(playing)
        elif playing is not self._playing:
            self._end(say("export.film_left"))
        elif self._encoder.problem:
            self._end(self._encoder.problem)
        elif self._done < len(self._steps):
            self._take_picture(playing)
        elif self._encoder.finish():
            self._end(self._encoder.problem)

    @Slot()
    def _on_frame(self) -> None:
        # At once, so that the player requests the next picture in the same tick.
        playing = self._player.playing
        if self.active and self._sheet is not None and playing is self._playing and self._done < len(self._steps):
            self._take_picture(playing)

    def _prepare(self, playing: PlayedEpisode | None) -> None:
        """Play the whole episode with views, then begin the film."""
        if playing is None:
            if not self._player.loading:
                self._end(say("export.film_nothing"))
            return
        if self._recorded and playing.ready.views and not playing.has_views:
            return  # the player restarts it
        if not (playing.ended and playing.length):
            self.progressed.emit(0, 0)
            self._ask(AFTER_END)
            return
        steps, fps = pace_of(self.path, playing.length, playing.ready.fps)
        try:
            self._encoder = _Encoder(self.path, fps)
        except (ConfigError, OSError) as error:
            self._end(error.text if isinstance(error, ConfigError) else _unwritten(self.path, error))
            return
        self._playing, self._steps = playing, steps
        self._sheet = FilmSheet(playing, self._panels, sees=self._sees, overlay=self._overlay, lines=self._lines)
        self._descriptions.set_enabled(self._sheet.needs_descriptions)
        size = self._sheet.picture.size()
        self._player.draw_at((size.width(), size.height()))
        self._ask(self._steps[0])

    def _ask(self, t: int) -> None:
        """Request a step, and again at intervals until it is shown."""
        if self._waited_ms >= RETRY_MS:
            self._waited_ms = 0
            self._player.pause()
            self._player.show_in(pictures=True, views=self._recorded)
            self._player.seek(t)

    def _take_picture(self, playing: PlayedEpisode | None) -> None:
        assert playing is not None and self._encoder is not None and self._sheet is not None
        t = self._steps[self._done]
        frame = self._player.frame
        drawn = frame is not None or bool(playing.ready.no_picture) or bool(self._player.client.notice)
        if playing.t != t or self._player.frames.substitute_step is not None or not drawn:
            self._ask(t)
            return
        if self._encoder.busy or (self._descriptions.enabled and not self._descriptions.has(playing, t)):
            return
        self._encoder.take(self._sheet.render_step(t, as_image(frame), self._descriptions.at(playing, t)))
        self._done += 1
        self.progressed.emit(self._done, len(self._steps))
        self._waited_ms = RETRY_MS
        if self._done < len(self._steps):
            self._ask(self._steps[self._done])

    def _end(self, reason: Text | str) -> None:
        self.active = False
        self._timer.stop()
        self._player.framed.disconnect(self._on_frame)
        self._descriptions.set_enabled(False)
        if self._encoder is not None and reason:
            self._encoder.abandon()
        if self._sheet is not None:
            self._sheet.close()
            self._sheet.deleteLater()
        player = self._player
        if self._playing is not None and player.playing is self._playing:
            paused, t = self._before
            player.seek(t)
            if not paused:
                player.play()
        self.ended.emit(reason)


class _Encoder:
    """Encodes pictures in its own thread.

    Attributes:
        problem: why the film cannot be written; "" if it can.
    """

    def __init__(self, path: Path, fps: float) -> None:
        """Raises ConfigError or OSError if no film can be written there."""
        from dqngui.jobs.film import Film  # brings the encoder, which the window seldom needs

        self.problem: Text | str = ""
        self._film = Film(path, fps)
        self._frames: queue.Queue[np.ndarray | None] = queue.Queue(MAX_QUEUED_FRAMES)
        self._abandoned = self._finishing = False
        self._thread = threading.Thread(target=self._run, name="dqngui-film", daemon=True)
        atexit.register(self._leave)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether the queue is full."""
        return self._frames.full()

    def take(self, image: QImage) -> None:
        """Add a picture (RGB888); only while not `busy`."""
        height, width, line = image.height(), image.width(), image.bytesPerLine()
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, line)
        self._frames.put_nowait(rows[:, : 3 * width].reshape(height, width, 3).copy())

    def finish(self) -> bool:
        """Write the rest; True when it is done."""
        if not self._finishing:
            with contextlib.suppress(queue.Full):
                self._frames.put_nowait(None)
                self._finishing = True
        return not self.alive

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join()

    def abandon(self) -> None:
        """Cancel the film and delete its file."""
        self._abandoned = True
        with contextlib.suppress(queue.Full):
            self._frames.put_nowait(None)

    def _leave(self) -> None:
        # The interpreter exits: an unfinished file must not remain.
        self.abandon()
        self._thread.join(LEAVE_S)

    def _run(self) -> None:
        try:
            with self._film as film:
                while not self._abandoned and (pixels := self._frames.get()) is not None:
                    film.add(pixels)
                if self._abandoned:
                    raise _Abandoned
        except _Abandoned:
            pass
        except ConfigError as error:
            self.problem = error.text
        except OSError as error:
            self.problem = _unwritten(self._film.path, error)
        except Exception as error:  # any other error of the encoder; without this the film would never end
            reason = " ".join(str(reason_of(error)).split())
            self.problem = say("export.encoder", problem=reason)
        finally:
            atexit.unregister(self._leave)


def _unwritten(path: Path, error: OSError) -> Text:
    return say("export.problem", path=path, problem=error.strerror or error)


class _Abandoned(Exception):
    """The film was cancelled."""
