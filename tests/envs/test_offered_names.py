"""Actions and observation entries have the names that their environment offers, and never wrong ones."""

from __future__ import annotations

import enum
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import EnvConfig, Wrapper
from dqngui.envs.make import make_env
from dqngui.envs.places import places_of
from dqngui.envs.spaces import Spaces, spaces_of
from dqngui.envs.task_facts import time_limit_of

FOUR = spaces.Box(-1, 1, (4,))


class Offering(gymnasium.Env[Any, Any]):
    """An environment with these spaces and whatever else it has."""

    def __init__(
        self, observation: spaces.Space[Any] = FOUR, action: spaces.Space[Any] | None = None, **offered: Any
    ) -> None:
        self.observation_space = observation
        self.action_space = action or spaces.Discrete(3)
        vars(self).update(offered)


class RaisingAttributes(gymnasium.Env[Any, Any]):
    observation_space = FOUR
    action_space = spaces.Discrete(3)

    def __getattr__(self, name: str) -> Any:
        offers = any(word in name for word in ("action", "Action", "names", "observation", "game", "model"))
        raise RuntimeError(name) if offers else AttributeError(name)


def read(env: gymnasium.Env[Any, Any], **config: Any) -> Spaces:
    """The spaces of this environment as an agent gets it."""
    gymnasium.register("tests/Offering-v0", lambda: env)
    try:
        whole = EnvConfig(id="tests/Offering-v0", **config)
        return spaces_of(make_env(whole), whole)
    finally:
        del gymnasium.registry["tests/Offering-v0"]


class Move(enum.IntEnum):
    LEFT = 0
    STAY_HERE = 1
    right = 2


class FromOne(enum.Enum):
    LEFT = 1
    RIGHT = 2
    UP = 3


def letters(letters: Any, chosen: Any) -> dict[str, Any]:
    return {"game": SimpleNamespace(env=SimpleNamespace(action_map=letters)), "action_set": chosen}


@pytest.mark.parametrize(
    ("offered", "names"),
    [
        (
            {"action_type": SimpleNamespace(actions={1: "IDLE", 0: "LANE_LEFT", 2: "FASTER"})},
            ("lane left", "idle", "faster"),
        ),
        ({"actions": Move}, ("left", "stay here", "right")),
        ({"Actions": Move}, ("left", "stay here", "right")),
        ({"get_action_meanings": lambda: ["NOOP", "FIRE", "UPRIGHTFIRE"]}, ("no-op", "fire", "up right fire")),
        (letters(["n", "l", "u", "r", "d", "f"], [0, 1, 3]), ("no-op", "left", "right")),
        ({"action_names": ("a", "b", "c"), "actions": Move}, ("a", "b", "c")),
    ],
)
def test_actions_have_the_names_that_the_environment_offers(offered: dict[str, Any], names: tuple[str, ...]) -> None:
    assert read(Offering(**offered)).action_names == names


@pytest.mark.parametrize(
    "offered",
    [
        {"action_type": SimpleNamespace(actions={0: "LEFT", 1: "RIGHT"})},
        {"action_type": SimpleNamespace(actions={0: "LEFT", 1: "RIGHT", 7: "UP"})},
        {"action_type": SimpleNamespace(actions={0: "LEFT", 1: 5, 2: "UP"})},
        {"action_type": SimpleNamespace(actions=None)},
        {"actions": FromOne},
        {"actions": ["stone", "paper", "scissors"]},
        {"get_action_meanings": lambda: 1 / 0},
        {"get_action_meanings": lambda: None},
        {"get_action_meanings": lambda: ["GO", "GO", "STOP"]},
        {"get_action_meanings": lambda: ["", "\n", "\x00"]},
        {"get_action_meanings": lambda: ["<img src=x>", "<b>go</b>", "stop"]},
        {"get_action_meanings": "abc"},
        letters(["n"], [0, 1, 3]),
        {"action_names": 5},
        {"action_names": "abc"},
        {"action_names": (1, 2, 3)},
        {"action_names": ("a", "b")},
    ],
)
def test_what_is_no_name_for_every_action_is_not_used(offered: dict[str, Any]) -> None:
    assert read(Offering(**offered)).action_names == ("0", "1", "2")


def test_attributes_that_raise_are_as_if_they_were_not_there() -> None:
    seen = read(RaisingAttributes())
    assert seen.action_names == ("0", "1", "2")
    assert seen.features == ("x[0]", "x[1]", "x[2]", "x[3]")


def test_names_are_short_lines() -> None:
    offered = read(Offering(get_action_meanings=lambda: ["go\nhome\x07", "x" * 10_000, "stop"])).action_names
    assert offered[0] == "go home"
    assert len(offered[1]) == 80 and offered[1].endswith("…")


def test_chosen_names_win_over_offered_ones() -> None:
    env = Offering(actions=Move, observation_type=SimpleNamespace(features=["a", "b", "c", "d"]))
    chosen = read(env, actions=("l", "s", "r"), features=("e", "f", "g", "h"))
    assert (chosen.action_names, chosen.features) == (("l", "s", "r"), ("e", "f", "g", "h"))


GOAL = {"achieved": spaces.Box(-1, 1, (2,)), "desired": spaces.Box(-1, 1, (2,))}


@pytest.mark.parametrize(
    ("space", "offered", "names"),
    [
        (FOUR, ["x", "y", "vx", "vy"], ("x", "y", "vx", "vy")),
        (FOUR, ("x", "y", "vx", "vy"), ("x", "y", "vx", "vy")),
        (spaces.Dict(GOAL), ["x", "y"], ("achieved x", "achieved y", "desired x", "desired y")),
        (FOUR, ["x", "y", "vx"], ("x[0]", "x[1]", "x[2]", "x[3]")),
        (FOUR, None, ("x[0]", "x[1]", "x[2]", "x[3]")),
        (FOUR, [], ("x[0]", "x[1]", "x[2]", "x[3]")),
        (FOUR, ["x", "x", "x", "x"], ("x[0]", "x[1]", "x[2]", "x[3]")),
    ],
)
def test_numbers_have_the_names_of_a_vehicles_features(space: Any, offered: Any, names: tuple[str, ...]) -> None:
    assert read(Offering(space, observation_type=SimpleNamespace(features=offered))).features == names


def model(actuators: tuple[str, ...] = ("", "knee motor")) -> SimpleNamespace:
    """A slider and a hinge, each driven by an actuator."""
    joints = ("slider", "hinge")
    return SimpleNamespace(
        nu=2,
        njnt=2,
        jnt_type=np.array([2, 3]),
        actuator_trnid=np.array([[0, -1], [1, -1]]),
        actuator=lambda index: SimpleNamespace(name=actuators[index]),
        joint=lambda index: SimpleNamespace(name=joints[index]),
    )


def test_numbers_of_bodies_have_the_names_of_their_joints() -> None:
    structure = {"skipped_qpos": 1, "qpos": 1, "qvel": 2, "force": 1}
    names = ("hinge position", "slider velocity", "hinge velocity", "force[0]")
    assert read(Offering(model=model(), observation_structure=structure)).features == names
    assert read(Offering(model=model(), observation_structure={"qpos": 10**12})).features[0] == "x[0]"


def test_names_go_through_wrappers_of_the_observation() -> None:
    env = Offering(observation_type=SimpleNamespace(features=["x", "y", "vx", "vy"]))
    keep = Wrapper(name="keep", options={"entries": [3, 0]})
    stack = Wrapper(name="frame_stack", options={"frames": 2})
    assert read(env, wrappers=(keep, stack)).features == ("vy (t−1)", "x (t−1)", "vy", "x")


def test_bins_have_the_names_of_what_they_move() -> None:
    env = Offering(action=spaces.Box(-1, 1, (2,)), model=model())
    names = read(env, wrappers=(Wrapper(name="discretize", options={"bins": 3}),)).action_names
    assert len(names) == 9
    assert names[:2] == ("slider -0.667, knee motor -0.667", "slider -0.667, knee motor 0")
    long = Offering(action=spaces.Box(-1, 1, (2,)), model=model(("a" * 60, "b" * 60)))
    assert read(long, wrappers=(Wrapper(name="discretize", options={"bins": 2}),)).action_names[0] == "-0.5 -0.5"
    drives = SimpleNamespace(longitudinal=False, lateral=True)
    steered = Offering(action=spaces.Box(-1, 1, (1,)), action_type=drives)
    bins = read(steered, wrappers=(Wrapper(name="discretize", options={"bins": 3}),)).action_names
    assert bins == ("steering -0.667", "steering 0", "steering 0.667")


def test_the_middle_bin_is_called_zero() -> None:
    env = Offering(action=spaces.Box(-1, 1, (1,)))
    assert read(env, wrappers=(Wrapper(name="discretize", options={"bins": 3}),)).action_names[1] == "0"


class Raising(Offering):
    """An environment that raises something of its own for every name that it does not have."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no such thing: {name}")


def test_an_optional_attribute_that_raises_counts_as_absent() -> None:
    env, plain = Raising(), Offering()
    assert read(env) == read(plain)
    assert places_of(env, 2) is None
    assert time_limit_of(env) is None


@pytest.mark.parametrize(
    ("package", "env_id", "actions", "features"),
    [
        ("highway_env", "highway_env:highway-v0", ("lane left", "idle", "lane right", "faster", "slower"), "vx"),
        ("minatar", "MinAtar/Breakout-v1", ("no-op", "left", "right"), None),
        ("ale_py", "ALE/Breakout-v5", ("no-op", "fire", "right", "left"), None),
        ("minigrid", "MiniGrid-Empty-5x5-v0", ("turn left", "turn right", "forward"), None),
    ],
)
def test_packages_offer_names(package: str, env_id: str, actions: tuple[str, ...], features: str | None) -> None:
    pytest.importorskip(package, exc_type=ImportError)
    config = EnvConfig(id=env_id)
    seen = spaces_of(make_env(config), config)
    assert seen.action_names[: len(actions)] == actions
    assert features is None or features in seen.features


def test_mujoco_offers_the_names_of_joints() -> None:
    pytest.importorskip("mujoco")
    config = EnvConfig(id="InvertedPendulum-v5", wrappers=(Wrapper(name="discretize", options={"bins": 3}),))
    seen = spaces_of(make_env(config), config)
    assert seen.features == ("slider position", "hinge position", "slider velocity", "hinge velocity")
    assert seen.action_names == ("slide -2", "slide 0", "slide 2")
