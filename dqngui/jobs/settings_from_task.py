"""What is decided for a new run because of its task (added wrappers, derived settings), and the sentences about it."""

from __future__ import annotations

from pathlib import Path

from dqngui.config import Experiment, Schedule, TaskFacts
from dqngui.defaults import with_task_measured
from dqngui.rules import TASK_RULES
from dqngui.runs.folder import write_experiment
from dqngui.settings import same_task
from dqngui.texts import Text, say


def with_measured_task(experiment: Experiment, folder: str | None) -> Experiment:
    """The experiment of a new run or fork, with its task measured if settings wait for that; it is written into the
    run's folder, so that no resumed run measures again.

    Raises ConfigError for an environment that cannot be made or used.
    """
    measured = with_task_measured(experiment)
    if folder is not None and measured != experiment:
        write_experiment(Path(folder), measured)
    return measured


def notes_about_new_task(parent: Experiment, experiment: Experiment) -> list[Text]:
    """What was derived anew because a fork trains another task than its parent."""
    settings = _settings(experiment)
    if experiment.task is None or not settings or same_task(parent.env, experiment.env):
        return []
    return [say("train.derived_anew", task=_task(experiment.task), settings=settings)]


def notes_about_task(experiment: Experiment, actions: int) -> list[Text]:
    """What was decided because of the task.

    Args:
        actions: number of actions with all wrappers.
    """
    notes = (
        _added_wrappers(experiment, actions),
        _single(experiment),
        _strayed(experiment),
        _derived_from_task(experiment),
    )
    return [note for note in notes if note is not None]


def _added_wrappers(experiment: Experiment, actions: int) -> Text | None:
    added = () if experiment.task is None else experiment.task.added_wrappers
    texts = []
    for wrapper in experiment.env.wrappers:
        if wrapper.name in added and wrapper.name == "keep":
            left_out = () if experiment.task is None else experiment.task.left_out
            entries = wrapper.options["entries"]
            if left_out:
                texts.append(say("train.added_keep_without", entries=entries, left_out=left_out))
            else:  # measured by an earlier version
                texts.append(say("train.added_keep", entries=entries))
        elif wrapper.name in added:
            texts.append(say("train.added_discretize", bins=wrapper.options["bins"], actions=actions))
    return say("train.added", wrappers=texts) if texts else None


def _single(experiment: Experiment) -> Text | None:
    """That only one environment can be made at a time, and what follows; None if more can."""
    if experiment.task is None or not experiment.task.single:
        return None
    return say("train.single", environment=experiment.env.id)


def _strayed(experiment: Experiment) -> Text | None:
    """That numbers were observed outside the bounds of the observation space; None if none were."""
    if experiment.task is None or experiment.task.strayed is None:
        return None
    part, value, low, high = experiment.task.strayed
    name = experiment.env.id.rpartition(":")[2]
    return say("train.strayed", environment=name, value=value, part=part, low=low, high=high)


def _derived_from_task(experiment: Experiment) -> Text | None:
    """What was measured of the task and the settings that follow from it; None if there are none."""
    settings = _settings(experiment)
    if experiment.task is None or not settings:
        return None
    return say("train.derived", task=_task(experiment.task), settings=settings)


def _settings(experiment: Experiment) -> str:
    """The settings that follow from the task, with their values."""
    return "; ".join(f"{path} = {_value(experiment, path)}" for path in experiment.derived if path in TASK_RULES)


def _value(experiment: Experiment, path: str) -> str:
    section, name = path.split(".", 1)
    value = getattr(getattr(experiment, section), name)
    return f"{value.start} → {value.end} over {value.steps}" if isinstance(value, Schedule) else str(value)


def _task(task: TaskFacts) -> Text:
    return say("train.task", steps=task.steps, speed=task.steps_per_second, episodes=episode_lengths(task))


def episode_lengths(task: TaskFacts) -> Text:
    """The lengths of a task's episodes: their limit, or those of the random ones, inside a sentence."""
    if task.time_limit is not None:
        return say("train.task_limit", length=task.time_limit)
    if task.longest is None:
        return say("train.task_unfinished")
    if task.shortest == task.longest:
        return say("train.task_length", length=task.longest)
    return say("train.task_lengths", shortest=task.shortest, longest=task.longest)
