"""Rules of forks: from which step, with which changed settings, and what a fork can copy. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from dqngui.config import ConfigError, Experiment, Schedule
from dqngui.jobs.knobs import Knobs
from dqngui.jobs.saved_state import damage_named
from dqngui.runs.folder import read_experiment
from dqngui.runs.resume import planned, read_meta
from dqngui.settings import experiment_fields, field_at, with_settings
from dqngui.texts import Text, say

_NAMES_ONLY = frozenset({"env.features", "env.actions"})


def branch_point(folder: Path) -> tuple[int, Experiment]:
    """Step of a run's last saved state, and its experiment with the live settings of that step. Raises ConfigError."""
    mark, meta = read_meta(folder)
    return mark.step, present(folder, read_experiment(folder), meta)


def present(folder: Path, began: Experiment, meta: Mapping[str, Any]) -> Experiment:
    """The experiment of a saved state, with the live settings and the number of steps at that time.

    Raises ConfigError.
    """
    knobs = Knobs(began)
    with damage_named(folder):
        knobs.restore(meta["knobs"])
    return planned(knobs.experiment, meta)


def check_branch(folder: Path, step: int, experiment: Experiment) -> None:
    """Raises ConfigError if a fork at this step would have no steps left to train."""
    total = experiment.run.total_steps
    if total <= step:
        raise ConfigError("fork.too_few_steps", folder=folder, step=step, total=total)


def stays_whole(path: str) -> bool:
    """Whether a fork that changes this setting can copy the whole training, and not only the parameters that fit."""
    section, _, name = path.partition(".")
    if section == "run":
        return name != "seed"
    if section == "learn":
        return field_at(path).live
    return path in _NAMES_ONLY


def kept_whole(began: Experiment, asked: Experiment, step: int) -> Experiment:
    """What a fork trains: `asked`, but a setting that only followed from others keeps the parent's value where another
    value would cost the fork its replay and optimizer, as that of the warm-up would, which follows from the number of
    steps, or where it would make an agent explore again that has learned already. If a chosen setting costs the replay
    anyway, nothing is kept.

    Args:
        began: the parent's experiment as it stands.
        step: where the fork begins.
    """
    followed = set(began.derived) & set(asked.derived)
    kept = {path: old for path, old, _ in differences(began, asked) if not stays_whole(path)}
    if not kept.keys() <= followed:
        return asked
    old, new = began.learn.epsilon, asked.learn.epsilon
    if isinstance(old, Schedule) and _explores_again(old, new, step, "learn.epsilon" in followed):
        kept["learn.epsilon"] = msgspec.structs.replace(old, share=0.0)  # from a share, steps are computed again
    if not kept:
        return asked
    return msgspec.structs.replace(with_settings(asked, msgspec.to_builtins(kept)), derived=asked.derived)


def _explores_again(old: Schedule, new: Any, step: int, derived: bool) -> bool:
    """Whether a schedule is higher at this step than it was, only because it followed the length of the run."""
    if not isinstance(new, Schedule) or new.at(step) <= old.at(step):
        return False
    return derived or (new.share > 0 and (new.start, new.end, new.share) == (old.start, old.end, old.share))


def differences(old: Experiment, new: Experiment) -> Iterator[tuple[str, Any, Any]]:
    """Each setting in which two experiments differ: its dotted name, the old value and the new one.

    Options are listed one by one (None where one side has none), except those of another attention or memory.
    """
    for field in experiment_fields():
        before, after = (_value(experiment, field.path) for experiment in (old, new))
        if before == after or (_steps_of(before) is not None and _steps_of(before) == _steps_of(after)):
            continue
        if field.kind != "map":
            yield field.path, before, after
            continue
        choice = field.path.removesuffix("_options")
        if choice == field.path or _value(old, choice) == _value(new, choice):
            for name in sorted(before.keys() | after.keys()):
                if before.get(name) != after.get(name):
                    yield f"{field.path}.{name}", before.get(name), after.get(name)


def _steps_of(value: Any) -> tuple[float, float, int] | None:
    """What a schedule does, whether or not its steps are a share of the run; None for other values."""
    return (value.start, value.end, value.steps) if isinstance(value, Schedule) else None


def difference_message(path: str, old: Any, new: Any) -> Text:
    """A changed setting as text: `learn.lr: 0.001 → 0.0005`."""
    return say("fork.change", path=path, old=_text(old), new=_text(new))


def _value(experiment: Experiment, path: str) -> Any:
    section, _, name = path.partition(".")
    return getattr(getattr(experiment, section), name)


def _text(value: Any) -> Text | str:
    if value is None:
        return say("value.none")
    if isinstance(value, Schedule):
        return say("value.schedule", start=value.start, end=value.end, steps=value.steps)
    if isinstance(value, float):
        return say("value.number", value=value)
    if isinstance(value, int) and not isinstance(value, bool):
        return say("value.count", value=value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
