"""The training time since the last save, which quitting would lose."""

from __future__ import annotations


class UnsavedTime:
    """Seconds between a job's last save, or its first tick, and now, on the clock that the session is given."""

    def __init__(self) -> None:
        self._now = 0.0
        self._saved_at: float | None = None  # None until the first tick after a start

    def restart(self) -> None:
        """Start again, for another job."""
        self._saved_at = None

    def tick(self, now: float) -> None:
        """Set the present time."""
        self._now = now
        if self._saved_at is None:
            self._saved_at = now

    def note_saved(self) -> None:
        """Note that the job saved at the time of the last tick."""
        self._saved_at = self._now

    def seconds(self, now: float) -> float:
        """Seconds since the last save; none before the first tick."""
        return 0.0 if self._saved_at is None else now - self._saved_at
