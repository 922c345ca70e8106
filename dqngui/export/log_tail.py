"""Reads a run's log as far as it is written, and again when it has grown."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from dqngui.bounded import MEGABYTE, exists, open_regular
from dqngui.config import ConfigError
from dqngui.messages import Event
from dqngui.runs.folder import EVENTS, summary_of
from dqngui.runs.lock import Writer, writer_of
from dqngui.runs.log_lines import MOST_LOG, events_in, too_long, whole_lines
from dqngui.texts import Text, reason_of

SLICE = MEGABYTE // 4


class LogTail:
    """The log of one run. `read` gives what came since the last call; damaged lines are passed over.

    Attributes:
        problem: the reason of the first damaged line, empty if there is none; `damaged`: their number.
        cut: the log became shorter than what was read, as when its run was resumed from an earlier state: what was read
            is not the run's any more, and reading has to begin anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem: Text | str = ""
        self.damaged = 0
        self.cut = False
        self._at = 0

    def read(self) -> list[Event]:
        """The events of the next whole lines, about a quarter of a megabyte; none at the present end of the log.

        Raises ConfigError if the log cannot be read.
        """
        path = self.folder / EVENTS
        try:
            if not exists(path):
                self.cut = self.cut or self._at > 0
                return []
            with open_regular(path, MOST_LOG) as log:
                if log.seek(0, 2) < self._at:
                    self.cut = True
                    return []
                return self._next(log)
        except OSError as error:
            raise ConfigError("file.unreadable", path=path, problem=error.strerror or reason_of(error)) from None

    def _next(self, log: BinaryIO) -> list[Event]:
        events: list[Event] = []
        while not events:
            log.seek(self._at)
            lines, skipped = whole_lines(log, SLICE)
            if not lines and not skipped:
                break
            if skipped:
                self._note(1, too_long())
                self._at = log.tell()
            else:
                self._at += len(lines)
            events = events_in(lines, self._note)
        return events

    def _note(self, number: int, problem: Text | str) -> None:
        self.problem = self.problem or problem
        self.damaged += 1

    @property
    def may_grow(self) -> bool:
        """Whether somebody writes the run now. Ask before the last `read`: what is written in between is read then."""
        writer = writer_of(self.folder)
        if writer is Writer.UNKNOWN:  # a file system without locks
            summary = summary_of(self.folder)
            return summary is not None and summary.state == "running"
        return writer is not Writer.NOBODY
