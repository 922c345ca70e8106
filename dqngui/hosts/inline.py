"""Runs a job inside `drain`, for the command line and tests; its inbox never waits."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import cast

from dqngui.hosts.host import DRAIN_MS
from dqngui.hosts.stream import Ending, job_events
from dqngui.jobs.inbox import Inbox
from dqngui.messages import Command, Event, Request


class InlineHost:
    """A job in the caller's own thread; `send` may be called from a signal handler."""

    def __init__(self, request: Request, target: str) -> None:
        self._request, self._target = request, target
        self._inbox = Inbox(None, request.schedule)
        self._events: Generator[Event, None, None] | None = None
        self._ending = Ending()
        self._left: list[Event] = []

    def start(self) -> None:
        events = job_events(self._target, self._request, self._inbox)
        self._events = cast("Generator[Event, None, None]", events)

    def send(self, command: Command) -> None:
        self._inbox.send(command)

    def interrupt(self) -> None:
        self._inbox.interrupt()

    def drain(self, budget_ms: float = DRAIN_MS) -> list[Event]:
        events, self._left = self._left, []
        end = time.perf_counter() + budget_ms / 1000
        while self._events is not None:
            event = next(self._events, None)
            if event is None:
                self._events = None
            elif self._ending.admit(event):
                events.append(event)
            if time.perf_counter() >= end:
                break
        return events

    @property
    def alive(self) -> bool:
        return self._events is not None or bool(self._left)

    def join(self, timeout: float | None = None) -> bool:
        return self._events is None

    def kill(self) -> None:
        if self._events is not None:
            self._events.close()
            self._events = None
            self._left = self._ending.killed()
