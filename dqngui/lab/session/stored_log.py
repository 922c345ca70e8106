"""The log of a stored run while it is read: a source of events, as a job is."""

from __future__ import annotations

import time

from dqngui.hosts.log_reader import LogReader
from dqngui.messages import Event
from dqngui.texts import Text

CLOSE_S = 1.0
END_S = 0.1


class StoredLog:
    """At most one log at a time; while none is read, there are no events.

    Attributes:
        problem: the damaged line at which the last reading ended; empty if there was none.
    """

    def __init__(self) -> None:
        self._reader: LogReader | None = None
        self._drained_at: float | None = None  # when the last events were given; None: there were none
        self.problem: Text | str = ""

    @property
    def reading(self) -> bool:
        """A log is being read."""
        return self._reader is not None

    @property
    def share(self) -> float:
        """How much of the log was taken, 0…1; 1 if none is being read."""
        return 1.0 if self._reader is None else self._reader.share

    def open(self, reader: LogReader) -> None:
        """Begin to read this log."""
        self._reader, self.problem = reader, ""
        reader.start()

    def drain(self) -> list[Event]:
        """Some of the next events, in order; never waits. How many, depends on how fast they are taken."""
        began = time.perf_counter()
        events = [] if self._reader is None else self._reader.drain()
        self._drained_at = began if events else None
        return events

    def end(self) -> bool:
        """To be called once the events of `drain` were taken. Lets go of a log that was read; whether there was one."""
        if self._reader is not None and self._drained_at is not None:
            self._reader.set_pace(time.perf_counter() - self._drained_at)
        if self._reader is None or self._reader.alive or not self._reader.join(END_S):
            return False
        self._let_go()
        return True

    def close(self) -> bool:
        """Read no further, and drop what was not taken yet; whether a log was being read."""
        if self._reader is None:
            return False
        self._reader.kill()
        self._reader.join(CLOSE_S)
        self._let_go()
        return True

    def kill(self) -> None:
        """Read no further; what was not taken yet is dropped."""
        if self._reader is not None:
            self._reader.kill()

    def _let_go(self) -> None:
        assert self._reader is not None
        self.problem, self._reader = self._reader.problem, None
