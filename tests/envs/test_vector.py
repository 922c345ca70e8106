"""Vector steps: real last observations, separate resets, and arrays that are not overwritten."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dqngui.config import EnvConfig, Wrapper
from dqngui.envs.faults import EnvironmentFault
from dqngui.envs.make import make_env, make_vector
from dqngui.envs.seeds import episode_seed


def of_length(length: int, cut: bool) -> EnvConfig:
    return EnvConfig(
        id="tests/Sampled-v0",
        kwargs={"observation_space": spaces.Box(-1, 1, (2,)), "length": length, "cut": cut},
    )


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Acrobot-v1", "Blackjack-v1", "FrozenLake-v1", "LunarLander-v3"])
def test_equals_gymnasium_with_manual_resets(env_id: str) -> None:
    if env_id.startswith("Lunar"):
        pytest.importorskip("Box2D")
    config = EnvConfig(id=env_id, kwargs={"max_episode_steps": 30})
    ours, theirs = (
        make_vector(config, 4),
        SyncVectorEnv([partial(make_env, config)] * 4, autoreset_mode=AutoresetMode.DISABLED),
    )
    generator = np.random.default_rng(1)
    seeds = [episode_seed(0, "train", env, 0) for env in range(4)]
    parts, (observation, _) = ours.reset(seeds), theirs.reset(seed=list(seeds))
    ends = 0
    for step in range(150):
        actions = generator.integers(ours.spaces.actions, size=4)
        parts, *outcome = ours.step(actions)
        observation, *expected, _ = theirs.step(actions)
        same(parts, observation)
        for a, b in zip(outcome, expected, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        mask = outcome[1] | outcome[2]
        if mask.any():
            ends += 1
            seeds = [episode_seed(0, "train", env, step + 1) for env in range(4)]
            parts = ours.reset_some(mask, np.array(seeds))
            observation, _ = theirs.reset(seed=list(seeds), options={"reset_mask": mask})
            same(parts, observation)
    assert ends > 3


def same(parts: dict[str, np.ndarray], observation: np.ndarray | tuple[np.ndarray, ...]) -> None:
    values = observation if isinstance(observation, tuple) else (observation,)
    for part, value in zip(parts.values(), values, strict=True):
        np.testing.assert_array_equal(part, np.asarray(value).reshape(part.shape))


@pytest.mark.parametrize("cut", [False, True])
def test_an_end_shows_the_real_last_observation_and_its_kind(cut: bool) -> None:
    envs, alone = make_vector(of_length(3, cut), 1), make_env(of_length(3, cut))
    envs.reset([7])
    alone.reset(seed=7)
    for step in range(3):
        parts, rewards, terminated, truncated = envs.step(np.array([0]))
        observation, *_ = alone.step(0)
        np.testing.assert_array_equal(parts["observation"][0], observation)
        assert rewards[0] == step + 1
        assert (terminated[0], truncated[0]) == ((step == 2 and not cut), (step == 2 and cut))


def test_time_limit_truncates_and_a_fall_terminates() -> None:
    envs = make_vector(EnvConfig(id="CartPole-v1", kwargs={"max_episode_steps": 5}), 2)
    envs.reset([0, 1])
    for _ in range(5):
        _, _, terminated, truncated = envs.step(np.array([0, 1]))
    assert truncated.tolist() == [True, True]
    assert not terminated.any()
    envs = make_vector(EnvConfig(id="CartPole-v1"), 1)
    envs.reset([0])
    while not terminated.any():
        _, _, terminated, truncated = envs.step(np.array([0]))
        assert not truncated.any()


def test_environments_are_not_reset_automatically() -> None:
    envs = make_vector(of_length(1, cut=False), 2)
    with pytest.raises(RuntimeError, match=r"reset environments \[0, 1\]"):
        envs.step(np.zeros(2, int))
    envs.reset([0, 1])
    envs.step(np.zeros(2, int))
    envs.reset_some(np.array([True, False]), [5, 6])
    with pytest.raises(RuntimeError, match=r"reset environments \[1\]"):
        envs.step(np.zeros(2, int))


def test_reset_some_starts_the_episode_of_its_seed_and_leaves_the_others() -> None:
    config = EnvConfig(id="CartPole-v1")
    envs = make_vector(config, 3)
    envs.reset([1, 2, 3])
    before, *_ = envs.step(np.array([0, 1, 0]))
    after = envs.reset_some(np.array([False, True, False]), np.array([0, 99, 0]))
    np.testing.assert_array_equal(after["observation"][[0, 2]], before["observation"][[0, 2]])
    alone = make_vector(config, 1)
    np.testing.assert_array_equal(after["observation"][1], alone.reset([99])["observation"][0])
    for action in (0, 1, 1, 0, 1):
        together, *_ = envs.step(np.array([0, action, 0]))
        single, *_ = alone.step(np.array([action]))
        np.testing.assert_array_equal(together["observation"][1], single["observation"][0])


def test_returned_arrays_are_not_overwritten() -> None:
    envs = make_vector(EnvConfig(id="CartPole-v1"), 2)
    kept = [envs.reset([1, 2])]
    outcomes = []
    for _ in range(3):
        parts, *outcome = envs.step(np.array([0, 1]))
        kept.append(parts)
        outcomes.append(outcome)
    kept.append(envs.reset_some(np.array([True, False]), [8, 9]))
    arrays = [parts["observation"] for parts in kept]
    copies = [array.copy() for array in arrays]
    envs.step(np.array([1, 1]))
    envs.reset_some(np.array([False, True]), [8, 9])
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    assert not np.shares_memory(outcomes[0][0], outcomes[1][0])


def test_infos_are_the_last_of_each() -> None:
    envs = make_vector(of_length(9, cut=False), 2)
    envs.reset([4, 5])
    assert envs.infos == [{"seed": 4}, {"seed": 5}]
    envs.step(np.zeros(2, int))
    envs.reset_some(np.array([False, True]), [0, 6])
    assert envs.infos == [{"step": 1}, {"seed": 6}]


def test_an_exception_of_an_environment_is_its_fault() -> None:
    config = EnvConfig(
        id="tests/Sampled-v0", kwargs={"observation_space": spaces.Discrete(2), "breaks": True}, num_envs=2
    )
    envs = make_vector(config)
    assert len(envs) == 2
    envs.reset([0, 1])
    with pytest.raises(
        EnvironmentFault, match=r"Sampled-v0 raised OSError: the robot fell over \(conftest.py, line"
    ) as caught:
        envs.step(np.zeros(2, int))
    assert "Traceback" in caught.value.details


def test_an_episode_is_replayed_from_its_seed_and_actions() -> None:
    wrappers = (
        Wrapper(name="frame_stack", options={"frames": 3}),
        Wrapper(name="reward_scale", options={"factor": 2.0}),
    )
    config = EnvConfig(id="Acrobot-v1", wrappers=wrappers)
    generator = np.random.default_rng(0)
    actions = generator.integers(3, size=60)
    stories = []
    for envs in (make_vector(config, 1), used := make_vector(config, 1), used):
        story = [envs.reset([12345])["observation"]]
        for action in actions:
            parts, rewards, *_ = envs.step(np.array([action]))
            story += [parts["observation"], rewards]
        stories.append(story)
    for other in stories[1:]:
        for a, b in zip(stories[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
