"""Where the lab's players get the time from: a clock, and timers that call them again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer


@dataclass(frozen=True, slots=True)
class Timing:
    """A clock, and whether timers run by themselves.

    Attributes:
        clock: seconds; only differences count.
        automatic: timers call `tick`; if not, whoever made the object calls `tick`.
    """

    clock: Callable[[], float] = time.perf_counter
    automatic: bool = True


class TickTimer(QObject):
    """Calls a function at an interval while it is active; with a timing that is not automatic it calls nothing."""

    def __init__(
        self,
        tick: Callable[[], None],
        interval_ms: int,
        timing: Timing,
        *,
        precise: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._active = False
        self._automatic = timing.automatic
        self._timer = QTimer(self, interval=interval_ms)
        if precise:
            self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(tick)
        self._at_once = QTimer(self, singleShot=True, interval=0)
        self._at_once.timeout.connect(tick)

    @property
    def active(self) -> bool:
        """Between `start` and `stop`."""
        return self._active

    def start(self) -> None:
        """Begin to call; does nothing while it is active."""
        if not self._active:
            self._active = True
            if self._automatic:
                self._timer.start()

    def stop(self) -> None:
        """Call no more."""
        self._active = False
        self._timer.stop()
        self._at_once.stop()

    def at_once(self) -> None:
        """Call once more as soon as the event loop turns, if it is active."""
        if self._active and self._automatic:
            self._at_once.start()
