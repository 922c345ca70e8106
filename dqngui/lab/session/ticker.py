"""A timer that emits the present time, so that its receivers need no clock."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal, Slot


class Ticker(QObject):
    """Ticks at an interval.

    Signals:
        ticked(float): the present time in seconds, of a monotonic clock.
    """

    ticked = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_timeout)

    @property
    def running(self) -> bool:
        """Whether it is started."""
        return self._timer.isActive()

    def start(self, interval_ms: int) -> None:
        """Start ticking at this interval."""
        self._timer.start(interval_ms)

    def stop(self) -> None:
        """Stop ticking."""
        self._timer.stop()

    @Slot()
    def _on_timeout(self) -> None:
        self.ticked.emit(time.perf_counter())
