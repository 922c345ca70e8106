"""The return curves of stored runs, read on in the background as their logs grow."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.lab.background.worker import Worker
from dqngui.lab.session.history import History
from dqngui.listing.return_log import ReturnLog
from dqngui.messages import Event
from dqngui.texts import Text, reason_of, say

MAX_UNUSED_CURVES = 16  # curves that are kept in memory though they are not drawn


class RunCurves:
    """Episodes, evaluations and forks of those runs that somebody asked for.

    Args:
        worker: reads them.
        changed: called after new data of a curve came.
        tell: takes the sentence about an error that nobody foresaw.
    """

    def __init__(self, worker: Worker, changed: Callable[[], None], tell: Callable[[Text], None]) -> None:
        self._worker, self._changed, self._tell = worker, changed, tell
        self._curves: dict[Path, History | None] = {}
        self._logs: dict[Path, ReturnLog] = {}  # used only by the background thread

    @property
    def requested(self) -> list[Path]:
        """The runs whose curves were requested and are kept in memory."""
        return list(self._curves)

    def of(self, folder: Path, drawn: Collection[Path]) -> History | None:
        """The curve of a run. None until it is read; the first call starts the reading.

        Args:
            drawn: runs whose curves are drawn, and so stay in memory.
        """
        if folder not in self._curves:
            self._drop_unused(drawn)
            self._curves[folder] = None
            self.read(folder)
        else:
            self._curves[folder] = self._curves.pop(folder)  # used last
        return self._curves[folder]

    def _drop_unused(self, drawn: Collection[Path]) -> None:
        unused = [folder for folder, curve in self._curves.items() if folder not in drawn and curve is not None]
        for folder in unused[: max(0, len(unused) - MAX_UNUSED_CURVES)]:
            del self._curves[folder]
            self._worker.submit(partial(self._logs.pop, folder, None), lambda _: None)

    def read(self, folder: Path) -> None:
        """Read what was added to the log of a run."""
        self._worker.submit(partial(self._read_new_events, folder), partial(self._take, folder), self._not_read)

    def _not_read(self, error: BaseException) -> None:
        self._tell(say("library.curve_not_read", problem=f"{type(error).__name__}: {reason_of(error)}"))

    def _read_new_events(self, folder: Path) -> tuple[History | None, list[Event]]:
        """Read new events: (a history that replaces the present one, or None; events to append to the present one)."""
        log = self._logs.setdefault(folder, ReturnLog(folder))
        new_history: History | None = None
        new_events: list[Event] = []
        try:
            for restarted, events in log.read(lambda: self._worker.running):
                if restarted:
                    new_history, new_events = History(), []
                if new_history is not None:
                    new_history.take(events)
                else:
                    new_events += events
        except (OSError, ConfigError):
            pass  # what was read stays; the folder may be on its way into the trash
        return new_history, new_events

    def _take(self, folder: Path, found: tuple[History | None, list[Event]]) -> None:
        new_history, new_events = found
        if folder not in self._curves:
            return
        known = self._curves[folder]
        if new_history is not None:
            self._curves[folder] = new_history
        elif known is None:
            self._curves[folder] = History()
        elif new_events:
            known.take(new_events)
        else:
            return
        self._changed()
