"""The worker: takes runs from the queue, trains each in a process, and notes how they ended.

A worker is driven by `tick`, so a command line and a test use it alike. Where the runs train is the host's matter.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dqngui.bounded import own_folder
from dqngui.config import ConfigError
from dqngui.hosts import LOST, Host, OpenHost, open_host
from dqngui.messages import Event, Failed, Finished, Stop
from dqngui.runs.lock import WriterLock, take_lock
from dqngui.runs.parent_state import drop_parent
from dqngui.sweeps.beginning import beginning
from dqngui.sweeps.entry import Entry, EntryState
from dqngui.sweeps.queue import WORKERS, Queue
from dqngui.sweeps.sweep import Sweeps
from dqngui.texts import Text, reason_of, say

LOOK_S = 1.0
"""Seconds between two looks at the queue, while nothing ends."""
NOTE_S = 5.0
"""Seconds after which the time spent on a run is noted again."""
JOIN_S = 10.0
MOST_LOSSES = 5
"""A run whose process is lost so often in a row, without coming further, has failed."""
LOST_KEYS = (LOST, "host.killed", "host.killed_for_memory", "host.silent")
"""Failures of a process or of its machine, which say nothing of the run: it goes on from its last save."""


@dataclass(frozen=True)
class Note:
    """What a worker tells about an entry: that it was `taken`, or the state in which its work ended, and why."""

    entry: Entry
    state: EntryState | str
    reason: Text | str = ""


class _Run:
    """One entry in training."""

    def __init__(self, entry: Entry, host: Host, step: int, now: float) -> None:
        self.entry, self.host = entry, host
        self.begun, self.step = step, step
        self.since = self.noted = now
        self.failed: Failed | None = None
        self.finished: Finished | None = None
        self.wish = ""
        self.stopped = False

    def stop(self, wish: str = "") -> None:
        self.wish = wish or self.wish
        if not self.stopped:
            self.stopped = True
            self.host.send(Stop())

    def take(self, event: Event) -> None:
        self.step = max(self.step, event.step)
        if isinstance(event, Failed):
            self.failed = self.failed or event
        elif isinstance(event, Finished):
            self.finished = event

    def spent(self, now: float) -> dict[str, float]:
        """Seconds and steps of this entry so far, as the queue notes them."""
        return {"seconds": self.entry.seconds + now - self.since, "steps": self.entry.steps + self.step - self.begun}

    @property
    def losses(self) -> int:
        """How often in a row, this time included, its process was lost without coming further than its last save."""
        if not self._lost:
            return 0
        return 1 if self.begun > self.entry.begun else self.entry.losses + 1

    @property
    def _lost(self) -> bool:
        return self.failed is not None and getattr(self.failed.text, "key", "") in LOST_KEYS

    def outcome(self, leaving: bool) -> tuple[EntryState, Text | str]:
        """The state of the entry now that its job has ended, and why."""
        wished: EntryState = "cancelled" if self.wish == "cancel" else "paused" if self.wish else "waiting"
        if self._lost and (self.wish or self.losses < MOST_LOSSES):
            return wished, "" if self.wish else self._problem
        if self._lost:
            return "failed", say("queue.lost_often", times=self.losses, problem=self._problem)
        if self.failed is not None or self.finished is None:
            return "failed", self._problem
        if self.finished.reason != "stopped":
            return "finished", ""
        if self.wish:
            return wished, ""
        if self.entry.until is not None and self.step > self.entry.until:
            return "reached", ""
        return ("waiting", "") if leaving else ("paused", say("queue.stopped_by_somebody"))

    @property
    def _problem(self) -> Text | str:
        return self.failed.text if self.failed is not None else say("queue.ended_silently")


class Worker:
    """Trains the runs of one queue until it is empty, or for as long as it is asked to wait for more.

    Attributes:
        name: its name among the workers of this queue.
        tell: called with a `Note` for each entry that is taken or ends.
    """

    def __init__(
        self,
        runs: Path,
        *,
        sweep: str | None = None,
        kind: str = "process",
        open_host: OpenHost = open_host,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[Note], None] = lambda note: None,
    ) -> None:
        """Raises ConfigError if the folder of runs cannot be written.

        Args:
            sweep: works on the runs of this sweep alone, which is the name of its folder in the queue.
            kind: of the hosts.
        """
        self.queue, self.tell = Queue(runs), tell
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._sweep, self._kind, self._open_host, self._clock = sweep, kind, open_host, clock
        self._running: list[_Run] = []
        self._leaving, self._more = False, True
        self._looked = float("-inf")
        self._sweeps = Sweeps(self.queue, only=sweep)
        self._folder = self.queue.folder / WORKERS / self.name
        self._lock = self._begin()

    # -- its life ----------------------------------------------------------------------------------

    def _begin(self) -> WriterLock:
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            own_folder(self._folder.parent)
            for name in [each.name for each in self._folder.parent.iterdir()]:
                if not self.queue.lives(name):
                    shutil.rmtree(self._folder.parent / name, ignore_errors=True)
            return self._own_lock()
        except OSError as error:
            raise ConfigError("queue.not_written", path=self._folder, problem=error.strerror) from None

    def _own_lock(self) -> WriterLock:
        """Take the lock of the worker's folder; another worker may just remove what looks like that of a dead one."""
        for _ in range(10):
            self._folder.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                return take_lock(self._folder)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._folder))

    def close(self) -> None:
        """Let others have what this worker has not finished; kills what still trains."""
        for run in self._running:
            run.host.kill()
            run.host.join(JOIN_S)
        self._lock.release()
        shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self) -> None:
        """Save and end all runs; their entries wait for another worker."""
        self._leaving = True
        for run in self._running:
            run.stop()

    def interrupt(self) -> None:
        """After `stop`: interrupt environments whose step does not return."""
        for run in self._running:
            run.host.interrupt()

    # -- its work ----------------------------------------------------------------------------------

    def tick(self) -> bool:
        """Do what is due; never waits. Returns whether something runs, or waits for a place or for a pause to end.

        Raises ConfigError if the queue cannot be used any more.
        """
        now = self._clock()
        ended = [run for run in self._running if not self._goes_on(run, now)]
        for run in ended:
            self._running.remove(run)
            self._end(run, now)
        if ended or now - self._looked >= LOOK_S:
            self._looked = now
            self._look(now)
        return bool(self._running) or (not self._leaving and self._more)

    def advance_sweeps(self) -> None:
        """Queue the first trials of sweeps, without training anything."""
        self._sweeps.advance()

    @property
    def running(self) -> list[Entry]:
        """The entries that this worker trains now."""
        return [run.entry for run in self._running]

    @property
    def sweep_problems(self) -> dict[str, Text | str]:
        """By the name of a sweep, why it cannot go on."""
        return self._sweeps.problems

    def _goes_on(self, run: _Run, now: float) -> bool:
        for event in run.host.drain():
            run.take(event)
        if now - run.noted >= NOTE_S:
            run.noted = now
            self.queue.change(run.entry.id, ("running",), **run.spent(now))
        return run.host.alive

    def _end(self, run: _Run, now: float) -> None:
        run.host.join(JOIN_S)
        if run.entry.parent:
            drop_parent(self.queue.path_of(run.entry))
        state, reason = run.outcome(self._leaving)
        self.queue.release(run.entry.id, self.name, state, reason, losses=run.losses, begun=run.begun, **run.spent(now))
        self.tell(Note(run.entry, state, reason))

    def _look(self, now: float) -> None:
        """Do what the queue asks for now: carry out wishes, go on with sweeps, take further runs."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.keep()
        wishes = {each.id: each.wish for each in self.queue.entries() if each.wish}
        for run in self._running:
            if wish := wishes.get(run.entry.id):
                run.stop(wish)
        if not self._leaving:
            self._sweeps.advance()
            while (entry := self.queue.take(self.name, sweep=self._sweep)) is not None:
                self._start(entry, now)
        states = [each.state for each in self.queue.entries() if self._sweep in (None, each.sweep)]
        self._more = any(state in ("waiting", "running", "reached") for state in states) or self._sweeps.open

    def _start(self, entry: Entry, now: float) -> None:
        try:
            begin = beginning(entry, self.queue.path_of(entry))
            if begin.request is None:
                self.queue.release(entry.id, self.name, begin.state)
                self.tell(Note(entry, begin.state))
                return
            host = self._open_host(self._kind, begin.request)
            host.start()
        except Exception as error:  # of one run; the others are trained all the same
            self.queue.release(entry.id, self.name, "failed", reason_of(error))
            self.tell(Note(entry, "failed", reason_of(error)))
            return
        self._running.append(_Run(entry, host, begin.step, now))
        self.tell(Note(entry, "taken"))
