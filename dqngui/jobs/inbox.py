"""The inbox of a job: commands that were sent to it, and a schedule of commands known beforehand."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dqngui.envs.interrupt import UserInterrupt
from dqngui.messages import Command, Pause, Resume, SetBreakpoints, Stop


class Source(Protocol):
    """A queue of commands, such as `queue.SimpleQueue`. Both calls raise `queue.Empty` if there is none."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any: ...
    def get_nowait(self) -> Any: ...


class Calls(Protocol):
    """Says whether an environment is called now."""

    running: bool


PAUSE_S = 0.1
"""Seconds between two looks for dropped commands while a job waits."""


class Inbox:
    """The commands of one job; each is given out when it is due.

    A command without `at` is due when it arrives, one with `at` once the run has made that many steps.

    Args:
        source: where commands arrive while the job runs. None: nobody can answer while the job
            waits, so it never waits (the inline host); `send` still adds commands.
        schedule: commands known beforehand.

    Attributes:
        outside: says whether the job calls an environment now; None before a training job has begun, and for others.
        dropped: gives the commands that were dropped into the run's folder; None: nobody can drop any.
        steered: somebody has dropped a command that may pause the job, and so may continue it.
    """

    def __init__(self, source: Source | None, schedule: Sequence[Command] = ()) -> None:
        self.outside: Calls | None = None
        self.dropped: Callable[[], list[Command]] | None = None
        self.steered = False
        self._waits = source is not None
        self._source: Source = source if source is not None else queue.SimpleQueue()
        self._pending: list[Command] = list(schedule)
        self._next = _earliest(self._pending)

    def send(self, command: Command) -> None:
        """Add a command from the job's own thread (or a signal handler); only for an inbox without a source."""
        self._source.put(command)  # type: ignore[attr-defined]

    def ask_to_stop(self) -> None:
        """Add a `Stop`, from the job's own thread."""
        self._add(Stop())

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt, from a signal handler in the job's own thread, if that loses nothing: before the job
        has begun, or while it calls an environment. A training job then undoes its step, saves and ends.
        """
        if self.outside is None or self.outside.running:
            raise UserInterrupt

    def skip(self, step: int) -> None:
        """Remove the scheduled commands for this step or earlier: the resumed run has already carried them out."""
        self._pending = [command for command in self._pending if command.at is None or command.at > step]
        self._next = _earliest(self._pending)

    def poll(self, step: int) -> list[Command]:
        """Commands due at this step, the earliest first. Never waits."""
        self._collect()
        return self._due(step)

    def wait(self, step: int, timeout: float) -> list[Command]:
        """Commands for a paused job: waits up to `timeout` seconds for the first one due.

        Without a source: the next command of the schedule, whatever its `at`, or `Resume` if none is left.
        """
        due = self.poll(step)
        if due:
            return due
        if self._waits or (self.steered and not self._pending):
            return self._wait(step, timeout)
        if not self._pending:
            return [Resume()]
        command = min(self._pending, key=lambda command: command.at or 0)
        self._pending.remove(command)
        self._next = _earliest(self._pending)
        return [command]

    def _wait(self, step: int, timeout: float) -> list[Command]:
        """Wait for a command that is sent or dropped; an empty list after the timeout."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            try:
                self._add(self._source.get(timeout=left if self.dropped is None else min(left, PAUSE_S)))
            except queue.Empty:
                pass
            if due := self.poll(step):
                return due
        return []

    def _collect(self) -> None:
        for command in self.dropped() if self.dropped is not None else ():
            self.steered = self.steered or isinstance(command, (Pause, SetBreakpoints))
            self._add(command)
        while True:
            try:
                self._add(self._source.get_nowait())
            except queue.Empty:
                return

    def _add(self, command: Command) -> None:
        self._pending.append(command)
        self._next = min(self._next, command.at or 0)

    def _due(self, step: int) -> list[Command]:
        if step < self._next:  # the usual case: called at every vector step
            return []
        due = [command for command in self._pending if command.at is None or command.at <= step]
        self._pending = [command for command in self._pending if command.at is not None and command.at > step]
        self._next = _earliest(self._pending)
        # Stable: commands that carry no step were sent now, after everything stamped earlier.
        return sorted(due, key=lambda command: step if command.at is None else command.at)


def _earliest(commands: Sequence[Command]) -> float:
    return min((command.at or 0 for command in commands), default=float("inf"))
