"""The Agent card's *Export episode arrays*: has the whole episode played with everything recorded, then writes it."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from dqngui.gui.widgets.save_dialog import ask_save_path, show_problem
from dqngui.lab.analysis.episode_arrays import Arrays, arrays_of, write_arrays
from dqngui.lab.background.task import BackgroundTask
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player

TICK_MS = 50
AHEAD = 4096  # steps that are asked for at once


class ArraysExport(QObject):
    """Exports all arrays of an episode: plays it to its end with everything recorded, then writes it in a thread.

    One export at a time.

    Attributes:
        busy: it is under way.

    Signals:
        ended(str): the file is there, or why not; what is recorded may be as it was before.
    """

    ended = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._player: Player | None = None
        self.busy = False
        self._path = Path()
        self._seed: int | None = None
        self._thread: threading.Thread | None = None
        self._problem = ""
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    def attach(self, player: Player) -> None:
        """Write what this player plays."""
        self._player = player

    @Slot()
    def ask(self) -> None:
        """Ask where to put the file."""
        if self.busy or self._player is None or self._player.playing is None:
            return
        name = f"episode-{self._player.playing.seed}.npz"
        kinds = {"npz": "Arrays (*.npz)"}
        title = "Export every array of the episode"
        ask_save_path(self._window, title, name, kinds, lambda path: self.start(Path(path)))

    def start(self, path: Path) -> None:
        """Write the episode that is shown, as soon as all of it is known."""
        player = self._player
        if self.busy or player is None or player.playing is None:
            return
        self.busy, self._path, self._seed, self._problem = True, path, player.playing.seed, ""
        player.pause()
        player.episodes.record_views(True, [view.name for view in player.playing.ready.derivable])
        self._timer.start()

    @Slot()
    def _tick(self) -> None:
        player = self._player
        assert player is not None
        playing = player.playing
        if self._thread is not None:
            if not self._thread.is_alive():
                self._end(self._problem)
        elif player.problem:
            self._end(player.problem)
        elif playing is not None and playing.seed != self._seed:
            self._end("another episode was chosen before all of this one was known")
        elif playing is not None and self._complete(playing):
            arrays = arrays_of(playing)
            self._thread = threading.Thread(target=self._write, args=(arrays,), name="dqngui-arrays", daemon=True)
            self._thread.start()
        elif playing is not None:
            player.play_until(playing.length + AHEAD)

    @staticmethod
    def _complete(playing: PlayedEpisode) -> bool:
        """All steps are known, with all that can be recorded; an episode that a person drives goes no further."""
        wanted = {view.name for view in playing.ready.derivable}
        description = wanted <= set(playing.views) and (playing.has_views or not playing.ready.views)
        return description and bool(playing.length) and (playing.ended or playing.request.person_drives)

    def _write(self, arrays: Arrays) -> None:
        try:
            write_arrays(self._path, arrays)
        except OSError as error:
            self._problem = f"`{self._path}`: {error.strerror or error}"

    def _end(self, reason: str) -> None:
        self.busy, self._thread = False, None
        self._timer.stop()
        self.ended.emit("" if reason == "left" else reason or f"arrays saved as {self._path.name}")
        if reason not in ("", "left"):
            show_problem(self._window, "Export arrays", f"Nothing was written: {reason}.")

    # -- when the window closes --------------------------------------------------------------------

    def stop(self) -> None:
        """Give the export up, unless the file is being written."""
        if self.busy and self._thread is None:
            self._end("left")

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def join(self) -> None:
        """Wait for the thread; after `stop`."""
        if self._thread is not None:
            self._thread.join()


class Exports:
    """Several exports as one background task, which the window waits for when it closes."""

    def __init__(self, *parts: BackgroundTask) -> None:
        self._parts = parts

    def stop(self) -> None:
        for part in self._parts:
            part.stop()

    @property
    def alive(self) -> bool:
        return any(part.alive for part in self._parts)

    def join(self) -> None:
        for part in self._parts:
            part.join()
