"""Tries a task before it is trained: here, or in a process of its own if its code may end or hold up its process.

The rule is that of the window (`envs.foreign.is_foreign`), and so are the jobs.
"""

from __future__ import annotations

import sys
import time
from types import FrameType
from typing import Any

from dqngui.config import ConfigError, EnvConfig, Experiment
from dqngui.derivation import awaits_task
from dqngui.messages import AgentSuited, Event, Failed, Request
from dqngui.texts import Text, say

PATIENCE_S = 180.0
"""Seconds after which an environment that does not answer is given up. It is made twice, and simulators load slowly."""
TOLD_S = 5.0
"""Seconds after which the user is told, once, what is waited for."""
_IDLE_S = 0.02
_LEAVE_S = 12.0  # the process of a trial that succeeded ends by itself: a simulator may end its server then


def check_task(experiment: Experiment) -> None:
    """Try the environment, so that an impossible task is refused before a run's folder exists. Raises ConfigError."""
    several = experiment.env.num_envs > 1 or experiment.run.eval_every > 0
    copies = several and (experiment.task is None or experiment.task.single)
    if _needs_process(experiment.env):
        _events("trial", experiment.env, copies=copies)
        return
    from dqngui.envs.trial import try_task

    try_task(experiment.env, copies=copies)


def default_experiment(env: EnvConfig) -> Experiment:
    """The default agent on one task, as `defaults.default_experiment`. Raises ConfigError."""
    if _needs_process(env):
        return next(event.experiment for event in _events("suit", env) if isinstance(event, AgentSuited))
    from dqngui import defaults

    return defaults.default_experiment(env)


def with_task_measured(experiment: Experiment) -> Experiment:
    """The same experiment with its task measured if its settings wait for that, as `defaults.with_task_measured`.

    Raises ConfigError.
    """
    if not awaits_task(experiment):
        return experiment
    from dqngui import defaults

    if not _needs_process(experiment.env):
        return defaults.with_task_measured(experiment)
    found = default_experiment(experiment.env)
    assert found.task is not None
    return defaults.with_task(experiment, found.env.wrappers, found.task)


def _needs_process(env: EnvConfig) -> bool:
    """Whether an environment is tried in a process: it is foreign, and not registered by code of this process alone."""
    import gymnasium

    from dqngui.envs.foreign import is_foreign

    spec = gymnasium.registry.get(env.id)
    return is_foreign(env) and (spec is None or isinstance(spec.entry_point, str))


def _events(job: str, env: EnvConfig, **options: Any) -> list[Event]:
    """The events of a job that tries an environment in a process of its own, which ends here in any case.

    Raises ConfigError, also if the environment ended its process or did not answer; KeyboardInterrupt.
    """
    from dqngui.hosts import open_host
    from dqngui.hosts.signals import caught

    host = open_host("process", Request(job=job, experiment=Experiment(env=env), options=options))
    events: list[Event] = []
    with caught(_interrupt):
        try:
            host.start()
            began, told = time.monotonic(), False
            while host.alive:
                events += host.drain()
                waited = time.monotonic() - began
                if waited > PATIENCE_S:
                    raise ConfigError("command.task_silent", env=env.id, seconds=PATIENCE_S)
                if waited > TOLD_S and not told:
                    told = True
                    print(say("command.task_waits", env=env.id, seconds=PATIENCE_S), file=sys.stderr, flush=True)
                time.sleep(_IDLE_S)
        finally:
            if host.alive:
                host.kill()
            host.join(_LEAVE_S)
    for event in events:
        if isinstance(event, Failed):
            raise _error(env, event)
    return events


def _error(env: EnvConfig, failed: Failed) -> Exception:
    """The error for a trial that failed: the environment's, or ours with the traceback of the process."""
    if failed.mistake and isinstance(failed.text, Text):
        return ConfigError(failed.text)
    if failed.details:
        return RuntimeError(f"{failed.text}\n{failed.details}")
    return ConfigError("command.task_died", env=env.id, problem=failed.text)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
