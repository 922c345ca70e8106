"""Decides when panels are drawn: one at a time, in turn, so that painting takes a tenth of the time at most."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from dqngui.gui.docking.timings import Durations

MODEST, SHARE = 0.05, 0.1
"""Share of the time that painting takes as long as it leaves every panel five redraws a second, and the largest one
that it may take for these; training in a thread waits while the window paints."""
FASTEST_S, FAST_S, SLOWEST_S = 1 / 10, 1 / 5, 1 / 2
"""Between two redraws of one panel: nobody sees more of a curve; worth more of the time; nobody should wait longer."""
SPAN_S = 2.0  # that `rate` looks back
TURNS_S = 1.0  # what was drawn within this time takes turns at present


class PaintBudget(QObject):
    """Calls `draw` when something is new, as often as painting is cheap.

    `draw` draws one of the things that are new and returns its name, or None when nothing is; so a redraw of the
    whole window is spread over many turns of the event loop. Each keeps the next one waiting for at least ten times its
    cost, but none of those that take turns at present waits for more than half a second.

    The cost of a redraw is this thread's own time (`time.thread_time`: waiting for the training thread does not
    count) from the call until the paint events behind it are done.

    Attributes:
        costs: of every redraw since `forget`.
        counts: how often each thing was drawn since then.
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
        """Something is new: draw as soon as the budget allows."""
        if not self._timer.isActive() and not self._drawing:
            self._timer.start(max(0, round(1000 * (self._next - time.perf_counter()))))

    @property
    def idle(self) -> bool:
        """Nothing is drawn, and nothing waits to be."""
        return not self._timer.isActive() and not self._drawing

    def stop(self) -> None:
        self._timer.stop()

    def rate(self) -> tuple[float, float]:
        """(redraws a second, share of the time) over the last two seconds."""
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
        self.request()  # others may be waiting; when none is, this was the last call
