"""The log of a stored run while it is being read: a source of events, like a job."""

from __future__ import annotations

from collections.abc import Callable

from dqngui.hosts.log_reader import LogReader
from dqngui.messages import Event
from dqngui.texts import Text

CLOSE_S = 1.0
END_S = 0.1


class StoredLog:
    """Reads at most one log at a time; without a log it gives no events.

    Attributes:
        problem: the damaged line that ended the last reading; empty if there was none.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` measures how long events take to process, in seconds."""
        self._clock = clock
        self._reader: LogReader | None = None
        self._drained_at: float | None = None  # time of the last events; None if there were none
        self.problem: Text | str = ""

    @property
    def reading(self) -> bool:
        """Whether a log is being read."""
        return self._reader is not None

    @property
    def share(self) -> float:
        """Share of the log that was taken, 0 to 1; 1 if no log is being read."""
        return 1.0 if self._reader is None else self._reader.share

    def open(self, reader: LogReader) -> None:
        """Begin to read this log."""
        self._reader, self.problem = reader, ""
        reader.start()

    def drain(self) -> list[Event]:
        """The next events, in order, without waiting; their number adapts to the speed at which they are processed."""
        began = self._clock()
        events = [] if self._reader is None else self._reader.drain()
        self._drained_at = began if events else None
        return events

    def end(self) -> bool:
        """Drop the log if it was read to its end; returns whether it was dropped. Call it after processing `drain`."""
        if self._reader is not None and self._drained_at is not None:
            self._reader.set_pace(self._clock() - self._drained_at)
        if self._reader is None or self._reader.alive or not self._reader.join(END_S):
            return False
        self._let_go()
        return True

    def close(self) -> bool:
        """Stop reading and drop all events not taken yet; returns whether a log was being read."""
        if self._reader is None:
            return False
        self._reader.kill()
        self._reader.join(CLOSE_S)
        self._let_go()
        return True

    def kill(self) -> None:
        """Stop reading at once; drop all events not taken yet."""
        if self._reader is not None:
            self._reader.kill()

    def _let_go(self) -> None:
        assert self._reader is not None
        self.problem, self._reader = self._reader.problem, None
