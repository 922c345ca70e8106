"""The job that suits an agent to a task: it tries the task and gives the default agent for it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dqngui.config import EnvConfig
from dqngui.defaults import default_experiment
from dqngui.jobs.inbox import Inbox
from dqngui.messages import AgentSuited, Event, Finished, Request


def suit(request: Request, inbox: Inbox) -> Iterator[Event]:
    """Measure the environment of `request.experiment`; ends with AgentSuited and Finished.

    Raises ConfigError if the environment cannot be made or used, or if it raises.
    """
    env = EnvConfig() if request.experiment is None else request.experiment.env
    began = time.perf_counter()
    yield AgentSuited(step=0, experiment=default_experiment(env))
    yield Finished(step=0, seconds=time.perf_counter() - began, steps_per_second=0.0, reason="completed")
