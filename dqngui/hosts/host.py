"""The contract of a host: it runs one job, takes commands for it and gives its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dqngui.messages import Command, Event, Request

DRAIN_MS = 8.0
"""How long one call of `drain` may take, in milliseconds, unless the caller says otherwise."""


class Host(Protocol):
    """Runs one job. Its events end with Finished; after Failed the reason in Finished is `failed`."""

    def start(self) -> None:
        """Start the job; returns at once."""

    def send(self, command: Command) -> None:
        """Give the job a command; does nothing once the job has ended."""

    def drain(self, budget_ms: float = DRAIN_MS) -> list[Event]:
        """Events since the last call, in order; never waits (inline: runs the job for the budget).

        Of several `Weights` only the newest is kept. A process gives their tensors as numpy arrays.
        """

    @property
    def alive(self) -> bool:
        """Started, and not yet ended with every event drained."""

    def join(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for the end of the job; True if nothing of it is left (inline: at once)."""

    def interrupt(self) -> None:
        """After `Stop`: interrupt an environment's step that does not return, so that the job can undo it and save.

        Inline, for a signal handler: raises KeyboardInterrupt if an environment runs. A thread cannot be interrupted.
        """

    def kill(self) -> None:
        """End the job without saving; a thread ends at its next event. Its events still end with Finished."""


OpenHost = Callable[[str, Request], Host]
"""Makes a host of a kind (`inline`, `thread`, `process`) for a request, not yet started."""
