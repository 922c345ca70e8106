"""The T-maze's oracle and the best policies without memory earn what its specification says."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from reproducing import reproduces

from dqngui.config import EnvConfig
from dqngui.envs.make import make_env
from dqngui.envs.tmaze import DOWN, UP, TMaze

SEEDS = {TMaze(1).reset(seed=seed)[1]["cue"]: seed for seed in range(20)}  # one for each cue
maze_of = functools.lru_cache(TMaze)
Policy = Callable[[np.ndarray, int, float, int], int]  # observation, previous action (-1: none), its reward, time


def started(length: int, active: bool, cue: int) -> tuple[TMaze, np.ndarray, dict[str, int]]:
    """A maze at the start of an episode with this cue."""
    maze = maze_of(length, active)
    observation, info = maze.reset(seed=SEEDS[cue])
    assert info["cue"] == cue
    return maze, observation, info


def play(policy: Policy, length: int, active: bool, cue: int) -> tuple[float, int]:
    """Return and length of one episode."""
    maze, observation, _ = started(length, active, cue)
    action, reward, total = -1, 0.0, 0.0
    for time in itertools.count():
        action = policy(observation, action, reward, time)
        observation, reward, terminated, truncated, _ = maze.step(action)
        total += reward
        assert not truncated
        if terminated:
            return total, time + 1
    raise AssertionError


def oracle(length: int, active: bool, cue: int) -> Policy:
    turn = ("forward", "back", "up", "down").index("up" if cue == UP else "down") if active else (0 if cue == UP else 1)

    def act(observation: np.ndarray, previous: int, reward: float, time: int) -> int:
        if observation[2]:
            return turn
        return (1 if time == 0 else 0) if active else time % 2

    return act


def best_without_memory(
    length: int, active: bool, sees: Callable[[np.ndarray, int, float], tuple[object, ...]]
) -> float:
    """The highest mean return over both cues of any table from what the agent `sees` to an action."""
    actions = 4 if active else 2
    best = -np.inf
    tables: list[dict[tuple[object, ...], int]] = [{}]
    while tables:  # a table grows by one entry wherever it meets something new
        table = tables.pop()
        missing: list[tuple[object, ...]] = []

        def act(observation: np.ndarray, previous: int, reward: float, time: int) -> int:
            key = sees(observation, previous, reward)
            if key not in table:  # noqa: B023  used before the loop goes on
                missing.append(key)  # noqa: B023
                raise LookupError
            return table[key]  # noqa: B023

        try:
            best = max(best, sum(play(act, length, active, cue)[0] for cue in (UP, DOWN)) / 2)
        except LookupError:
            tables += [{**table, missing[0]: action} for action in range(actions)]
    return best


def blind(observation: np.ndarray, previous: int, reward: float) -> tuple[object, ...]:
    return tuple(observation)


def with_previous(observation: np.ndarray, previous: int, reward: float) -> tuple[object, ...]:
    return (*observation, previous, round(reward, 6))


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("length", [1, 2, 7, 40])
@pytest.mark.parametrize("cue", [UP, DOWN])
def test_oracle(length: int, active: bool, cue: int) -> None:
    assert play(oracle(length, active, cue), length, active, cue) == (1.0, length + (3 if active else 1))
    wrong = oracle(length, active, -cue)
    assert play(wrong, length, active, cue) == (-1.0, length + (3 if active else 1))


@pytest.mark.parametrize("length", [1, 2, 5])
def test_best_without_memory_is_a_guess(length: int) -> None:
    assert best_without_memory(length, False, blind) == 0.0
    assert best_without_memory(length, True, blind) == 0.0


@pytest.mark.parametrize("length", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_previous_action_and_reward_do_not_help_in_the_active_maze(length: int) -> None:
    assert best_without_memory(length, True, with_previous) == 0.0


def test_previous_action_can_carry_the_cue_in_the_passive_maze() -> None:
    """As the specification warns: an agent may write the cue into its own actions."""
    assert best_without_memory(2, False, with_previous) == 1.0


def test_the_cue_is_seen_in_one_place_only() -> None:
    for cue in (UP, DOWN):
        maze, observation, info = started(4, False, cue)
        assert observation.tolist() == [cue, 1, 0]
        rest = [maze.step(0)[0].tolist() for _ in range(4)]
        assert rest == [[0, 1, 0]] * 3 + [[0, 0, 1]]
        assert info == {"cue": cue, "turn": 0 if cue == UP else 1, "facts": {"cue": cue}}
        maze, observation, info = started(2, True, cue)
        assert observation.tolist() == [0, 1, 0]
        assert maze.step(1)[0].tolist() == [cue, 1, 0]
        assert [maze.step(0)[0].tolist() for _ in range(3)] == [[0, 1, 0], [0, 1, 0], [0, 0, 1]]
        assert maze.action_names[info["turn"]] == ("up" if cue == UP else "down")


def test_active_penalty_and_horizon() -> None:
    """An agent that never moves is too late from the third step on, and the task ends after N + 3."""
    total, steps = play(lambda *_: 2, 4, True, UP)
    assert steps == 7
    assert total == pytest.approx(-5 / 6)
    straight = play(lambda observation, *_: 2 if observation[2] else 0, 4, True, UP)
    assert straight == (1.0, 5)
    waits = play(lambda *_: 0, 4, True, UP)
    assert waits == (pytest.approx(-1 / 6), 7)


def test_both_cues_come_up_and_follow_the_seed() -> None:
    maze = TMaze(3)
    cues = [maze.reset(seed=seed)[1]["cue"] for seed in range(200)]
    assert 70 < cues.count(UP) < 130
    assert cues == [TMaze(3).reset(seed=seed)[1]["cue"] for seed in range(200)]
    assert reproduces(EnvConfig(id="dqngui/TMaze-v0", kwargs={"length": 4, "active": True}), seed=5, steps=40)


@pytest.mark.parametrize("length", [0, 10_001, 2.5, True])
def test_invalid_corridor_lengths_are_refused(length: object) -> None:
    with pytest.raises(ValueError, match="whole number from 1 to 10,000"):
        TMaze(length)  # type: ignore[arg-type]


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("length", [1, 12, 10_000])
def test_pictures_show_where_the_agent_is(length: int, active: bool) -> None:
    env = make_env(EnvConfig(id="dqngui/TMaze-v0", kwargs={"length": length, "active": active}), "rgb_array")
    _, info = env.reset(seed=0)
    env.unwrapped.length = length
    pictures = [env.render()]
    for _ in range(length):
        env.step(0)
    pictures.append(env.render())
    env.step(info["turn"])
    pictures.append(env.render())
    for picture in pictures:
        assert picture.dtype == np.uint8
        assert picture.shape == (160, 480, 3)
    for a, b in itertools.combinations(pictures, 2):
        assert (a != b).any()
    green = (pictures[2].astype(int) == [63, 191, 138]).all(-1)
    half = green[:80].sum() if info["cue"] == UP else green[80:].sum()
    assert half == green.sum() > 500  # the arm that was right
    assert TMaze(3).render() is None
