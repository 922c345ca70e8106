"""On measured tasks, what a person sets wins and the rest follows, for every pair of settings and in any order."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from dqngui.config import ConfigError, Experiment
from dqngui.derivation import AUTOMATIC, RULES, derivable
from dqngui.lab.session.run import setting_value
from dqngui.settings import experiment_from, with_settings
from tests.test_derivation import all_fields, other_values
from tests.test_rules import measured

NUMBERS = {
    "parts": 1, "only_numbers": True, "numbers": 4, "categories": 0, "rows": 0, "row_numbers": 0, "maps": 0,
    "picture_side": 0, "step_bytes": 16,
}  # fmt: skip
PICTURE = NUMBERS | {"only_numbers": False, "numbers": 0, "maps": 1, "picture_side": 480, "step_bytes": 921_600}
TABLE = NUMBERS | {"only_numbers": False, "numbers": 0, "rows": 5, "row_numbers": 25, "step_bytes": 100}
STARTS = {
    "long episodes": measured(20_000, observation=NUMBERS),
    "cue": measured(20_000, observation=NUMBERS, time_limit=31, reward_at_end=True),
    "large picture": measured(20_000, observation=PICTURE, time_limit=100),
    "transformer, large picture": with_settings(
        measured(20_000, observation=PICTURE, time_limit=100, reward_at_end=True), {"net.memory": "transformer"}
    ),
    "table": measured(20_000, observation=TABLE, time_limit=31),
}
OTHERS = {
    "env.num_envs": 64,
    "learn.n_step": 9,
    "learn.algorithm": "ppo",
    "learn.replay_capacity": 4000,
    "net.memory": "transformer",
    "net.horizon": 70,
    "run.total_steps": 900,
}


PAIRED_QUICKLY = ("cue", "table")
"""Starts of which `make test` tries all pairs; of the others it tries each choice alone."""


def refused_by_itself(path: str, value: Any) -> bool:
    """A value that fits no agent of this kind: four steps for each environment, a width that no
    heads divide, nothing left by dropout.
    """
    if path == "net.memory_options.dropout":
        return bool(value == 1)
    return (path == "learn.replay_capacity" and value < 1000) or (path == "net.width" and value % 4 != 0)


def derived_anew(experiment: Experiment) -> Experiment:
    """All derived settings derived once more, from the chosen ones alone."""
    return with_settings(experiment, dict.fromkeys(experiment.derived))


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS.keys())
def test_no_single_choice_is_refused_because_of_what_was_derived(start: Experiment) -> None:
    assert set(start.derived) == set(derivable(start)), "nothing is chosen"
    for field in all_fields(start):
        for value in other_values(field, setting_value(start, field.path)):
            if refused_by_itself(field.path, value):
                continue
            chosen = with_settings(start, {field.path: value})
            if chosen.task is None:
                continue  # another task
            assert chosen == derived_anew(chosen), field.path
            back = AUTOMATIC if field.path in RULES else setting_value(start, field.path)
            if field.path != "net.memory":
                assert with_settings(chosen, {field.path: back}) == start, field.path


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(start, id=name, marks=() if name in PAIRED_QUICKLY else pytest.mark.slow)
        for name, start in STARTS.items()
    ],
)
def test_two_choices_give_the_same_in_any_order(start: Experiment) -> None:
    choices = dict(OTHERS)
    for field in all_fields(start):
        if field.path in RULES and field.path not in choices:
            values = other_values(field, setting_value(start, field.path))
            if values and not refused_by_itself(field.path, values[0]):
                choices[field.path] = values[0]
    choices |= {"net.hidden": [32], "learn.epsilon.end": 0.01}
    compared = 0
    for (path, value), (other, other_value) in combinations(choices.items(), 2):
        if {path, other} == {"learn.epsilon", "learn.epsilon.end"}:
            continue
        if "net.memory" in (path, other) and any(each.startswith("net.memory_options.") for each in (path, other)):
            continue
        try:
            both = with_settings(start, {path: value, other: other_value})
        except ConfigError:
            continue  # two that a person chose do not fit
        compared += 1
        orders = ((path, value, other, other_value), (other, other_value, path, value))
        for first, its_value, second, its in orders:
            try:
                step = with_settings(start, {first: its_value})
            except ConfigError:
                continue
            assert with_settings(step, {second: its}) == both == derived_anew(both), (first, second)
    assert compared > 200


def test_heads_that_a_person_chose_move_a_derived_width() -> None:
    assert with_settings(STARTS["table"], {"net.attention_options.heads": 3}).net.width == 66
    assert with_settings(STARTS["table"], {"net.attention_options.heads": 8}).net.width == 64


def test_options_of_an_attention_go_when_another_one_is_derived() -> None:
    eight = with_settings(STARTS["table"], {"net.attention_options.heads": 8})
    one_token = with_settings(eight, {"net.tokens": "one"})
    assert (one_token.net.attention, one_token.net.attention_options) == ("none", {})
    assert with_settings(eight, {"net.attention": AUTOMATIC}) == eight


def test_the_replay_follows_windows_and_environments() -> None:
    start = STARTS["long episodes"]
    assert start.learn.replay_capacity == 30_000
    for changes in ({"learn.window": 1500}, {"env.num_envs": 512}, {"net.memory": "transformer", "net.horizon": 900}):
        assert with_settings(start, changes).learn.replay_capacity > 30_000
    picture = STARTS["large picture"]
    assert (picture.learn.window, picture.learn.replay_capacity) == (100, 2 * 16 * 105)


def test_windows_follow_a_chosen_replay() -> None:
    small = with_settings(STARTS["large picture"], {"learn.replay_capacity": 2000})
    assert (small.learn.window_from, small.learn.window, small.learn.burn_in) == ("anywhere", 32, 8)
    smaller = with_settings(STARTS["large picture"], {"learn.replay_capacity": 1000}).learn
    assert smaller.window < 32 and smaller.burn_in > 0 and 2 * (smaller.window + smaller.burn_in + 5) <= 1000 // 16


@pytest.mark.parametrize("window", [8, 31, 40])
def test_windows_start_with_the_episode_only_if_they_hold_it(window: int) -> None:
    learn = with_settings(STARTS["cue"], {"learn.window": window}).learn
    assert learn.window == window
    assert (learn.window_from, learn.burn_in) == (("start", 0) if window >= 31 else ("anywhere", 8))
    from_anywhere = with_settings(STARTS["cue"], {"learn.window_from": "anywhere"}).learn
    assert (from_anywhere.window, from_anywhere.burn_in) == (32, 8)


@pytest.mark.parametrize("end", [0.02, 0.05])
def test_exploration_follows_the_length_of_the_run_where_a_person_chose_its_end(end: float) -> None:
    start = STARTS["long episodes"]
    chosen = with_settings(start, {"learn.epsilon.end": end})
    assert "learn.epsilon" not in chosen.derived
    for steps in (1_000, 2_000_000):
        learn = with_settings(chosen, {"run.total_steps": steps}).learn
        assert (learn.epsilon.end, learn.epsilon.steps) == (end, steps // 10)
        assert learn == with_settings(start, {"run.total_steps": steps, "learn.epsilon.end": end}).learn
    fixed = with_settings(chosen, {"learn.epsilon.steps": 77})
    assert with_settings(fixed, {"run.total_steps": 1_000}).learn.epsilon.steps == 77


def test_settings_that_follow_from_the_task_wait_when_another_one_is_chosen() -> None:
    start = with_settings(STARTS["cue"], {"learn.batch_size": 7})
    other = with_settings(start, {"env.kwargs.length": 60})
    assert other.task is None and other.derived == start.derived and "learn.batch_size" not in other.derived
    assert experiment_from({"net": {"memory": "gru"}}).derived == ("net.memory_options.chrono",), "nothing waits"
    assert "learn.window" in with_settings(experiment_from({}), {"learn.window": AUTOMATIC}).derived
