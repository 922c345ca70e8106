"""Takes pictures of the real window in every state, size and theme, and makes a contact sheet for each state.

    python -m tests.gui.gallery FOLDER        (two to three minutes on two cores)

Each size runs in its own process, because Qt reads its scale factor only once. There the window is taken through its
states with real runs; both themes are taken at the same moment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, QRect, QSettings, Qt, QTimer
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from dqngui import presets
from dqngui import settings as experiments
from dqngui.gui.app.app import App
from dqngui.lab.session.states import Action, State

SIZES = {"1280x800": (1280, 800, 1), "2560x1440": (2560, 1440, 1), "1280x800-200%": (1280, 800, 2)}
STATES = ("first-launch", "training", "watch", "paused", "stored", "failed")
THEMES = ("dark", "light")
QUICK = {"run.total_steps": 60_000, "run.eval_every": 2_000, "run.eval_episodes": 5, "run.checkpoint_every": 4_000}
TWEAKS = {2_500: ("learn.lr", 7e-4), 4_500: ("learn.epsilon", 0.08)}
TRAINED, PATIENCE_S, POLL_MS = 7_000, 240.0, 50
CELL_PX = 900

Condition = Callable[[], bool]


class Gallery(QObject):
    """Takes one window through its states, and a picture of each state."""

    def __init__(self, app: App, folder: Path, name: str) -> None:
        super().__init__(app)
        self._app, self._folder, self._name = app, folder, name
        self.problems: list[str] = []
        self._steps = self._states()
        self._waits_for: Condition = next(self._steps)
        self._since = time.monotonic()
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._advance)
        self._timer.start()

    def _advance(self) -> None:
        late = time.monotonic() - self._since > PATIENCE_S
        if not late and not self._waits_for():
            return
        if late:
            self.problems.append(f"{self._name}: waited too long in state {self._app.session.state}")
        try:
            self._waits_for = next(self._steps)
            self._since = time.monotonic()
        except StopIteration:
            self._timer.stop()
            self._app.closing.begin(ask=False)

    def _states(self) -> Iterator[Condition]:
        app, session, window = self._app, self._app.session, self._app.window
        yield lambda: app.shown_at > 0 and session.torch_loaded
        yield self._plays(60)
        self._shoot("first-launch")
        session.edit(QUICK)
        session.do(Action.START)
        for step, (path, value) in TWEAKS.items():
            yield lambda step=step: session.run.step >= step
            session.set_knob(path, value)
        yield lambda: session.run.step >= TRAINED
        yield self._plays(20)
        self._shoot("training")
        window.arrange("watch")
        yield self._passed(1.0)
        yield self._plays(40)
        self._shoot("watch")
        window.arrange("train")
        session.do(Action.PAUSE)
        yield lambda: session.state is State.PAUSED
        yield self._passed(0.5)
        self._shoot("paused")
        session.do(Action.STOP)
        yield lambda: session.state is State.STOPPED
        folder = session.run.folder
        session.do(Action.NEW_RUN)
        assert folder is not None
        session.open_stored(folder)
        yield lambda: session.state is State.STORED
        yield self._passed(3.0)
        yield self._plays(5)
        self._shoot("stored")
        session.do(Action.NEW_RUN)
        session.edit({"env.id": "tests.gui.raising:Raising-v0"})
        session.edit(  # it fails in the run, and not while it is tried
            {"env.kwargs": {"breaks_at": 4_000}, "env.num_envs": 1, "run.eval_every": 50_000, "learn.warmup": 1_000}
        )
        session.do(Action.START)
        yield lambda: session.state in (State.RUNNING, State.FAILED)  # it is tried first, and then its process starts
        yield lambda: session.state is State.FAILED
        yield lambda: window.banner.isVisible() and "does not answer" in window.banner.text.text()
        yield lambda: any(each.state == "failed" for each in app.library.summaries)
        yield self._passed(1.0)
        self._shoot("failed")

    def _plays(self, steps: int) -> Condition:
        """Whether the player shows this step of an episode or a later one, or the episode's end."""

        def plays() -> bool:
            playing = self._app.player.playing
            return playing is not None and playing.t >= (min(steps, playing.length - 1) if playing.ended else steps)

        return plays

    @staticmethod
    def _passed(seconds: float) -> Condition:
        until = time.monotonic() + seconds
        return lambda: time.monotonic() >= until

    def _shoot(self, state: str) -> None:
        window, player = self._app.window, self._app.player
        player.pause()  # so that no picture is taken between two episodes
        for theme in THEMES:
            window.set_theme(theme)
            for _ in range(5):
                QApplication.processEvents()
            window.panel_docks.refresh()
            QApplication.processEvents()
            path = self._folder / f"{state}-{self._name}-{theme}.png"
            if not window.grab().save(str(path)):
                self.problems.append(f"cannot write {path}")
        player.play()


def take(folder: Path, name: str) -> int:
    """Take all pictures of one size, in this process."""
    width, height, _ = SIZES[name]
    qt = QApplication(["dqngui"])
    qt.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        settings = QSettings(f"{temporary}/settings.ini", QSettings.Format.IniFormat)
        experiment = experiments.with_settings(presets.read_experiment("cartpole-positions"), {"run.device": "cpu"})
        app = App(experiment, runs=Path(temporary) / "runs", settings=settings, theme="dark")
        app.window.resize(width, height)
        gallery = Gallery(app, folder, name)
        app.window.show()
        qt.exec()
    for problem in gallery.problems:
        print(problem, file=sys.stderr)
    return 1 if gallery.problems else 0


def contact_sheet(folder: Path, state: str) -> Path:
    """Write one picture with all sizes and themes of one state."""
    rows = [[QImage(str(folder / f"{state}-{name}-{theme}.png")) for theme in THEMES] for name in SIZES]
    heights = [max(CELL_PX * image.height() // max(1, image.width()) for image in row) for row in rows]
    sheet = QImage(len(THEMES) * CELL_PX, sum(heights), QImage.Format.Format_RGB32)
    sheet.fill(Qt.GlobalColor.gray)
    painter = QPainter(sheet)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for number, row in enumerate(rows):
        for column, image in enumerate(row):
            place = QRect(column * CELL_PX, sum(heights[:number]), CELL_PX, heights[number])
            painter.drawImage(place.adjusted(4, 4, -4, -4), image)
    painter.end()
    path = folder / f"sheet-{state}.png"
    sheet.save(str(path))
    return path


def main(folder: Path) -> int:
    """Take every size in its own process, then make the contact sheets; return 0 on success."""
    folder.mkdir(parents=True, exist_ok=True)
    status = 0
    with tempfile.TemporaryDirectory() as temporary:
        for name, (width, height, scale) in SIZES.items():
            screen = {"name": "A", "x": 0, "y": 0, "width": width * scale, "height": height * scale}
            config = Path(temporary) / "screen.json"
            config.write_text(json.dumps({"screens": [screen | {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}]}))
            env = os.environ | {
                "QT_QPA_PLATFORM": f"offscreen:configfile={config}",
                "QT_SCALE_FACTOR": str(scale),
                "OMP_NUM_THREADS": "1",
            }
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "tests.gui.gallery", str(folder), name], env=env, timeout=1_200
            )
            status = status or done.returncode
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    for state in STATES:
        print(f"wrote {contact_sheet(folder, state)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(take(Path(sys.argv[1]), sys.argv[2]) if len(sys.argv) > 2 else main(Path(sys.argv[1])))
