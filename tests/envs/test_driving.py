"""Driving: places, measures and notes of highway-env's tasks, and vehicles that are hidden."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dqngui.config import ConfigError, EnvConfig, Wrapper
from dqngui.envs.facts import facts_of
from dqngui.envs.hidden_vehicles import is_covered
from dqngui.envs.make import make_env
from dqngui.envs.places import places_of
from dqngui.envs.step_notes import notes_of
from dqngui.presets import read_experiment

IDLE, FASTER = 1, 3
FEATURES = ["presence", "x", "y", "vx", "vy"]


def highway(*wrappers: Wrapper, render: bool = False, **observation: Any) -> Any:
    pytest.importorskip("highway_env")
    table = {"type": "Kinematics", "vehicles_count": 8, "features": FEATURES, **observation}
    kwargs = {"config": {"observation": table, "duration": 6, "vehicles_count": 12}}
    config = EnvConfig(id="highway_env:highway-fast-v0", kwargs=kwargs, wrappers=wrappers)
    return make_env(config, "rgb_array" if render else None)


def hiding(**options: Any) -> Any:
    return highway(Wrapper(name="hide_vehicles", options=options))


@pytest.mark.parametrize(
    "observation",
    [
        {},
        {"absolute": True, "features_range": {"x": [-600, 600], "y": [-12, 12]}},
        {"normalize": False},
        {"order": "shuffled", "see_behind": True},
    ],
    ids=["relative", "absolute", "raw", "shuffled"],
)
def test_places_are_where_the_cars_are_drawn(observation: dict[str, Any]) -> None:
    env = highway(render=True, **observation)
    env.reset(seed=3)
    for _ in range(2):
        rows, *_ = env.step(IDLE)
    picture = env.render()
    places = places_of(env, 8)
    assert places is not None
    height, width, _ = picture.shape
    colours = []
    for row, (x, y) in enumerate(places):
        assert np.isfinite(x) == (rows[row, 0] == 1)
        if 0.02 < x < 0.98:
            colours.append(picture[int(y * height), int(x * width)].tolist())
    assert len(colours) > 1
    assert colours[0][1] > 150 > colours[0][2]  # the ego car is green
    assert all(colour[2] > 200 for colour in colours[1:])  # the others are blue


@pytest.mark.parametrize("observation", [{}, {"absolute": True, "see_behind": True}, {"normalize": False}])
def test_the_fast_observation_is_that_of_the_package(observation: dict[str, Any]) -> None:
    env = highway(**observation)
    env.reset(seed=2)
    table = env.unwrapped.observation_type
    assert "observe" in vars(table)  # it was replaced
    for _ in range(3):
        rows, *_ = env.step(FASTER)
        assert np.array_equal(rows, type(table).observe(table)) and rows.dtype == np.float32
    shuffled = highway(order="shuffled")
    shuffled.reset(seed=2)
    assert "observe" not in vars(shuffled.unwrapped.observation_type)


def test_an_episode_ends_with_its_measures_and_every_step_has_notes() -> None:
    env = highway()
    env.reset(seed=0)
    speeds, ended = [], False
    while not ended:
        _, _, terminated, truncated, info = env.step(FASTER)
        ended = terminated or truncated
        speeds.append(env.unwrapped.vehicle.speed)
        assert ("measures" in info) == ended
        assert notes_of(env)["speed"] == f"{speeds[-1]:.1f} m/s"
        assert notes_of(env)["lane"].endswith(" of 3")
    measures = info["measures"]
    assert measures["collision"] == int(terminated)
    assert measures["mean speed"] == pytest.approx(np.mean(speeds))
    assert 0 <= measures["right lane"] <= 1


def test_a_car_behind_another_is_hidden_and_the_rows_close_up() -> None:
    plain, covering = highway(), hiding(shadow=2.0)
    hidden = 0
    for seed in range(4):
        whole, _ = plain.reset(seed=seed)
        seen, info = covering.reset(seed=seed)
        kept = int(seen[:, 0].sum())
        assert seen[:kept, 0].all() and not seen[kept:].any()
        assert np.array_equal(seen[0], whole[0])
        remaining = [row.tolist() for row in whole]
        assert all(row.tolist() in remaining for row in seen[:kept])
        assert facts_of(covering, info)["hidden vehicles"] == whole[:, 0].sum() - kept
        hidden += int(whole[:, 0].sum()) - kept
        assert np.isfinite(places_of(covering, 8)).all(1).sum() == kept
    assert hidden > 4


def test_a_lost_car_returns_after_its_steps_and_the_seed_decides() -> None:
    def presence(seed: int, chance: float = 0.3) -> np.ndarray:
        env = hiding(shadow=0.0, chance=chance, steps=2)
        observed = [env.reset(seed=seed)[0]]
        observed += [env.step(IDLE)[0] for _ in range(3)]
        return np.stack(observed)[:, :, 0].sum(1)

    assert presence(1, 0.0).tolist() == [8.0] * 4
    assert presence(1, 1.0).tolist() == [1.0] * 4  # always lost again
    assert np.array_equal(presence(1), presence(1))
    assert any(not np.array_equal(presence(1), presence(seed)) for seed in range(2, 6))
    assert presence(1).min() < 8


def test_the_line_of_sight_is_covered_by_what_is_nearer_and_in_its_way() -> None:
    def at(x: float, y: float) -> SimpleNamespace:
        return SimpleNamespace(position=np.array([x, y]))

    ego, far, near, beside, behind = at(0, 0), at(40, 0), at(20, 0.9), at(20, 4), at(-10, 0)
    assert is_covered(ego, far, [ego, far, near, beside, behind], shadow=2.0)
    assert not is_covered(ego, far, [ego, far, near], shadow=1.6)
    assert not is_covered(ego, near, [ego, far, near, beside, behind], shadow=2.0)
    assert not is_covered(ego, far, [ego, far, beside, behind], shadow=2.0)


def test_other_tasks_and_a_missing_package_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"\(hide_vehicles\): it hides vehicles that a task of highway-env observes"):
        make_env(EnvConfig(id="CartPole-v1", wrappers=(Wrapper(name="hide_vehicles"),)))
    monkeypatch.setitem(sys.modules, "highway_env", None)
    with pytest.raises(ConfigError, match=r"needs the package highway-env: pip install highway-env$"):
        make_env(read_experiment("merge").env)
