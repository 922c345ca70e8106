"""A launch starts the training job of a new run, a resumed run or a fork."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dqngui.config import ConfigError, Experiment
from dqngui.hosts import ELSEWHERE
from dqngui.lab.session.job import kind_of_host
from dqngui.lab.session.run import RunState
from dqngui.lab.session.states import State
from dqngui.messages import Failed, Request
from dqngui.runs.folder import EVENTS, create
from dqngui.texts import say

NOT_BEGUN = {"resumed": "session.not_resumed", "forked": "session.not_forked"}
"""By `Launch.what`: the key of the message that a job which never began is announced with."""


class Launch:
    """A job to start, with the state of the run to restore if the start fails.

    Attributes:
        host: the kind of host.
        what: `resumed` or `forked` if a failed start must leave the run unchanged; else empty.
        state: the state of the run before the launch.
        forks: whether the job trains a new run, forked from the present one.
        failure: why the job could not begin, once it is undone.
    """

    def __init__(
        self,
        make_request: Callable[[], Request],
        host: str,
        run: RunState,
        state: State,
        what: str = "",
    ) -> None:
        self.host, self.what, self.state, self.forks = host, what, state, what == "forked"
        self._make_request, self._run = make_request, run
        self._before = run.failure, run.notice
        self.failure: Failed | None = None
        self._folder: Path | None = None

    def request(self) -> Request:
        """Make the request for the job, and the folder of a new run or a fork. Raises ConfigError."""
        self._run.clear_failure()
        request = self._make_request()
        folder = Path(request.folder) if request.folder else None
        if not request.resume:
            self._folder = folder
        if not self.forks:
            self._run.folder = folder
        return request

    def undo(self) -> bool:
        """Restore a resumed or forked run; returns whether it was one. Of a folder that was made for the job and is
        empty, nothing stays.
        """
        self._remove_empty_folder()
        if self.what:
            self.failure = self._run.failure
            self._run.failure, self._run.notice = self._before
        return bool(self.what)

    def _remove_empty_folder(self) -> None:
        if self._folder is None:
            return
        log = self._folder / EVENTS
        if not log.exists() or log.stat().st_size == 0:
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._run.folder == self._folder:
                self._run.folder = None


def new_run(runs: Path | None, run: RunState, state: State) -> Launch:
    """A launch that trains the run's experiment from the beginning, in a new folder in `runs`, if it is given."""
    return Launch(partial(_new_request, runs, run.experiment), kind_of_host(run.experiment), run, state)


def resumption(run: RunState, state: State, total_steps: int | None = None) -> Launch:
    """A launch that resumes the run from its last checkpoint, up to `total_steps` if it is given. A failed start leaves
    a stored or finished run unchanged.
    """
    options = {} if total_steps is None else {"total_steps": total_steps}
    request = Request(job="train", folder=str(run.folder), resume=True, options=options)
    unchanged = state in (State.STORED, State.FINISHED)
    return Launch(lambda: request, kind_of_host(run.experiment), run, state, "resumed" if unchanged else "")


def attachment(run: RunState, folder: Path, state: State) -> Launch:
    """A launch that watches a run that another process trains."""

    def make() -> Request:
        run.notice = say("elsewhere.watched")
        return Request(job="train", folder=str(folder), resume=True)

    return Launch(make, ELSEWHERE, run, state)


def fork(runs: Path | None, run: RunState, experiment: Experiment, state: State) -> Launch:
    """A launch that trains a fork: a new run that starts from the saved state, with another experiment.

    Its folder is made in `runs`, or next to the run's own folder if `runs` is None.
    """
    assert run.folder is not None
    make = partial(_new_request, runs or run.folder.parent, experiment, fork=str(run.folder))
    return Launch(make, kind_of_host(experiment), run, state, "forked")


def _new_request(runs: Path | None, experiment: Experiment, fork: str | None = None) -> Request:
    try:
        folder = None if runs is None else str(create(runs, experiment))
    except OSError as error:
        raise ConfigError("session.no_new_folder", problem=error.strerror or error) from error
    return Request(job="train", experiment=experiment, folder=folder, fork=fork)
