"""The queue as a person sees it: each entry with its run's progress and the time that is left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dqngui.config import ConfigError, Experiment
from dqngui.runs.folder import RunSummary, read_experiment, summary_of
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.estimate import Kind, Work, kinds_of, seconds_left
from dqngui.sweeps.queue import Queue, QueueSettings


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


class Overviews:
    """Makes overviews of one queue; settings of runs are read once."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self._experiments: dict[str, tuple[Experiment, tuple[Kind, ...]]] = {}
        self._summaries: dict[str, tuple[str, RunSummary | None]] = {}

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
                    experiment[0].run.threads if experiment else 1,
                    experiment[0].run.device if experiment else "",
                )
            )
        lost = len(works) < sum(entry.state in ("waiting", "running") for entry in entries)
        return Overview(runs, settings, None if lost else whole, self.queue.workers())

    def _summary(self, entry: Entry) -> RunSummary | None:
        """The summary of a run; of one that has ended it is read once."""
        known = self._summaries.get(entry.folder)
        if known is not None and known[0] == entry.state and entry.state not in ("running", "waiting"):
            return known[1]
        try:
            summary = summary_of(self.queue.path_of(entry))
        except ConfigError:
            summary = None
        self._summaries[entry.folder] = entry.state, summary
        return summary

    def _work(self, entry: Entry, summary: RunSummary | None) -> Work | None:
        if summary is None:
            return None
        if entry.folder not in self._experiments:
            try:
                experiment = read_experiment(Path(self.queue.path_of(entry)))
            except ConfigError:
                return None
            self._experiments[entry.folder] = experiment, kinds_of(experiment)
        experiment, kinds = self._experiments[entry.folder]
        total = entry.total_steps or experiment.run.total_steps
        end = total if entry.until is None else min(total, entry.until)
        steps, seconds = entry.steps, entry.seconds
        return Work(entry.id, kinds, summary.step, end, steps, seconds, entry.state, total)
