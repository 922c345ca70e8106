"""The question, when the window is closed, whether the worker that it started goes on."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from dqngui.gui.app.closing import Closing
from dqngui.gui.style.plural import counted
from dqngui.gui.widgets.plain_label import plain_box
from dqngui.lab.queue.run_queue import RunQueue


class WorkerQuestion(QObject):
    """Asks a person who closes the window while its worker trains; where nobody asks, training goes on.

    Attributes:
        dialog: the open question; None without one.
    """

    def __init__(self, queue: RunQueue, closing: Closing, window: QWidget) -> None:
        super().__init__(window)
        self._queue, self._closing, self._window = queue, closing, window
        self.dialog: QMessageBox | None = None
        closing.begun.connect(self._close)

    @Slot()
    def ask(self) -> None:
        """Begin to close the window, after the question if there is one."""
        if not self._queue.trains or self._closing.has_begun:
            self._closing.begin()
            return
        if self.dialog is not None:
            self.dialog.raise_()
            return
        dialog = plain_box(QMessageBox.Icon.Question, "Quit", self._text(), self._window)
        end = dialog.addButton("Save and stop all", QMessageBox.ButtonRole.DestructiveRole)
        end.setToolTip("Each run is saved and waits in the queue")
        go_on = dialog.addButton("Let training go on", QMessageBox.ButtonRole.AcceptRole)
        go_on.setToolTip("The worker trains the queue to its end without this window")
        stay = dialog.addButton(QMessageBox.StandardButton.Cancel)
        dialog.setDefaultButton(go_on)
        dialog.setEscapeButton(stay)
        end.clicked.connect(self._end)
        go_on.clicked.connect(self._go_on)
        dialog.finished.connect(self._forget)
        self.dialog = dialog
        dialog.open()

    def _text(self) -> str:
        rows = self._queue.rows
        running = sum(row.entry.state == "running" for row in rows)
        waiting = sum(row.entry.state == "waiting" for row in rows)
        parts = [f"{counted(running, 'run')} in training"] if running else []
        parts += [f"{counted(waiting, 'run')} waiting"] if waiting else []
        return f"The queue has {' and '.join(parts)}. Its training can go on without this window."

    @Slot()
    def _end(self) -> None:
        self._queue.end_worker()
        self._closing.begin()

    @Slot()
    def _go_on(self) -> None:
        self._closing.begin()

    @Slot()
    def _close(self) -> None:
        if self.dialog is not None:
            self.dialog.close()

    @Slot()
    def _forget(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = None
