"""Start a job and show its events; a signal that asks to end becomes a Stop that saves first."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dqngui.commands.interruption import interruption
from dqngui.messages import BreakpointHit, CheckpointSaved, Event, Failed, Finished, Stop
from dqngui.texts import say

if TYPE_CHECKING:
    from dqngui.hosts import Host

IDLE_S = 0.02
BUDGET_MS = 50.0


class _Job:
    """The job of a host, as a signal ends it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def stop(self) -> None:
        self._host.send(Stop())

    def interrupt(self) -> None:
        self._host.interrupt()


class Outcome:
    """How a job ended: its last `Finished`, its `Failed` if any, its hits, and whether the user interrupted it."""

    def __init__(self) -> None:
        self.finished: Finished | None = None
        self.failed: Failed | None = None
        self.interrupted = False
        self.hits: list[BreakpointHit] = []
        self.saved: int | None = None  # step of the last checkpoint

    @property
    def broken(self) -> bool:
        """Whether a breakpoint ended the job."""
        return (
            bool(self.hits) and not self.interrupted and self.finished is not None and self.finished.reason == "stopped"
        )

    @property
    def status(self) -> int:
        """The exit status: 0 done, 1 error in dqngui, 2 user's mistake, 3 stopped by a breakpoint, 130 interrupted."""
        if self.failed is not None:
            return 2 if self.failed.mistake else 1
        if self.interrupted:
            return 130
        if self.broken:
            return 3
        return 0 if self.finished is not None else 1

    def note(self, event: Event) -> None:
        if isinstance(event, Finished):
            self.finished = event
        elif isinstance(event, Failed):
            self.failed = event
        elif isinstance(event, BreakpointHit):
            self.hits.append(event)
        elif isinstance(event, CheckpointSaved) and not event.best:
            self.saved = event.step


def follow(host: Host, take: Callable[[Event], None]) -> Outcome:
    """Run a host to its end, passing every event to `take`.

    An output that cannot be written any more (a closed pipe or terminal, a full disk) stops the job as Ctrl+C does; the
    OSError is raised again once the job has saved.
    """
    outcome = Outcome()
    closed: OSError | None = None
    job = _Job(host)
    with interruption(job, say("shown.stopping")) as (request, hold):
        try:
            host.start()
            while host.alive:
                asked_at = time.monotonic()
                events = host.drain(BUDGET_MS)
                hold()
                for event in events:
                    outcome.note(event)
                    if closed is None:
                        try:
                            take(event)
                        except OSError as error:
                            closed = error
                            job.stop()
                if not events and time.monotonic() - asked_at < IDLE_S:
                    time.sleep(IDLE_S)  # the job runs elsewhere; an inline one has used its budget instead
            host.join(10.0)
        except BaseException:
            host.kill()
            raise
    outcome.interrupted = request.requested
    if closed is not None and not outcome.interrupted:
        raise closed
    return outcome
