"""Launches: how a training job begins for a new run, for one that goes on, and for a fork."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dqngui.config import ConfigError, Experiment
from dqngui.lab.session.run import RunState
from dqngui.lab.session.states import State
from dqngui.messages import Failed, Request
from dqngui.runs.folder import EVENTS, create

NOT_BEGUN = {"resumed": "session.not_resumed", "forked": "session.not_forked"}
"""By `Launch.what`: the key of the message that a job which never began is announced with."""


class Launch:
    """One job that is to begin, and what to go back to if it never does.

    Attributes:
        host: the kind of host that it is for.
        what: `resumed` or `forked`, where a failure leaves the run as it was; else empty.
        state: of the run before.
        forks: the job trains another run than the present one.
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
        self._folder: Path | None = None

    def request(self) -> Request:
        """What the job is asked to do; a new run's or a fork's folder is made. Raises ConfigError."""
        self._run.clear_failure()
        request = self._make_request()
        folder = Path(request.folder) if request.folder else None
        if self.forks:
            self._folder = folder
        else:
            self._run.folder = folder
        return request

    def undo(self) -> Failed | None:
        """Give the run what it had, and remove the folder of a fork that wrote nothing; returns why it failed."""
        failure = self._run.failure
        self._run.failure, self._run.notice = self._before
        if self._folder is not None:
            log = self._folder / EVENTS
            if not log.exists() or log.stat().st_size == 0:
                shutil.rmtree(self._folder, ignore_errors=True)
        return failure


def new_run(runs: Path | None, run: RunState, state: State) -> Launch:
    """Train the run's experiment from the beginning, in a new folder in `runs`, if that is given."""
    return Launch(partial(_new_request, runs, run.experiment), run.experiment.run.host, run, state)


def resumption(run: RunState, state: State) -> Launch:
    """Go on with the run, from its last checkpoint. Only a stored run is left as it was if that fails."""
    request = Request(job="train", folder=str(run.folder), resume=True)
    return Launch(lambda: request, run.experiment.run.host, run, state, "resumed" if state is State.STORED else "")


def fork(runs: Path | None, run: RunState, experiment: Experiment, state: State) -> Launch:
    """Train a copy of the run's saved state with another experiment, as a run of its own.

    Its folder is made in `runs`, or if that is None, beside the run's own.
    """
    assert run.folder is not None
    make = partial(_new_request, runs or run.folder.parent, experiment, fork=str(run.folder))
    return Launch(make, experiment.run.host, run, state, "forked")


def _new_request(runs: Path | None, experiment: Experiment, fork: str | None = None) -> Request:
    try:
        folder = None if runs is None else str(create(runs, experiment))
    except OSError as error:
        raise ConfigError("session.no_new_folder", problem=error.strerror or error) from error
    return Request(job="train", experiment=experiment, folder=folder, fork=fork)
