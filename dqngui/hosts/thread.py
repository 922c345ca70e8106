"""Runs a job in a background thread of this process.

The thread is a daemon: a plain one would keep the interpreter from ending as long as the job runs.
But a thread that still runs torch when the interpreter is torn down aborts it, so what was neither
stopped nor joined is ended and joined before that.
"""

from __future__ import annotations

import atexit
import queue
import threading
from collections.abc import Generator
from typing import cast

from dqngui.hosts.host import DRAIN_MS
from dqngui.hosts.stream import Ending, Outbox, broken, job_events
from dqngui.jobs.inbox import Inbox
from dqngui.messages import Command, Event, Request, Stop

AT_EXIT_SECONDS = 10.0


class ThreadHost:
    """A job in a thread of its own. Tensors in events are the job's own objects."""

    def __init__(self, request: Request, target: str) -> None:
        self._request, self._target = request, target
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._outbox = Outbox()
        self._killed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"dqngui-{request.job}", daemon=True)

    def start(self) -> None:
        atexit.register(self._at_exit)
        self._thread.start()

    def send(self, command: Command) -> None:
        self._commands.put(command)

    def interrupt(self) -> None:
        """Does nothing: an exception raised in a thread could come at any moment of learning."""

    def drain(self, budget_ms: float = DRAIN_MS) -> list[Event]:
        return self._outbox.drain(budget_ms)

    @property
    def alive(self) -> bool:
        return self._thread.ident is not None and not self._outbox.done

    def join(self, timeout: float | None = None) -> bool:
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def kill(self) -> None:
        self._killed.set()
        self._commands.put(Stop())  # wakes a paused job

    def _run(self) -> None:
        ending, failure = Ending(), None
        inbox = Inbox(self._commands, self._request.schedule)
        events = cast("Generator[Event, None, None]", job_events(self._target, self._request, inbox))
        try:
            for event in events:
                if self._killed.is_set():
                    break
                if ending.admit(event):
                    self._outbox.put(event)
            events.close()
        except BaseException as error:  # of what carries events; those of the job are events already
            failure = broken("host.lost", error, ending.step)
        finally:
            for event in ending.complete(failure) if failure else ending.killed():
                self._outbox.put(event)
            self._outbox.close()
            atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        if self._thread.is_alive():
            self.kill()
            self._thread.join(AT_EXIT_SECONDS)
