"""The default agent for any environment: a task is measured, and the settings that nobody chose are derived from it."""

from __future__ import annotations

from contextlib import closing

import msgspec

from dqngui.config import EnvConfig, Experiment, TaskFacts, Wrapper
from dqngui.derivation import TASK_RULES, awaits_task
from dqngui.envs.missing_wrappers import left_out_entries
from dqngui.envs.task_facts import measure
from dqngui.envs.trial import Trial
from dqngui.settings import experiment_from, with_settings, without_none


def default_experiment(env: EnvConfig) -> Experiment:
    """The default agent on one task. If `env` chooses no wrappers, those are added without which no agent could use it:
    `keep` leaves out what no network reads, `discretize` cuts continuous actions into bins. If only one environment can
    be made at a time, it is trained in alone and without evaluations.

    Raises ConfigError if the environment cannot be made or used.
    """
    usable, facts = _measured(env)
    if facts.single:
        usable = msgspec.structs.replace(usable, num_envs=1)
    data = {"env": msgspec.to_builtins(usable), "task": msgspec.to_builtins(facts)}
    if facts.single:
        data["run"] = {"eval_every": 0}
    return experiment_from(without_none(data))


def with_task_measured(experiment: Experiment) -> Experiment:
    """The same experiment; if its derived settings wait for a task that was not measured, it is measured and they are
    derived. What was chosen stays.

    Raises ConfigError if the environment cannot be made or used.
    """
    if not awaits_task(experiment):
        return experiment
    env, facts = _measured(experiment.env)
    return with_task(experiment, env.wrappers, facts)


def with_task(experiment: Experiment, wrappers: tuple[Wrapper, ...], facts: TaskFacts) -> Experiment:
    """The same experiment with a measured task, and its settings that waited for that derived.

    Args:
        wrappers: with those that were added to make the environment usable.
    """
    env = msgspec.structs.replace(experiment.env, wrappers=wrappers)
    waiting = dict.fromkeys(path for path in experiment.derived if path in TASK_RULES)
    return with_settings(msgspec.structs.replace(experiment, env=env, task=facts), waiting)


def _measured(env: EnvConfig) -> tuple[EnvConfig, TaskFacts]:
    """The environment with the wrappers that were added, and what was measured of it."""
    with closing(Trial(env, add_wrappers=True)) as trial:
        added = () if env.wrappers else tuple(wrapper.name for wrapper in trial.config.wrappers)
        left_out = tuple(map(str, left_out_entries(trial.env))) if "keep" in added else ()
        found = measure(trial)
        single = trial.second_refused() is not None
        return trial.config, msgspec.structs.replace(found, added_wrappers=added, left_out=left_out, single=single)
