"""Remembers a run that trained when the window closed or died, and offers to resume it at the next launch."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Slot
from PySide6.QtGui import QAction, QKeySequence

from dqngui.config import ConfigError
from dqngui.gui.main_window.banner import Banner
from dqngui.gui.style import theme as themes
from dqngui.lab.session.run import RunState
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import ACTIVE, Action, State
from dqngui.runs.folder import read_experiment
from dqngui.texts import say, words

KEY = "unfinished_run"
KEYS = "Ctrl+Shift+R"


class UnfinishedRun(QObject):
    """Keeps in the settings which run trains here, until a person stops it or it ends.

    Attributes:
        offered: the action that resumes the run of the last launch.
    """

    def __init__(self, session: Session, settings: QSettings, banner: Banner, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._settings, self._banner = session, settings, banner
        self._closing = False
        self._resumes: Path | None = None  # once its log is read
        self.offered = QAction("Resume it", self)
        self.offered.setShortcut(QKeySequence(KEYS))
        self.offered.setToolTip(f"Open that run and train on ({KEYS})")
        self.offered.setIcon(themes.icon("restart"))
        self.offered.setEnabled(False)
        self.offered.triggered.connect(self._resume)
        self._folder: Path | None = None
        session.changed.connect(self._follow)

    def offer(self) -> bool:
        """Say in the banner which run was training when the last window closed; returns whether there is one."""
        stored = str(self._settings.value(KEY, ""))
        self._settings.remove(KEY)
        found = _resumable(Path(stored)) if stored else None
        if found is None or self._session.state is not State.READY:
            return False
        run, self._folder = found, Path(stored)
        self.offered.setEnabled(True)
        title = run.experiment.title or run.experiment.env.id
        total = run.experiment.run.total_steps
        text = words(say("window.unfinished", title=title, step=run.checkpoint, total=total))
        self._banner.show_text(text, "muted", action=self.offered)
        return True

    def closing(self) -> None:
        """Keep the run that trains now for the next launch: it ends only because the window closes."""
        self._closing = True

    @Slot()
    def _follow(self) -> None:
        session = self._session
        if self._resumes is not None and session.run.folder != self._resumes:
            self._resumes = None
        if self._resumes is not None and Action.RESUME_RUN in session.allowed:
            self._resumes = None
            session.do(Action.RESUME_RUN)
        if session.state is not State.READY and self.offered.isEnabled():
            self.offered.setEnabled(False)
            self._banner.hide()
        folder = session.run.folder
        if self._closing:
            return
        if session.state in (State.RUNNING, State.PAUSED) and folder is not None:
            self._settings.setValue(KEY, str(folder.absolute()))
        elif session.state not in ACTIVE and session.state is not State.READY:
            self._settings.remove(KEY)

    @Slot()
    def _resume(self) -> None:
        folder = self._folder
        if folder is not None and self._session.open_stored(folder):
            self._resumes = folder
            self._follow()


def _resumable(folder: Path) -> RunState | None:
    """The state of a stored run that can be resumed; None if it cannot."""
    try:
        experiment = read_experiment(folder)
    except ConfigError:
        return None
    run = RunState(experiment)
    run.open_folder(folder, experiment)
    return run if run.resumable and not run.complete and run.checkpoint else None
