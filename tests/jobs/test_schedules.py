"""A setting that may be a number or a schedule: how it is given, followed, set by hand, saved and logged."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dqngui.config import ConfigError, Experiment, Schedule
from dqngui.hosts import run_inline
from dqngui.learning.flat import FlatAdam, FlatParameters
from dqngui.messages import Event, Failed, KnobChanged, KnobRefused, Learned, Request, SetKnob, Stop, without_clock
from dqngui.presets import parse_experiment, preset_names, read_experiment, to_toml
from dqngui.runs.folder import create, read_events
from dqngui.settings import experiment_fields, experiment_from, parse_assignments, with_settings

SMALL: dict[str, Any] = {
    "env": {"num_envs": 4},
    "net": {"attention": "none", "memory": "gru", "tokens": "one", "width": 8},
    "learn": {"window": 4, "burn_in": 2, "batch_size": 8, "warmup": 64, "update_every": 16, "replay_capacity": 2000},
    "run": {"total_steps": 600, "log_every": 50, "eval_every": 0, "device": "cpu"},
}
PPO = {"learn.algorithm": "ppo", "learn.rollout": 16, "learn.epochs": 2, "net.memory": "none", "learn.window": 1}
SCHEDULED = [field for field in experiment_fields() if field.scheduled]


def experiment(**changes: Any) -> Experiment:
    return with_settings(experiment_from(SMALL), {name.replace("__", "."): value for name, value in changes.items()})


def run(asked: Experiment, schedule: tuple[Any, ...] = ()) -> list[Event]:
    events = list(run_inline(Request(job="train", experiment=asked, schedule=schedule)))
    assert not isinstance(events[-1], Failed), events[-1]
    return events  # type: ignore[return-value]


def rows(events: list[Event], without: str = "lr") -> list[dict[str, Any]]:
    """The rows of the log without the clock's fields and the field `without`."""
    found = [without_clock(event) for event in events if isinstance(event, Learned)]
    return [{name: value for name, value in row.items() if name != without} for row in found]


# -- how it is given --------------------------------------------------------------------------------


def test_set_takes_a_number_or_a_schedule() -> None:
    table = parse_assignments(["learn.lr={start=1e-3,end=1e-4,steps=100000}"])
    assert with_settings(experiment(), table).learn.lr == Schedule(start=1e-3, end=1e-4, steps=100_000)
    assert with_settings(experiment(), parse_assignments(["learn.lr=1e-3"])).learn.lr == 1e-3
    assert with_settings(experiment(), parse_assignments(["learn.epsilon=0.1"])).learn.epsilon == 0.1


@pytest.mark.parametrize("field", SCHEDULED, ids=lambda field: field.path)
def test_a_schedule_stays_in_the_bounds_of_its_setting_and_may_end_at_0(field: Any) -> None:
    low = field.low + 1e-4 if field.low_open else field.low
    inside = {"start": field.high, "end": low, "steps": 10}
    for fine in (inside, {**inside, "end": 0}):
        changed = with_settings(experiment(), {field.path: fine})
        assert parse_experiment(to_toml(changed), "x") == changed
    for part, wrong in (("start", field.high * 1.01), ("end", field.high * 1.01), ("start", -1.0), ("end", -1.0)):
        with pytest.raises(ConfigError, match=rf"^`{field.path}\.{part}`: expected a number from"):
            with_settings(experiment(), {field.path: {**inside, part: wrong}})


def test_a_schedule_with_a_share_follows_the_length_of_the_run() -> None:
    asked = experiment(learn__lr={"start": 1e-3, "end": 0.0, "share": 0.5})
    assert asked.learn.lr == Schedule(start=1e-3, end=0.0, steps=300, share=0.5)
    longer = with_settings(asked, {"run.total_steps": 2_000})
    assert longer.learn.lr == Schedule(start=1e-3, end=0.0, steps=1_000, share=0.5)
    assert parse_experiment(to_toml(longer), "x") == longer
    chosen = with_settings(longer, {"learn.lr.steps": 70})
    assert with_settings(chosen, {"run.total_steps": 600}).learn.lr == Schedule(start=1e-3, end=0.0, steps=70)
    both = with_settings(chosen, {"learn.lr.steps": 70, "learn.lr.share": 1.0})
    assert both.learn.lr == Schedule(start=1e-3, end=0.0, steps=2_000, share=1.0)


def test_a_schedule_needs_its_steps_or_its_share() -> None:
    with pytest.raises(ConfigError, match=r"learn\.lr.*`steps`"):
        experiment(learn__lr={"start": 1e-3, "end": 0.0})
    with pytest.raises(ConfigError, match=r"learn\.lr\.share.*<= 1"):
        experiment(learn__lr={"start": 1e-3, "end": 0.0, "share": 1.5})


@pytest.mark.parametrize("name", preset_names())
def test_what_falls_to_the_end_of_a_preset_falls_to_the_end_of_a_longer_run(name: str) -> None:
    preset = read_experiment(name)
    longer = with_settings(preset, {"run.total_steps": preset.run.total_steps * 3})
    for field in SCHEDULED:
        own, other = (getattr(each.learn, field.name) for each in (preset, longer))
        if isinstance(own, Schedule) and own.steps == preset.run.total_steps:
            assert other.steps == longer.run.total_steps, field.path


def test_every_scheduled_setting_is_live() -> None:
    assert all(field.live for field in SCHEDULED)
    wanted = {"lr", "epsilon", "clip", "entropy_weight", "priority_beta", "predict_next", "self_weight"}
    assert {field.name for field in SCHEDULED} == wanted


# -- what it does -----------------------------------------------------------------------------------

USED: list[tuple[str, dict[str, Any], float]] = [
    ("learn.lr", {}, 1e-3),
    ("learn.lr", PPO, 1e-3),
    ("learn.clip", {**PPO, "learn.epochs": 8, "learn.lr": 1e-2}, 0.2),
    ("learn.clip", {**PPO, "learn.value_clip": True, "learn.lr": 1e-2}, 0.2),
    ("learn.entropy_weight", PPO, 0.01),
    ("learn.priority_beta", {"learn.prioritized": True}, 0.4),
    ("learn.predict_next", {"net.predictor": True}, 1.0),
    ("learn.self_weight", {"net.memory": "sarima"}, 1.0),
    ("learn.self_weight", {**PPO, "net.memory": "sarima", "learn.window": 4}, 1.0),
    ("learn.epsilon", {}, 0.5),
]


@pytest.mark.parametrize(("path", "changes", "value"), USED, ids=lambda part: part if isinstance(part, str) else "")
def test_the_algorithm_reads_the_present_number(path: str, changes: dict[str, Any], value: float) -> None:
    begin = with_settings(experiment(run__total_steps=300), {**changes, path: value})
    flat = with_settings(begin, {path: {"start": value, "end": value, "steps": 200}})
    falling = with_settings(begin, {path: {"start": value, "end": 0.0, "steps": 200}})
    constant = rows(run(begin))
    assert rows(run(flat)) == constant
    assert rows(run(falling)) != constant


def test_the_log_has_the_learning_rate_where_it_changes() -> None:
    falling = experiment(learn__lr={"start": 1e-3, "end": 2e-4, "steps": 400})
    logged = {event.step: event.lr for event in run(falling) if isinstance(event, Learned)}
    assert logged[100] == pytest.approx(1e-3 - 8e-4 * 100 / 400)
    assert logged[600] == pytest.approx(2e-4)
    assert {event.lr for event in run(experiment()) if isinstance(event, Learned)} == {None}


def test_the_warm_up_raises_the_learning_rate_over_the_first_updates() -> None:
    logged = [event for event in run(experiment(learn__lr_warmup=20)) if isinstance(event, Learned)]
    for event in logged:
        assert event.lr == pytest.approx(1e-3 * min(1.0, (event.updates + 1) / 20))
    assert rows(run(experiment(learn__lr_warmup=1))) == rows(run(experiment()))


@pytest.mark.parametrize("warmup", [0, 4])
def test_each_step_of_a_warm_up_is_a_step_with_its_share_of_the_learning_rate(warmup: int) -> None:
    """With a constant gradient every step of Adam has the length of the learning rate."""
    layer = nn.Linear(1, 1, bias=False)
    flat = FlatParameters(layer)
    optimizer = FlatAdam(flat, eps=1e-12, warmup=warmup)
    places = [float(flat.values.detach())]
    for _ in range(6):
        flat.gradient.fill_(1.0)
        optimizer.step(0.1)
        places.append(float(flat.values.detach()))
    shares = [min(1.0, (index + 1) / warmup) if warmup else 1.0 for index in range(6)]
    lengths = [before - after for before, after in pairwise(places)]
    torch.testing.assert_close(torch.tensor(lengths), 0.1 * torch.tensor(shares), rtol=1e-4, atol=1e-6)


# -- set by hand ------------------------------------------------------------------------------------

FALLING = {"start": 1e-3, "end": 1e-4, "steps": 500}
BY_HAND = (SetKnob(field="learn.lr", value=5e-3, at=200), SetKnob(field="learn.lr", value=None, at=400))


def test_a_value_set_by_hand_replaces_the_schedule_until_it_returns() -> None:
    events = run(experiment(learn__lr=FALLING), BY_HAND)
    logged = {event.step: event.lr for event in events if isinstance(event, Learned)}
    assert logged[152] == pytest.approx(1e-3 - 9e-4 * 152 / 500)
    assert logged[300] == 5e-3
    assert logged[452] == pytest.approx(1e-3 - 9e-4 * 452 / 500)
    changes = [(event.old, event.new) for event in events if isinstance(event, KnobChanged)]
    assert changes == [(None, 5e-3), (5e-3, None)]


def test_a_schedule_and_its_knob_resume_bit_for_bit(tmp_path: Path) -> None:
    asked = experiment(learn__lr=FALLING, learn__lr_warmup=15)
    whole, folder = create(tmp_path, asked), create(tmp_path, asked)
    finish(whole, asked, BY_HAND)
    finish(folder, asked, (*BY_HAND, Stop(at=300)))
    finish(folder, None, BY_HAND)
    assert logged(folder) == logged(whole)


def finish(folder: Path, asked: Experiment | None, schedule: tuple[Any, ...]) -> None:
    request = Request(job="train", experiment=asked, folder=str(folder), resume=asked is None, schedule=schedule)
    list(run_inline(request))


def logged(folder: Path) -> list[dict[str, Any]]:
    return rows(list(read_events(folder)), without="")


@pytest.mark.parametrize(
    ("value", "says"), [(None, "no schedule"), ({"start": 1e-3, "end": 1e-4, "steps": 5}, "only a number")]
)
def test_a_running_number_gets_no_schedule(value: Any, says: str) -> None:
    events = run(experiment(), (SetKnob(field="learn.lr", value=value, at=200),))
    (refused,) = [event for event in events if isinstance(event, KnobRefused)]
    assert says in refused.words
