"""The training job: a generator of events, recorded in the folder of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import torch

from dqngui.config import ConfigError
from dqngui.jobs.device import with_measured_device
from dqngui.jobs.fork import load_fork
from dqngui.jobs.freed_memory import keep_freed_memory
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.settings_from_task import notes_about_new_task, with_measured_task
from dqngui.jobs.training_loop import TrainingLoop
from dqngui.messages import Event, Request
from dqngui.runs.dropped_commands import CommandFiles
from dqngui.runs.folder import claim, read_experiment, trusted_experiment
from dqngui.runs.lock import WriterLock
from dqngui.runs.recorder import record
from dqngui.runs.resume import load_resume, planned
from dqngui.runs.rewinding import plan, rewind
from dqngui.runs.trust import check_branch_trusted
from dqngui.texts import Text, say


def train(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Train as asked; with a folder, everything is recorded there.

    Options of the request: `total_steps` lengthens or shortens a resumed run; `at_breakpoint` says what a hit does:
    `pause` (the default), `stop`, or `go on` (for example while a log is replayed).
    Raises ConfigError, before the first event, for an experiment that cannot start.
    """
    if request.folder is None:
        return _recorded(request, inbox, None)
    if request.resume:
        trusted_experiment(Path(request.folder))  # what is not a run stays as it is
    if request.fork is not None and request.experiment is not None:
        parent = Path(request.fork)
        check_branch_trusted(parent, read_experiment(parent).env, request.experiment.env)
    lock = claim(Path(request.folder))  # before anything is read: another writer may still change it
    try:
        return _recorded(request, inbox, lock)
    except BaseException:
        lock.release()
        raise


def _recorded(request: Request, inbox: Inbox, lock: WriterLock | None) -> Iterator[Event]:
    """The events of the job, recorded in the folder that `lock` holds; None: nothing is recorded."""
    stored = fork = None
    if request.folder is not None:  # an environment may change the working directory
        request = msgspec.structs.replace(request, folder=os.path.abspath(request.folder))
    experiment = request.experiment
    if request.resume:
        if request.folder is None:
            raise ConfigError("train.no_folder")
        stored = load_resume(Path(request.folder))
        experiment = stored.experiment
        experiment = planned(experiment, request.options)
    if experiment is None:
        raise ConfigError("train.no_experiment")
    if stored is None:
        experiment = with_measured_task(experiment, request.folder)
    notes: list[Text] = []
    if lock is not None and not lock.protected and stored is None:
        notes.append(say("train.without_locks"))
    if request.fork is not None and stored is None:
        fork = load_fork(Path(request.fork), experiment)
        notes += notes_about_new_task(fork.began, experiment)
    torch.set_num_threads(experiment.run.threads)
    # Adam's moments of inactive units decay to denormal numbers, with which arithmetic is many times slower.
    torch.set_flush_denormal(True)
    keep_freed_memory()
    if stored is None and fork is None:
        experiment = with_measured_device(experiment, request.folder, notes)
    job = TrainingLoop(
        experiment, request.folder, inbox, stored or fork, request.options.get("at_breakpoint", "pause"), notes
    )
    try:
        restored = fork.stored if fork is not None and fork.whole else stored
        if restored is not None:
            job.training.algorithm.check_room(restored.arrays)
        job.load(Path(request.folder or ""))
        if request.folder is None:
            return (event for event in job.events(None) if isinstance(event, Event))
        folder = Path(request.folder)
        mark = stored.mark if stored is not None else fork.mark(folder) if fork is not None else None
        lost = rewind(folder, stored.mark, lock) if stored is not None else None
        if stored is not None and experiment.run.total_steps != stored.experiment.run.total_steps:
            plan(folder, experiment.run.total_steps)
    except BaseException:
        job.training.close()
        raise
    commands = CommandFiles(folder)
    inbox.dropped = commands.poll
    return record(
        job.events(lost), folder, experiment, mark, lock=lock, ask_to_stop=inbox.ask_to_stop, commands=commands
    )
