"""The folder of a sweep: `sweep.toml`, its base experiment in `.base/`, its trials in `trials.json`, and its runs.

A run's folder is named by trial and seed (`003-seed1`), so what was made already is read from the folders, and a sweep
whose process was killed goes on where it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from dqngui import presets
from dqngui.bounded import MEGABYTE, exists, json_data, read_file, toml_data
from dqngui.config import ConfigError, Experiment
from dqngui.runs.files import replace_file, write_file
from dqngui.runs.folder import (
    EXPERIMENT,
    new_folder,
    new_summary,
    plain_name,
    trusted_experiment,
    versions,
    write_experiment,
    write_summary,
)
from dqngui.runs.started import now_utc
from dqngui.runs.trust import foreign_code, remember_own
from dqngui.sweeps.axes import trial_experiment
from dqngui.sweeps.samplers import Trial
from dqngui.sweeps.seeds import seeds_of
from dqngui.sweeps.sweep_file import Sweep, sweep_from, to_toml

SWEEP, BASE, TRIALS = "sweep.toml", ".base", "trials.json"
MOST_TRIALS_FILE = 64 * MEGABYTE


class SweepFolder:
    """A stored sweep.

    Attributes:
        folder: where it lies.
        sweep: what it does.
        base: the experiment that every trial starts from.
        seeds: the seeds of each trial.
    """

    def __init__(self, folder: Path, sweep: Sweep, base: Experiment, seeds: Sequence[int]) -> None:
        self.folder, self.sweep, self.base, self.seeds = folder, sweep, base, tuple(seeds)

    @classmethod
    def create(cls, runs: Path, sweep: Sweep, base: Experiment, seeds: Sequence[int]) -> SweepFolder:
        """Store a new sweep in a folder of runs. Raises ConfigError."""
        name = plain_name(sweep.name or f"sweep {base.title}")
        try:
            folder = new_folder(runs, f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{name}")
            (folder / BASE).mkdir()
            write_experiment(folder / BASE, base)
            write_file(folder / SWEEP, to_toml(sweep).encode())  # last: without it the folder is not a sweep's
        except OSError as error:
            raise ConfigError("run.folder_not_made", runs=runs, problem=error.strerror) from None
        return cls(folder, sweep, base, seeds)

    @classmethod
    def open(cls, folder: Path) -> SweepFolder:
        """A stored sweep. Raises ConfigError if it cannot be read, or is not trusted."""
        try:
            sweep = sweep_from(toml_data(read_file(folder / SWEEP, MEGABYTE).decode()))
        except OSError as error:
            raise ConfigError("file.unreadable", path=folder / SWEEP, problem=error.strerror) from None
        except ConfigError as error:
            raise ConfigError("preset.wrong", source=folder / SWEEP, problem=error) from None
        except ValueError as error:
            raise ConfigError("preset.not_toml", source=folder / SWEEP, problem=error) from None
        return cls(folder, sweep, trusted_experiment(folder / BASE), seeds_of(sweep.seeds))

    # -- trials ------------------------------------------------------------------------------------

    def trials(self) -> list[Trial]:
        """The trials that were chosen so far, in their order. Raises ConfigError."""
        try:
            return json_data(read_file(self.folder / TRIALS, MOST_TRIALS_FILE), list[Trial])
        except FileNotFoundError:
            return []
        except (OSError, ValueError):
            raise ConfigError("sweep.trials_damaged", path=self.folder / TRIALS) from None

    def write_trials(self, trials: Sequence[Trial]) -> None:
        """Replace the list of trials. Raises OSError."""
        replace_file(self.folder / TRIALS, msgspec.json.encode(list(trials)))

    def run_folder(self, trial: Trial, seed: int) -> Path:
        """Where the run of a trial with a seed lies."""
        return self.folder / f"{trial.number:03d}-seed{seed}"

    def experiment(self, trial: Trial, seed: int) -> Experiment:
        """The experiment of a run. Raises ConfigError if the trial's settings do not fit together, or name code."""
        experiment = trial_experiment(self.base, trial.settings, trial.agent, seed)
        if not set(foreign_code(experiment.env)) <= set(foreign_code(self.base.env)):
            raise ConfigError("sweep.foreign", trial=trial.label)
        return experiment

    def make_run(self, trial: Trial, seed: int) -> Path:
        """The folder of a run, made whole or not at all if it is not there yet. Raises ConfigError, OSError."""
        folder = self.run_folder(trial, seed)
        if exists(folder / EXPERIMENT):
            return folder
        experiment = self.experiment(trial, seed)
        new = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        write_file(new / EXPERIMENT, presets.to_toml(experiment, versions()).encode())
        write_summary(new, msgspec.structs.replace(new_summary(experiment), started=now_utc()))
        os.rename(new, folder)
        remember_own(folder, experiment)
        return folder
