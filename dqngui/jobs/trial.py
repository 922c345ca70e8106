"""The job that tries a task for a few steps, so that one that cannot be trained is refused before a run is made."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dqngui.config import EnvConfig
from dqngui.envs.trial import try_task
from dqngui.jobs.inbox import Inbox
from dqngui.messages import Event, Finished, Request


def trial(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Try the environment of `request.experiment`; ends with Finished. Its option `copies` is that of `try_task`.

    Raises ConfigError if the environment cannot be made or used, or if it raises.
    """
    env = EnvConfig() if request.experiment is None else request.experiment.env
    began = time.perf_counter()
    try_task(env, copies=bool(request.options.get("copies")))
    yield Finished(step=0, seconds=time.perf_counter() - began, steps_per_second=0.0, reason="completed")
