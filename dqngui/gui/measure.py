"""What the window costs: when to redraw, how late the event loop runs, how long painting takes."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from PySide6.QtCore import QObject, Qt, QTimer, Slot

SHARE = 0.1
"""Largest share of the time that painting may take, as long as that leaves two redraws a second."""
FASTEST_S, SLOWEST_S = 1 / 30, 1 / 2
LATENESS_MS = 20


def process_age() -> float:
    """Seconds since this process began.

    Linux knows when the machine started in whole seconds only, which is all that psutil adds to; its own clock
    since the start is exact.
    """
    own = Path("/proc/self/stat")
    if not own.exists():
        return time.time() - psutil.Process().create_time()
    began = int(own.read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


class PaintBudget(QObject):
    """Calls `redraw` when something is new, as often as painting is cheap.

    The cost of one redraw is this thread's own time (`time.thread_time`: waiting for the training thread does
    not count) from the call until the paint events behind it are done.

    Attributes:
        costs_ms: cost of every redraw so far.
    """

    def __init__(self, redraw: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._redraw = redraw
        self._cost = 0.0
        self._began = 0.0
        self._last = 0.0
        self._recent: deque[tuple[float, float]] = deque()
        self.costs_ms: list[float] = []
        self._timer = QTimer(self, singleShot=True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._fire)

    @property
    def interval(self) -> float:
        """Seconds between two redraws."""
        return min(max(self._cost / SHARE, FASTEST_S), SLOWEST_S)

    def request(self) -> None:
        """Something is new: redraw as soon as the budget allows."""
        if not self._timer.isActive():
            wait = self._last + self.interval - time.perf_counter()
            self._timer.start(max(0, round(1000 * wait)))

    def stop(self) -> None:
        self._timer.stop()

    def rate(self, span: float = 2.0) -> tuple[float, float]:
        """(redraws a second, share of the time) over the last seconds."""
        now = time.perf_counter()
        while self._recent and self._recent[0][0] < now - span:
            self._recent.popleft()
        return len(self._recent) / span, sum(cost for _, cost in self._recent) / span

    @Slot()
    def _fire(self) -> None:
        self._last = time.perf_counter()
        self._began = time.thread_time()
        self._redraw()
        # Updates of a scene reach the widget through one round of the event loop, and are painted in the next.
        QTimer.singleShot(0, self, lambda: QTimer.singleShot(0, self, self._painted))

    @Slot()
    def _painted(self) -> None:
        cost = time.thread_time() - self._began
        self._cost = cost if not self._cost else 0.8 * self._cost + 0.2 * cost
        self._recent.append((self._last, cost))
        self.costs_ms.append(1000 * cost)


class Lateness(QObject):
    """How late a precise 20 ms timer comes: what a person feels as a stutter."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._intervals: list[float] = []
        self._last: float | None = None
        self._timer = QTimer(self, interval=LATENESS_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        self._last = None

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        if self._last is not None:
            self._intervals.append(1000 * (now - self._last))
        self._last = now

    def figures(self) -> dict[str, float]:
        """p50, p99 and worst lateness in ms, each interval weighted by its length."""
        intervals = np.asarray(self._intervals)
        if not len(intervals):
            return {"p50": 0.0, "p99": 0.0, "worst": 0.0}
        late = np.maximum(intervals - LATENESS_MS, 0.0)
        p50, p99 = (_weighted_quantile(late, intervals, share) for share in (0.5, 0.99))
        return {"p50": round(p50, 2), "p99": round(p99, 2), "worst": round(float(late.max()), 2)}


def _weighted_quantile(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], share: float) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulative, share * cumulative[-1])])


def redraw_figures(costs_ms: list[float], seconds: float) -> dict[str, Any]:
    """Cost of a redraw in ms (median, p99, worst), redraws a second, and the share of the time."""
    if not costs_ms or seconds <= 0:
        return {"redraw_ms": None, "redraws_per_second": 0.0, "redraw_share": 0.0}
    p50, p99 = np.percentile(costs_ms, [50, 99])
    return {
        "redraw_ms": {"p50": round(float(p50), 2), "p99": round(float(p99), 2), "worst": round(max(costs_ms), 2)},
        "redraws_per_second": round(len(costs_ms) / seconds, 2),
        "redraw_share": round(sum(costs_ms) / 1000 / seconds, 4),
    }
