"""The sentences that say what was decided for a new run because of its task: added wrappers, derived settings."""

from __future__ import annotations

from dqngui.config import Experiment, Schedule, TaskFacts
from dqngui.rules import TASK_RULES
from dqngui.texts import Text, say


def notes_about_task(experiment: Experiment, actions: int) -> list[Text]:
    """What was decided because of the task.

    Args:
        actions: number of actions with all wrappers.
    """
    notes = (_added_wrappers(experiment, actions), _derived_from_task(experiment))
    return [note for note in notes if note is not None]


def _added_wrappers(experiment: Experiment, actions: int) -> Text | None:
    added = () if experiment.task is None else experiment.task.added_wrappers
    texts = []
    for wrapper in experiment.env.wrappers:
        if wrapper.name in added and wrapper.name == "keep":
            texts.append(say("train.added_keep", entries=wrapper.options["entries"]))
        elif wrapper.name in added:
            texts.append(say("train.added_discretize", bins=wrapper.options["bins"], actions=actions))
    return say("train.added", wrappers=texts) if texts else None


def _derived_from_task(experiment: Experiment) -> Text | None:
    """What was measured of the task and the settings that follow from it; None if there are none."""
    paths = [path for path in experiment.derived if path in TASK_RULES]
    if experiment.task is None or not paths:
        return None
    settings = "; ".join(f"{path} = {_value(experiment, path)}" for path in paths)
    return say("train.derived", task=_task(experiment.task), settings=settings)


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
