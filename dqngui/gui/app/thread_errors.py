"""Shows errors that a background thread did not handle itself, instead of only printing them on the console."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, QTimer, Slot

POLL_MS = 250
Show = Callable[[type[BaseException], BaseException, TracebackType | None], None]


class ThreadErrors(QObject):
    """Collects what threads raise while it runs; a timer passes it on, so that no signal crosses threads.

    Args:
        show: called in the thread of the window with the error's type, the error and its traceback.
    """

    def __init__(self, show: Show, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._show = show
        self._raised: queue.SimpleQueue[threading.ExceptHookArgs] = queue.SimpleQueue()
        self._before = threading.excepthook
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._pass_on)

    def start(self) -> None:
        """Collect errors of threads from now on."""
        threading.excepthook = self._raised.put
        self._timer.start()

    def stop(self) -> None:
        """Leave errors of threads to Python again."""
        threading.excepthook = self._before
        self._timer.stop()
        self._pass_on()

    @Slot()
    def _pass_on(self) -> None:
        while not self._raised.empty():
            raised = self._raised.get()
            error = raised.exc_value or raised.exc_type()
            self._show(raised.exc_type, error, raised.exc_traceback)
