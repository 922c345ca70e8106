"""Action spaces with several choices become one choice: every combination once, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.make import make_env, make_vector


def taking(space: spaces.Space[Any]) -> EnvConfig:
    return EnvConfig(
        id="tests/Sampled-v0",
        kwargs={"observation_space": spaces.Discrete(2), "action_space": space, "length": 10_000},
    )


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (spaces.MultiDiscrete([2, 3]), [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]),
        (spaces.MultiDiscrete([2, 2], start=[5, -1]), [[5, -1], [5, 0], [6, -1], [6, 0]]),
        (
            spaces.MultiDiscrete([[1, 2], [2, 1]]),
            [[[0, 0], [0, 0]], [[0, 0], [1, 0]], [[0, 1], [0, 0]], [[0, 1], [1, 0]]],
        ),
        (spaces.MultiBinary(2), [[0, 0], [0, 1], [1, 0], [1, 1]]),
        (spaces.Discrete(3, start=7), [7, 8, 9]),
        (spaces.Discrete(2), [0, 1]),
    ],
)
def test_every_combination_once(space: spaces.Space[Any], expected: list[Any]) -> None:
    envs = make_vector(taking(space), 1)
    envs.reset([0])
    assert envs.spaces.actions == len(expected)
    for action in range(len(expected)):
        envs.step(np.array([action]))  # asserts that the space holds what it gets
    received = envs.envs[0].unwrapped.actions  # type: ignore[attr-defined]
    assert [np.asarray(action).tolist() for action in received] == expected


def test_their_names() -> None:
    assert make_vector(taking(spaces.MultiDiscrete([2, 2])), 1).spaces.action_names == ("0 0", "0 1", "1 0", "1 1")


def test_too_many_combinations() -> None:
    with pytest.raises(ConfigError) as caught:
        make_env(taking(spaces.MultiDiscrete([2**31, 2**32])))
    assert str(caught.value) == "`env.id`: the actions make more than 2⁶² combinations, which is the most possible"


def test_an_environment_may_write_into_its_action() -> None:
    env = make_env(taking(spaces.MultiDiscrete([2, 3])))
    env.reset(seed=0)
    for _ in range(2):
        env.step(4)
        assert env.unwrapped.actions[-1].tolist() == [1, 1]  # type: ignore[attr-defined]
        env.unwrapped.actions[-1] += 7  # type: ignore[attr-defined]
