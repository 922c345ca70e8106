"""What the window waits for when it closes."""

from __future__ import annotations

from typing import Protocol


class BackgroundTask(Protocol):
    """Something beside the run that works in the background, in a thread or a process."""

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        ...

    @property
    def alive(self) -> bool:
        """It has not ended yet."""
        ...

    def join(self) -> None:
        """Wait until it has ended; after `stop`."""
        ...
