"""A sweep while it is written: what is typed is read, its file names the same experiment, mistakes are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from dqngui import presets
from dqngui.config import ConfigError, Experiment
from dqngui.lab.queue.sweep_draft import AxisDraft, SweepDraft, base_for, offered_settings, values_of
from dqngui.settings import as_data, experiment_from, with_settings
from dqngui.sweeps.sweep_file import Base
from dqngui.texts import words


@pytest.fixture
def draft(qtbot: QtBot, tmp_path: Path) -> Iterator[SweepDraft]:
    made = SweepDraft(presets.read_experiment("tmaze"), tmp_path / "runs")
    yield made
    made.stop()


def planned(qtbot: QtBot, draft: SweepDraft) -> str:
    """Wait for the plan; what is wrong."""
    qtbot.waitUntil(lambda: not draft.planning, timeout=10_000)
    return words(draft.problem)


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        ("net.memory", "gru, lstm", ["gru", "lstm"]),
        ("learn.lr", "1e-3, 3e-4,", [1e-3, 3e-4]),
        ("learn.batch_size", "16; 1,024", [16, 1024]),
        ("learn.double", "true, false", [True, False]),
        ("env.wrappers", '["a"], [{ name = "b", n = 2 }]', [["a"], [{"name": "b", "n": 2}]]),
        ("net.memory", " ", []),
    ],
)
def test_values_are_read_as_they_are_typed(path: str, text: str, values: list[Any]) -> None:
    assert values_of(path, text) == values


def test_a_number_that_can_be_two_is_refused() -> None:
    with pytest.raises(ConfigError):
        values_of("learn.lr", "0;1,5;x")


def made_from(base: Base) -> Experiment:
    """The experiment that the file of a sweep names."""
    start = presets.read_experiment(base.file) if base.file else experiment_from({"env": {"id": base.env}})
    return with_settings(start, base.settings)


@pytest.mark.parametrize(
    ("preset", "changes", "file"),
    [
        ("tmaze", {}, "tmaze"),
        ("tmaze", {"learn.lr": 2e-3, "net.memory": "gru", "net.memory_options.chrono": 12}, "tmaze"),
        ("cartpole-positions", {"run.total_steps": 50_000}, "cartpole-positions"),
        ("tmaze", {"env.id": "Taxi-v3", "env.kwargs": {}}, ""),
    ],
)
def test_the_file_of_a_sweep_names_the_same_experiment(preset: str, changes: dict[str, Any], file: str) -> None:
    asked = with_settings(presets.read_experiment(preset), changes)
    base = base_for(asked)
    assert (base.file, base.env) == (file, "" if file else asked.env.id)
    one, other = as_data(made_from(base)), as_data(asked)
    for section in ("env", "net", "learn", "run"):
        assert one[section] == other[section], section


def test_a_plan_follows_from_what_is_typed(qtbot: QtBot, draft: SweepDraft) -> None:
    draft.set_axes([AxisDraft("agents", agents=("mann-dqn", "transformer-dqn"))])
    assert planned(qtbot, draft) == ""
    assert draft.plan is not None and [trial.label for trial in draft.plan.trials] == ["mann-dqn", "transformer-dqn"]
    draft.set_axes([AxisDraft("range", "learn.lr", low="1e-4", high="1e-2", count="3", log=True)])
    assert planned(qtbot, draft) == ""
    assert draft.plan is not None and (draft.plan.count, draft.plan.runs) == (3, 15)
    assert "net.memory" not in draft.toml() and 'setting = "learn.lr"' in draft.toml()


@pytest.mark.parametrize(
    ("axis", "values", "says"),
    [
        (AxisDraft("values", "net.nothing", values="1"), {}, "net.nothing"),
        (AxisDraft("values", "", values="1"), {}, "setting is missing"),
        (AxisDraft("range", "learn.lr", low="x", high="1"), {}, "x"),
        (AxisDraft("range", "learn.lr", low="1e-4", high="1e-2"), {}, "count is missing"),
        (AxisDraft("values", "learn.lr", values="-1"), {}, "learn.lr"),
        (AxisDraft("values", "learn.lr", values="1e-3"), {"seeds": "0-"}, "0-"),
        (AxisDraft("values", "learn.lr", values="1e-3"), {"sampler": "random"}, "trials is missing"),
        (AxisDraft("values", "learn.lr", values="1e-3"), {"objective.score": "steps_to"}, "reach"),
        (AxisDraft("values", "learn.lr", values="1e-3"), {"budget.steps": "many"}, "budget.steps"),
        (AxisDraft("agents"), {}, "not empty"),
    ],
)
def test_the_first_mistake_is_a_sentence(
    qtbot: QtBot, draft: SweepDraft, axis: AxisDraft, values: dict[str, Any], says: str
) -> None:
    draft.set_axes([axis])
    for path, value in values.items():
        draft.set_value(path, value)
    assert says in planned(qtbot, draft)
    assert draft.sweep is None and draft.toml() == ""


def test_every_setting_but_the_seed_can_be_varied(draft: SweepDraft) -> None:
    paths = [field.path for field in offered_settings(draft.base)]
    assert {"learn.lr", "net.memory", "run.total_steps", "env.num_envs"} <= set(paths)
    assert any(path.startswith("net.memory_options.") for path in paths)
    assert "run.seed" not in paths
    assert len(set(paths)) == len(paths)
