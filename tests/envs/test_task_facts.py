"""What is measured about a task before a run, and whether environments repeat themselves."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.held_actions import search
from dqngui.envs.repetition import measure_repetition
from dqngui.envs.task_facts import TaskFacts, measure_task
from dqngui.envs.trial import Trial


class Line(gymnasium.Env[Any, Any]):
    """A position that actions move; `noise` says what the seed changes."""

    made: list[Line] = []

    def __init__(self, noise: str = "nothing", length: int = 12, fails_at: int = -1, hidden: int = 0) -> None:
        self.noise, self.length, self.fails_at, self.hidden = noise, length, fails_at, hidden
        self.observation_space = spaces.Dict(
            {"place": spaces.Box(-np.inf, np.inf, (2,)), "task": spaces.Discrete(3), "map": spaces.Box(0, 1, (3,))}
        )
        self.action_space = spaces.Discrete(2)
        self.closed = False
        self.made.append(self)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.time, self.place = 0, 0.0
        self.cue = int(self.np_random.integers(2))
        if self.noise == "start":
            self.place = float(self.cue)
        return self._shown(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.time == self.fails_at:
            raise RuntimeError("a wheel came off")
        self.time += 1
        self.place += 2 * action - 1
        if self.noise == "steps":
            self.place += float(self.np_random.normal()) * 1e-3
        over = self.time == self.length
        reward = float(over)
        if self.noise == "reward":
            reward *= 2 * self.cue - 1
        return self._shown(), reward, over, False, {}

    def _shown(self) -> dict[str, Any]:
        return {"place": np.array([self.place, 7], np.float32), "task": 1, "map": np.ones(3, np.float32)}

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def line() -> Iterator[None]:
    Line.made.clear()
    gymnasium.register("tests/Line-v0", entry_point=Line)  # type: ignore[arg-type]
    yield
    gymnasium.registry.pop("tests/Line-v0")
    assert all(env.closed for env in Line.made)


def facts(env_id: str = "tests/Line-v0", **given: Any) -> TaskFacts:
    return measure_task(EnvConfig(id=env_id, **given))


def test_lengths_rewards_and_observations_of_random_episodes() -> None:
    found = facts()
    assert (found.steps, found.episodes, found.unfinished) == (1000, 83, 4)
    assert (found.shortest, found.median, found.longest, found.terminated) == (12, 12, 12, 83)
    assert found.rewarded == pytest.approx(83 / 1000)
    assert found.reward_at_end
    assert (found.reward_low, found.reward_high, found.mean_return) == (0.0, 1.0, 1.0)
    assert not found.bounded
    assert found.largest_number >= 7
    assert set(found.constant_parts) == {"task", "map"}


def test_a_task_with_a_reward_at_every_step() -> None:
    found = facts("CartPole-v1")
    assert (found.rewarded, found.reward_at_end, found.time_limit) == (1.0, False, 500)
    assert found.shortest is not None
    assert found.median is not None
    assert found.longest is not None
    assert 8 <= found.shortest < found.median < found.longest < 200
    assert facts("MountainCar-v0").bounded


def test_without_an_end_nothing_is_said_about_lengths_and_returns() -> None:
    found = facts(kwargs={"length": 5000})
    assert (found.episodes, found.shortest, found.median, found.longest, found.mean_return) == (0, *[None] * 4)
    assert (found.unfinished, found.rewarded, found.reward_at_end) == (1000, 0.0, False)


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        (EnvConfig(id="tests/Line-v0"), None),
        (EnvConfig(id="tests/Line-v0", kwargs={"max_episode_steps": 9}), 9),
        (EnvConfig(wrappers=(Wrapper(name="time_limit", options={"steps": 30}),)), 30),
        (EnvConfig(wrappers=(Wrapper(name="time_limit", options={"steps": 900}),)), 500),
        (EnvConfig(id="MiniGrid-Empty-5x5-v0"), 100),  # an attribute of the grid
    ],
)
def test_the_time_limit_is_the_shortest_that_anything_says(config: EnvConfig, limit: int | None) -> None:
    if config.id.startswith("MiniGrid"):
        pytest.importorskip("minigrid")
    found = measure_task(config, steps=60)
    assert found.time_limit == limit
    if limit is not None and limit < 12:
        assert (found.longest, found.terminated, found.episodes) == (limit, 0, 6)


def test_everything_but_the_speed_is_the_same_at_each_measurement() -> None:
    for env_id in ("tests/Line-v0", "CartPole-v1", "dqngui/TMaze-v0"):
        first, second = (msgspec.structs.replace(facts(env_id), steps_per_second=0.0) for _ in range(2))
        assert first == second


def test_where_random_actions_found_nothing_held_ones_are_tried_too() -> None:
    mountain = facts("MountainCar-v0")
    assert (mountain.terminated, mountain.single_found, mountain.single_episodes) == (0, 0, 200)
    assert mountain.held_found == 2 and mountain.held_episodes < 200
    cartpole = facts("CartPole-v1")
    assert (cartpole.single_episodes, cartpole.held_episodes) == (0, 0)


@pytest.mark.slow  # the test above tells held actions that were tried
def test_held_actions_are_not_tried_where_single_ones_find_something_in_the_end() -> None:
    acrobot = measure_task(EnvConfig(id="Acrobot-v1"), clock=lambda: 0.0)
    assert (acrobot.terminated, acrobot.single_found, acrobot.held_episodes) == (0, 1, 0)
    assert acrobot.single_episodes > 20


def test_held_actions_do_not_find_what_needs_a_turn() -> None:
    """A goal that only two different actions in turn lead to."""

    class Turns(Line):
        def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            self.time += 1
            self.place = self.place + 1 if action == self.time % 2 else 0.0
            return self._shown(), 0.0, self.place == 7, self.time == 30, {}

    gymnasium.register("tests/Turns-v0", Turns)
    try:
        with closing(Trial(EnvConfig(id="tests/Turns-v0"))) as trial:
            single, held = (
                search(trial, 0.0, longest=n, power=1.0, steps=6_000, seconds=60.0, clock=time.perf_counter)
                for n in (1, 64)
            )
    finally:
        del gymnasium.registry["tests/Turns-v0"]
    assert single.found > 3 * held.found


def test_a_search_for_something_ends_in_time() -> None:
    ticks = itertools.count()
    with closing(Trial(EnvConfig(id="MountainCar-v0"))) as trial:
        found = search(
            trial, -1.0, longest=8, power=1.0, steps=100_000, seconds=450.0, clock=lambda: float(next(ticks))
        )
    assert (found.episodes, found.found) == (2, 0)
    assert next(ticks) < 460


def test_a_slow_environment_is_measured_for_a_bounded_time() -> None:
    ticks = itertools.count()
    found = measure_task(EnvConfig(id="tests/Line-v0"), steps=1000, seconds=20.0, clock=lambda: float(next(ticks)))
    assert found.steps == 20
    assert found.steps_per_second == pytest.approx(1.0, rel=0.1)
    assert next(ticks) < 60


def test_an_environment_that_raises_is_named() -> None:
    for fails_at in (0, 8):
        with pytest.raises(ConfigError) as caught:
            facts(kwargs={"fails_at": fails_at})
        said = str(caught.value)
        assert said.startswith("`env.id`: tests/Line-v0 failed when it was tried with random actions: ")
        assert "a wheel came off (test_task_facts.py, line " in said
    with pytest.raises(ConfigError, match="continuous"):
        facts("Pendulum-v1")


@pytest.mark.parametrize("reward", [float("nan"), float("-inf"), 1e308])
def test_a_reward_that_no_return_can_be_made_of_is_named(reward: float, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Line.step
    monkeypatch.setattr(Line, "step", lambda self, action: (*step(self, action)[:1], reward, False, False, {}))
    with pytest.raises(ConfigError, match=r"tests/Line-v0 gave the reward .*; it must be a number between"):
        facts()


@pytest.mark.parametrize(
    ("noise", "length", "deterministic"),
    [
        ("nothing", 12, True),
        ("nothing", 5000, True),
        ("start", 12, False),
        ("steps", 12, False),
        ("steps", 5000, False),
        ("reward", 12, False),
    ],
)
def test_a_task_is_deterministic_only_if_no_seed_changes_anything(noise: str, length: int, deterministic: bool) -> None:
    config = EnvConfig(id="tests/Line-v0", kwargs={"noise": noise, "length": length})
    assert measure_repetition(config).deterministic is deterministic
    assert measure_task(config).deterministic is deterministic


@pytest.mark.parametrize(
    ("env_id", "deterministic"),
    [
        ("CliffWalking-v1", True),
        ("CartPole-v1", False),
        ("FrozenLake-v1", False),  # only its steps are random
        ("dqngui/TMaze-v0", False),
        ("dqngui/Catch-v0", False),
        ("dqngui/Recall-v0", False),
        ("dqngui/Find-v0", False),
        ("dqngui/Periodic-v0", False),
    ],
)
def test_well_known_tasks(env_id: str, deterministic: bool) -> None:
    assert measure_repetition(EnvConfig(id=env_id)).deterministic is deterministic


def test_too_few_steps_do_not_make_a_task_deterministic() -> None:
    config = EnvConfig(id="tests/Line-v0", kwargs={"length": 5000})
    few = measure_repetition(config, steps=60)
    assert (few.deterministic, few.steps) == (False, 30)
    assert measure_repetition(config, steps=400).deterministic
