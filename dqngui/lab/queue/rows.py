"""The queue as its card shows it: what is trained first, then what waits in its order, then what has ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.listing.run_names import folder_name
from dqngui.sweeps.entry import ENDED, Entry
from dqngui.sweeps.overview import Overview, Overviews, QueuedRun
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.samplers import Trial
from dqngui.sweeps.sweep_folder import SweepFolder

MOVABLE = ("waiting", "paused")
"""States of entries that have a place in the order."""


@dataclass(frozen=True)
class QueueRow:
    """An entry with what is shown of it.

    Attributes:
        folder: the path of its run.
        trial: the values of the axes of its sweep; empty without a sweep.
        sweep: short name of its sweep; empty without one.
    """

    run: QueuedRun
    folder: str
    trial: str = ""
    sweep: str = ""

    @property
    def entry(self) -> Entry:
        return self.run.entry

    @property
    def movable(self) -> bool:
        """Whether it has a place in the order, and may be moved."""
        return self.entry.state in MOVABLE

    @property
    def begun(self) -> bool:
        """Whether it was trained already, or belongs to a run that was."""
        return self.entry.kind == "resume" or self.entry.tries > 0 or self.run.step > 0


@dataclass(frozen=True)
class QueueView:
    """The whole queue at a moment, with its rows in the order in which they are shown."""

    overview: Overview
    rows: list[QueueRow]


class QueueReader:
    """Reads the queue of a folder of runs; what does not change is read once."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.overviews = Overviews(queue)
        self._trials: dict[str, dict[str, Trial | None]] = {}

    def read(self) -> QueueView:
        """The queue as it is now. Raises ConfigError."""
        overview = self.overviews.read()
        rows = [self._row(run) for run in overview.runs]
        return QueueView(overview, in_order(rows))

    def _row(self, run: QueuedRun) -> QueueRow:
        entry = run.entry
        try:
            folder = str(self.queue.path_of(entry))
        except ConfigError:
            folder = entry.folder
        if not entry.sweep:
            return QueueRow(run, folder)
        trial = self._trial(entry)
        return QueueRow(run, folder, "" if trial is None else trial.label, folder_name(entry.sweep))

    def _trial(self, entry: Entry) -> Trial | None:
        """The trial of an entry: the name of its folder begins with the number."""
        number = Path(entry.folder).name.partition("-")[0]
        known = self._trials.setdefault(entry.sweep, {})
        if number not in known:
            known[number] = None  # not read again and again where it is missing
            try:
                for trial in SweepFolder.open(self.queue.runs / entry.sweep).trials():
                    known[f"{trial.number:03d}"] = trial
            except ConfigError:
                return None
        return known[number]


def in_order(rows: list[QueueRow]) -> list[QueueRow]:
    """What is trained, what waits or was paused, what has reached its rung, and what has ended, the latest first."""
    running = [row for row in rows if row.entry.state == "running"]
    waiting = [row for row in rows if row.movable]
    reached = [row for row in rows if row.entry.state == "reached"]
    ended = [row for row in rows if row.entry.state in ENDED]
    return running + waiting + reached + ended[::-1]
