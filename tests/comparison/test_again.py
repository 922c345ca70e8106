"""The lines that train stored runs again make the same experiments."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dqngui.commands.arguments import TrainArguments, parse
from dqngui.commands.experiments import experiment_of
from dqngui.comparison.again import commands
from dqngui.comparison.results import read_result
from dqngui.config import Experiment
from dqngui.derivation import without_marks
from dqngui.messages import KnobChanged
from dqngui.presets import agent_names, preset_names, read_agent, read_experiment, with_agent
from dqngui.runs.folder import create
from dqngui.settings import with_settings
from tests.comparison.made_runs import made_run, write_log


def stored(tmp_path: Path, experiment: Experiment) -> Path:
    folder = create(tmp_path, experiment)
    write_log(folder, [])
    return folder


def trained_by(line: str) -> Experiment:
    """The experiment that a line asks for."""
    program, *words = shlex.split(line)
    assert program == "dqngui"
    name, arguments = parse(words)
    assert name == "train" and isinstance(arguments, TrainArguments)
    return experiment_of(arguments, lambda _: None)


def bare(experiment: Experiment) -> Experiment:
    return msgspec.structs.replace(without_marks(experiment), task=None)


@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_is_named(tmp_path: Path, preset: str) -> None:
    experiment = with_settings(read_experiment(preset), {"run.seed": 3})
    (line,) = commands([read_result(stored(tmp_path, experiment))])
    assert len(line) < 200 and line.endswith("--seed 3")
    assert bare(trained_by(line)) == bare(experiment)


@pytest.mark.parametrize("agent", agent_names())
def test_an_agent_is_named(tmp_path: Path, agent: str) -> None:
    experiment = with_agent(read_experiment("tmaze-100"), read_agent(agent))
    (line,) = commands([read_result(stored(tmp_path, experiment))])
    assert bare(trained_by(line)) == bare(experiment)


@pytest.mark.parametrize(
    "changes",
    [
        {"learn.lr": 3e-4, "title": "it's $HOME; `x`"},
        {"learn.epsilon": {"start": 1.0, "end": 0.1, "steps": 777}},
        {"env.wrappers": [{"name": "keep", "options": {"entries": [0, 2]}}], "env.id": "CartPole-v1"},
        {"net.memory": "transformer", "net.memory_options.layers": 2},
        {"run.total_steps": 12_345},
    ],
)
def test_any_setting_is_given(tmp_path: Path, changes: dict[str, Any]) -> None:
    experiment = with_settings(read_experiment("cartpole"), changes, check=False)
    (line,) = commands([read_result(stored(tmp_path, experiment))])
    if "experiment.toml" not in line:
        assert bare(trained_by(line)) == bare(read_result(next(tmp_path.iterdir())).experiment)


def test_seeds_share_a_line(tmp_path: Path) -> None:
    runs = [made_run(tmp_path, [1.0], seed=seed, net__memory="gru") for seed in (0, 1, 2, 7)]
    (line,) = commands([read_result(folder) for folder in runs])
    assert line.endswith("--seeds 0-2,7")


def test_live_changes_are_replayed(tmp_path: Path) -> None:
    knob = KnobChanged(step=60, field="learn.lr", old=1e-3, new=1e-4)
    folder = made_run(tmp_path, [1.0], extra=[knob])
    (line,) = commands([read_result(folder)])
    assert shlex.split(line)[-2:] == ["--replay-knobs", str(folder)]
