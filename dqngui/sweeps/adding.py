"""Adds runs to a queue: new ones, resumed ones, forks; and changes what a run trains with before it begins."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dqngui.bounded import exists
from dqngui.config import ConfigError, Experiment
from dqngui.jobs.branching import branch_point, check_branch, kept_whole
from dqngui.runs.folder import EVENTS, create, read_experiment, trusted_experiment, write_experiment
from dqngui.runs.parent_state import keep_parent
from dqngui.runs.trust import check_branch_trusted
from dqngui.settings import with_settings
from dqngui.sweeps.beginning import check_resumable
from dqngui.sweeps.entry import Entry
from dqngui.sweeps.queue import Queue


def with_seeds(experiment: Experiment, seeds: Iterable[int]) -> list[Experiment]:
    """The experiment once for each seed."""
    return [with_settings(experiment, {"run.seed": seed}) for seed in seeds]


def add_new(queue: Queue, experiments: Sequence[Experiment], *, first: bool = False, **given: Any) -> list[Entry]:
    """Make the folders of new runs and queue them. Raises ConfigError."""
    folders = [create(queue.runs, experiment) for experiment in experiments]
    return queue.add([{"folder": str(folder), **given} for folder in folders], first=first)


def add_resumed(queue: Queue, folder: Path, total_steps: int | None = None) -> Entry:
    """Queue a stored run, which goes on up to `total_steps`, or as planned.

    Raises ConfigError, also if the user has to trust the run first, or if it has made all of its steps.
    """
    trusted_experiment(folder)
    check_resumable(folder, total_steps)
    given = {"folder": str(folder.absolute()), "kind": "resume", "total_steps": total_steps, "until": None}
    return queue.add([given])[0]


def add_fork(queue: Queue, parent: Path, experiment: Experiment) -> Entry:
    """Queue a fork of a saved run with another experiment. Raises ConfigError."""
    step, began = branch_point(parent)
    check_branch_trusted(parent, began.env, experiment.env)
    forked = kept_whole(began, experiment, step)
    check_branch(parent, step, forked)
    return queue_fork(queue, parent, forked)


def queue_fork(queue: Queue, parent: Path, experiment: Experiment, *, first: bool = False) -> Entry:
    """Queue a fork whose settings were checked, from the state that its parent has now. Raises ConfigError."""
    folder = create(queue.runs, experiment)
    try:
        check_branch(parent, keep_parent(folder, parent), experiment)
        given = {"folder": str(folder), "kind": "fork", "parent": str(parent.absolute())}
        return queue.add([given], first=first)[0]
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise ConfigError("queue.not_written", path=folder, problem=error.strerror) from None
        raise


def set_training(queue: Queue, id: int, *, threads: int | None = None, device: str | None = None) -> None:
    """Change with how many threads, or on which device, an entry is trained that has not begun. Raises ConfigError."""
    entry = queue.entry(id)
    folder = queue.path_of(entry)
    held = queue.change(id, ("waiting",), state="paused")  # so that no worker takes it meanwhile
    try:
        if not held and queue.entry(id).state != "paused":
            raise ConfigError("queue.has_begun", entry=id)
        if exists(folder / EVENTS):
            raise ConfigError("queue.has_begun", entry=id)
        changes = {"run.threads": threads, "run.device": device}
        asked = {path: value for path, value in changes.items() if value is not None}
        write_experiment(folder, with_settings(read_experiment(folder), asked))
    except OSError as error:
        raise ConfigError("queue.not_written", path=folder, problem=error.strerror) from None
    finally:
        if held:
            queue.change(id, ("paused",), state="waiting")
