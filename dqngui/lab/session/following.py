"""Goes live by itself: a stored run in the window that another process begins to train is watched from then on."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from dqngui.hosts.elsewhere import is_elsewhere
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State

LOOK_MS = 2_000
_AT_REST = (State.STORED, State.STOPPED, State.FINISHED, State.FAILED)


class Following(QObject):
    """Looks whether another process trains the run that the window shows and does not train itself."""

    def __init__(self, session: Session, timing: Timing | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._timer = TickTimer(LOOK_MS, timing or Timing(), parent=self)
        self._timer.ticked.connect(self.tick)

    def start(self) -> None:
        """Look from now on."""
        self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    @Slot()
    def tick(self) -> None:
        """Watch the run if another process has begun to train it. A draft that waits is not thrown away for that."""
        session, folder = self._session, self._session.run.folder
        at_rest = session.state in _AT_REST and not session.job.active and not session.log.reading
        if at_rest and folder is not None and not session.draft.changes and is_elsewhere(folder):
            session.open_stored(folder)
