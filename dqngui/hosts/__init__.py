"""Where a job runs: inline, in a thread of this process, or in a process of its own.

All hosts give the same stream of events for the same request and schedule of commands. A host finds
its job by name in the catalog and imports it where it runs, so that this room never imports torch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

from dqngui import catalog
from dqngui.config import ConfigError
from dqngui.messages import Command, Event, Request
from dqngui.settings import no_such_choice
from dqngui.texts import say


class Host(Protocol):
    """One job, and how to send it commands and take its events.

    The stream ends with Finished; after Failed the reason in it is `failed`.
    """

    def start(self) -> None:
        """Begin; returns at once."""

    def send(self, command: Command) -> None:
        """Give the job a command; does nothing once it has ended."""

    def drain(self, budget_ms: float = 8.0) -> list[Event]:
        """Events since the last call, in order; never waits (inline: runs the job for the budget).

        Of the `Weights` only the newest is kept. A process gives their tensors as numpy arrays.
        """

    @property
    def alive(self) -> bool:
        """Started, and not yet ended with everything drained."""

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the job; True if nothing of it is left (inline: nothing ever is)."""

    def kill(self) -> None:
        """End the job without saving; a thread ends at its next event. The stream is completed."""


KINDS = ("inline", "thread", "process")


def open_host(kind: str, request: Request) -> Host:
    """A host for the request, not yet started. Raises ConfigError for an unknown kind or job."""
    entry = catalog.JOBS.get(request.job)
    if entry is None:
        raise ConfigError("job.none", name=request.job, known=catalog.JOBS)
    if kind == "inline":
        from dqngui.hosts.inline import InlineHost

        return InlineHost(request, entry.target)
    if kind == "thread":
        from dqngui.hosts.thread import ThreadHost

        return ThreadHost(request, entry.target)
    if kind == "process":
        from dqngui.hosts.process import ProcessHost

        return ProcessHost(request, entry.target)
    raise no_such_choice("run.host", say("choice.host"), kind, KINDS)


def events_of(host: Host, interval_ms: float = 20.0) -> Iterator[Event]:
    """All events of a host, for callers without an event loop; starts it and waits for its end."""
    host.start()
    try:
        while host.alive:
            events = host.drain()
            yield from events
            if not events and host.alive:
                time.sleep(interval_ms / 1000)
        host.join()
    finally:
        if host.alive:
            host.kill()
            host.join(5.0)


def run_inline(request: Request) -> Iterator[Event]:
    """The events of a job run here and now. Raises ConfigError for an unknown job."""
    return events_of(open_host("inline", request))
