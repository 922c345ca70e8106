"""Start a job, show its events, and turn Ctrl+C or SIGTERM into a Stop that saves first."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from dqngui.messages import BreakpointHit, Event, Failed, Finished, Stop
from dqngui.texts import say

if TYPE_CHECKING:
    from dqngui.hosts import Host

IDLE_S = 0.02
BUDGET_MS = 50.0


class Interruption:
    """Says whether the user asked to stop. A second request raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.requested = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Catch SIGINT and SIGTERM while the block runs."""
    request = Interruption()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, request) for number in signals]
    try:
        yield request
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


class Outcome:
    """How a job ended: its last `Finished`, its `Failed` if any, its hits, and whether the user interrupted it."""

    def __init__(self) -> None:
        self.finished: Finished | None = None
        self.failed: Failed | None = None
        self.interrupted = False
        self.hits: list[BreakpointHit] = []

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


def follow(host: Host, take: Callable[[Event], None]) -> Outcome:
    """Run a host to its end, passing every event to `take`.

    A closed pipe stops the job as Ctrl+C does; the BrokenPipeError is raised again once the job has saved.
    """
    outcome = Outcome()
    closed: BrokenPipeError | None = None
    stopping = False
    with interruption() as request:
        try:
            host.start()
            while host.alive:
                asked_at = time.monotonic()
                events = host.drain(BUDGET_MS)
                for event in events:
                    outcome.note(event)
                    if closed is None:
                        try:
                            take(event)
                        except BrokenPipeError as error:
                            closed = error
                if (request.requested or closed) and not stopping:
                    stopping = True
                    if closed is None:
                        print(f"\n{say('shown.stopping')}", file=sys.stderr)
                    host.send(Stop())
                if not events and time.monotonic() - asked_at < IDLE_S:
                    time.sleep(IDLE_S)  # the job runs elsewhere; an inline one has used its budget instead
            host.join(10.0)
        except BaseException:
            host.kill()
            raise
    outcome.interrupted = request.requested
    if closed is not None:
        raise closed
    return outcome
