"""The title of the window: task, state and progress of the run, for the list of windows and the task bar."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QMainWindow

from dqngui.gui.main_window.header import STATE_WORDS
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import ACTIVE

REFRESH_MS = 1000


def title_of(session: Session) -> str:
    """`CartPole, positions only – Training 42 % – dqngui`."""
    run = session.run
    state = STATE_WORDS[session.state][0]
    if session.state in ACTIVE or run.step:
        state = f"{state} {100 * min(1.0, run.step / run.experiment.run.total_steps):.0f} %"
    return f"{run.experiment.title or run.experiment.env.id} – {state} – dqngui"


class WindowTitle(QObject):
    """Keeps the title of a window up to date, once a second while a run trains."""

    def __init__(self, session: Session, window: QMainWindow) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self._show)
        session.changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the title, and keep it up to date while the run trains."""
        self._show()
        if self._session.job.active and not self._timer.isActive():
            self._timer.start()
        elif not self._session.job.active:
            self._timer.stop()

    def stop(self) -> None:
        """Stop refreshing."""
        self._timer.stop()

    @Slot()
    def _show(self) -> None:
        title = title_of(self._session)
        if title != self._window.windowTitle():
            self._window.setWindowTitle(title)
