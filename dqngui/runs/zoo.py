"""The zoo: a small trained agent for each shipped preset, in the shipped data; nothing may be written into it.

`assets/zoo/NAME` is the folder of a run of the preset NAME with its best checkpoint alone, and `zoo.json`, which says
how the agent was trained and what it returned on test episodes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from dqngui import presets
from dqngui.bounded import json_data, read_file
from dqngui.config import ConfigError, Experiment
from dqngui.messages.tested import CheckpointTest
from dqngui.runs.checkpoints import BEST, FOLDER
from dqngui.runs.folder import read_experiment
from dqngui.settings import as_data

FILE = "zoo.json"
_MOST_BYTES = 100_000
_OF_THE_AGENT = ("env", "net", "learn")
"""Sections of an experiment that say what was trained, and how; `run` says for how long and where."""


class ZooAgent(msgspec.Struct, frozen=True, kw_only=True):
    """A trained agent of the zoo.

    Attributes:
        preset: name of the shipped preset whose agent it is.
        command: the command that trained it.
        version: of dqngui that trained it.
        step: environment steps after which the checkpoint was kept.
        seconds: wall seconds of training.
        tested: its returns on test episodes, which chose nothing.
        folder: of its files (not stored).
    """

    preset: str
    command: str
    version: str
    step: int
    seconds: float
    tested: CheckpointTest
    folder: str = ""


def zoo_folder() -> Path:
    """The folder of the zoo, in a checkout or in an installed wheel."""
    return Path(str(presets.package_data("assets") / "zoo"))


def zoo_names() -> list[str]:
    """Names of the presets that have an agent in the zoo, whether it is stale or not."""
    return sorted(file.parent.name for file in zoo_folder().glob(f"*/{FILE}"))


def zoo_agent(name: str) -> ZooAgent | None:
    """The agent of a preset; None if the zoo has none. Raises ConfigError if its files are damaged."""
    folder = zoo_folder() / name
    if name not in zoo_names() or not (folder / FOLDER / BEST).is_file():
        return None
    try:
        agent = json_data(read_file(folder / FILE, _MOST_BYTES), ZooAgent)
    except (OSError, ValueError) as error:
        raise ConfigError("zoo.damaged", name=name, problem=str(error)) from None
    return msgspec.structs.replace(agent, folder=str(folder))


def playable(name: str) -> ZooAgent:
    """The agent of a preset, if its preset is still as it was. Raises ConfigError: no such agent, or it is stale."""
    agent = zoo_agent(name)
    if agent is None:
        raise ConfigError("zoo.none", name=name, known=zoo_names())
    changed = changed_settings(read_experiment(Path(agent.folder)), presets.read_experiment(name))
    if changed:
        raise ConfigError("zoo.stale", name=name, settings=changed)
    return agent


def changed_settings(trained: Experiment, preset: Experiment) -> list[str]:
    """Settings of task, network and learning in which an agent's experiment differs from a preset, by path.

    What was derived for the agent and is derived in the preset too does not count: it follows from the task.
    """
    derived = set(trained.derived) & set(preset.derived)
    one, other = as_data(trained), as_data(preset)
    paths = [path for section in _OF_THE_AGENT for path in _differing(one[section], other[section], section)]
    return [path for path in paths if path not in derived]


def _differing(one: Any, other: Any, path: str) -> list[str]:
    if path != "env.kwargs" and isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [each for key in keys for each in _differing(one.get(key), other.get(key), f"{path}.{key}")]
    return [] if one == other else [path]
