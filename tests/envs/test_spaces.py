"""Every supported observation space becomes named parts; every other is refused in one sentence."""

from __future__ import annotations

import zlib
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.make import make_env, make_vector
from dqngui.envs.spaces import Spaces, walk
from dqngui.envs.words import word_ids


def sampled(observation: spaces.Space[Any], **kwargs: Any) -> EnvConfig:
    return EnvConfig(id="tests/Sampled-v0", kwargs={"observation_space": observation, **kwargs})


def works_with(name: str) -> str:
    """How the error of names ends that are not as many as needed."""
    return f"; it works with --set 'env.{name}=[]' (in the window: {name.capitalize()}, under Environment)"


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
    "text": spaces.Text(12, charset="ab c"),
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
            if isinstance(leaf, spaces.Text):
                values = [word_ids(text) for text in values]
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
    assert (parts["doubles"].kind, parts["doubles"].dtype, parts["doubles"].shape) == ("rows", "float32", (6,))
    assert parts["number"].shape == (1,)
    picture = parts["picture"]
    assert (picture.kind, picture.dtype, picture.shape, picture.raw_shape) == ("image", "uint8", (60,), (4, 5, 3))
    assert picture.scale == pytest.approx(1 / 255)
    assert (parts["bits"].kind, parts["bits"].dtype, parts["bits"].scale) == ("vector", "uint8", 1.0)
    assert (parts["category"].kind, parts["category"].sizes) == ("discrete", (7,))
    table = parts["category table"]
    assert (table.kind, table.dtype, table.sizes, table.axes) == ("grid", "uint8", (5,), "hw")
    assert (parts["text"].kind, parts["text"].dtype, parts["text"].shape) == ("text", "int32", (32,))
    assert [part.name for part in read(SPACES["nested"]).parts] == ["others/0", "others/1/0", "self/gear", "self/pose"]


def test_small_bytes_are_scaled_by_their_own_bound() -> None:
    assert read(spaces.Box(0, 10, (3,), np.uint8)).parts[0].scale == pytest.approx(0.1)


def test_feature_names() -> None:
    assert read(spaces.Box(0, 1, (2,))).features == ("x[0]", "x[1]")
    nested = read(SPACES["nested"])
    assert nested.features == ("others/0[0]", "others/0[1]", "others/0[2]", "self/pose[0]", "self/pose[1]")
    assert read(SPACES["doubles"]).features == ("x[0]", "x[1]", "x[2]")  # of a row's numbers
    assert read(spaces.Box(-1, 1, (1, 2))).features == ("x[0, 0]", "x[0, 1]")
    assert read(SPACES["picture"]).features == ()
    known = make_vector(EnvConfig(id="CartPole-v1"), 1).spaces
    assert known.features[2] == "pole angle"
    assert known.action_names == ("left", "right")
    given = EnvConfig(id="CartPole-v1", features=("a", "b", "c", "d"), actions=("l", "r"))
    assert make_vector(given, 1).spaces.features == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            EnvConfig(features=("a",)),
            "`env.features`: 1 names for 4 entries in the observation" + works_with("features"),
        ),
        (EnvConfig(actions=("a", "b", "c")), "`env.actions`: 3 names for 2 actions" + works_with("actions")),
        (
            sampled(spaces.Sequence(spaces.Discrete(2))),
            "`env.id`: the observation part `observation` is a Sequence space, which no network here can read; "
            "supported are Box, Discrete, MultiDiscrete, MultiBinary, Text, and Dict or Tuple of them",
        ),
        (
            sampled(spaces.Tuple([spaces.Discrete(2), spaces.Sequence(spaces.Discrete(2))])),
            "`env.id`: the observation part `1` is a Sequence space, which no network here can read; "
            "supported are Box, Discrete, MultiDiscrete, MultiBinary, Text, and Dict or Tuple of them; it works with "
            "--set 'env.wrappers=[{ name = \"keep\", options = { entries = [0] } }]' "
            "(in the window: Wrappers, under Environment)",
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
            "`env.id`: an action is 1 continuous number, which must be cut into bins; it works with "
            "--set 'env.wrappers=[{ name = \"discretize\", options = { bins = 5 } }]' "
            "(in the window: Wrappers, under Environment)",
        ),
        (
            sampled(spaces.Discrete(2), action_space=spaces.Box(-np.inf, np.inf, (2,))),
            "`env.id`: the actions are continuous numbers without finite bounds, which cannot be cut into bins",
        ),
        (
            sampled(spaces.Discrete(2), action_space=spaces.Box(0, 255, (84, 84), np.uint8)),
            "`env.id`: an action is 7,056 continuous numbers; 2 bins for each already make more than 10,000 actions, "
            "which is the most that can be used",
        ),
        (
            sampled(spaces.Discrete(2), action_space=spaces.Tuple([spaces.Discrete(2)])),
            "`env.id`: the actions are a Tuple space; a Q-network needs one Discrete choice",
        ),
    ],
)
def test_spaces_that_no_agent_can_use_are_refused(config: EnvConfig, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        make_vector(config, 2)
    assert str(error.value) == sentence


# -- kinds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("space", "kind", "dtype", "axes"),
    [
        (spaces.Box(0, 255, (84, 84), np.uint8), "image", "uint8", "hw"),
        (spaces.Box(0, 255, (210, 160, 3), np.uint8), "image", "uint8", "hwc"),
        (spaces.Box(0, 255, (4, 84, 84), np.uint8), "image", "uint8", "chw"),
        (spaces.Box(0, 1, (10, 10, 6), bool), "image", "uint8", "hwc"),
        (spaces.Box(0, 1, (3, 64, 64)), "image", "float32", "chw"),
        (spaces.Box(0, 1, (40, 40)), "image", "float32", "hw"),
        (spaces.Box(0, 255, (128,), np.uint8), "vector", "uint8", ""),
        (spaces.Box(0, 255, (4, 128), np.uint8), "vector", "uint8", ""),
        (spaces.Box(0, 4, (8, 8), np.uint8), "grid", "uint8", "hw"),
        (spaces.Box(0, 9, (8, 8, 2), np.int64), "grid", "uint8", "hwc"),
        (spaces.Box(-1, 1, (6, 7), np.int8), "vector", "float32", ""),
        (spaces.Box(0, 1 << 16, (4, 4), np.int64), "vector", "float32", ""),
        (spaces.MultiDiscrete(np.full((5, 6), 300)), "grid", "int32", "hw"),
        (spaces.Box(-np.inf, np.inf, (5, 5)), "rows", "float32", ""),
        (spaces.Box(-1, 1, (1, 5)), "vector", "float32", ""),
        (spaces.Box(-1, 1, (2, 2, 2)), "vector", "float32", ""),
    ],
)
def test_the_kind_of_a_part_follows_from_its_values(space: spaces.Space[Any], kind: str, dtype: str, axes: str) -> None:
    part = read(space).parts[0]
    assert (part.kind, part.dtype, part.axes, part.raw_shape) == (kind, dtype, axes, space.shape)


def test_channels_come_first_whatever_the_order_of_axes() -> None:
    assert read(spaces.Box(0, 255, (84, 90, 3), np.uint8)).parts[0].map_shape == (3, 84, 90)
    assert read(spaces.Box(0, 255, (3, 84, 90), np.uint8)).parts[0].map_shape == (3, 84, 90)
    sizes = np.arange(2, 26).reshape(4, 3, 2)
    assert read(spaces.MultiDiscrete(sizes)).parts[0].sizes == (24, 25)  # the largest of each channel


@pytest.mark.parametrize(
    ("space", "kind", "planes"),
    [
        (spaces.Box(0, 255, (20, 20, 3), np.uint8), "image", (9, 20, 20)),
        (spaces.Box(0, 255, (20, 20), np.uint8), "image", (3, 20, 20)),
        (spaces.MultiDiscrete(np.full((5, 6), 4)), "grid", (3, 5, 6)),
        (spaces.Box(-1, 1, (4,)), "vector", None),
        (spaces.Box(-1, 1, (5, 5)), "vector", None),
        (spaces.Box(0, 255, (128,), np.uint8), "vector", None),
        (spaces.MultiDiscrete([3, 4]), "discrete", None),
        (spaces.Discrete(3), "discrete", None),
    ],
)
def test_joined_frames_are_channels_and_never_rows(
    space: spaces.Space[Any], kind: str, planes: tuple[int, int, int] | None
) -> None:
    stack = Wrapper(name="frame_stack", options={"frames": 3})
    part = make_vector(msgspec.structs.replace(sampled(space), wrappers=(stack,)), 1).spaces.parts[0]
    assert part.kind == kind
    if planes is not None:
        assert part.map_shape == planes and len(part.sizes) in (0, planes[0])


def test_words_have_ids_that_do_not_change() -> None:
    ids = word_ids("Go to the red door, go!")
    assert ids.shape == (32,) and ids[8:].sum() == 0
    assert (ids[:8] > 0).all() and (ids < 1024).all()
    assert ids[0] == ids[6] == 1 + zlib.crc32(b"go") % 1023
    assert word_ids("") is word_ids("") and not word_ids("").any()
    assert (word_ids("word " * 40) == word_ids("word")[0]).all()


MEMORY = EnvConfig(id="MiniGrid-MemoryS7-v0")


def test_minigrid_is_a_direction_a_grid_and_a_mission() -> None:
    pytest.importorskip("minigrid")
    envs = make_vector(MEMORY, 2)
    parts = envs.reset([0, 1])
    kinds = {part.name: (part.kind, part.dtype, part.shape) for part in envs.spaces.parts}
    assert kinds == {
        "direction": ("discrete", "int32", (1,)),
        "image": ("grid", "uint8", (147,)),
        "mission": ("text", "int32", (32,)),
    }
    assert envs.spaces.action_names[2] == "forward"
    assert (parts["mission"] == word_ids("go to the matching object at the end of the hallway")).all()
    highest = parts["image"].reshape(-1, 3).max(0)
    assert (highest < np.array(envs.spaces.parts[1].sizes)).all()


def test_minigrids_map_alone_is_still_its_grid() -> None:
    pytest.importorskip("minigrid")
    keep = Wrapper(name="keep", options={"entries": ["image"]})
    stack = Wrapper(name="frame_stack", options={"frames": 2})
    alone = make_vector(msgspec.structs.replace(MEMORY, wrappers=(keep,)), 1).spaces.parts
    assert [(part.name, part.kind, part.sizes) for part in alone] == [("image", "grid", (11, 6, 4))]
    joined = make_vector(msgspec.structs.replace(MEMORY, wrappers=(keep, stack)), 1).spaces.parts
    assert joined[0].sizes == (11, 6, 4) * 2 and joined[0].map_shape == (6, 7, 7)


@pytest.mark.parametrize("start", [-2, 1])
def test_actions_count_from_zero(start: int) -> None:
    envs = make_vector(sampled(spaces.Discrete(2), action_space=spaces.Discrete(3, start=start)), 1)
    assert envs.spaces.actions == 3
    envs.reset([0])
    for action in range(3):
        envs.step(np.array([action]))
    assert envs.envs[0].unwrapped.actions == [start, start + 1, start + 2]
