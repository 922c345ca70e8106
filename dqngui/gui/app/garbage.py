"""Restricts Python's garbage collection to the window's thread, and gives free memory back to the system.

Python collects reference cycles in any thread that allocates, and destroys their objects there. A
Qt widget or timer that is destroyed in another thread, such as a training thread, crashes the program.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

from dqngui.heaps import give_back

EVERY_MS = 500
GIVE_BACK_MS = 60_000


def collect_due() -> None:
    """Collect the oldest generation that is due by Python's thresholds."""
    counts, thresholds = gc.get_count(), gc.get_threshold()
    for generation in (2, 1, 0):
        if counts[generation] > thresholds[generation]:
            gc.collect(generation)
            return


class GarbageCollector(QObject):
    """Turns Python's own garbage collection off and collects from the event loop, until it is stopped."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._by_python = False
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self._collect)
        self._giving_back = QTimer(self, interval=GIVE_BACK_MS)
        self._giving_back.timeout.connect(self._give_back)

    def start(self) -> None:
        self._by_python = gc.isenabled()
        gc.disable()
        self._timer.start()
        self._giving_back.start()

    def stop(self) -> None:
        self._timer.stop()
        self._giving_back.stop()
        if self._by_python:
            gc.enable()

    @Slot()
    def freeze(self) -> None:
        """Exclude all objects that exist now from collections, which take long once torch is loaded."""
        gc.freeze()

    @Slot()
    def _give_back(self) -> None:
        give_back()

    @Slot()
    def _collect(self) -> None:
        collect_due()
