"""Reads a stored run's log in a small thread and gives its events as a host does, as if the run were live.

The thread decodes the log in slices. Each is so short that the window never waits for the interpreter's lock. The
thread decodes only a few slices more than were drained.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import BinaryIO

import msgspec

from dqngui.config import ConfigError
from dqngui.hosts.host import DRAIN_MS
from dqngui.messages import ALL_EVENTS, Command, Event, decode_event
from dqngui.runs.folder import EVENTS
from dqngui.texts import Text, reason_of, say

SLICE = 64 * 1024  # bytes, some five hundred events
AHEAD = 64  # slices decoded and not yet drained
MOST = 8_000  # at most so many events a drain, and fewer if the window needs longer for them than TICK_S
TICK_S = 0.012
_decoder = msgspec.json.Decoder(ALL_EVENTS)


class LogReader:
    """The log of one run, up to the last whole line that it has now.

    Attributes:
        size: bytes to read.
        problem: the damaged line at which reading ended; empty if there was none.
    """

    def __init__(self, folder: Path) -> None:
        """Looks at the log's first and last slice. Raises ConfigError if one is damaged or cannot be read."""
        self.path = folder / EVENTS
        self.problem: Text | str = ""
        self._slices: deque[tuple[list[Event], int]] = deque()
        self._room = threading.Semaphore(AHEAD)
        self._drained_bytes = 0
        self._most = MOST
        self._cancelled = False
        self._over = False
        self._thread = threading.Thread(target=self._read, name="dqngui-log", daemon=True)
        try:
            self.size = self._check()
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
        read, number = 0, 1
        try:
            with open(self.path, "rb") if self.size else _nothing() as log:
                while read < self.size and not self._cancelled:
                    lines = _whole_lines(log, self.size - read)
                    events = _decode(lines, number, self.path)
                    read += len(lines)
                    number += len(events)
                    self._room.acquire()
                    self._slices.append((events, read))
        except ConfigError as error:
            self.problem = error.text
        except OSError as error:
            self.problem = _unreadable(self.path, error)
        except Exception as error:  # any other error ends reading too, and is shown
            self.problem = say("log.unreadable", path=self.path, problem=f"{type(error).__name__}: {error}")
        finally:
            if self._cancelled:
                self._slices.clear()
            self._over = True

    def _check(self) -> int:
        """Bytes of whole lines, after a look at both ends."""
        if not self.path.exists():
            return 0
        with open(self.path, "rb") as log:
            length = log.seek(0, 2)
            size = _last_newline(log, length)
            log.seek(0)
            if size:
                _decode(_whole_lines(log, size), 1, self.path)
            if size > SLICE:
                log.seek(size - SLICE)
                tail = log.read(SLICE)
                _decode(tail[tail.find(b"\n") + 1 :], None, self.path)
        return size


def _unreadable(path: Path, error: OSError) -> Text:
    return say("log.unreadable", path=path, problem=(error.strerror or str(reason_of(error))).lower())


def _nothing() -> BinaryIO:
    import io

    return io.BytesIO()


def _whole_lines(log: BinaryIO, left: int) -> bytes:
    """The next slice, up to the end of a line; `left` bytes of whole lines follow."""
    data = log.read(min(SLICE, left))
    if len(data) < left and not data.endswith(b"\n"):
        data += log.readline()
    return data


def _last_newline(log: BinaryIO, length: int) -> int:
    """Where the last whole line ends; 0 if there is none."""
    end = length
    while end > 0:
        start = max(0, end - SLICE)
        log.seek(start)
        found = log.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _decode(lines: bytes, number: int | None, path: Path) -> list[Event]:
    """The events of whole lines, the first of which has this number. Raises ConfigError for a damaged one."""
    try:
        events: list[Event] = _decoder.decode_lines(lines)
        return events
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass  # a NaN, or damage: look at each line
    events = []
    for index, line in enumerate(lines.splitlines()):
        try:
            events.append(decode_event(line))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            if number is None:
                raise ConfigError("log.damaged_end", path=path, problem=error) from None
            raise ConfigError("log.damaged_in_line", path=path, line=number + index, problem=error) from None
    return events
