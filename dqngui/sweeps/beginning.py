"""What a worker asks a host to do for an entry of the queue, from what its folder holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dqngui.bounded import exists, found
from dqngui.config import ConfigError, Experiment
from dqngui.messages import COMMANDS, Request, Stop
from dqngui.runs.folder import EVENTS, read_experiment, summary_of, trusted_experiment
from dqngui.runs.parent_state import kept_parent
from dqngui.runs.resume import planned, read_meta
from dqngui.runs.unsaved import begin_again
from dqngui.sweeps.entry import Entry


@dataclass(frozen=True)
class Beginning:
    """How work on an entry begins.

    Attributes:
        state: `finished` or `reached` if there is nothing left to do; empty if the request is to be carried out.
        step: environment steps that the run has now.
        request: what the host is asked for; None if there is nothing left to do.
    """

    state: Literal["", "finished", "reached"]
    step: int
    request: Request | None = None


def beginning(entry: Entry, folder: Path) -> Beginning:
    """How to begin or to go on with an entry. Files of a run that was killed before its first save are removed.

    Raises ConfigError if the run is gone, damaged, or not trusted.
    """
    if not found(Path.is_dir, folder):
        raise ConfigError("queue.run_gone", run=folder)
    experiment = trusted_experiment(folder)
    pause = None if entry.until is None else pause_at(entry.until, experiment)
    schedule: tuple[COMMANDS, ...] = () if pause is None else (Stop(at=pause),)
    if not _is_saved(folder):
        if exists(folder / EVENTS):
            begin_again(folder)
        fork = str(kept_parent(folder, Path(entry.parent))) if entry.parent else None
        request = Request(job="train", experiment=experiment, folder=str(folder), fork=fork, schedule=schedule)
        return Beginning("", 0, request)
    mark, meta = read_meta(folder)
    present = planned(experiment, meta).run.total_steps
    total = present if entry.total_steps is None else entry.total_steps
    summary = summary_of(folder)
    if summary is not None and summary.state == "finished" and present >= total:
        return Beginning("finished", mark.step)
    if pause is not None and mark.step >= pause:
        return Beginning("reached", mark.step)
    options: dict[str, Any] = {} if entry.total_steps is None else {"total_steps": entry.total_steps}
    request = Request(job="train", folder=str(folder), resume=True, schedule=schedule, options=options)
    return Beginning("", mark.step, request)


def pause_at(until: int, experiment: Experiment) -> int:
    """Environment steps at which a run is stopped that is to be compared at `until`: one vector step later, since what
    is due at a step, as an evaluation, comes after the commands for it.
    """
    return until + experiment.env.num_envs


def _is_saved(folder: Path) -> bool:
    """Whether the run can be resumed. Raises ConfigError if its saved state cannot be read."""
    try:
        read_meta(folder)
    except ConfigError as error:
        if error.text.key != "state.none":
            raise
        return False
    return True


def check_resumable(folder: Path, total_steps: int | None) -> None:
    """Raises ConfigError for a run that cannot be resumed, or that has made all of its steps."""
    mark, meta = read_meta(folder)
    total = total_steps or planned(read_experiment(folder), meta).run.total_steps
    summary = summary_of(folder)
    if mark.step >= total or (summary is not None and summary.state == "finished" and total_steps is None):
        raise ConfigError("queue.has_finished", run=folder, step=mark.step)
