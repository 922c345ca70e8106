"""Measures the lateness of the window's event loop, and the age of the process."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QObject, Qt, QTimer, Slot

LATENESS_MS = 20
BIN_MS, BINS = 0.25, 16_000


def process_age() -> float:
    """Seconds since this process began.

    psutil adds to the start time of the machine, which Linux gives in whole seconds; the clock
    since boot, used here, is exact.
    """
    own = Path("/proc/self/stat")
    if not own.exists():
        return time.time() - psutil.Process().create_time()
    began = int(own.read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


class Durations:
    """Collects durations in a histogram of fixed size: bins of 0.25 ms up to 4 s.

    Attributes:
        count, total, worst: of all durations, exact; total and worst in ms.
    """

    def __init__(self) -> None:
        self._weights = np.zeros(BINS)
        self.count, self.total, self.worst = 0, 0.0, 0.0

    def add(self, ms: float, weight: float = 1.0) -> None:
        self._weights[min(int(ms / BIN_MS), BINS - 1)] += weight
        self.count += 1
        self.total += ms
        self.worst = max(self.worst, ms)

    def quantile(self, share: float) -> float:
        """The quantile in ms, exact to half a bin; 0 without durations."""
        if not self.count:
            return 0.0
        cumulative = np.cumsum(self._weights)
        index = int(np.searchsorted(cumulative, share * cumulative[-1]))
        return min((index + 0.5) * BIN_MS, self.worst)

    def figures(self) -> dict[str, float]:
        """p50, p99 and worst, in ms."""
        return {
            "p50": round(self.quantile(0.5), 2),
            "p99": round(self.quantile(0.99), 2),
            "worst": round(self.worst, 2),
        }


class Lateness(QObject):
    """Measures the lateness of a precise 20 ms timer, which users notice as stutter. Long intervals weigh more."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._late = Durations()
        self._last: float | None = None
        self._timer = QTimer(self, interval=LATENESS_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Measure from now on; what was measured before is forgotten."""
        self._late, self._last = Durations(), None
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        if self._last is not None:
            interval = 1000 * (now - self._last)
            self._late.add(max(interval - LATENESS_MS, 0.0), interval)
        self._last = now

    def figures(self) -> dict[str, float]:
        """p50, p99 and worst lateness in ms."""
        return self._late.figures()
