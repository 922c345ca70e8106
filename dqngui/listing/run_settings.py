"""The settings of a stored run as a flat table, to compare runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
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
    """Settings by dotted name, without those that a summary has.

    Attributes:
        changed: those that are not the usual ones (`usual`), and the options of modules and of the task. Thousands of
            runs are kept in memory, and each differs from the usual settings in a few only.
        derived: names of those that nobody chose.
    """

    changed: Mapping[str, Any]
    derived: frozenset[str]

    @property
    def values(self) -> dict[str, Any]:
        """All settings."""
        return {**usual(), **self.changed}

    def get(self, path: str) -> Any:
        """The value of a setting; None if the run has no such setting."""
        return self.changed[path] if path in self.changed else usual().get(path)


def settings_of(folder: Path) -> RunSettings | None:
    """The settings of a run; None if they cannot be read."""
    try:
        return flat_settings(read_experiment(folder))
    except Exception:  # of a stranger's files; the other runs are compared all the same
        return None


def flat_settings(experiment: Experiment) -> RunSettings:
    """The settings of an experiment."""
    known = usual()
    changed = {path: each for path, each in _flat(experiment).items() if path not in known or known[path] != each}
    return RunSettings(changed, frozenset(experiment.derived))


@cache
def usual() -> dict[str, Any]:
    """The settings of an experiment for which nobody chose anything; not to be changed."""
    return _flat(Experiment())


def place(path: str) -> tuple[int, str]:
    """Sorts settings as they stand in an experiment."""
    return _places().get(path, _places().get(path.rpartition(".")[0], len(_places()))), path


@cache
def _places() -> dict[str, int]:
    data = as_data(Experiment())
    paths = [f"{section}.{name}" for section in SECTIONS for name in data[section]]
    return {path: number for number, path in enumerate(paths)}


def _flat(experiment: Experiment) -> dict[str, Any]:
    data = as_data(experiment)
    return {path: value for section in SECTIONS for path, value in _entries(section, data[section])}


def _entries(section: str, data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        path = f"{section}.{name}"
        if path in OPTIONS:
            yield from ((f"{path}.{option}", each) for option, each in value.items())
        elif path not in OTHERWISE_NAMED:
            yield path, value
