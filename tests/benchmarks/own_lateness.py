"""How late the window's event loop runs by its own doing, beside other work on the machine."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from dqngui.gui.docking.timings import LATENESS_MS


class OwnLateness(QObject):
    """How late the event loop runs by what the window does: running, or held up by a lock, a file, another thread.

    What the window's thread waited for a processor is left out: Linux counts it, elsewhere it counts as lateness.

    Attributes:
        worst: in ms.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.worst, self._last = 0.0, (0.0, 0.0)
        self._told = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._timer = QTimer(self, interval=LATENESS_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Look from now on; what was seen before is forgotten."""
        self.worst, self._last = 0.0, self._now()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _now(self) -> tuple[float, float]:
        """The clock, and how long this thread has waited for a processor by now, in ms."""
        waited = float(self._told.read_text().split()[1]) / 1e6 if self._told.exists() else 0.0
        return 1000 * time.perf_counter(), waited

    @Slot()
    def _look(self) -> None:
        now = self._now()
        passed, waited = now[0] - self._last[0], now[1] - self._last[1]
        self.worst, self._last = max(self.worst, passed - waited - LATENESS_MS), now
