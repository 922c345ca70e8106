"""Closes the window in order: save, end the job, end background work, then quit. It never blocks the event loop."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from dqngui.gui.app.torch_loader import TorchLoader
from dqngui.gui.widgets.plain_label import plain_box
from dqngui.lab.background.task import BackgroundTask
from dqngui.lab.session.session import Session
from dqngui.runs.resume import NEW
from dqngui.texts import say, words

POLL_MS = 30
PATIENCE_S = 10.0
WORTH_ASKING_S = 30.0
HANG_S = 4.0
"""After so long, and again, a step of the environment that does not return is interrupted, so that the run is saved."""
LAST_S = 25.0
"""Where nobody may be there to answer, the program ends after so long, unless the run is being written."""


class Closing(QObject):
    """Closes the program for every trigger: close button, Ctrl+C, SIGTERM, log-out and `--quit-after`.

    Attributes:
        leave: function that ends the process at once, with an exit status.
        patience: seconds after which it offers to quit without saving.
        hang: seconds after which a step that does not return is interrupted.
        last: seconds after which it quits without saving if nobody is asked.

    Signals:
        begun: closing has begun: the run is being saved, and nothing new may start.
        finished: every thread and process has ended.
    """

    begun = Signal()
    finished = Signal()

    def __init__(
        self,
        session: Session,
        torch: TorchLoader,
        window: QWidget,
        *,
        parts: Sequence[BackgroundTask] = (),
    ) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        self._parts = parts
        self._awaited: tuple[BackgroundTask | TorchLoader, ...] = (*parts, torch)
        self.leave: Callable[[int], None] = os._exit
        self.patience, self.hang, self.last = PATIENCE_S, HANG_S, LAST_S
        self._since: float | None = None
        self._attended = True  # somebody is there to answer a question
        self._begun = self._interrupted = 0.0
        self.done = False
        self.dialog: QMessageBox | None = None
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._poll)

    def begin(self, *, ask: bool = True) -> None:
        """Begin to close. `ask`: somebody is there to answer questions: first if much training would be lost, later if
        the run cannot be saved.
        """
        self._attended = self._attended and ask
        if self.done or self._since is not None:
            return
        lost = self._session.seconds_unsaved(time.perf_counter())
        if ask and lost > WORTH_ASKING_S:
            self._question(words(say("window.unsaved", minutes=lost / 60)), "Quit", self._go)
            return
        self._go()

    def force(self) -> None:
        """Exit now without saving; the log is on the disk."""
        self._session.kill()
        for part in self._parts:
            part.stop()
        self.leave(1)

    def _go(self) -> None:
        if self._since is not None:
            return
        self._since = self._begun = self._interrupted = time.monotonic()
        self._session.close()
        for part in self._parts:
            part.stop()
        self.begun.emit()
        self._timer.start()  # later, because Qt ignores a close inside a close event

    @Slot()
    def _poll(self) -> None:
        assert self._since is not None
        if not self._session.job.active and not any(part.alive for part in self._awaited):
            self._timer.stop()
            for part in self._awaited:
                part.join()
            if self.dialog is not None:
                self.dialog.close()
            self.done = True
            self.finished.emit()
            return
        now = time.monotonic()
        if self._session.job.active and now - self._interrupted > self.hang:
            self._interrupted = now
            if not self._attended:
                print(say("window.waiting", seconds=now - self._begun), file=sys.stderr)
            self._session.job.interrupt()
        if not self._attended and now - self._begun > self.last and not self._writing:
            print(say("window.left"), file=sys.stderr)
            self.force()
        elif self._attended and now - self._since > self.patience and self.dialog is None:
            waiting_for = say("window.saving") if self._session.job.active else say("window.loading")
            self._question(words(waiting_for), "Quit without saving", self.force)

    @property
    def _writing(self) -> bool:
        """Whether the state of the run is being written now."""
        folder = self._session.run.folder
        return folder is not None and (folder / NEW).exists()

    def _question(self, text: str, button: str, then: Callable[[], None]) -> None:
        if self.dialog is not None:
            self.dialog.close()
        dialog = plain_box(QMessageBox.Icon.Warning, "Quit", text, self._window)
        leave: QPushButton = dialog.addButton(button, QMessageBox.ButtonRole.DestructiveRole)
        stay = dialog.addButton("Wait" if self._since else "Stay", QMessageBox.ButtonRole.RejectRole)
        dialog.setDefaultButton(stay)
        leave.clicked.connect(then)
        dialog.finished.connect(self._forget_dialog)
        self.dialog = dialog
        dialog.open()

    @Slot()
    def _forget_dialog(self) -> None:
        if self._since is not None:
            self._since = time.monotonic()  # the user chose to wait: ask again later
        self.dialog = None
