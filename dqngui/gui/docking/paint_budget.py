"""Schedules the drawing of panels, one at a time, so that painting takes about a tenth of the time."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from dqngui.gui.docking.timings import Durations

MODEST, SHARE = 0.05, 0.1
"""Share of the time for painting if every panel then gets five redraws per second, and the largest share
to reach these; a training thread waits while the window paints."""
FASTEST_S, FAST_S, SLOWEST_S = 1 / 10, 1 / 5, 1 / 2
"""Seconds between two redraws of a panel: the least, the desired and the longest."""
SPAN_S = 2.0  # period for `rate`
TURNS_S = 1.0  # panels drawn within this period share the time


class PaintBudget(QObject):
    """Calls `draw` when something is new; the cheaper painting is, the more often.

    `draw` draws one panel with new data and returns its name, or None if there is none. So a redraw of the
    whole window is spread over many turns of the event loop. After each redraw the next one waits for ten times its
    cost, but no active panel waits for more than half a second.

    The cost of a redraw is this thread's own time (`time.thread_time`: waiting for the training thread does not
    count) from the call until its paint events are done.

    Attributes:
        costs: durations of all redraws since `forget`.
        counts: number of redraws of each panel since then.
    """

    def __init__(self, draw: Callable[[], str | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draw = draw
        self._began = 0.0
        self._next = self._last = 0.0
        self._smooth: dict[str, float] = {}
        self._recent: deque[tuple[float, float, str]] = deque()
        self._drawing = ""
        self.forget()
        self._timer = QTimer(self, singleShot=True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._fire)

    def forget(self) -> None:
        """Set costs and counts to zero."""
        self.costs, self.counts = Durations(), Counter[str]()

    def pause(self, cost: float) -> float:
        """Seconds from one redraw of this cost, in seconds, to the next one."""
        since = self._last - TURNS_S
        turns = len({name for began, _, name in self._recent if began > since})
        modest = max(cost / MODEST, FASTEST_S / turns)
        return min(modest, max(cost / SHARE, FAST_S / turns), SLOWEST_S / turns)

    def request(self) -> None:
        """Draw as soon as the budget allows."""
        if not self._timer.isActive() and not self._drawing:
            self._timer.start(max(0, round(1000 * (self._next - time.perf_counter()))))

    @property
    def idle(self) -> bool:
        """Whether no redraw is running or waiting."""
        return not self._timer.isActive() and not self._drawing

    def stop(self) -> None:
        self._timer.stop()

    def rate(self) -> tuple[float, float]:
        """(redraws per second, share of the time) over the last two seconds."""
        self._drop_old()
        return len(self._recent) / SPAN_S, sum(cost for _, cost, _ in self._recent) / SPAN_S

    def _drop_old(self) -> None:
        before = time.perf_counter() - SPAN_S
        while self._recent and self._recent[0][0] < before:
            self._recent.popleft()

    @Slot()
    def _fire(self) -> None:
        self._last, self._began = time.perf_counter(), time.thread_time()
        drawn = self._draw()
        if drawn is None:
            return
        self._drawing = drawn
        # Updates of a scene reach the widget through one round of the event loop, and are painted in the next.
        QTimer.singleShot(0, self, self._hand_over)

    @Slot()
    def _hand_over(self) -> None:
        QTimer.singleShot(0, self, self._painted)

    @Slot()
    def _painted(self) -> None:
        name, self._drawing = self._drawing, ""
        cost = time.thread_time() - self._began
        known = self._smooth.get(name, cost)
        self._smooth[name] = 0.8 * known + 0.2 * cost
        self._drop_old()
        self._recent.append((self._last, cost, name))
        self._next = self._last + self.pause(self._smooth[name])
        self.costs.add(1000 * cost)
        self.counts[name] += 1
        self.request()  # other panels may be waiting
