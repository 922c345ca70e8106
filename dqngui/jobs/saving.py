"""When a run is saved by time: so little is lost with a process, even if steps are slow.

Such a save writes the resume state only, tells no event and changes nothing of the training.
"""

from __future__ import annotations

import time

EVERY_SECONDS = 60.0
"""Seconds between saves, whether by time or by the number of steps."""
LEAST_WORK = 20.0
"""A save by time comes at the earliest after so many times the seconds that the last save took."""


class SaveClock:
    """Says when a save by time is due."""

    def __init__(self) -> None:
        self._saved_at = time.monotonic()
        self._took = 0.0
        self._step = -1

    def due(self, step: int) -> bool:
        """Whether enough time has passed since the last save, and steps were made."""
        passed = time.monotonic() - self._saved_at
        return step != self._step and passed >= EVERY_SECONDS and passed >= LEAST_WORK * self._took

    def note(self, step: int, began: float) -> None:
        """Note a save at this step that began at this time of `time.monotonic`."""
        self._saved_at, self._step = time.monotonic(), step
        self._took = self._saved_at - began
