"""How sweeps go on: which trials are made, which runs are queued, which are paused, continued or pruned.

Everything is decided from the sweep's folder, the logs of its runs and the states of their entries, so whoever works on
the queue can do it at any time, and again after being killed. Who does it holds a lock on the sweep's folder meanwhile.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

from dqngui.config import ConfigError
from dqngui.runs.folder import summary_of
from dqngui.runs.lock import LockTaken, take_lock
from dqngui.sweeps.beginning import pause_at
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.halving import rungs, survivors
from dqngui.sweeps.objective import maximizes, run_score, trial_score
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.samplers import Trial, known_trials
from dqngui.sweeps.sweep_folder import SWEEP, SweepFolder
from dqngui.texts import Text, reason_of

AHEAD = 2
"""A sampler that learns from results has so many more trials in work than runs at once, so that no place is empty."""
_DONE = ("finished", "failed", "cancelled", "pruned")


class Sweeps:
    """Goes on with the sweeps of a queue.

    Attributes:
        problems: by the name of a sweep, why it cannot go on.
    """

    def __init__(self, queue: Queue, only: str | None = None) -> None:
        self._queue, self._only = queue, only
        self._open: dict[str, SweepFolder] = {}
        self._over: set[str] = set()
        self._seen: dict[str, object] = {}
        self.problems: dict[str, Text | str] = {}

    @property
    def open(self) -> bool:
        """Whether a sweep may still want more runs."""
        return self._only is not None and self._only not in self._over and self._only not in self.problems

    def advance(self) -> None:
        """Do what the sweeps in the queue want now. A sweep that cannot go on is noted in `problems`."""
        by_sweep: dict[str, list[Entry]] = defaultdict(list)
        at_once = self._queue.settings.at_once
        for entry in self._queue.entries():
            if entry.sweep and self._only in (None, entry.sweep):
                by_sweep[entry.sweep].append(entry)
        if self._only is not None:
            by_sweep.setdefault(self._only, [])
        for name, entries in by_sweep.items():
            seen = at_once, [(entry.id, entry.state, entry.until) for entry in entries]
            if name in self._over or name in self.problems or self._seen.get(name) == seen:
                continue
            try:
                if self._advance(name, entries):
                    self._seen[name] = seen
            except (ConfigError, OSError) as error:
                self.problems[name] = reason_of(error)

    def _advance(self, name: str, entries: list[Entry]) -> bool:
        """Go on with one sweep; returns whether that is done until something changes."""
        if name not in self._open:
            self._open[name] = SweepFolder.open(self._queue.runs / name)
        stored = self._open[name]
        try:
            lock = take_lock(stored.folder, 0.0)
        except LockTaken:
            return False  # another worker is just doing it
        try:
            changed = self._go_on(stored, name, entries)
        finally:
            lock.release()
        if not changed and all(entry.state in _DONE for entry in entries):
            self._over.add(name)
        return not changed

    def _go_on(self, stored: SweepFolder, name: str, entries: list[Entry]) -> bool:
        """Make the next trials and decide rungs; returns whether there was anything to do."""
        trials = stored.trials()
        by_folder = {entry.folder: entry for entry in entries}
        runs = {trial.number: self._entries_of(stored, trial, by_folder) for trial in trials}
        wanted = self._wanted(stored, trials, runs, entries)
        if len(wanted) > len(trials):
            stored.write_trials(wanted)
        added = self._queue_runs(stored, name, wanted, by_folder)
        return added or (stored.sweep.pruning is not None and self._decide_rung(stored, trials, runs))

    # -- trials ------------------------------------------------------------------------------------

    def _wanted(
        self, stored: SweepFolder, trials: list[Trial], runs: dict[int, list[Entry]], entries: list[Entry]
    ) -> list[Trial]:
        """All trials that should be there now."""
        sweep = stored.sweep
        if sweep.sampler != "tpe":
            return trials or known_trials(sweep)
        unfinished = sum(any(entry.state not in _DONE for entry in runs[trial.number]) for trial in trials)
        wanted, room = list(trials), self._queue.settings.at_once + AHEAD - unfinished
        if room <= 0 or len(trials) >= (sweep.trials or 0) or self._spent(stored, entries):
            return wanted
        from dqngui.sweeps.optuna_sampler import next_trial

        scores = {trial.number: self._trial_score(stored, runs[trial.number]) for trial in trials
                  if all(entry.state in _DONE for entry in runs[trial.number])}  # fmt: skip
        while room > 0 and len(wanted) < (sweep.trials or 0):
            wanted.append(next_trial(sweep, wanted, scores, maximizes(sweep.objective)))
            room -= 1
        return wanted

    def _queue_runs(self, stored: SweepFolder, name: str, trials: list[Trial], known: dict[str, Entry]) -> bool:
        """Make the folders and entries that are missing; returns whether there were any."""
        if self._spent(stored, list(known.values())):
            return False
        ends = rungs(stored.sweep.pruning, stored.base.run.total_steps) if stored.sweep.pruning is not None else []
        until = ends[0] if ends else None
        missing: list[dict[str, Any]] = []
        for trial in trials:
            for seed in stored.seeds:
                if f"{name}/{stored.run_folder(trial, seed).name}" not in known:
                    folder = stored.make_run(trial, seed)
                    missing.append({"folder": str(folder), "sweep": name, "until": until})
        if missing:
            self._queue.add(missing)
        return bool(missing)

    def _spent(self, stored: SweepFolder, entries: list[Entry]) -> bool:
        """Whether the budget is used up."""
        budget = stored.sweep.budget
        steps, seconds = sum(entry.steps for entry in entries), sum(entry.seconds for entry in entries)
        by_steps = budget.steps is not None and steps >= budget.steps
        return by_steps or (budget.hours is not None and seconds >= 3600 * budget.hours)

    def _entries_of(self, stored: SweepFolder, trial: Trial, known: dict[str, Entry]) -> list[Entry]:
        name = self._queue.name_of(stored.folder)
        paths = [f"{name}/{stored.run_folder(trial, seed).name}" for seed in stored.seeds]
        return [known[path] for path in paths if path in known]

    # -- rungs -------------------------------------------------------------------------------------

    def _decide_rung(self, stored: SweepFolder, trials: list[Trial], runs: dict[int, list[Entry]]) -> bool:
        """If all trials of the present rung are there: continue the best, prune the others. Returns whether it did."""
        pruning = stored.sweep.pruning
        assert pruning is not None
        ends = [*rungs(pruning, stored.base.run.total_steps), None]
        for end, next_end in itertools.pairwise(ends):
            here = {number: entries for number, entries in runs.items() if any(each.until == end for each in entries)}
            states = {entry.state for entries in here.values() for entry in entries if entry.until == end}
            if states & {"waiting", "running", "paused"}:
                return False
            if "reached" not in states:
                continue
            last = pause_at(end, stored.base) if end is not None else None
            scores = {number: self._trial_score(stored, entries, last) for number, entries in here.items()}
            known = any(math.isfinite(score) for score in scores.values())  # nothing is decided without a result
            go_on = survivors(scores, pruning, maximize=maximizes(stored.sweep.objective)) if known else list(here)
            for number, entries in here.items():
                further = {"state": "waiting", "until": next_end} if number in go_on else {"state": "pruned"}
                for entry in entries:
                    self._queue.change(entry.id, ("reached",), **further)
            return True
        return False

    def _trial_score(self, stored: SweepFolder, entries: list[Entry], until: int | None = None) -> float:
        scores = [self._run_score(stored, self._queue.path_of(entry), until) for entry in entries]
        return trial_score(scores, stored.sweep.objective)

    def _run_score(self, stored: SweepFolder, folder: Path, until: int | None) -> float | None:
        try:
            return run_score(stored.sweep.objective, folder, until)
        except ConfigError:
            return None


def is_sweep(folder: Path) -> bool:
    """Whether a folder is that of a sweep."""
    return (folder / SWEEP).is_file()


def steps_of(folder: Path) -> int:
    """Environment steps that a run has made; 0 if it has not begun."""
    summary = summary_of(folder)
    return summary.step if summary is not None else 0
