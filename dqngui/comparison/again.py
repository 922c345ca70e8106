"""The `dqngui train` lines that train stored runs again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

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
_ROUNDS = 4  # a setting that follows from another may differ once that other is set
_LONGEST = 4000


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
    """Preset, agent and settings that make the experiment, the fewest words first; else its stored file."""
    target = _without_seed(result.experiment)
    best: list[str] | None = None
    for words, base in _starts(target.env.id):
        try:
            assignments = _assignments(base, target)
        except ConfigError:
            continue
        if assignments is not None and (best is None or len(words) + 2 * len(assignments) < len(best)):
            best = [*words, *_sets(assignments)]
    if best is None or len(shlex.join(best)) > _LONGEST:
        return [str(result.folder / EXPERIMENT)]
    return best


def _without_seed(experiment: Experiment) -> Experiment:
    return msgspec.structs.replace(experiment, run=msgspec.structs.replace(experiment.run, seed=0))


def _starts(task: str) -> Iterator[tuple[list[str], Experiment]]:
    """Presets of this task, or the first one moved to it, each with its own and every other agent."""
    presets = [(name, read_experiment(name)) for name in preset_names()]
    starts = [([name], [name], each) for name, each in presets if each.env.id == task]
    if not starts:
        moved = in_environment(read_experiment(_PRESET), task)
        starts = [([_PRESET], [_PRESET, "--set", as_assignment("env.id", task)], moved)]
    for plain, words, base in starts:
        yield words, base
        for agent in agent_names():
            try:
                yield [*plain, "--agent", agent, *words[len(plain) :]], with_agent(base, read_agent(agent))
            except ConfigError:
                continue


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
        new = {path: as_assignment(path, wanted[path]) for path in differing if path not in chosen and path != "env.id"}
        if not new:
            break
        chosen |= new
        present = with_settings(_without_seed(base), parse_assignments(list(chosen.values())), check=False)
    return list(chosen.values()) if flat_settings(present) == wanted and _same(present, target) else None


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
