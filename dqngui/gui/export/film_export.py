"""The Agent card's *Export film*: asks for a file, exports the film in the background, and reports progress."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from dqngui import catalog
from dqngui.gui.cards.panel import Panel, PanelsInSight
from dqngui.gui.export.film import CANCELLED, Filming
from dqngui.gui.widgets.save_dialog import ask_save_path, show_problem
from dqngui.gui.widgets.saved_note import show_saved
from dqngui.lab.analysis.overlay import WeightsOverlay
from dqngui.lab.playback.player import Player
from dqngui.texts import Text, say, words

MESSAGE_MS = 6000
_KINDS = {"mp4": "Film (*.mp4)", "gif": "Animated picture, at most 20 s (*.gif)"}


class FilmExport(QObject):
    """Exports films of the episode that the player shows, one at a time.

    Attributes:
        filming: the running export; None without one.
        words: text about its progress; may be empty.
        cards: knows the visible panels; may be None.
        sees, overlay: whether the observation is filmed too, and its overlay.
        lines: whether lines of attention are drawn in the picture.

    Signals:
        changed: `filming` or `words` changed.
    """

    changed = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._player: Player | None = None
        self.filming: Filming | None = None
        self._ended: Filming | None = None  # the last film; its thread may still delete an unfinished file
        self.words = ""
        self.cards: PanelsInSight | None = None
        self.sees = False
        self.overlay: WeightsOverlay | None = None
        self.lines = False
        self._before: tuple[tuple[bool, bool], tuple[int, int]] = ((True, False), (640, 480))
        self._clear_timer = QTimer(self, singleShot=True, interval=MESSAGE_MS)
        self._clear_timer.timeout.connect(lambda: self.show_text(""))

    def attach(self, player: Player) -> None:
        """Set the player whose episode is filmed."""
        self._player = player

    @Slot()
    def toggle(self) -> None:
        """Ask for a file name and start a film; while one is being made, cancel it."""
        if self.filming is not None:
            self.filming.cancel()
        elif self._player is not None and self._player.playing is not None:
            name = f"episode-{self._player.playing.seed}.mp4"
            ask_save_path(self._window, "Export film of the episode", name, _KINDS, lambda path: self.start(Path(path)))

    def start(self, path: Path) -> None:
        """Film the whole present episode, with the observation and with cards about the agent's internals."""
        player = self._player
        if player is None or self.filming is not None:
            return
        self._before = player.in_sight, player.frames.size
        panels = [kind() for kind in self._film_panels()]
        self.filming = Filming(player, panels, path, self, sees=self.sees, overlay=self.overlay, lines=self.lines)
        self.filming.progressed.connect(self._on_progress)
        self.filming.ended.connect(self._on_ended)
        self.show_text("film: the episode is played to its end")
        self.filming.start()

    def _film_panels(self) -> list[type[Panel]]:
        """The visible panels about the agent's internals, or all of them if none is visible."""
        every: dict[str, type[Panel]] = {name: catalog.load(entry) for name, entry in catalog.PANELS.items()}
        inside = {name: kind for name, kind in every.items() if kind.views}
        seen = self.cards.in_sight if self.cards is not None else []
        return [kind for name, kind in inside.items() if name in seen] or list(inside.values())

    # -- when the window closes --------------------------------------------------------------------

    def stop(self) -> None:
        """Cancel the film."""
        if self.filming is not None:
            self.filming.cancel()

    @property
    def alive(self) -> bool:
        return self.filming is not None or (self._ended is not None and self._ended.alive)

    def join(self) -> None:
        """Wait until the film's thread has ended; call `stop` first."""
        if self._ended is not None:
            self._ended.join()

    # -- progress ----------------------------------------------------------------------------------

    @Slot(int, int)
    def _on_progress(self, done: int, frames: int) -> None:
        if frames:
            self.show_text(f"film: {100 * done // frames} % of {frames:,} frames")

    @Slot(object)
    def _on_ended(self, reason: Text | str) -> None:
        filming, player = self.filming, self._player
        assert filming is not None and player is not None
        self.filming, self._ended = None, filming
        (pictures, views), size = self._before
        player.draw_at(size)
        player.show_in(pictures=pictures, views=views)
        self.show_text(
            "film: cancelled" if reason == CANCELLED else "" if reason else f"film saved as {filming.path.name}"
        )
        self._clear_timer.start()
        if reason == "":
            show_saved(self._window, filming.path)
        elif reason != CANCELLED:
            show_problem(self._window, "Export film", words(say("export.no_film", problem=reason)))
        filming.deleteLater()

    def show_text(self, words: str, *, briefly: bool = False) -> None:
        """Show another text; `briefly`: for a few seconds."""
        self._clear_timer.stop()
        if words != self.words:
            self.words = words
            self.changed.emit()
        if briefly:
            self._clear_timer.start()
