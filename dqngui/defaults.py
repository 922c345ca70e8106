"""The default agent for any environment: a task is measured, and the settings that nobody chose are derived from it."""

from __future__ import annotations

from contextlib import closing

import msgspec

from dqngui.config import EnvConfig, Experiment, TaskFacts
from dqngui.derivation import TASK_RULES, awaits_task
from dqngui.envs.task_facts import measure
from dqngui.envs.trial import Trial
from dqngui.settings import experiment_from, with_settings, without_none


def default_experiment(env: EnvConfig) -> Experiment:
    """The default agent on one task. If `env` chooses no wrappers, those are added without which no agent could use it:
    `keep` leaves out what no network reads, `discretize` cuts continuous actions into bins.

    Raises ConfigError if the environment cannot be made or used.
    """
    usable, facts = _measured(env)
    data = {"env": msgspec.to_builtins(usable), "task": msgspec.to_builtins(facts)}
    return experiment_from(without_none(data))


def with_task_measured(experiment: Experiment) -> Experiment:
    """The same experiment; if its derived settings wait for a task that was not measured, it is measured and they are
    derived. What was chosen stays.

    Raises ConfigError if the environment cannot be made or used.
    """
    if not awaits_task(experiment):
        return experiment
    env, facts = _measured(experiment.env)
    waiting = dict.fromkeys(path for path in experiment.derived if path in TASK_RULES)
    return with_settings(msgspec.structs.replace(experiment, env=env, task=facts), waiting)


def _measured(env: EnvConfig) -> tuple[EnvConfig, TaskFacts]:
    """The environment with the wrappers that were added, and what was measured of it."""
    with closing(Trial(env, add_wrappers=True)) as trial:
        added = () if env.wrappers else tuple(wrapper.name for wrapper in trial.config.wrappers)
        return trial.config, msgspec.structs.replace(measure(trial), added_wrappers=added)
