"""The stream of one job's events, as every host gives it: it ends with Finished whatever happens."""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Iterator

from dqngui.catalog import Entry, load
from dqngui.jobs.inbox import Inbox
from dqngui.messages import Event, Failed, Finished, Learned, Request, Weights
from dqngui.runs.failure import failed
from dqngui.texts import reason_of, say

CHUNK = 500  # number of events that are taken before the clock is read again


class Ending:
    """Watches a stream of events and completes it: it adds Failed and Finished where the job gave none."""

    def __init__(self) -> None:
        self.finished = False
        self._failed = False
        self.step = 0
        self._seconds = 0.0

    def admit(self, event: Event) -> bool:
        """Whether the event may pass; nothing passes after Finished."""
        if self.finished:
            return False
        self.step = event.step
        if isinstance(event, Learned):
            self._seconds = event.seconds
        self._failed = isinstance(event, Failed)  # a server goes on after one
        self.finished = isinstance(event, Finished)
        return True

    def complete(self, failure: Failed) -> list[Event]:
        """Events that are missing at the end: none after Finished, else `failure` (if none was given) and Finished."""
        if self.finished:
            return []
        missing: list[Event] = [] if self._failed else [failure]
        self.finished = True
        speed = self.step / self._seconds if self._seconds else 0.0
        end = Finished(step=self.step, seconds=self._seconds, steps_per_second=speed, reason="failed")
        return [*missing, end]

    def killed(self) -> list[Event]:
        """What is missing after `Host.kill`."""
        return self.complete(Failed(step=self.step, text=say("host.stopped_unsaved")))


def broken(key: str, error: BaseException, step: int, **args: object) -> Failed:
    """The event for an error in a thread that only carries messages: what went wrong, with the error's kind."""
    kind, problem = type(error).__name__, " ".join(str(reason_of(error)).split())
    reason = problem if problem == kind else f"{kind}: {problem}"
    details = "".join(traceback.format_exception(error))
    return Failed(step=step, text=say(key, problem=reason, **args), details=details)


def job_events(target: str, request: Request, inbox: Inbox) -> Iterator[Event]:
    """Import the job named by `module:object`, run it and pass on its events, completed to a whole stream."""
    ending = Ending()
    try:
        job = load(Entry(summary="", target=target))
        for event in job(request, inbox):
            if ending.admit(event):
                yield event
        failure = Failed(step=ending.step, text=say("host.silent"))
    except (Exception, SystemExit) as error:
        environment = request.experiment.env.id if request.experiment else ""
        failure = failed(error, ending.step, environment)
    yield from ending.complete(failure)


class Outbox:
    """A queue of events from the thread that makes them to the thread that takes them.

    The order is kept. Of several `Weights` that wait, only the newest is kept, because they may be large.
    """

    def __init__(self) -> None:
        self._cells: deque[list[Event]] = deque()
        self._weights: list[Event] = []
        self.closed = False

    def put(self, event: Event) -> None:
        cell = [event]
        if isinstance(event, Weights):
            self._weights.clear()
            self._weights = cell
        self._cells.append(cell)

    def close(self) -> None:
        """No more events will come."""
        self.closed = True

    @property
    def done(self) -> bool:
        """Whether it is closed and empty."""
        return self.closed and not self._cells

    def __len__(self) -> int:
        return len(self._cells)

    def take(self, most: int) -> list[Event]:
        """Up to `most` events, the oldest first; never waits."""
        events: list[Event] = []
        while len(events) < most:
            try:
                cell = self._cells.popleft()
            except IndexError:
                break
            try:
                events.append(cell.pop())
            except IndexError:  # weights that newer ones replaced
                continue
        return events

    def drain(self, budget_ms: float) -> list[Event]:
        """Everything that is there, as far as the time allows; never waits."""
        end = time.perf_counter() + budget_ms / 1000
        events = self.take(CHUNK)
        while self._cells and time.perf_counter() < end:
            events += self.take(CHUNK)
        return events
