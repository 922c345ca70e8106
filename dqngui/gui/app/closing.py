"""Closes the window in order: save, end the job, end background work, then quit. It never blocks the event loop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from dqngui.gui.app.torch_loader import TorchLoader
from dqngui.gui.widgets.plain_label import plain_box
from dqngui.lab.background.task import BackgroundTask
from dqngui.lab.session.session import Session
from dqngui.texts import say, words

POLL_MS = 30
PATIENCE_S = 10.0
WORTH_ASKING_S = 30.0


class Closing(QObject):
    """Closes the program for every trigger: close button, Ctrl+C, SIGTERM, log-out and `--quit-after`.

    Attributes:
        leave: function that ends the process at once, with an exit status.
        patience: seconds after which it offers to quit without saving.

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
        self.patience = PATIENCE_S
        self._since: float | None = None
        self.done = False
        self.dialog: QMessageBox | None = None
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._poll)

    def begin(self, *, ask: bool = True) -> None:
        """Begin to close; ask first if much training would be lost."""
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
        self._since = time.monotonic()
        self._session.stop()
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
        elif time.monotonic() - self._since > self.patience and self.dialog is None:
            waiting_for = say("window.saving") if self._session.job.active else say("window.loading")
            self._question(words(waiting_for), "Quit without saving", self.force)

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
