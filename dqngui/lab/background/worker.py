"""A background thread that runs functions one by one. A timer collects their results, so no signal crosses threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot

POLL_MS = 40
Work = Callable[[], Any]
OnResult = Callable[[Any], None]
OnError = Callable[[BaseException], None]


class Worker(QObject):
    """Runs functions in one background thread, one by one, and passes each result to a callback in this thread.

    Attributes:
        running: False after `stop` was called. Long work checks it and ends early.
    """

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.running = True
        self._work: queue.SimpleQueue[tuple[Work, OnResult | None, OnError] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[OnResult, Any]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._name = name
        self._pending = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._fetch)

    def submit(self, work: Work, on_result: OnResult, on_error: OnError | None = None) -> None:
        """Run `work` in the background thread, then call `on_result` with its result in this thread.

        If `work` raises an error, `on_error` is called with it instead, in this thread. Without `on_error` the error
        is raised in this thread, where the window shows it.
        """
        if not self.running:
            return
        self._start_thread()
        self._pending += 1
        self._work.put((work, on_result, on_error or _raise))
        self._timer.start()

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self, last: Work | None = None) -> None:
        """End the thread after the present work and after `last`, if it is given. Their results are dropped."""
        if not self.running:
            return
        self.running = False
        self._timer.stop()
        if last is not None:
            self._start_thread()
            self._work.put((last, None, _raise))
        self._work.put(None)

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def join(self) -> None:
        """Wait until the thread has ended; call `stop` first."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (task := self._work.get()) is not None:
            work, on_result, on_error = task
            if on_result is not None and not self.running:
                continue
            try:
                result = work()
            except BaseException as error:  # the thread goes on
                self._results.put((on_error, error))
                continue
            if on_result is not None:
                self._results.put((on_result, result))

    @Slot()
    def _fetch(self) -> None:
        while self.running:
            try:
                on_result, result = self._results.get_nowait()
            except queue.Empty:
                break
            self._pending -= 1
            on_result(result)
        if not self._pending:
            self._timer.stop()


def _raise(error: BaseException) -> None:
    raise error
