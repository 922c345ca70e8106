"""Python's garbage collection, in the window's thread only.

Python looks for circles of objects in whichever thread happens to allocate, and what it finds it destroys there. A
widget or timer that is destroyed in another thread than its own, by training say, takes Qt down with it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

EVERY_MS = 500


def collect_due() -> None:
    """Collect the oldest generation whose turn it is, by Python's own thresholds."""
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

    def start(self) -> None:
        self._by_python = gc.isenabled()
        gc.disable()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        if self._by_python:
            gc.enable()

    @Slot()
    def freeze(self) -> None:
        """Exclude all objects that exist now from collections, which take long once torch is loaded."""
        gc.freeze()

    @Slot()
    def _collect(self) -> None:
        collect_due()
