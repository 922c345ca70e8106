"""Every supported observation space becomes named parts; every other is refused in one sentence."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.make import make_env, make_vector
from dqngui.envs.spaces import Spaces, walk


def sampled(observation: spaces.Space[Any], **kwargs: Any) -> EnvConfig:
    return EnvConfig(id="tests/Sampled-v0", kwargs={"observation_space": observation, **kwargs})


def read(observation: spaces.Space[Any], **kwargs: Any) -> Spaces:
    return make_vector(sampled(observation, **kwargs), 1).spaces


SPACES: dict[str, spaces.Space[Any]] = {
    "floats": spaces.Box(-1, 1, (4,)),
    "doubles": spaces.Box(-np.inf, np.inf, (2, 3), np.float64),
    "number": spaces.Box(-1, 1, ()),
    "integers": spaces.Box(-5, 9, (3,), np.int64),
    "picture": spaces.Box(0, 255, (4, 5, 3), np.uint8),
    "bits": spaces.MultiBinary((2, 3)),
    "category": spaces.Discrete(7, start=-3),
    "categories": spaces.MultiDiscrete([3, 5, 2], start=[1, 0, -1]),
    "category table": spaces.MultiDiscrete([[3, 5], [2, 4]]),
    "dictionary": spaces.Dict({"map": spaces.Box(0, 255, (2, 2), np.uint8), "place": spaces.Discrete(9)}),
    "tuple": spaces.Tuple([spaces.Discrete(4), spaces.Box(0, 1, (3,))]),
    "nested": spaces.Dict(
        {
            "self": spaces.Dict({"pose": spaces.Box(-1, 1, (2,)), "gear": spaces.Discrete(3, start=1)}),
            "others": spaces.Tuple([spaces.MultiBinary(3), spaces.Tuple([spaces.MultiDiscrete([2, 2])])]),
        }
    ),
}


@pytest.mark.parametrize("kind", SPACES)
def test_parts_hold_what_gymnasium_holds(kind: str) -> None:
    """The same seeds give, part by part, the values of gymnasium's own vector environment."""
    config = sampled(SPACES[kind])
    ours = make_vector(config, 3)
    parts = ours.reset([5, 6, 7])
    theirs = SyncVectorEnv([partial(make_env, config)] * 3, autoreset_mode=AutoresetMode.DISABLED)
    observation, _ = theirs.reset(seed=[5, 6, 7])
    for _ in range(3):
        expected = {}
        for path, leaf in walk(SPACES[kind]):
            values = observation
            for key in path:
                values = values[key]
            start = np.asarray(getattr(leaf, "start", 0))
            expected["/".join(map(str, path)) or "observation"] = (np.asarray(values) - start).reshape(3, -1)
        assert parts.keys() == expected.keys()
        for part in ours.spaces.parts:
            stored = parts[part.name]
            assert stored.dtype == part.dtype
            assert stored.shape == (3, *part.shape)
            np.testing.assert_array_equal(stored, expected[part.name].astype(part.dtype))
            if part.kind == "discrete":
                assert len(part.sizes) == part.shape[0]
                assert (stored >= 0).all()
                assert (stored < np.array(part.sizes)).all()
        parts, *_ = ours.step(np.zeros(3, int))
        observation, *_ = theirs.step(np.zeros(3, int))


def test_kinds_types_and_scales() -> None:
    parts = {name: read(space).parts[0] for name, space in SPACES.items()}
    assert (parts["doubles"].kind, parts["doubles"].dtype, parts["doubles"].shape) == ("vector", "float32", (6,))
    assert parts["number"].shape == (1,)
    picture = parts["picture"]
    assert (picture.dtype, picture.shape, picture.raw_shape) == ("uint8", (60,), (4, 5, 3))
    assert picture.scale == pytest.approx(1 / 255)
    assert (parts["bits"].kind, parts["bits"].dtype, parts["bits"].scale) == ("vector", "uint8", 1.0)
    assert (parts["category"].kind, parts["category"].sizes) == ("discrete", (7,))
    assert parts["category table"].sizes == (3, 5, 2, 4)
    assert [part.name for part in read(SPACES["nested"]).parts] == ["others/0", "others/1/0", "self/gear", "self/pose"]


def test_small_bytes_are_scaled_by_their_own_bound() -> None:
    assert read(spaces.Box(0, 10, (3,), np.uint8)).parts[0].scale == pytest.approx(0.1)


def test_feature_names() -> None:
    assert read(spaces.Box(0, 1, (2,))).features == ("x[0]", "x[1]")
    nested = read(SPACES["nested"])
    assert nested.features == ("others/0[0]", "others/0[1]", "others/0[2]", "self/pose[0]", "self/pose[1]")
    assert read(SPACES["picture"]).features[:2] == ("x[0, 0, 0]", "x[0, 0, 1]")
    known = make_vector(EnvConfig(id="CartPole-v1"), 1).spaces
    assert known.features[2] == "pole angle"
    assert known.action_names == ("left", "right")
    given = EnvConfig(id="CartPole-v1", features=("a", "b", "c", "d"), actions=("l", "r"))
    assert make_vector(given, 1).spaces.features == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (EnvConfig(features=("a",)), "`env.features`: 1 names for 4 entries in the observation"),
        (EnvConfig(actions=("a", "b", "c")), "`env.actions`: 3 names for 2 actions"),
        (
            sampled(spaces.Text(5)),
            "`env.id`: the observation part `observation` is text, which no network here reads; "
            "supported are Box, Discrete, MultiDiscrete, MultiBinary, and Dict or Tuple of them",
        ),
        (
            sampled(spaces.Dict({"image": SPACES["picture"], "mission": spaces.Text(9)})),
            "`env.id`: the observation part `mission` is text, which no network here reads; "
            'leave it out with the wrapper `keep`, for example with entries = ["image"]',
        ),
        (
            sampled(spaces.Tuple([spaces.Discrete(2), spaces.Sequence(spaces.Discrete(2))])),
            "`env.id`: the observation part `1` is a Sequence space, which no network here reads; "
            "leave it out with the wrapper `keep`, for example with entries = [0]",
        ),
        (sampled(spaces.Box(0, 1, (0,))), "`env.id`: the observation part `observation` is empty (shape (0,))"),
        (sampled(spaces.Dict({})), "`env.id`: the observation has no entries"),
        (
            sampled(spaces.Discrete(2_000_000)),
            "`env.id`: the observation part `observation` has 2,000,000 categories; at most 1,000,000 can be used",
        ),
        (
            sampled(spaces.Dict({"a/b": spaces.Discrete(2), "a": spaces.Dict({"b": spaces.Discrete(2)})})),
            "`env.id`: two parts of the observation are called `a/b`",
        ),
        (
            EnvConfig(id="Pendulum-v1"),
            "`env.id`: the actions are continuous; add the wrapper `discretize` to cut them into bins",
        ),
        (
            sampled(spaces.Discrete(2), action_space=spaces.MultiDiscrete([2, 2])),
            "`env.id`: the actions are a MultiDiscrete space; a Q-network needs one Discrete choice",
        ),
    ],
)
def test_what_no_agent_can_use_is_refused(config: EnvConfig, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        make_vector(config, 2)
    assert str(error.value) == sentence


def test_minigrid_without_its_mission() -> None:
    pytest.importorskip("minigrid")
    config = EnvConfig(id="MiniGrid-MemoryS7-v0")
    with pytest.raises(ConfigError, match=r"`mission` is text.*`keep`"):
        make_vector(config, 1)
    keep = Wrapper(name="keep", options={"entries": ["image", "direction"]})
    envs = make_vector(EnvConfig(id="MiniGrid-MemoryS7-v0", wrappers=(keep,)), 2)
    assert {part.name: part.shape for part in envs.spaces.parts} == {"image": (147,), "direction": (1,)}
    assert envs.spaces.action_names[2] == "forward"


@pytest.mark.parametrize("start", [-2, 1])
def test_actions_count_from_zero(start: int) -> None:
    envs = make_vector(sampled(spaces.Discrete(2), action_space=spaces.Discrete(3, start=start)), 1)
    assert envs.spaces.actions == 3
    envs.reset([0])
    for action in range(3):
        envs.step(np.array([action]))
    assert envs.envs[0].unwrapped.actions == [start, start + 1, start + 2]
