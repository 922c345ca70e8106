"""The clocks of the lab, and a timer that gives the present time; tests replace both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot


@dataclass(frozen=True, slots=True)
class Timing:
    """The clocks, and whether timers run automatically.

    Attributes:
        clock: returns seconds; only differences matter.
        wall_clock: returns seconds since 1970, to be compared with the times of files.
        automatic: timers call `tick`; otherwise the owner of the object calls it.
    """

    clock: Callable[[], float] = time.perf_counter
    wall_clock: Callable[[], float] = time.time
    automatic: bool = True


class TickTimer(QObject):
    """Ticks at an interval while active; it never ticks if the timing is not automatic.

    Signals:
        ticked(float): the present time in seconds, of the timing's clock.
    """

    ticked = Signal(float)

    def __init__(
        self, interval_ms: int, timing: Timing, *, precise: bool = False, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._active = False
        self._clock, self._automatic = timing.clock, timing.automatic
        self._timer = QTimer(self, interval=interval_ms)
        if precise:
            self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._emit)
        self._at_once = QTimer(self, singleShot=True, interval=0)
        self._at_once.timeout.connect(self._emit)

    @property
    def active(self) -> bool:
        """Whether it was started and not stopped."""
        return self._active

    def start(self, interval_ms: int | None = None) -> None:
        """Start ticking; `interval_ms`: from now on at this interval. Without it no effect while active."""
        if interval_ms is not None:
            self._timer.setInterval(interval_ms)
        if not self._active:
            self._active = True
            if self._automatic:
                self._timer.start()

    def stop(self) -> None:
        """Stop ticking."""
        self._active = False
        self._timer.stop()
        self._at_once.stop()

    def at_once(self) -> None:
        """Tick once more in the next turn of the event loop, if active."""
        if self._active and self._automatic:
            self._at_once.start()

    @Slot()
    def _emit(self) -> None:
        self.ticked.emit(self._clock())
