"""Reads a stored run's log in a small thread and gives its events as a host does, as if the run were live.

The thread decodes the log in slices. Each is so short that the window never waits for the interpreter's lock. The
thread decodes only a few slices more than were drained.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import BinaryIO

from dqngui.bounded import exists, open_regular
from dqngui.config import ConfigError
from dqngui.hosts.host import DRAIN_MS
from dqngui.messages import Command, Event
from dqngui.runs.folder import EVENTS
from dqngui.runs.log_lines import LONGEST_LINE, MOST_LOG, events_in, too_long, whole_lines
from dqngui.texts import Text, reason_of, say

SLICE = 64 * 1024  # bytes, some five hundred events
AHEAD = 64  # slices decoded and not yet drained
MOST = 8_000  # at most so many events a drain, and fewer if the window needs longer for them than TICK_S
TICK_S = 0.012


class LogReader:
    """The log of one run, up to the last whole line that it has now. Damaged lines are passed over.

    Attributes:
        size: bytes to read.
        problem: which lines are damaged, or why the log could not be read to its end; empty if nothing is wrong.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError if the log cannot be read."""
        self.path = folder / EVENTS
        self.problem: Text | str = ""
        self._slices: deque[tuple[list[Event], int]] = deque()
        self._room = threading.Semaphore(AHEAD)
        self._drained_bytes = 0
        self._most = MOST
        self._cancelled = False
        self._over = False
        self._lines = 0  # that were decoded
        self._damaged: list[tuple[int, Text | str]] = []  # number and reason of the first one
        self._count = 0  # of damaged lines
        self._thread = threading.Thread(target=self._read, name="dqngui-log", daemon=True)
        try:
            self.size = self._whole_size()
        except OSError as error:
            raise ConfigError(_unreadable(self.path, error)) from None

    @property
    def share(self) -> float:
        """Share of the log that was drained, from 0 to 1."""
        return self._drained_bytes / self.size if self.size else 1.0

    @property
    def ahead(self) -> int:
        """Number of slices that were decoded and not yet drained."""
        return len(self._slices)

    # -- as a host -------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def send(self, command: Command) -> None:
        """Do nothing: a log takes no commands."""

    def drain(self, budget_ms: float = DRAIN_MS) -> list[Event]:
        """Some of the next events, in order; never waits."""
        events: list[Event] = []
        while self._slices and len(events) < self._most:
            slice_, end = self._slices.popleft()
            events += slice_
            self._drained_bytes = end
            self._room.release()
        return events

    def set_pace(self, seconds: float) -> None:
        """Tell how long the window needed for the last drain's events: the next drain gives as many as suit it."""
        self._most = round(min(MOST, max(500, self._most * min(2.0, TICK_S / max(seconds, 1e-6)))))

    @property
    def alive(self) -> bool:
        return not self._over or bool(self._slices)  # in this order: nothing is added once it is over

    def join(self, timeout: float | None = None) -> bool:
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def kill(self) -> None:
        """Read no further; what was decoded and not drained is dropped."""
        self._cancelled = True
        self._room.release()
        self._slices.clear()

    # -- the thread ------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            if self.size:
                with open_regular(self.path, MOST_LOG) as log:
                    self._read_slices(log)
        except ConfigError as error:
            self.problem = error.text
        except OSError as error:
            self.problem = _unreadable(self.path, error)
        except Exception as error:  # any other error ends reading too, and is shown
            self.problem = say("log.unreadable", path=self.path, problem=f"{type(error).__name__}: {error}")
        finally:
            if self._count and not self.problem:
                number, problem = self._damaged[0]
                self.problem = say("log.damaged_lines", path=self.path, line=number, problem=problem, count=self._count)
            if self._cancelled:
                self._slices.clear()
            self._over = True

    def _read_slices(self, log: BinaryIO) -> None:
        read = 0
        while read < self.size and not self._cancelled:
            lines, skipped = whole_lines(log, min(SLICE, self.size - read))
            events = events_in(lines, self._note_damage)
            self._lines += lines.count(b"\n")
            if skipped:
                self._note_damage(1, too_long())
                self._lines += 1
            at = log.tell()
            if at == read:
                return  # the file became shorter
            read = at
            self._room.acquire()
            self._slices.append((events, min(read, self.size)))

    def _note_damage(self, number: int, problem: Text | str) -> None:
        if not self._count:
            self._damaged.append((self._lines + number, problem))
        self._count += 1

    def _whole_size(self) -> int:
        """Bytes of whole lines."""
        if not exists(self.path):
            return 0
        with open_regular(self.path, MOST_LOG) as log:
            return _last_newline(log, log.seek(0, 2))


def _unreadable(path: Path, error: OSError) -> Text:
    return say("log.unreadable", path=path, problem=(error.strerror or str(reason_of(error))).lower())


def _last_newline(log: BinaryIO, length: int) -> int:
    """Where the last whole line ends; 0 if there is none, and the end of the file if what follows it is no line."""
    end = length
    while end > 0:
        if length - end > LONGEST_LINE:
            return length
        start = max(0, end - SLICE)
        log.seek(start)
        found = log.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
