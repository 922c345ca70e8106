"""Wrappers do what their names say, and say in one sentence why they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from reproducing import reproduces

from dqngui import catalog
from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.make import make_env, make_vector
from dqngui.settings import experiment_from


def wrapped(name: str, env_id: str = "CartPole-v1", kwargs: dict[str, Any] | None = None, **options: Any) -> EnvConfig:
    return EnvConfig(id=env_id, kwargs=kwargs or {}, wrappers=(Wrapper(name=name, options=options),))


def sampled(name: str, space: spaces.Space[Any], **options: Any) -> EnvConfig:
    return wrapped(name, "tests/Sampled-v0", {"observation_space": space}, **options)


def works_with(wrappers: str) -> str:
    """How the error of a wrapper ends if something else works."""
    return f"; it works with --set 'env.wrappers=[{wrappers}]' (in the window: Wrappers, under Environment)"


def test_keep_entries_of_a_vector() -> None:
    kept, whole = make_vector(wrapped("keep", entries=[2, 0]), 2), make_vector(EnvConfig(), 2)
    assert kept.spaces.features == ("pole angle", "cart position")
    np.testing.assert_array_equal(kept.reset([1, 2])["observation"], whole.reset([1, 2])["observation"][:, [2, 0]])
    bounds = make_env(wrapped("keep", entries=[2])).observation_space
    assert bounds.high[0] == pytest.approx(0.418, abs=1e-3)


def test_keep_entries_of_categories_and_bits() -> None:
    envs = make_vector(sampled("keep", spaces.MultiDiscrete([3, 4, 5], start=[0, 1, 2]), entries=[2, 1]), 1)
    assert envs.spaces.parts[0].sizes == (5, 4)
    assert (envs.reset([0])["observation"] < [5, 4]).all()
    assert make_vector(sampled("keep", spaces.MultiBinary(5), entries=[4]), 1).spaces.parts[0].shape == (1,)


def test_keep_keys_and_members() -> None:
    space = spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Box(0, 1, (2,)), "c": spaces.Text(4)})
    envs = make_vector(sampled("keep", space, entries=["b", "a"]), 2)
    assert set(envs.reset([0, 1])) == {"a", "b"}
    pair = spaces.Tuple([spaces.Text(3), spaces.Discrete(6)])
    assert make_vector(sampled("keep", pair, entries=[1]), 1).spaces.parts[0].sizes == (6,)


def test_frame_stack_holds_the_last_frames_oldest_first() -> None:
    envs, single = make_vector(wrapped("frame_stack", frames=3), 1), make_vector(EnvConfig(), 1)
    first = single.reset([5])["observation"][0]
    stacked = envs.reset([5])["observation"][0].reshape(3, 4)
    np.testing.assert_array_equal(stacked, [first, first, first])
    assert envs.spaces.features[3:9:5] == ("pole velocity (t−2)", "cart position")
    frames = [first, first, first]
    for action in (0, 1, 1):
        frames.append(single.step(np.array([action]))[0]["observation"][0])
        stacked = envs.step(np.array([action]))[0]["observation"][0].reshape(3, 4)
        np.testing.assert_array_equal(stacked, frames[-3:])
    again = envs.reset_some(np.array([True]), [5])["observation"][0].reshape(3, 4)
    np.testing.assert_array_equal(again, [first, first, first])


def test_frame_stack_keeps_categories_and_nesting() -> None:
    space = spaces.Dict(
        {
            "place": spaces.Discrete(4, start=1),
            "rest": spaces.Tuple([spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(2)]),
            "view": spaces.Box(0, 255, (2, 2), np.uint8),
        }
    )
    config = sampled("frame_stack", space, frames=2)
    envs = make_vector(config, 1)
    parts = {part.name: part for part in envs.spaces.parts}
    assert parts["place"].sizes == (4, 4)
    assert parts["rest/0"].sizes == (2, 3, 2, 3)
    assert (parts["view"].dtype, parts["view"].shape) == ("uint8", (8,))
    before = envs.reset([3])
    after, *_ = envs.step(np.array([0]))
    for name, part in parts.items():
        half = part.shape[0] // 2
        np.testing.assert_array_equal(before[name][0, :half], before[name][0, half:])
        np.testing.assert_array_equal(after[name][0, :half], before[name][0, half:])
    assert reproduces(config, seed=2)


def test_reward_scale_and_time_limit() -> None:
    config = EnvConfig(
        wrappers=(
            Wrapper(name="reward_scale", options={"factor": -0.5}),
            Wrapper(name="time_limit", options={"steps": 3}),
        )
    )
    envs = make_vector(config, 1)
    envs.reset([0])
    outcomes = [envs.step(np.array([step % 2]))[1:] for step in range(3)]
    assert [float(rewards[0]) for rewards, *_ in outcomes] == [-0.5] * 3
    assert [bool(truncated[0]) for *_, truncated in outcomes] == [False, False, True]
    assert not outcomes[-1][1][0]


def test_discretize_takes_the_middle_of_the_bins() -> None:
    config = wrapped("discretize", "Pendulum-v1", bins=4)
    envs = make_vector(config, 1)
    assert envs.spaces.actions == 4
    assert envs.spaces.action_names == ("-1.5", "-0.5", "0.5", "1.5")
    plain = make_env(EnvConfig(id="Pendulum-v1"))
    observation, _ = plain.reset(seed=8)
    np.testing.assert_allclose(envs.reset([8])["observation"][0], observation)
    for action, torque in enumerate((-1.5, -0.5, 0.5, 1.5)):
        parts, rewards, *_ = envs.step(np.array([action]))
        observation, reward, *_ = plain.step(np.array([torque], np.float32))
        np.testing.assert_allclose(parts["observation"][0], observation)
        assert rewards[0] == pytest.approx(float(reward))
    assert reproduces(config, seed=1)


@pytest.mark.parametrize("name", catalog.WRAPPERS)
def test_every_wrapper_of_the_catalog_passes_the_experiment_check(name: str) -> None:
    """Options as an experiment completes them are options that the wrapper takes."""
    options = {"entries": [0]} if name == "keep" else {}
    task, kwargs = "Pendulum-v1", {}
    if name == "hide_vehicles":
        pytest.importorskip("highway_env")
        task = "highway_env:highway-fast-v0"
    if name in ("grayscale", "noop_start", "fire_on_reset", "atari"):
        pytest.importorskip("ale_py")
        task, kwargs = "ALE/Pong-v5", {"frameskip": 1, "repeat_action_probability": 0.0}
    if name == "resize":
        task = "dqngui/Catch-v0"
    env = {"id": task, "kwargs": kwargs, "wrappers": [{"name": name, "options": options}]}
    completed = experiment_from({"env": env}).env
    assert make_env(completed).observation_space is not None


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (wrapped("keep", entries=[0, 4]), "(keep): there is no entry 4; the vector's entries are 0 to 3"),
        (wrapped("keep", entries=["angle"]), "(keep): there is no entry 'angle'; the vector's entries are 0 to 3"),
        (wrapped("keep", entries=[]), "(keep): `entries` must name at least one entry, and each only once"),
        (wrapped("keep", entries=[1, 1]), "(keep): `entries` must name at least one entry, and each only once"),
        (
            sampled("keep", spaces.Dict({"a": spaces.Discrete(2)}), entries=["b"]),
            "(keep): there is no entry 'b'; the observation's keys are a",
        ),
        (
            sampled("keep", spaces.Tuple([spaces.Discrete(2)] * 2), entries=[2]),
            "(keep): there is no entry 2; the observation's members are 0, 1",
        ),
        (
            wrapped("keep", "FrozenLake-v1", entries=[0]),
            "(keep): it needs a vector, dictionary or tuple, and the observation is Discrete(16)",
        ),
        (
            sampled("frame_stack", spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Text(3)})),
            "(frame_stack): text cannot be stacked"
            + works_with(
                '{ name = "keep", options = { entries = ["a"] } }, { name = "frame_stack", options = { frames = 4 } }'
            ),
        ),
        (wrapped("discretize"), "(discretize): the actions are already discrete (Discrete(2))" + works_with("")),
        (
            wrapped("discretize", "Pendulum-v1", bins=[3, 3]),
            "(discretize): `bins` has 2 numbers for 1 action dimensions"
            + works_with('{ name = "discretize", options = { bins = 5 } }'),
        ),
        (
            wrapped("discretize", "Pendulum-v1", bins=1),
            "(discretize): `bins` must be at least 2 in every dimension, got 1"
            + works_with('{ name = "discretize", options = { bins = 5 } }'),
        ),
        (
            wrapped(
                "discretize",
                "tests/Sampled-v0",
                {"observation_space": spaces.Discrete(2), "action_space": spaces.Box(-np.inf, np.inf, (2,))},
            ),
            "(discretize): the actions have no finite bounds to cut into bins",
        ),
    ],
)
def test_a_wrapper_that_does_not_fit(config: EnvConfig, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        make_env(config)
    assert str(error.value) == f"`env.wrappers[0]` {sentence}"


def test_an_error_names_its_wrapper() -> None:
    wrappers = (Wrapper(name="keep", options={"entries": [0, 1]}), Wrapper(name="keep", options={"entries": [2]}))
    with pytest.raises(ConfigError, match=r"^`env\.wrappers\[1\]` \(keep\): there is no entry 2"):
        make_env(EnvConfig(wrappers=wrappers))
    with pytest.raises(
        ConfigError, match=r"^`env\.wrappers\[0\]\.name`: there is no wrapper `blur`; there are: keep, "
    ):
        make_env(wrapped("blur"))
    with pytest.raises(ConfigError, match=r"^`env\.wrappers\[0\]\.options`: .*frames"):
        make_env(wrapped("frame_stack", frames="many"))
