"""What the trials of a sweep have reached, the best first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.objective import maximizes, run_score, trial_score
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.samplers import Trial
from dqngui.sweeps.sweep import steps_of
from dqngui.sweeps.sweep_folder import SweepFolder


@dataclass(frozen=True)
class TrialResult:
    """One trial.

    Attributes:
        scores: of each seed; None for a run without one.
        score: their interquartile mean.
        steps: environment steps of all its runs together.
        state: that of its entries; the most telling one if they differ.
    """

    trial: Trial
    scores: list[float | None]
    score: float
    steps: int
    state: str


@dataclass(frozen=True)
class SweepResults:
    """All trials, the best first.

    Attributes:
        objective: the score that they are compared by, as it is shown.
        steps_made: environment steps of all runs; `steps_saved`: those that pruning did not make.
    """

    rows: list[TrialResult]
    objective: str
    steps_made: int
    steps_saved: int


_ORDER = ("failed", "running", "waiting", "paused", "reached", "cancelled", "pruned", "finished")


def read_results(stored: SweepFolder, queue: Queue) -> SweepResults:
    """The results of a sweep as its folders tell them now. Raises ConfigError."""
    name = queue.name_of(stored.folder)
    entries = {entry.folder: entry for entry in queue.entries() if entry.sweep == name}
    rows, saved = [], 0
    for trial in stored.trials():
        folders = [stored.run_folder(trial, seed) for seed in stored.seeds]
        scores = [_score(stored, folder) for folder in folders]
        steps = [steps_of(folder) for folder in folders]
        mine = [entries[f"{name}/{folder.name}"] for folder in folders if f"{name}/{folder.name}" in entries]
        total = stored.base.run.total_steps
        saved += sum(total - made for made, entry in zip(steps, mine, strict=False) if entry.state == "pruned")
        rows.append(TrialResult(trial, scores, trial_score(scores, stored.sweep.objective), sum(steps), _state(mine)))
    up = maximizes(stored.sweep.objective)
    rows.sort(key=lambda row: (row.state == "pruned", -row.score if up else row.score, row.trial.number))
    objective = stored.sweep.objective
    shown = objective.score if objective.reach is None else f"steps_to {objective.reach:g}"
    shown = f"{shown} {objective.measure}".rstrip()
    return SweepResults(rows, shown, sum(row.steps for row in rows), saved)


def _score(stored: SweepFolder, folder: Path) -> float | None:
    try:
        score = run_score(stored.sweep.objective, folder)
    except ConfigError:
        return None
    return None if score is None or math.isnan(score) else score


def _state(entries: list[Entry]) -> str:
    states = {entry.state for entry in entries}
    return next((state for state in _ORDER if state in states), "–")
