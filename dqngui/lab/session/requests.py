"""Requests for training jobs: of a new run, of one that goes on, and of a fork."""

from __future__ import annotations

from pathlib import Path

from dqngui.config import ConfigError, Experiment
from dqngui.messages import Request
from dqngui.runs.folder import create


def new_run_request(runs: Path | None, experiment: Experiment) -> Request:
    """Train an experiment from the beginning, in a new folder in `runs`, if given. Raises ConfigError."""
    folder = None if runs is None else str(_new_folder(runs, experiment))
    return Request(job="train", experiment=experiment, folder=folder)


def resume_request(folder: Path) -> Request:
    """Go on with the run of a folder, from its last checkpoint."""
    return Request(job="train", folder=str(folder), resume=True)


def fork_request(runs: Path | None, parent: Path, experiment: Experiment) -> Request:
    """Go on from a run's saved state with another experiment, in a new folder. Raises ConfigError.

    The folder is made in `runs`, or if that is None, beside the parent's.
    """
    folder = _new_folder(runs or parent.parent, experiment)
    return Request(job="train", experiment=experiment, folder=str(folder), fork=str(parent))


def _new_folder(runs: Path, experiment: Experiment) -> Path:
    try:
        return create(runs, experiment)
    except OSError as error:
        raise ConfigError(f"the run's folder cannot be made: {error.strerror or error}") from error
