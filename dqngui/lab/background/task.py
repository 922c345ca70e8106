"""The contract of background work that must end before the window closes."""

from __future__ import annotations

from typing import Protocol


class BackgroundTask(Protocol):
    """Background work in a thread or a process, other than the training job."""

    def stop(self) -> None:
        """Ask it to end; returns at once."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it is still running."""
        ...

    def join(self) -> None:
        """Wait until it has ended; after `stop`."""
        ...
