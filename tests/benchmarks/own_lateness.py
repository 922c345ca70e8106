"""Measures the part of the event loop's lateness that the window itself causes, not other work on the machine."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from dqngui.gui.docking.timings import LATENESS_MS


class OwnLateness(QObject):
    """Lateness of the event loop while its thread runs, or waits for a lock, a file or another thread.

    The time in which the thread waited for a processor is left out. Only Linux reports it; on other systems it counts.

    Attributes:
        worst: worst lateness since `start`, in ms.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.worst, self._last = 0.0, (0.0, 0.0)
        self._schedule_file = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._timer = QTimer(self, interval=LATENESS_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._measure)

    def start(self) -> None:
        """Measure from now on; forget earlier values."""
        self.worst, self._last = 0.0, self._now()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _now(self) -> tuple[float, float]:
        """The clock, and how long this thread has waited for a processor so far, both in ms."""
        waited = float(self._schedule_file.read_text().split()[1]) / 1e6 if self._schedule_file.exists() else 0.0
        return 1000 * time.perf_counter(), waited

    @Slot()
    def _measure(self) -> None:
        now = self._now()
        passed, waited = now[0] - self._last[0], now[1] - self._last[1]
        self.worst, self._last = max(self.worst, passed - waited - LATENESS_MS), now
