"""The `dqngui train` lines that train stored runs again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from dqngui.bounded import found
from dqngui.comparison.groups import SEED, flat_settings
from dqngui.comparison.results import RunResult
from dqngui.config import ConfigError, Experiment
from dqngui.derivation import without_marks
from dqngui.presets import agent_names, preset_names, read_agent, read_experiment, with_agent
from dqngui.rules import TASK_RULES
from dqngui.runs.folder import EXPERIMENT
from dqngui.runs.folder import read_experiment as read_stored
from dqngui.settings import as_assignment, in_environment, parse_assignments, with_settings
from dqngui.texts.plain import plain_line

_PRESET = "cartpole-positions"  # the one that `dqngui train` takes without a FILE
_LEADING = ("net.memory", "net.attention", "learn.algorithm")  # options and other settings follow from them
_ROUNDS = 5  # a setting that follows from another may differ once that other is set
_LONGEST = 4000
_TRIED = 3
"""The nearest presets and agents that are tried."""


def commands(results: Sequence[RunResult]) -> list[str]:
    """Lines for a shell that train these runs again, in their order; runs that differ only in their seed share a line.

    Each line gives every setting in which its runs differ from the shipped preset, and agent, that is nearest. A run
    whose live settings were changed gets the changes from its folder (`--replay-knobs`), a fork starts from its parent.
    """
    lines: list[str] = []
    alike: dict[bytes, list[RunResult]] = {}
    for result in results:
        if result.changes or result.fork is not None:
            lines.append(_line(result, [result.experiment.run.seed]))
            continue
        settings = {path: each for path, each in flat_settings(result.experiment).items() if path != SEED}
        alike.setdefault(msgspec.json.encode([result.experiment.title, settings]), []).append(result)
    together = [_line(runs[0], sorted({run.experiment.run.seed for run in runs})) for runs in alike.values()]
    return [*together, *lines]


def _line(result: RunResult, seeds: Sequence[int]) -> str:
    words = ["dqngui", "train"]
    if result.fork is not None:
        parent = result.folder.parent / plain_line(result.fork.parent, 200)
        words += ["--fork", str(parent), *_sets(_changes_of_fork(result, parent))]
    else:
        words += _described(result)
    words += ["--seed", str(seeds[0])] if len(seeds) == 1 else ["--seeds", _spans(seeds)]
    if result.changes:
        words += ["--replay-knobs", str(result.folder)]
    return shlex.join(words)


def _described(result: RunResult) -> list[str]:
    """Preset, agent and settings that make the experiment, nearly the fewest words; else its stored file."""
    target = _without_seed(result.experiment)
    wanted = flat_settings(target)

    def distance(start: _Start) -> int:
        words, _, settings = start
        return len(words) + 2 * sum(settings.get(path) != value for path, value in wanted.items())

    starts = sorted(_starts(target.env.id), key=distance)
    best: list[str] = []
    for words, base, _ in [*starts[:_TRIED], *(each for each in starts[_TRIED:] if "--agent" not in each[0])]:
        try:
            assignments = _assignments(base, target)
        except ConfigError:
            continue
        described = [] if assignments is None else [*words, *_sets(assignments)]
        if described and (not best or len(described) < len(best)):
            best = described
    if best and len(shlex.join(best)) <= _LONGEST:
        return best
    return [str(result.folder / EXPERIMENT)]


def _without_seed(experiment: Experiment) -> Experiment:
    return msgspec.structs.replace(experiment, run=msgspec.structs.replace(experiment.run, seed=0))


_Start = tuple[list[str], Experiment, dict[str, Any]]
"""The words that make an experiment, the experiment, and its settings."""


@cache  # a few hundredths of a second for each task
def _starts(task: str) -> list[_Start]:
    """Presets of this task, or the first one moved to it, each with its own and every other agent."""
    presets = [(name, read_experiment(name)) for name in preset_names()]
    places: list[tuple[list[str], list[str], Experiment]] = [
        ([name], [], each) for name, each in presets if each.env.id == task
    ]
    if not places:
        moved = in_environment(read_experiment(_PRESET), task)
        places = [([_PRESET], ["--set", as_assignment("env.id", task)], moved)]
    found: list[_Start] = []
    for name, settings, base in places:
        found.append(([*name, *settings], base, flat_settings(base)))
        for agent in agent_names():
            try:
                other = with_agent(base, read_agent(agent))
            except ConfigError:
                continue
            found.append(([*name, "--agent", agent, *settings], other, flat_settings(other)))
    return found


def _assignments(base: Experiment, target: Experiment) -> list[str] | None:
    """`NAME=VALUE` of the settings that make `target` of `base`; None if they cannot.

    Settings that follow from a measured task are given too, so that nothing is measured anew.
    """
    wanted = flat_settings(target)
    present, chosen = _without_seed(base), dict[str, str]()
    if base.title != target.title:
        chosen["title"] = as_assignment("title", target.title)
        present = with_settings(present, {"title": target.title}, check=False)
    for _ in range(_ROUNDS):
        now = flat_settings(present)
        differing = [path for path, value in wanted.items() if path not in now or now[path] != value]
        differing += [path for path in present.derived if path in TASK_RULES and path in wanted]
        leading = [path for path in differing if path in _LEADING and path not in chosen]
        differing = leading or differing
        new = {path: as_assignment(path, wanted[path]) for path in differing if path not in chosen and path != "env.id"}
        if not new:
            break
        chosen |= new
        present = _changed(_without_seed(base), parse_assignments(list(chosen.values())))
    return list(chosen.values()) if flat_settings(present) == wanted and _same(present, target) else None


def _changed(base: Experiment, changes: dict[str, Any]) -> Experiment:
    """The experiment with these changes and, if they fit together so far, with all options of its modules."""
    try:
        return with_settings(base, changes)
    except ConfigError:
        return with_settings(base, changes, check=False)


def _same(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments train the same, whatever was measured of the task before."""
    bare = [msgspec.structs.replace(without_marks(each), task=None) for each in (one, other)]
    return bare[0] == bare[1]


def _sets(assignments: Sequence[str]) -> list[str]:
    return [word for each in assignments for word in ("--set", each)]


def _changes_of_fork(result: RunResult, parent: Path) -> list[str]:
    """The settings in which a fork differs from its parent; none if the parent cannot be read."""
    if not found(Path.is_dir, parent):
        return []
    try:
        former = flat_settings(read_stored(parent))
    except ConfigError:
        return []
    wanted = flat_settings(result.experiment)
    return [as_assignment(path, value) for path, value in wanted.items() if former.get(path) != value and path != SEED]


def _spans(seeds: Sequence[int]) -> str:
    """`0-4` or `0,3,7-9` of seeds in order."""
    spans: list[list[int]] = []
    for seed in seeds:
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
