"""Saves screenshots of the window while it runs; file names contain time, state and theme."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Slot

from dqngui.gui.main_window.window import Window
from dqngui.gui.style import theme as themes
from dqngui.lab.session.states import State
from dqngui.texts import Text, say

SETTLE_MS = 400
MOMENTS_S = (5, 15, 30, 60, 120, 300, 900, 3600)
"""Seconds of training after which a screenshot is taken."""


class Screenshots(QObject):
    """Takes a screenshot after each change of state, and at `MOMENTS_S` during training.

    Attributes:
        taken: the files written.
        problem: why the last screenshot was not written; "" if none failed.
    """

    def __init__(self, window: Window, folder: Path) -> None:
        super().__init__(window)
        self._window, self._folder = window, folder
        self._state: State | None = None
        self.taken: list[Path] = []
        self.problem: Text | str = ""
        self._running: list[QTimer] = []
        window.session.changed.connect(self._on_changed)
        window.shown.connect(self._on_changed)

    @Slot()
    def _on_changed(self) -> None:
        state = self._window.session.state
        if state is self._state:
            return
        if state is State.RUNNING and not self._running:
            for seconds in MOMENTS_S:
                timer = QTimer(self, singleShot=True, interval=1000 * seconds)
                timer.timeout.connect(lambda seconds=seconds: self.take(f"after-{seconds}-s"))
                timer.start()
                self._running.append(timer)
        self._state = state
        QTimer.singleShot(SETTLE_MS, self, lambda: self.take(str(state)))

    def take(self, name: str) -> None:
        """Take a picture now."""
        path = self._folder / f"{len(self.taken):02}-{name}-{themes.current().name}.png"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.problem = say("window.no_folder", folder=self._folder, problem=error.strerror)
            return
        if self._window.grab().save(str(path)):
            self.taken.append(path)
        else:
            self.problem = say("window.no_picture", path=path)
