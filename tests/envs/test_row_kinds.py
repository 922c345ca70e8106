"""The rows of an observed table are a set only where something says so, and the agent's own row is known there."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.make import make_vector
from dqngui.envs.spaces import ObservationPart

NAMES = ("presence", "x", "y")


class Tables(gymnasium.Env[Any, Any]):
    """Shows samples of a space, and says of its tables what it is told to say.

    Args:
        sets: its attribute `entity_sets`.
        vehicles: numbers of each vehicle, as a task of highway-env has them in its `observation_type`.
        names: its attribute `feature_names`.
    """

    def __init__(
        self,
        space: spaces.Space[Any] | None = None,
        sets: Any = None,
        vehicles: list[str] | None = None,
        names: tuple[str, ...] | None = None,
    ) -> None:
        self.observation_space = space or spaces.Box(-9, 9, (5, 3), np.float32)
        self.action_space = spaces.Discrete(2)
        if sets is not None:
            self.entity_sets = sets
        if vehicles is not None:
            self.observation_type = SimpleNamespace(features=vehicles, vehicles_count=5)
        if names is not None:
            self.feature_names = names

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.observation_space.sample(), 0.0, True, False, {}


gymnasium.register("tests/Tables-v0", entry_point=Tables)
TWO = spaces.Dict({"cars": spaces.Box(-9, 9, (5, 3)), "prices": spaces.Box(0, 9, (4, 2))})


def parts_of(
    rows: str = "auto", features: tuple[str, ...] = (), wrappers: tuple[Wrapper, ...] = (), **kwargs: Any
) -> dict[str, ObservationPart]:
    config = EnvConfig(id="tests/Tables-v0", kwargs=kwargs, features=features, wrappers=wrappers, rows=rows)  # type: ignore[arg-type]
    return {part.name: part for part in make_vector(config, 1).spaces.parts}


@pytest.mark.parametrize(
    ("given", "kind", "presence", "own"),
    [
        ({}, "rows", None, None),
        ({"features": ("open", "low", "high")}, "rows", None, None),
        ({"features": NAMES}, "entities", 0, None),
        ({"names": ("x", "presence", "y")}, "entities", 1, None),
        ({"sets": {"observation": None}}, "entities", None, None),
        ({"sets": {"observation": 4}}, "entities", None, 4),
        ({"sets": {"observation": 2}, "features": NAMES}, "entities", 0, 2),
        ({"sets": {"another": 0}}, "rows", None, None),
        ({"vehicles": ["presence", "x", "y"]}, "entities", 0, 0),
        ({"vehicles": ["x", "y", "heading"]}, "entities", None, 0),
        ({"vehicles": ["x", "y"]}, "rows", None, None),
    ],
)
def test_a_table_is_a_set_only_where_something_says_so(
    given: Mapping[str, Any], kind: str, presence: int | None, own: int | None
) -> None:
    part = parts_of(**given)["observation"]
    assert (part.kind, part.presence, part.own) == (kind, presence, own)
    ordered = parts_of("ordered", **given)["observation"]
    assert (ordered.kind, ordered.presence, ordered.own) == ("rows", None, None)
    alike = parts_of("set", **given)["observation"]
    assert (alike.kind, alike.presence, alike.own) == ("entities", presence, None)


def test_each_table_is_judged_by_itself_and_wrappers_may_say_it() -> None:
    limit = Wrapper(name="time_limit", options={"steps": 5})
    parts = parts_of(space=TWO, sets={"cars": 1}, wrappers=(limit,))
    assert (parts["cars"].kind, parts["cars"].own, parts["prices"].kind) == ("entities", 1, "rows")
    parts = parts_of(space=TWO, features=("a", "b", "c", "presence", "price"))
    assert (parts["cars"].kind, parts["prices"].kind, parts["prices"].presence) == ("rows", "entities", 0)
    alike = parts_of("set", space=TWO)
    assert {part.kind for part in alike.values()} == {"entities"}


class Raises:
    def __get__(self, env: Any, owner: Any) -> Any:
        raise RuntimeError("not ready")


@pytest.mark.parametrize("attribute", ["entity_sets", "observation_type"])
@pytest.mark.parametrize("value", [Raises(), SimpleNamespace(features=3, vehicles_count=5), "Kinematics", 0])
def test_an_attribute_of_another_package_that_is_something_else_says_nothing(attribute: str, value: Any) -> None:
    kind = type("Odd", (Tables,), {attribute: value})
    gymnasium.register("tests/Odd-v0", entry_point=kind)
    try:
        (part,) = make_vector(EnvConfig(id="tests/Odd-v0"), 1).spaces.parts
    finally:
        del gymnasium.registry["tests/Odd-v0"]
    assert (part.kind, part.own) == ("rows", None)


def test_an_own_row_of_numpy_is_a_plain_number() -> None:
    own = parts_of(sets={"observation": np.int64(1)})["observation"].own
    assert (own, type(own)) == (1, int)


@pytest.mark.parametrize("row", [5, -1, "first", 0.0, True])
def test_an_own_row_that_is_not_there_is_an_error(row: Any) -> None:
    with pytest.raises(ConfigError) as error:
        parts_of(sets={"observation": row})
    assert str(error.value) == (
        f"`env.id`: the environment says that row {row} of the observation part `observation` is the agent itself, "
        "but its 5 rows count from 0"
    )


def test_finds_entities_are_a_set_without_an_own_row() -> None:
    for rows, kind in (("auto", "entities"), ("set", "entities"), ("ordered", "rows")):
        part = make_vector(EnvConfig(id="dqngui/Find-v0", rows=rows), 1).spaces.parts[0]  # type: ignore[arg-type]
        assert (part.kind, part.own) == (kind, None)


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_vehicles_of_highway_env_are_a_set_and_the_first_is_the_agents(order: str) -> None:
    pytest.importorskip("highway_env")
    observation = {"type": "Kinematics", "order": order}
    config = EnvConfig(id="highway_env:highway-fast-v0", kwargs={"config": {"observation": observation}})
    envs = make_vector(config, 1)
    part = envs.spaces.parts[0]
    assert (part.kind, part.presence, part.own) == ("entities", 0, 0)
    envs.close()
