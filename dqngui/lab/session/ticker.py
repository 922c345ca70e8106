"""A timer that gives the time, so that who is called has no clock of its own."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal, Slot


class Ticker(QObject):
    """Ticks at an interval.

    Signals:
        ticked(float): now, in seconds, on a clock that only goes forward.
    """

    ticked = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_timeout)

    @property
    def running(self) -> bool:
        """It was started and not stopped."""
        return self._timer.isActive()

    def start(self, interval_ms: int) -> None:
        """Tick at this interval from now on."""
        self._timer.start(interval_ms)

    def stop(self) -> None:
        """Tick no more."""
        self._timer.stop()

    @Slot()
    def _on_timeout(self) -> None:
        self.ticked.emit(time.perf_counter())
