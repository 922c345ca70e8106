"""What a sweep would run and how long it takes, before anything is made. Every trial is checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dqngui.config import ConfigError, Experiment
from dqngui.runs.folder import read_experiment, summary_of
from dqngui.runs.trust import foreign_code
from dqngui.sweeps.axes import point_at_end, trial_experiment
from dqngui.sweeps.estimate import kinds_of
from dqngui.sweeps.halving import planned_steps, rungs
from dqngui.sweeps.objective import check_appears
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.samplers import Trial, known_trials, trial_count, trial_of
from dqngui.sweeps.seeds import seeds_of
from dqngui.sweeps.sweep_file import MOST_RUNS, Sweep
from dqngui.texts import reason_of

MOST_MEASURED = 200
"""So many runs of the folder are looked at for a speed like that of the sweep."""


@dataclass(frozen=True)
class Plan:
    """A sweep before it is made.

    Attributes:
        trials: those that are known beforehand; `tpe` knows none.
        count: how many trials there will be at most.
        steps: environment steps of all runs, as pruning plans them; `whole_steps`: without pruning.
        rungs: steps at which trials are paused; () without pruning.
        seconds: wall seconds for all of it, by the speed of stored runs; None if none is like these.
        like: the run whose speed was used.
    """

    trials: list[Trial]
    count: int
    seeds: list[int]
    steps: int
    whole_steps: int
    rungs: list[int]
    at_once: int
    seconds: float | None = None
    like: str = ""

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return self.count * len(self.seeds)


def plan(sweep: Sweep, base: Experiment, runs: Path) -> Plan:
    """Check every trial of a sweep and plan it. Raises ConfigError for the first trial that cannot be trained."""
    seeds, count = seeds_of(sweep.seeds), trial_count(sweep)
    if sweep.sampler == "tpe":
        from dqngui.sweeps.optuna_sampler import check_installed

        check_installed()
    if count * len(seeds) > MOST_RUNS:
        raise ConfigError(
            "sweep.too_many_runs", count=count * len(seeds), trials=count, seeds=len(seeds), most=MOST_RUNS
        )
    trials = known_trials(sweep)
    for trial in trials or _ends(sweep):
        _check(trial, base, sweep)
    total, pruning = base.run.total_steps, sweep.pruning
    if pruning is not None and not base.run.eval_every <= pruning.first < total:
        raise ConfigError("sweep.first_rung", first=pruning.first, every=base.run.eval_every, total=total)
    steps = planned_steps(pruning, count, len(seeds), total)
    at_once = Queue(runs).settings.at_once
    speed, like = _speed(base, runs)
    return Plan(
        trials, count, seeds, steps, planned_steps(None, count, len(seeds), total),
        rungs(pruning, total) if pruning is not None else [], at_once,
        None if speed is None else steps / speed / at_once, like,
    )  # fmt: skip


def _ends(sweep: Sweep) -> list[Trial]:
    """The trials at both ends of all axes, for a sampler that chooses later."""
    return [trial_of(0, [point_at_end(axis, last=last) for axis in sweep.axes]) for last in (False, True)]


def _check(trial: Trial, base: Experiment, sweep: Sweep) -> None:
    try:
        experiment = trial_experiment(base, trial.settings, trial.agent, 0)
        check_appears(experiment)
    except ConfigError as error:
        raise ConfigError("sweep.trial_wrong", trial=trial.label, problem=reason_of(error)) from None
    if sweep.pruning is not None and experiment.run.total_steps != base.run.total_steps:
        raise ConfigError("sweep.trial_wrong", trial=trial.label, problem=ConfigError("sweep.steps_differ").text)
    if not set(foreign_code(experiment.env)) <= set(foreign_code(base.env)):
        raise ConfigError("sweep.foreign", trial=trial.label)


def _speed(base: Experiment, runs: Path) -> tuple[float | None, str]:
    """Environment steps per second of the newest stored run that is like the base, and its name."""
    try:
        folders = sorted((each for each in runs.iterdir() if not each.name.startswith(".")), reverse=True)
    except OSError:
        return None, ""
    wanted = kinds_of(base)
    best: tuple[float | None, str] = None, ""
    for folder in folders[:MOST_MEASURED]:
        summary = summary_of(folder)
        if summary is None or not summary.seconds or not summary.step or summary.env != base.env.id:
            continue
        try:
            kinds = kinds_of(read_experiment(folder))
        except ConfigError:
            continue
        speed = summary.step / summary.seconds
        if kinds[0] == wanted[0]:
            return speed, folder.name
        if kinds[1] == wanted[1] and best[0] is None:
            best = speed, folder.name
    return best
