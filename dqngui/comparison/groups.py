"""Groups of runs that differ in their seeds only, named after the settings in which the groups differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from dqngui.comparison.results import RunResult
from dqngui.comparison.setting_words import plain_value, setting_text, short_name
from dqngui.config import SECTIONS, Experiment
from dqngui.settings import as_data
from dqngui.texts import words
from dqngui.texts.plain import plain_line

SEED = "run.seed"
NOT_LEARNING = frozenset({"run.device", "run.host", "run.threads", "run.log_every", "run.checkpoint_every"})
"""Settings of where a run computes and what it stores: they make no groups."""
CHANGES, FORK = "changes", "fork"
"""Differences that are no settings: changes of live settings while a run trained, and where a fork began."""
_OPTIONS = ("env.kwargs", "net.attention_options", "net.memory_options")  # each holds settings of its own
_FIRST = ("env.id", "net.memory", "net.attention", "learn.algorithm")
MISSING = "–"
BETWEEN = " · "
LONGEST_NAME = 200
Why = Literal["names", "follows", "derived", "apart"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting in which runs differ.

    Attributes:
        path: its dotted name, or `changes` or `fork`.
        values: its value in each group, as it is stored; None where the group has no such setting. With `apart`, the
            value of the group's first run.
        texts: the same in words.
        why: `names` (the groups are named after it), `follows` (it differs with these), `derived` (nobody chose it in
            any of the runs) or `apart` (it says where a run computed, and makes no groups).
    """

    path: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]
    why: Why

    @property
    def name(self) -> str:
        """A short name of the setting."""
        return self.path if self.path in (CHANGES, FORK) else short_name(self.path)


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Runs that differ in nothing that counts but their seeds.

    Attributes:
        name: what tells the group from the others; different for each group.
        runs: its runs, by seed.
        slot: selects its colour and dash pattern: its index.
    """

    name: str
    runs: tuple[RunResult, ...]
    slot: int

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(run.experiment.run.seed for run in self.runs)


@dataclass(frozen=True, eq=False, slots=True)
class Grouping:
    """Runs in groups: in the order in which their first runs were given.

    Attributes:
        groups: the groups.
        differences: settings that differ, those first after which the groups are named.
    """

    groups: tuple[Group, ...]
    differences: tuple[Difference, ...] = ()

    def differing(self, *why: Why) -> list[Difference]:
        """The differences of these kinds."""
        return [each for each in self.differences if each.why in why]


def flat_settings(experiment: Experiment) -> dict[str, Any]:
    """All settings by dotted name as plain data; options of modules and arguments of the task each by its own name."""
    data = as_data(experiment)
    return {path: value for section in SECTIONS for path, value in _entries(section, data[section])}


def _entries(section: str, data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        path = f"{section}.{name}"
        if path in _OPTIONS:
            yield from ((f"{path}.{option}", each) for option, each in value.items())
        else:
            yield path, value


def grouped(results: Sequence[RunResult]) -> Grouping:
    """Group runs by the settings that differ. A run that is given twice counts once.

    No difference makes a group: the seed; a setting of `NOT_LEARNING`; a setting that was derived in all runs, since it
    follows from the others or from a measurement of the same task. Changes of live settings and the step of a fork do.
    """
    results = list({result.folder: result for result in results}.values())
    rows = [_Row(result) for result in results]
    differing = [path for path in _paths(rows) if len({row.key(path) for row in rows}) > 1]
    why = {path: _kind(path, rows) for path in differing}
    making = [path for path in differing if why[path] == "follows"]
    found: dict[tuple[bytes, ...], list[_Row]] = {}
    for row in rows:
        found.setdefault(tuple(row.key(path) for path in making), []).append(row)
    parts = list(found.values())
    naming = _naming(making, [part[0] for part in parts])
    names = _names(naming, [part[0] for part in parts])
    groups = tuple(
        Group(name, tuple(sorted((row.result for row in part), key=lambda each: each.experiment.run.seed)), slot)
        for slot, (name, part) in enumerate(zip(names, parts, strict=True))
    )
    order: list[tuple[str, Why]] = [(path, "names") for path in naming]
    for kind in ("follows", "derived", "apart"):
        order += [(path, kind) for path in differing if why[path] == kind and path not in naming]
    return Grouping(groups, tuple(_difference(path, kind, parts) for path, kind in order))


@dataclass(slots=True)
class _Row:
    """A run with what may differ."""

    result: RunResult
    values: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.values = flat_settings(self.result.experiment)
        self.values.pop(SEED, None)
        changes = [[each.step, each.field, each.new] for each in self.result.changes]
        self.values |= {CHANGES: changes} if changes else {}
        self.values |= {FORK: self.result.fork.step} if self.result.fork is not None else {}

    def key(self, path: str) -> bytes:
        return msgspec.json.encode(self.values[path]) if path in self.values else b""

    def text(self, path: str) -> str:
        """The value in words."""
        value = self.values.get(path)
        match path:
            case "changes":
                return _changes_text(value or [])
            case "fork":
                return "no fork" if value is None else f"fork at {value:,}"
        return plain_line(plain_value(value), LONGEST_NAME) if path in self.values else MISSING

    def part(self, path: str) -> str:
        """What this value adds to a name; empty where the run has no such setting."""
        if path in (CHANGES, FORK):
            return self.text(path)
        return plain_line(setting_text(path, self.values[path]), LONGEST_NAME) if path in self.values else ""


def _changes_text(changes: list[list[Any]]) -> str:
    if not changes:
        return "no changes"
    said = [f"{short_name(path)} → {words(plain_value(new))} at {step:,}" for step, path, new in changes]
    return plain_line(", ".join(said[:2]) + (f" and {len(said) - 2} more" if len(said) > 2 else ""), LONGEST_NAME)


def _paths(rows: Iterable[_Row]) -> list[str]:
    """All that may differ: task and agent first, then the other settings in the order of the experiment, then what
    happened while the runs trained; settings of `run` last among the settings.
    """
    paths = dict.fromkeys(path for row in rows for path in row.values)
    return sorted(paths, key=lambda path: (path not in _FIRST, path in (CHANGES, FORK), path.startswith("run.")))


def _kind(path: str, rows: Sequence[_Row]) -> Why:
    if path in NOT_LEARNING:
        return "apart"
    there = [row for row in rows if path in row.values]
    derived = all(path in row.result.experiment.derived for row in there)
    return "derived" if derived and path not in (CHANGES, FORK) else "follows"


def _naming(paths: Sequence[str], rows: Sequence[_Row]) -> list[str]:
    """The first settings that together tell all groups apart; each of them tells some apart that those before do not.

    Settings that somebody chose come before those that were derived in some of the runs.
    """
    derived = {path for row in rows for path in row.result.experiment.derived}
    named: list[str] = []
    parts = 1
    for path in sorted(paths, key=lambda path: (path not in _FIRST, path in derived)):
        count = len({tuple(row.key(each) for each in (*named, path)) for row in rows})
        if count > parts:
            named.append(path)
            parts = count
    return named


def _names(naming: Sequence[str], rows: Sequence[_Row]) -> list[str]:
    """A name for each group's first run, no two of them equal."""
    names = [BETWEEN.join(part for path in naming if (part := row.part(path))) or _title(row.result) for row in rows]
    if len(set(names)) < len(names):  # short texts of two values may be equal: then the exact ones
        exact: Callable[[_Row], str] = lambda row: BETWEEN.join(  # noqa: E731
            f"{short_name(path)} {row.key(path).decode()}" for path in naming if path in row.values
        )
        names = [plain_line(exact(row), LONGEST_NAME) if names.count(name) > 1 else name
                 for name, row in zip(names, rows, strict=True)]  # fmt: skip
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            names[number] = f"{name} ({seen[name]})"
    return names


def _title(result: RunResult) -> str:
    """What the runs of the only group are, or of one that lacks every setting in which the others differ."""
    memory, attention = result.experiment.net.memory, result.experiment.net.attention
    parts = [setting_text("net.memory", memory)] if memory != "none" or attention == "none" else []
    parts += [setting_text("net.attention", attention)] if attention != "none" else []
    return plain_line(BETWEEN.join(parts), LONGEST_NAME)


def _difference(path: str, why: Why, parts: Sequence[Sequence[_Row]]) -> Difference:
    firsts = [part[0] for part in parts]
    texts = [", ".join(dict.fromkeys(row.text(path) for row in part)) for part in parts]
    return Difference(path, tuple(row.values.get(path) for row in firsts), tuple(texts), why)
