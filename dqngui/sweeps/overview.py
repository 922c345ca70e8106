"""The queue as a person sees it: each entry with its run's progress and the time that is left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dqngui.bounded import MOST_TEXT, read_file
from dqngui.config import ConfigError
from dqngui.runs.folder import EXPERIMENT, SUMMARY, RunSummary, read_experiment, summary_of
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.estimate import Kind, Work, kinds_of, seconds_left
from dqngui.sweeps.queue import Queue, QueueSettings

_SEED = re.compile(rb"^seed = \d+$", re.MULTILINE)


@dataclass(frozen=True)
class QueuedRun:
    """An entry with what its run's folder says.

    Attributes:
        step, total: environment steps made and planned; up to the pause of a sweep if there is one.
        seconds_left: wall seconds until it has ended; None if it does not wait, or no speed is known.
        summary: of its run; None if the folder is gone.
        threads, device: what it trains with.
    """

    entry: Entry
    step: int
    total: int
    seconds_left: float | None
    summary: RunSummary | None
    threads: int = 1
    device: str = ""


@dataclass(frozen=True)
class Overview:
    """The whole queue.

    Attributes:
        seconds_left: until all that waits or runs has ended; None if some speed is not known yet.
        workers: names of the workers that live.
    """

    runs: list[QueuedRun]
    settings: QueueSettings
    seconds_left: float | None
    workers: list[str]

    @property
    def waits(self) -> bool:
        """Whether there is work for a worker."""
        return any(run.entry.state in ("waiting", "running") for run in self.runs)


class _Settings(NamedTuple):
    """What the overview needs of the settings of a run; none of it depends on the seed."""

    total_steps: int
    threads: int
    device: str
    kinds: tuple[Kind, ...]


class Overviews:
    """Makes overviews of one queue; settings of runs are read once."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self._experiments: dict[str, _Settings] = {}
        self._alike: dict[bytes, _Settings] = {}  # by the text of their file without its seed
        self._summaries: dict[str, tuple[tuple[str, int], RunSummary | None]] = {}

    def read(self) -> Overview:
        """The queue as it is now. Raises ConfigError."""
        entries, settings = self.queue.entries(), self.queue.settings
        summaries = {entry.id: self._summary(entry) for entry in entries}
        works = [work for entry in entries if (work := self._work(entry, summaries[entry.id])) is not None]
        left, whole = seconds_left(works, settings.at_once)
        by_id = {work.id: work for work in works}
        runs = []
        for entry in entries:
            summary, work = summaries[entry.id], by_id.get(entry.id)
            experiment = self._experiments.get(entry.folder)
            runs.append(
                QueuedRun(
                    entry,
                    work.step if work else 0,
                    work.end if work else 0,
                    left.get(entry.id),
                    summary,
                    experiment.threads if experiment else 1,
                    experiment.device if experiment else "",
                )
            )
        lost = len(works) < sum(entry.state in ("waiting", "running") for entry in entries)
        return Overview(runs, settings, None if lost else whole, self.queue.workers())

    def forget(self, folder: str) -> None:
        """Read the settings of a run again, by its name in the queue: they have changed."""
        self._experiments.pop(folder, None)

    def _summary(self, entry: Entry) -> RunSummary | None:
        """The summary of a run; that of one which nobody trains is read again only once its file has changed."""
        known = self._summaries.get(entry.folder)
        try:
            folder = self.queue.path_of(entry)
            stamp = entry.state, _changed_at(folder / SUMMARY)
            if known is not None and known[0] == stamp and entry.state != "running":
                return known[1]
            summary = summary_of(folder)
        except ConfigError:
            return None
        self._summaries[entry.folder] = stamp, summary
        return summary

    def _work(self, entry: Entry, summary: RunSummary | None) -> Work | None:
        if summary is None:
            return None
        settings = self._experiments.get(entry.folder)
        if settings is None:
            try:
                settings = self._experiments[entry.folder] = self._settings(self.queue.path_of(entry))
            except (ConfigError, OSError):
                return None
        total = entry.total_steps or settings.total_steps
        end = total if entry.until is None else min(total, entry.until)
        steps, seconds = entry.steps, entry.seconds
        return Work(entry.id, settings.kinds, summary.step, end, steps, seconds, entry.state, total)

    def _settings(self, folder: Path) -> _Settings:
        """What matters of a run's settings; runs that differ in their seed alone are read once. Raises ConfigError,
        OSError.
        """
        text = _SEED.sub(b"", read_file(folder / EXPERIMENT, MOST_TEXT))
        if text not in self._alike:
            experiment = read_experiment(folder)
            run = experiment.run
            self._alike[text] = _Settings(run.total_steps, run.threads, run.device, kinds_of(experiment))
        return self._alike[text]


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
