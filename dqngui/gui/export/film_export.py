"""The Agent card's *Export film*: asks for a file, films the episode beside everything else, says how far it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from dqngui import catalog
from dqngui.gui.cards.panel import Panel, PanelsInSight
from dqngui.gui.export.film import Filming
from dqngui.gui.widgets.save_dialog import ask_save_path, show_problem
from dqngui.lab.analysis.overlay import WeightsOverlay
from dqngui.lab.playback.player import Player

MESSAGE_MS = 6000
_KINDS = {"mp4": "Film (*.mp4)", "gif": "Animated picture, at most 20 s (*.gif)"}


class FilmExport(QObject):
    """Exports films of the episode that the player shows, one at a time.

    Attributes:
        filming: the export under way; None without one.
        words: what to say of it; empty when there is nothing to say.
        cards: tells which panels can be seen; None: nobody does.
        sees, overlay: what the agent sees is filmed too, with an overlay.

    Signals:
        changed: look at both again.
    """

    changed = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._player: Player | None = None
        self.filming: Filming | None = None
        self._ended: Filming | None = None  # the last one; its thread may still remove half a film
        self.words = ""
        self.cards: PanelsInSight | None = None
        self.sees = False
        self.overlay: WeightsOverlay | None = None
        self._before: tuple[tuple[bool, bool], tuple[int, int]] = ((True, False), (640, 480))
        self._clear_timer = QTimer(self, singleShot=True, interval=MESSAGE_MS)
        self._clear_timer.timeout.connect(lambda: self.show_text(""))

    def attach(self, player: Player) -> None:
        """Film what this player plays."""
        self._player = player

    @Slot()
    def toggle(self) -> None:
        """Ask where to put a film of the episode; while one is made, give it up."""
        if self.filming is not None:
            self.filming.cancel()
        elif self._player is not None and self._player.playing is not None:
            name = f"episode-{self._player.playing.seed}.mp4"
            ask_save_path(self._window, "Export film of the episode", name, _KINDS, lambda path: self.start(Path(path)))

    def start(self, path: Path) -> None:
        """Film the present episode from its first step to its end, with what the agent sees and cards inside it."""
        player = self._player
        if player is None or self.filming is not None:
            return
        self._before = player.in_sight, player.frames.size
        panels = [kind() for kind in self._film_panels()]
        self.filming = Filming(player, panels, path, self, sees=self.sees, overlay=self.overlay)
        self.filming.progressed.connect(self._on_progress)
        self.filming.ended.connect(self._on_ended)
        self.show_text("film: the episode is played to its end")
        self.filming.start()

    def _film_panels(self) -> list[type[Panel]]:
        """The panels that look inside the agent and can be seen now; without any, all of them."""
        every: dict[str, type[Panel]] = {name: catalog.load(entry) for name, entry in catalog.PANELS.items()}
        inside = {name: kind for name, kind in every.items() if kind.views}
        seen = self.cards.in_sight if self.cards is not None else []
        return [kind for name, kind in inside.items() if name in seen] or list(inside.values())

    # -- when the window closes --------------------------------------------------------------------

    def stop(self) -> None:
        """Give the film up."""
        if self.filming is not None:
            self.filming.cancel()

    @property
    def alive(self) -> bool:
        return self.filming is not None or (self._ended is not None and self._ended.alive)

    def join(self) -> None:
        """Wait for the film's thread; after `stop`."""
        if self._ended is not None:
            self._ended.join()

    # -- progress ----------------------------------------------------------------------------------

    @Slot(int, int)
    def _on_progress(self, done: int, frames: int) -> None:
        if frames:
            self.show_text(f"film: {100 * done // frames} % of {frames:,} frames")

    @Slot(str)
    def _on_ended(self, reason: str) -> None:
        filming, player = self.filming, self._player
        assert filming is not None and player is not None
        self.filming, self._ended = None, filming
        (pictures, views), size = self._before
        player.draw_at(size)
        player.show_in(pictures=pictures, views=views)
        self.show_text(
            "film: cancelled" if reason == "cancelled" else "" if reason else f"film saved as {filming.path.name}"
        )
        self._clear_timer.start()
        if reason not in ("", "cancelled"):
            show_problem(self._window, "Export film", f"The film could not be made: {reason}")
        filming.deleteLater()

    def show_text(self, words: str, *, briefly: bool = False) -> None:
        """Say something else; `briefly` for a few seconds."""
        self._clear_timer.stop()
        if words != self.words:
            self.words = words
            self.changed.emit()
        if briefly:
            self._clear_timer.start()
