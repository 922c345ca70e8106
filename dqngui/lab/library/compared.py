"""The runs that are compared: read in a background thread, in groups, and again when their logs grow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from dqngui.comparison.groups import Grouping, grouped
from dqngui.comparison.results import RunResult, read_result
from dqngui.comparison.words import skipped_text
from dqngui.lab.background.timing import TickTimer, Timing
from dqngui.lab.background.worker import Worker
from dqngui.runs.folder import EVENTS
from dqngui.texts import Text, say

REFRESH_MS = 3000
MOST = 500
"""Runs that are compared at most."""
AT_ONCE = 16
"""Runs that are read before what was read is shown."""
_Stamp = tuple[int, int]
_Read = dict[Path, tuple[_Stamp, RunResult | Text]]


class Compared(QObject):
    """The runs that are compared.

    Attributes:
        folders: the chosen runs, in the order in which they were chosen.
        grouping: those that were read, in groups.
        problems: why others are left out, a sentence each.
        loading: whether runs are being read that were not read before.

    Signals:
        changed: other runs, or new data of theirs.
        asked: a person asked for a comparison, which the window should show.
    """

    changed = Signal()
    asked = Signal()

    def __init__(self, timing: Timing | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folders: tuple[Path, ...] = ()
        self.grouping = Grouping(())
        self.problems: list[Text] = []
        self.loading = False
        self._found: _Read = {}
        self._left_out = 0
        self._reading = False
        self._watched = False
        self._worker = Worker("compared", self)
        self._timer = TickTimer(REFRESH_MS, timing or Timing(), parent=self)
        self._timer.ticked.connect(self.tick)

    def choose(self, folders: Iterable[str | Path]) -> None:
        """Compare these runs instead of the present ones."""
        chosen = tuple(dict.fromkeys(Path(each) for each in folders))
        self.folders, self._left_out = chosen[:MOST], len(chosen[MOST:])
        self._found = {folder: found for folder, found in self._found.items() if folder in self.folders}
        self.loading = any(folder not in self._found for folder in self.folders)
        self._group()
        self.refresh()

    def ask(self, folders: Iterable[str | Path]) -> None:
        """Compare these runs, and have the comparison shown."""
        self.choose(folders)
        self.asked.emit()

    def set_watched(self, watched: bool) -> None:
        """Set whether the comparison is visible; only then the logs are read again when they grow."""
        self._watched = watched
        if watched and self.folders:
            self._timer.start()
            self.refresh()
        elif not watched:
            self._timer.stop()

    @Slot()
    def tick(self) -> None:
        if self._watched:
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Read the runs whose logs have changed."""
        if self.folders and not self._reading:
            self._reading = True
            known = {folder: stamp for folder, (stamp, _) in self._found.items()}
            self._worker.submit(partial(self._read, self.folders, known), self._take)
            if self._watched:
                self._timer.start()

    def _read(self, folders: Sequence[Path], known: dict[Path, _Stamp]) -> _Read:
        found: _Read = {}
        for folder in folders:
            if not self._worker.running or len(found) >= AT_ONCE:
                break
            stamp = _stamp(folder)
            if known.get(folder) != stamp:
                try:
                    found[folder] = stamp, read_result(folder)
                except Exception as error:  # of a stranger's files; the other runs are compared all the same
                    found[folder] = stamp, skipped_text(folder.name, error)
        return found

    def _take(self, found: _Read) -> None:
        self._reading = False
        found = {folder: each for folder, each in found.items() if folder in self.folders}
        self._found |= found
        missing = any(folder not in self._found for folder in self.folders)
        if missing or len(found) >= AT_ONCE:  # the next ones, or others that were chosen meanwhile
            self.refresh()
        if found or self.loading != missing:
            self.loading = missing
            self._group()

    def _group(self) -> None:
        there = [self._found[folder][1] for folder in self.folders if folder in self._found]
        self.grouping = grouped([each for each in there if isinstance(each, RunResult)])
        self.problems = [each for each in there if isinstance(each, Text)]
        if self._left_out:
            self.problems.insert(0, say("compare.too_many", most=MOST, count=self._left_out))
        self.changed.emit()

    def stop(self) -> None:
        """Stop reading. The thread has ended when `alive` is False."""
        self._timer.stop()
        self._worker.stop()

    @property
    def alive(self) -> bool:
        return self._worker.alive

    def join(self) -> None:
        """Wait until the thread has ended; call `stop` first."""
        self._worker.join()


def _stamp(folder: Path) -> _Stamp:
    """Size and time of a run's log; both -1 if it cannot be seen."""
    try:
        status = (folder / EVENTS).lstat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
