"""One background thread for reading files: what it finds is fetched by a timer, so no signal crosses threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot

POLL_MS = 40
Work = Callable[[], Any]
Then = Callable[[Any], None]


class Worker(QObject):
    """Does pieces of work in one thread, one after the other, and gives each result to a function in this thread.

    Attributes:
        going: False once `stop` was called; long work looks at it and ends early.
    """

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.going = True
        self._work: queue.SimpleQueue[tuple[Work, Then | None] | None] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[tuple[Then, Any]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._name = name
        self._waiting = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._fetch)

    def ask(self, work: Work, then: Then) -> None:
        """Do `work` in the thread and hand its result to `then` here."""
        if not self.going:
            return
        self._begin()
        self._waiting += 1
        self._work.put((work, then))
        self._timer.start()

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self, last: Work | None = None) -> None:
        """End after the present piece of work and this last one; their results are dropped."""
        if not self.going:
            return
        self.going = False
        self._timer.stop()
        if last is not None:
            self._begin()
            self._work.put((last, None))
        self._work.put(None)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def join(self) -> None:
        """Wait for the end; after `stop`."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (task := self._work.get()) is not None:
            work, then = task
            if then is not None and not self.going:
                continue
            try:
                result = work()
            except Exception as error:  # the thread lives on, and the window says what was wrong
                self._found.put((_raise, error))
                continue
            if then is not None:
                self._found.put((then, result))

    @Slot()
    def _fetch(self) -> None:
        while self.going:
            try:
                then, result = self._found.get_nowait()
            except queue.Empty:
                break
            self._waiting -= 1
            then(result)
        if not self._waiting:
            self._timer.stop()


def _raise(error: Exception) -> None:
    raise error
