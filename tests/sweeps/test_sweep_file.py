"""What a sweep's file may say, and the sentence for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w

from dqngui.config import ConfigError, Experiment
from dqngui.presets import read_experiment
from dqngui.settings import with_settings
from dqngui.sweeps.objective import maximizes, score_of
from dqngui.sweeps.planning import plan
from dqngui.sweeps.samplers import known_trials
from dqngui.sweeps.sweep_file import read_sweep, shipped_sweeps, sweep_from, to_toml

BASE = with_settings(Experiment(), {"run.total_steps": 1000, "run.eval_every": 100})
LR = {"setting": "learn.lr", "low": 1e-4, "high": 1e-2, "log": True, "count": 3}
MEMORY = {"setting": "net.memory", "values": ["gru", "lstm"]}
GOOD: dict[str, Any] = {"base": {"file": "tmaze"}, "axes": [MEMORY, LR], "seeds": "0-2"}


def without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def test_a_grid_is_every_combination_in_order() -> None:
    trials = known_trials(sweep_from(GOOD))
    assert [trial.settings for trial in trials] == [
        {"net.memory": memory, "learn.lr": lr} for memory in ("gru", "lstm") for lr in (1e-4, 1e-3, 1e-2)
    ]
    assert [trial.number for trial in trials] == list(range(6))


def test_random_trials_depend_on_seed_and_number_alone() -> None:
    data = {**GOOD, "sampler": "random", "axes": [MEMORY, without(LR, "count")]}
    few, many = (known_trials(sweep_from({**data, "trials": count})) for count in (3, 8))
    other = known_trials(sweep_from({**data, "trials": 3, "sampler_seed": 1}))
    assert many[:3] == few and other != few
    assert all(1e-4 <= trial.settings["learn.lr"] <= 1e-2 for trial in many)  # type: ignore[operator]


def test_whole_settings_get_whole_numbers() -> None:
    axis = {"setting": "learn.batch_size", "low": 8, "high": 64, "log": True, "count": 4}
    trials = known_trials(sweep_from({**GOOD, "axes": [axis]}))
    assert [trial.settings["learn.batch_size"] for trial in trials] == [8, 16, 32, 64]


def test_choices_set_several_settings_and_agents() -> None:
    choices = [{"agent": "lstm-dqn", "label": "DRQN"}, {"settings": {"net.memory": "gru", "net.width": 32}}]
    planned = plan(sweep_from({**GOOD, "axes": [{"choices": choices}]}), BASE, Path("nowhere"))
    assert [trial.label for trial in planned.trials] == ["DRQN", "memory=gru, width=32"]


def test_a_sweep_survives_writing_and_reading(tmp_path: Path) -> None:
    sweep = sweep_from({**GOOD, "pruning": {"first": 200}, "objective": {"score": "steps_to", "reach": 0.5}})
    (tmp_path / "s.toml").write_text(to_toml(sweep))
    assert read_sweep(tmp_path / "s.toml") == sweep


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"axis": []}, "sweep.axis"),
        ({"axes": []}, "axes"),
        ({"base": {}}, "base"),
        ({"base": {"file": "tmaze", "env": "CartPole-v1"}}, "base"),
        ({"axes": [{"setting": "learn.lr"}]}, r"axes\[0\]"),
        ({"axes": [{"setting": "learn.lr", "values": []}]}, r"axes\[0\]"),
        ({"axes": [{"setting": "learn.lrr", "values": [1]}]}, "learn.lrr"),
        ({"axes": [{"values": [1]}]}, "setting is missing"),
        ({"axes": [MEMORY, MEMORY]}, "two axes"),
        ({"axes": [{"setting": "run.seed", "values": [1, 2]}]}, "run.seed"),
        ({"axes": [{**LR, "low": 1.0}]}, "below"),
        ({"axes": [{**LR, "low": 0.0}]}, "above 0"),
        ({"axes": [{**LR, "high": float("inf")}]}, "number|finite"),
        ({"axes": [without(LR, "count")]}, "count is missing"),
        ({"axes": [{**LR, "values": [1.0]}]}, "either"),
        ({"axes": [{**MEMORY, "log": True}]}, "range"),
        ({"axes": [{"choices": [{"label": "x"}]}]}, "agent"),
        ({"axes": [{"choices": [{"agent": "lstm-dqn"}], "setting": "learn.lr"}]}, "choices"),
        ({"sampler": "annealing"}, "sampler"),
        ({"sampler": "random"}, "trials is missing"),
        ({"trials": 3}, "grid"),
        ({"objective": {"score": "steps_to"}}, "reach"),
        ({"objective": {"score": "best", "reach": 1.0}}, "reach"),
        ({"objective": {"score": "sharpe"}}, "score"),
        ({"objective": {"score": "mmer", "measure": "success"}}, "mmer"),
        ({"objective": {"score": "best", "measure": "<b>"}}, "no name of a measure"),
        ({"objective": {"score": "best", "lower": True}}, "objective.lower"),
        ({"pruning": {"first": 0}}, "first"),
        ({"pruning": {"first": 10, "factor": 1}}, "factor"),
        ({"sampler": "tpe", "trials": 3, "pruning": {"first": 10}}, "pruning"),
        ({"budget": {"steps": 0}}, "steps"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(tomli_w.dumps({**GOOD, **change}))
    with pytest.raises(ConfigError, match=named):
        read_sweep(path)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"axes": [{**LR, "count": 1000}, {"setting": "learn.gamma", "low": 0.5, "high": 0.9, "count": 1000}]},
            "10,000",
        ),
        ({"seeds": "0-9999"}, "runs"),
        ({"seeds": "x"}, "seeds"),
        ({"axes": [{"setting": "learn.lr", "values": [-1.0]}]}, "learn.lr"),
        ({"axes": [{"setting": "net.memory", "values": ["elephant"]}]}, "elephant"),
        ({"axes": [{"choices": [{"agent": "nobody"}]}]}, "nobody"),
        ({"axes": [{"setting": "run.eval_every", "values": [0]}]}, "eval_every"),
        ({"axes": [{"setting": "run.total_steps", "values": [500, 900]}], "pruning": {"first": 200}}, "total_steps"),
        ({"axes": [{"setting": "env.id", "values": ["evil:Task-v0"]}]}, "code"),
        ({"pruning": {"first": 1000}}, "pruning.first"),
        ({"pruning": {"first": 50}}, "first evaluation"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_made(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        plan(sweep_from({**GOOD, **change}), BASE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_objective_may_be_a_measure_of_which_less_is_better() -> None:
    sweep = sweep_from({**GOOD, "objective": {"score": "final", "measure": "falls", "lower": True}})
    assert not maximizes(sweep.objective) and score_of(sweep.objective).title == "final falls"


def test_a_plan_counts_what_pruning_leaves() -> None:
    planned = plan(sweep_from({**GOOD, "pruning": {"first": 100, "factor": 2}}), BASE, Path("nowhere"))
    # 6 trials to step 100, 3 to 200, 2 to 400, 1 to 800, 1 to 1,000; three seeds each
    assert planned.rungs == [100, 200, 400, 800]
    assert planned.steps == 3 * (6 * 100 + 3 * 100 + 2 * 200 + 400 + 200) and planned.whole_steps == 18_000


@pytest.mark.parametrize("name", shipped_sweeps())
def test_shipped_sweeps_can_be_planned(name: str, tmp_path: Path) -> None:
    sweep = read_sweep(Path(name))
    base = with_settings(read_experiment(sweep.base.file), sweep.base.settings)
    assert plan(sweep, base, tmp_path).runs > 1


def test_a_sweep_that_is_not_there_is_said_with_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match="tmaze-memories"):
        read_sweep(Path("nowhere"))
