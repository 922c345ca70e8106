"""Watches and steers a run that trains in another process, as if it were a job of one's own.

Its log and `live.jsonl` are its events, files dropped into its folder are its commands (`runs.dropped_commands`). A
small thread reads both files as they grow. The run may end, be killed, or be resumed by yet another process meanwhile.
Nothing here ends the run, except a `Stop` that is sent.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from dqngui.bounded import open_regular, small_numbers
from dqngui.config import ConfigError
from dqngui.hosts.host import DRAIN_MS
from dqngui.hosts.log_reader import MOST, SLICE, LogReader
from dqngui.messages import (
    BreakpointHit,
    Command,
    Event,
    Failed,
    Finished,
    Opened,
    Paused,
    SendWeights,
    Unpaused,
    Warned,
    Weights,
    WriterBegan,
    decode_event,
)
from dqngui.runs.dropped_commands import STEERING, drop
from dqngui.runs.folder import EVENTS, read_experiment
from dqngui.runs.live_file import LIVE, MOST_LIVE, TOLD
from dqngui.runs.lock import Writer, writer_of
from dqngui.runs.log_lines import MOST_LOG, events_in
from dqngui.texts import say

LOOK_S = 0.1
GONE_S = 1.0
"""So long nobody must hold the run's lock before it counts as ended: a writer that is moved locks another file."""
AHEAD = 100_000
"""So many events are read ahead of those that were drained."""


class ElsewhereHost:
    """The training job of a run in another process. Its events begin with those of its log so far.

    Attributes:
        catching_up: events of the past are being given.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError if the log cannot be read."""
        self.folder = folder
        live = folder / LIVE
        self._first_live = _id_of(live)  # before the log: of another one, it is told where the log was cut
        self._past = LogReader(folder)
        self._log = _Growing(folder / EVENTS, MOST_LOG, self._past.size)
        self._live = _Growing(live, MOST_LIVE, 0)
        self._events: deque[Event] = deque()
        self._last: list[Event] = []  # how it ended, to be given after the rest of the log
        self._step = 0
        self._finished = self._failed = self._opened = self._paused = False
        self._over = self._left = False
        self._weights_wanted = False
        self._weights_step = -1
        self._thread = threading.Thread(target=self._watch, name="dqngui-elsewhere", daemon=True)

    # -- as a host ---------------------------------------------------------------------------------

    def start(self) -> None:
        self._past.start()
        self._thread.start()

    def send(self, command: Command) -> None:
        """Drop a command for the run; weights are read from its newest checkpoint instead."""
        if isinstance(command, SendWeights):
            self._weights_wanted = True
        elif isinstance(command, STEERING):
            drop(self.folder, command)

    def interrupt(self) -> None:
        """Do nothing: whoever trains the run looks after its environments."""

    @property
    def catching_up(self) -> bool:
        return self._past.alive

    def drain(self, budget_ms: float = DRAIN_MS) -> list[Event]:
        if self._past.alive:
            return [event for event in self._past.drain() if not isinstance(event, (Warned, BreakpointHit))]
        events: list[Event] = []
        while self._events and len(events) < MOST:
            events.append(self._events.popleft())
        return events

    @property
    def alive(self) -> bool:
        return not self._left and (self._past.alive or not self._over or bool(self._events))

    def join(self, timeout: float | None = None) -> bool:
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def kill(self) -> None:
        """Stop watching; the run goes on. No further events come."""
        self._left = True
        self._past.kill()
        self._events.clear()

    # -- the thread --------------------------------------------------------------------------------

    def _watch(self) -> None:
        try:
            self._past.join()
            gone_since: float | None = None
            while not self._left:
                there = writer_of(self.folder) is not Writer.NOBODY  # before reading: what it wrote last is read then
                found = self._read()
                if not self._opened:  # an earlier version trains it
                    experiment = read_experiment(self.folder)
                    self._put(Opened(step=0, folder=None, experiment=experiment, device="", parameters=0))
                now = time.monotonic()
                gone_since = None if there else gone_since or now
                if self._finished and not there:
                    break
                if gone_since is not None and now - gone_since >= GONE_S and not found:
                    break
                if not found or len(self._events) > AHEAD:
                    time.sleep(LOOK_S)
        except Exception as error:  # a thread that ended in silence would leave the run shown as training
            self._fail(say("elsewhere.unreadable", folder=self.folder, problem=f"{type(error).__name__}: {error}"))
        finally:
            if not self._finished:
                if not self._failed:
                    self._fail(self._why_ended())
                self._put(Finished(step=self._step, seconds=0.0, steps_per_second=0.0, reason="failed"))
            self._over = True

    def _read(self) -> bool:
        """Read what is new in both files; returns whether there was anything."""
        found = False
        for line in self._live.lines():
            found = True
            self._take_live(line)
        for lines in self._log.blocks():
            found = True
            for event in events_in(lines, lambda number, problem: None):
                self._put(event)
        for event in self._last:
            self._put(event)
        self._last.clear()
        if self._weights_wanted:
            self._give_weights()
        return found

    def _take_live(self, line: bytes) -> None:
        """Take an event of the live file, in which anybody may have written anything."""
        try:
            event = decode_event(line)
        except (ValueError, RecursionError, msgspec.MsgspecError):
            return
        if not isinstance(event, TOLD) or not small_numbers(event) or event.step < 0:
            return
        match event:
            case WriterBegan():
                self._finished = self._failed = False
                if self._live.file != self._first_live:
                    self._log.cut(max(0, event.log_bytes))
                if self._paused:
                    self._put(Unpaused(step=event.step))
                return
            case Opened():
                event = self._own(event)
            case Paused() | Unpaused():
                self._paused = isinstance(event, Paused)
            case Finished():
                self._finished = True
            case Failed():
                self._failed = True
        if isinstance(event, (Failed, Finished)):
            self._last.append(event)
        else:
            self._put(event)

    def _own(self, event: Opened) -> Opened:
        """What the writer says at its begin, but with this folder and its settings: no file may lead elsewhere."""
        experiment = read_experiment(self.folder)
        total = min(max(1, event.experiment.run.total_steps), 2**53)
        run = msgspec.structs.replace(experiment.run, total_steps=total)  # a resumed run may have been lengthened
        own = msgspec.structs.replace(experiment, run=run)
        return msgspec.structs.replace(event, experiment=own)

    def _give_weights(self) -> None:
        """Give the weights of the newest checkpoint, if it is newer than the last that was given."""
        from dqngui.runs.checkpoints import checkpoints, load_weights

        with contextlib.suppress(ConfigError, OSError):
            steps = checkpoints(self.folder)
            if not steps or steps[-1] == self._weights_step:
                return
            step, tensors = load_weights(self.folder, steps[-1])
            self._weights_wanted, self._weights_step = False, steps[-1]
            self._put(Weights(step=step, tensors={name: value.numpy() for name, value in tensors.items()}))

    def _put(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._opened = True
            event = msgspec.structs.replace(event, folder=str(self.folder))
        elif isinstance(event, Unpaused):
            self._paused = False
        self._step = max(self._step, event.step)
        self._events.append(event)

    def _fail(self, text: object) -> None:
        self._failed = True
        self._put(Failed(step=self._step, text=text))  # type: ignore[arg-type]

    def _why_ended(self) -> object:
        if not self.folder.is_dir():
            return say("elsewhere.gone", folder=self.folder)
        return say("elsewhere.killed")


class _Growing:
    """A file that another process appends to, read from a position on; it may be cut, replaced, or not be there."""

    def __init__(self, path: Path, most: int, position: int) -> None:
        self._path, self._most, self._position = path, most, position
        self.file: tuple[int, int] | None = None  # the one that was read last

    def cut(self, length: int) -> None:
        """Go on at this length, if more was read already: what was beyond it is gone."""
        self._position = min(self._position, length)

    def lines(self) -> Iterator[bytes]:
        """New whole lines. A file that replaced the former one is read from its begin."""
        for block in self.blocks(from_begin=True):
            yield from block.splitlines()

    def blocks(self, *, from_begin: bool = False) -> Iterator[bytes]:
        """New whole lines, in blocks."""
        try:
            file = open_regular(self._path, self._most)
        except (OSError, ConfigError):
            return
        with file:
            found = os.fstat(file.fileno())
            if from_begin and self.file not in (None, (found.st_dev, found.st_ino)):
                self._position = 0
            self.file = found.st_dev, found.st_ino
            if found.st_size < self._position:
                return  # it was cut, and where it goes on is told by the new writer
            yield from self._new_blocks(file)

    def _new_blocks(self, file: BinaryIO) -> Iterator[bytes]:
        file.seek(self._position)
        while block := file.read(SLICE):
            whole = block.rfind(b"\n") + 1
            if not whole:
                if len(block) < SLICE:
                    return
                whole = len(block)  # a line longer than any event
            self._position += whole
            file.seek(self._position)
            yield block[:whole]


def _id_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_elsewhere(folder: Path) -> bool:
    """Whether another process trains this run now."""
    return writer_of(folder) is Writer.ELSEWHERE
