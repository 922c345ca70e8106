"""Places of entities: those that Find reports are where its picture shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

from dqngui.config import EnvConfig
from dqngui.config.env import Wrapper
from dqngui.envs.drawing import BRIGHT
from dqngui.envs.find import Find, _colour
from dqngui.envs.make import make_env
from dqngui.envs.places import places_of

CLEAR = 24  # pixels: nearer than this to another entity its drawing may lie over this one's


class Placed(gymnasium.Env[Any, Any]):
    """An environment of two entities that returns given places."""

    def __init__(self, says: Callable[[], Any]) -> None:
        self.entity_places = says


def colours(env: Find) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the entities that are present and lie apart, and the colour at their places."""
    places, picture = env.entity_places(), env.render()
    assert picture is not None
    height, width, _ = picture.shape
    pixels = places * [width, height]
    present = np.flatnonzero(np.isfinite(places).all(1))
    apart = [
        row
        for row in present
        if (np.hypot(*(pixels[present] - pixels[row]).T) < CLEAR).sum() == 1  # itself
    ]
    at = np.array([picture[int(pixels[row, 1]), int(pixels[row, 0])] for row in apart])
    return np.array(apart), at, present


@pytest.mark.parametrize(
    "relevant",
    ["loudest", pytest.param("match", marks=pytest.mark.slow), pytest.param("recall", marks=pytest.mark.slow)],
)
def test_places_of_find_are_where_it_draws(relevant: Any) -> None:
    env, seen = Find(relevant=relevant, render_mode="rgb_array"), 0
    for seed in range(12):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            apart, at, present = colours(env)
            rows = observation["entities"]
            assert present.tolist() == np.flatnonzero(rows.any(1)).tolist()  # absent ones have no place
            wanted = [BRIGHT if relevant == "loudest" else _colour(rows[row, 2:]) for row in apart]
            assert np.abs(at.reshape(-1, 3).astype(int) - np.reshape(wanted, (-1, 3))).max(initial=0) <= 2
            seen += len(apart)
            observation, _, over, _, _ = env.step(0)
    assert seen > 200


def test_the_places_of_an_episode_do_not_change_with_a_render_mode() -> None:
    drawn, blind = Find(render_mode="rgb_array"), Find()
    for env in (drawn, blind):
        env.reset(seed=4)
        env.step(1)
    assert np.array_equal(drawn.entity_places(), blind.entity_places(), equal_nan=True)


def test_places_of_the_outermost_wrapper_are_used() -> None:
    wrappers = (Wrapper(name="reward_scale", options={"factor": 2.0}), Wrapper(name="time_limit", options={"steps": 4}))
    env = make_env(EnvConfig(id="dqngui/Find-v0", wrappers=wrappers))
    env.reset(seed=1)
    places = places_of(env, 16)
    assert places is not None and places.shape == (16, 2) and places.dtype == np.float32

    class Swapped(gymnasium.Wrapper[Any, Any, Any, Any]):
        def entity_places(self) -> Any:
            return self.env.get_wrapper_attr("entity_places")()[::-1]

    swapped = places_of(Swapped(env), 16)
    assert swapped is not None and np.array_equal(swapped, places[::-1], equal_nan=True)


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        [[0.1, 0.2]],
        [0.1, 0.2],
        [[0.1, 0.2, 0.3]] * 2,
        [["left", "right"]] * 2,
        [[0.1], [0.1, 0.2]],
        "nowhere",
    ],
)
def test_places_of_another_shape_are_ignored(said: Any) -> None:
    assert places_of(Placed(lambda: said), 2) is None


def test_an_environment_without_places_or_with_an_error_has_no_places() -> None:
    def fail() -> Any:
        raise KeyError("the robot fell over")

    assert places_of(Placed(fail), 2) is None
    assert places_of(Placed(np.zeros((2, 2))), 2) is None  # type: ignore[arg-type]  # no method
    assert places_of(gymnasium.make("CartPole-v1"), 2) is None


def test_places_are_a_copy_and_too_large_numbers_become_infinite() -> None:
    own = np.array([[0.25, 0.5], [np.nan, 1e300]])
    reported = places_of(Placed(lambda: own), 2)
    own[:] = 0
    assert reported is not None and reported.tolist()[0] == [0.25, 0.5]
    assert np.isnan(reported[1, 0]) and np.isinf(reported[1, 1])
