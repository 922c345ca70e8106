"""Takes the README's pictures: the real window with a real run of the default experiment and two tweaks.

    python -m tests.gui.readme_pictures FOLDER        (one to two minutes on two cores)

Both themes and the Watch arrangement are taken from the same run, while it trains, after an evaluation was good.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from dqngui import presets
from dqngui.gui.app.app import App
from dqngui.lab.session.states import State

SIZE = (1600, 1000)
TWEAKS = {15_000: ("learn.lr", 7e-4), 25_000: ("learn.epsilon", 0.08)}
MIN_STEP, LEARNED_RETURN, STEPS_AFTER = 40_000, 450.0, 2_000
"""Pictures are taken `STEPS_AFTER` steps after an evaluation reached this return, at `MIN_STEP` at the earliest."""
WATCHED_STEP = 150  # step of the playing episode in the picture of the Watch arrangement
POLL_MS = 50


Theme = Literal["dark", "light"]


class Photographer(QObject):
    """Sets the knobs at their steps, takes the pictures and closes the window."""

    def __init__(self, app: App, folder: Path) -> None:
        super().__init__(app)
        self._app, self._folder = app, folder
        self._tweaks = dict(TWEAKS)
        self._learned_at: int | None = None
        self._patience_ms = 60_000
        self._written: list[bool] = []
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._advance)
        self._timer.start()

    @property
    def done(self) -> bool:
        """Whether all three pictures are on disk."""
        return len(self._written) == 3 and all(self._written)

    def _advance(self) -> None:
        session = self._app.session
        for step in [step for step in self._tweaks if session.run.step >= step]:
            session.set_knob(*self._tweaks.pop(step))
        over = not session.job.active and session.state is not State.READY
        if self._learned_at is None and session.run.best is not None and session.run.best >= LEARNED_RETURN:
            self._learned_at = session.run.step
        learned = self._learned_at is not None and session.run.step >= max(MIN_STEP, self._learned_at + STEPS_AFTER)
        if not learned and not over:
            return
        self._timer.stop()
        if learned:
            for theme in ("light", "dark"):
                self._take(f"window-{theme}", theme)
            self._app.window.arrange("watch")
            self._timer.timeout.disconnect()
            self._timer.timeout.connect(self._take_watching)
            self._timer.start()
        else:
            print(f"no pictures: no evaluation reached {LEARNED_RETURN:g}", file=sys.stderr)
            self._app.closing.begin(ask=False)

    def _take_watching(self) -> None:
        """Take the last picture once an episode has reached its step, or after a time limit."""
        playing = self._app.player.playing
        self._patience_ms -= POLL_MS
        if self._patience_ms > 0 and (playing is None or playing.t < WATCHED_STEP):
            return
        self._timer.stop()
        self._take("watch-dark", "dark")
        self._app.closing.begin(ask=False)

    def _take(self, name: str, theme: Theme) -> None:
        self._app.window.set_theme(theme)
        for _ in range(5):
            QApplication.processEvents()
        path = self._folder / f"{name}.png"
        written = self._app.window.grab().save(str(path))
        self._written.append(written)
        print(f"wrote {path}" if written else f"cannot write {path}", file=sys.stderr)


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
