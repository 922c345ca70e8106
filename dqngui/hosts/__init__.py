"""Where a job runs: inline, in a thread of this process, or in a process of its own. Not what a job does.

All hosts give the same stream of events for the same request and schedule of commands. A host finds
its job by name in the catalog and imports it where it runs, so that this package never imports torch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from dqngui import catalog
from dqngui.config import ConfigError
from dqngui.hosts.host import DRAIN_MS, Host, OpenHost
from dqngui.messages import Event, Request
from dqngui.settings import no_such_choice
from dqngui.texts import say

__all__ = ["DRAIN_MS", "ELSEWHERE", "KINDS", "LOST", "Host", "OpenHost", "events_of", "open_host", "run_inline"]
KINDS = ("inline", "thread", "process")
ELSEWHERE = "elsewhere"
"""The kind of host for a run that another process trains: it starts nothing, and watches and steers that run."""
LOST = "ray.lost"
"""The key of the text of a `Failed` for a run whose machine was lost: it can be resumed from its last save."""
POLL_S = 0.02  # between two looks at a host that has nothing to say


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
    if kind == ELSEWHERE:
        from dqngui.hosts.elsewhere import ElsewhereHost

        return ElsewhereHost(Path(request.folder or ""))
    raise no_such_choice("run.host", say("choice.host"), kind, KINDS)


def events_of(host: Host) -> Iterator[Event]:
    """All events of a host, for callers without an event loop; starts it and waits for its end."""
    host.start()
    try:
        while host.alive:
            events = host.drain()
            yield from events
            if not events and host.alive:
                time.sleep(POLL_S)
        host.join()
    finally:
        if host.alive:
            host.kill()
            host.join(5.0)


def run_inline(request: Request) -> Iterator[Event]:
    """The events of a job run here and now. Raises ConfigError for an unknown job."""
    return events_of(open_host("inline", request))
