"""The values that rules give to the settings of measured tasks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dqngui.config import Experiment
from dqngui.settings import experiment_from

TASK = {
    "steps": 1_000, "time_limit": 500, "episodes": 40, "shortest": 10, "median": 20, "longest": 100, "unfinished": 5,
    "terminated": 40, "rewarded": 1.0, "reward_at_end": False, "reward_low": 1.0, "reward_high": 1.0,
    "mean_return": 22.0, "bounded": True, "largest_number": 2.0, "constant_parts": (), "deterministic": False,
    "compared_steps": 100, "steps_per_second": 50_000.0,
}  # fmt: skip


def measured(steps: int, **task: Any) -> Experiment:
    """An experiment of this many steps on a task with these facts, in which nothing is chosen."""
    return experiment_from({"run": {"total_steps": steps}, "task": msgspec.to_builtins({**TASK, **task})})


@pytest.mark.parametrize(
    ("steps", "speed", "every"),
    [
        (400_000, 50_000.0, 32),
        (200_000, 50_000.0, 32),
        (150_000, 50_000.0, 16),
        (50_000, 50_000.0, 8),
        (1_000, 50_000.0, 4),
        (200_000, 900.0, 16),
        (200_000, 10.0, 4),
        (50_000, 900.0, 8),
    ],
)
def test_short_runs_and_slow_environments_have_more_updates_for_each_step(steps: int, speed: float, every: int) -> None:
    assert measured(steps, steps_per_second=speed).learn.update_every == every


def test_episodes_of_few_steps_are_learned_as_a_whole_and_updates_stay_as_large() -> None:
    short, long = measured(200_000, time_limit=52), measured(200_000)
    assert (short.learn.window_from, short.learn.window, short.learn.burn_in) == ("start", 52, 0)
    assert long.learn.window_from == "anywhere"
    for each in (short, long):
        assert each.learn.batch_size * each.learn.window == pytest.approx(1024, rel=0.05)


def test_only_a_reward_at_the_end_makes_the_memory_keep_everything() -> None:
    assert measured(100_000, time_limit=52).net.horizon == 0
    assert measured(100_000, time_limit=52, reward_at_end=True).net.horizon == 52
    assert measured(100_000, time_limit=500, reward_at_end=True).net.horizon == 0


def test_evaluations_follow_the_task() -> None:
    assert measured(100_000, deterministic=True).run.eval_episodes == 1
    assert measured(100_000).run.eval_episodes == 20
    assert measured(100_000, steps_per_second=100.0).run.eval_share < measured(100_000).run.eval_share


def test_random_actions_are_repeated_and_go_on_for_longer_where_only_that_finds_something() -> None:
    found = {"single_episodes": 100, "single_found": 0, "held_episodes": 100, "held_found": 9}
    learn = measured(100_000, **found).learn
    assert (learn.epsilon_repeat, learn.epsilon_repeat_power, learn.epsilon.steps) == (64, 1.0, 20_000)
    for other in (
        {"held_found": 1},
        {"held_found": 0},
        {"single_found": 1},
    ):
        learn = measured(100_000, **found | other).learn
        assert (learn.epsilon_repeat, learn.epsilon_repeat_power, learn.epsilon.steps) == (1, 2.0, 10_000)
    assert measured(100_000).learn.epsilon_repeat == 1
