"""The settings of a stored run as a flat table, to compare runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dqngui.config import Experiment
from dqngui.runs.folder import read_experiment
from dqngui.settings import as_data

SECTIONS = ("env", "net", "learn", "run")
OPTIONS = ("env.kwargs", "net.attention_options", "net.memory_options")  # each holds settings of its own
OTHERWISE_NAMED = frozenset({"env.id", "net.attention", "net.memory", "run.seed"})  # a summary has them too


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Settings by dotted name, without those that a summary has; `derived`: names of those that nobody chose."""

    values: dict[str, Any]
    derived: frozenset[str]


def settings_of(folder: Path) -> RunSettings | None:
    """The settings of a run; None if they cannot be read."""
    try:
        return flat_settings(read_experiment(folder))
    except Exception:  # of a stranger's files; the other runs are compared all the same
        return None


def flat_settings(experiment: Experiment) -> RunSettings:
    """The settings of an experiment."""
    data = as_data(experiment)
    values = {path: value for section in SECTIONS for path, value in _entries(section, data[section])}
    return RunSettings(values, frozenset(experiment.derived))


def _entries(section: str, data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        path = f"{section}.{name}"
        if path in OPTIONS:
            yield from ((f"{path}.{option}", each) for option, each in value.items())
        elif path not in OTHERWISE_NAMED:
            yield path, value
