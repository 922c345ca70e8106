"""Draws the README's pictures: a real window, a real run of the default experiment, two real tweaks.

    python -m tests.gui.readme_pictures FOLDER        (one to two minutes on two cores)

Both themes are taken from the one run, while it trains, after it has visibly learned.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from dqngui import presets
from dqngui.gui.app import App
from dqngui.gui.states import State

SIZE = (1600, 1000)
TWEAKS = {15_000: ("learn.lr", 7e-4), 25_000: ("learn.epsilon", 0.08)}
FIRST_AT, LEARNED, LATER = 40_000, 450.0, 2_000
"""The pictures are taken from this step on, once an evaluation has reached this return, so many steps later."""
POLL_MS = 50


class Photographer(QObject):
    """Turns the knobs at their steps, takes the pictures and closes the window."""

    def __init__(self, app: App, folder: Path) -> None:
        super().__init__(app)
        self._app, self._folder = app, folder
        self._tweaks = dict(TWEAKS)
        self._learned_at: int | None = None
        self.done = False
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        session = self._app.session
        for step in [step for step in self._tweaks if session.step >= step]:
            session.set_knob(*self._tweaks.pop(step))
        over = not session.active and session.state is not State.READY
        if self._learned_at is None and session.best is not None and session.best >= LEARNED:
            self._learned_at = session.step
        learned = self._learned_at is not None and session.step >= max(FIRST_AT, self._learned_at + LATER)
        if not learned and not over:
            return
        self._timer.stop()
        if learned:
            for theme in ("dark", "light"):
                self._app.window.set_theme(theme)
                for _ in range(5):
                    QApplication.processEvents()
                path = self._folder / f"window-{theme}.png"
                self.done = self._app.window.grab().save(str(path))
                print(f"wrote {path}" if self.done else f"cannot write {path}", file=sys.stderr)
        else:
            print(f"no pictures: no evaluation reached {LEARNED:g}", file=sys.stderr)
        self._app.closing.begin(ask=False)


def main(folder: Path) -> int:
    """Train, take the pictures, and return 0 if they were written."""
    qt = QApplication(["dqngui"])
    qt.setQuitOnLastWindowClosed(False)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        settings = QSettings(f"{temporary}/settings.ini", QSettings.Format.IniFormat)
        app = App(presets.read_experiment("cartpole-positions"), runs=Path(temporary), settings=settings, theme="dark")
        app.window.resize(*SIZE)
        app.window.shown.connect(app.session.start)
        photographer = Photographer(app, folder)
        app.window.show()
        qt.exec()
    return 0 if photographer.done else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
