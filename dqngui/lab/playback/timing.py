"""The clock and the timers of the players; tests can replace both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer


@dataclass(frozen=True, slots=True)
class Timing:
    """A clock, and whether timers run automatically.

    Attributes:
        clock: returns seconds; only differences matter.
        automatic: timers call `tick`; otherwise the owner of the object calls it.
    """

    clock: Callable[[], float] = time.perf_counter
    automatic: bool = True


class TickTimer(QObject):
    """Calls a function at an interval while active; it never calls it if the timing is not automatic."""

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
        """Whether it was started and not stopped."""
        return self._active

    def start(self) -> None:
        """Start calling; no effect while active."""
        if not self._active:
            self._active = True
            if self._automatic:
                self._timer.start()

    def stop(self) -> None:
        """Stop calling."""
        self._active = False
        self._timer.stop()
        self._at_once.stop()

    def at_once(self) -> None:
        """Call once more in the next turn of the event loop, if active."""
        if self._active and self._automatic:
            self._at_once.start()
