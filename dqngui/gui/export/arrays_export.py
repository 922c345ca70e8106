"""The Agent card's *Export episode arrays*: plays the whole episode with all views recorded, then writes the file."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from dqngui.gui.widgets.save_dialog import ask_save_path, show_problem
from dqngui.gui.widgets.saved_note import show_saved
from dqngui.lab.analysis.episode_arrays import Arrays, arrays_of, write_arrays
from dqngui.lab.background.task import BackgroundTask
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.player import Player
from dqngui.texts import Text, say, words

TICK_MS = 50
AHEAD = 4096  # steps that are requested at once


class ArraysExport(QObject):
    """Exports all arrays of an episode: plays it to its end with all views, then writes the file in a thread.

    One export at a time.

    Attributes:
        busy: whether an export is running.

    Signals:
        ended(str): the export has ended, with a sentence about the result; the former recording may be restored.
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
        self._problem: Text | str = ""
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._tick)

    def attach(self, player: Player) -> None:
        """Set the player whose episode is exported."""
        self._player = player

    @Slot()
    def ask(self) -> None:
        """Ask for the name of the file."""
        if self.busy or self._player is None or self._player.playing is None:
            return
        name = f"episode-{self._player.playing.seed}.npz"
        kinds = {"npz": "Arrays (*.npz)"}
        title = "Export every array of the episode"
        ask_save_path(self._window, title, name, kinds, lambda path: self.start(Path(path)))

    def start(self, path: Path) -> None:
        """Export the shown episode once all of it is known."""
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
            self._end(say("export.other_episode"))
        elif playing is not None and self._complete(playing):
            arrays = arrays_of(playing)
            self._thread = threading.Thread(target=self._write, args=(arrays,), name="dqngui-arrays", daemon=True)
            self._thread.start()
        elif playing is not None:
            player.play_until(playing.length + AHEAD)

    @staticmethod
    def _complete(playing: PlayedEpisode) -> bool:
        """Whether all steps are known with all views; a driven episode counts as complete."""
        wanted = {view.name for view in playing.ready.derivable}
        description = wanted <= set(playing.views) and (playing.has_views or not playing.ready.views)
        return description and bool(playing.length) and (playing.ended or playing.request.person_drives)

    def _write(self, arrays: Arrays) -> None:
        try:
            write_arrays(self._path, arrays)
        except OSError as error:
            self._problem = say("export.problem", path=self._path, problem=error.strerror or error)
        except Exception as error:  # otherwise it would be called saved
            self._problem = say("export.problem", path=self._path, problem=f"{type(error).__name__}: {error}")

    def _end(self, reason: Text | str) -> None:
        self.busy, self._thread = False, None
        self._timer.stop()
        self.ended.emit("" if reason == "left" else words(reason) or f"arrays saved as {self._path.name}")
        if reason == "":
            show_saved(self._window, self._path)
        elif reason != "left":
            show_problem(self._window, "Export arrays", words(say("export.nothing_written", problem=reason)))

    # -- when the window closes --------------------------------------------------------------------

    def stop(self) -> None:
        """Cancel the export, unless the file is being written."""
        if self.busy and self._thread is None:
            self._end("left")

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def join(self) -> None:
        """Wait until the thread has ended; call `stop` first."""
        if self._thread is not None:
            self._thread.join()


class Exports:
    """Several exports as one background task."""

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
