"""Catch: the oracle, the best without memory, standing still, and where the ball is seen."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from reproducing import reproduces

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.catch import Catch
from dqngui.envs.make import make_env


def seeds_of(columns: int) -> list[int]:
    """A seed for each column that the ball can fall in."""
    env, found = Catch(columns=columns), {}
    for seed in itertools.count():
        found.setdefault(env.reset(seed=seed)[1]["column"], seed)
        if len(found) == columns:
            return [found[column] for column in range(columns)]
    raise AssertionError


def oracle_returns(rows: int, columns: int, blind: int = 0) -> list[float]:
    env, totals = Catch(rows, columns, blind), []
    for seed in seeds_of(columns):
        _, info = env.reset(seed=seed)
        total, steps, over = 0.0, 0, False
        while not over:
            assert info["asked"]
            _, reward, over, truncated, info = env.step(info["answer"])
            assert not truncated
            total, steps = total + reward, steps + 1
        assert steps == rows - 1
        assert not info["asked"]
        totals.append(total)
    return totals


@pytest.mark.parametrize(("rows", "columns"), [(10, 9), (5, 9), (2, 3), (3, 1), (12, 8)])
@pytest.mark.parametrize("blind", [0, 1])
def test_oracle_catches_every_ball(rows: int, columns: int, blind: int) -> None:
    assert oracle_returns(rows, columns, blind) == [1.0] * columns


def test_a_ball_that_falls_too_fast_cannot_always_be_caught() -> None:
    assert oracle_returns(3, 9) == [-1.0, -1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0]


def best_without_memory(rows: int, columns: int, blind: int) -> float:
    """The highest mean return of any table from observations to actions."""
    seeds, best = seeds_of(columns), -np.inf
    env = Catch(rows, columns, blind)
    tables: list[dict[bytes, int]] = [{}]
    while tables:
        table = tables.pop()
        total, missing = 0.0, None
        for seed in seeds:
            observation, _ = env.reset(seed=seed)
            over = False
            while not over and missing is None:
                key = observation.tobytes()
                if key not in table:
                    missing = key
                    break
                observation, reward, over, _, _ = env.step(table[key])
                total += reward
        if missing is None:
            best = max(best, total / columns)
        else:
            tables += [{**table, missing: action} for action in range(3)]
    return best


@pytest.mark.parametrize(("rows", "columns", "blind"), [(4, 3, 3), (3, 3, 1), (3, 4, 2)])
def test_best_without_memory(rows: int, columns: int, blind: int) -> None:
    places = 2 * min(rows - blind, rows - 1) + 1  # where the paddle can be once the ball is out of sight
    assert best_without_memory(rows, columns, blind) == pytest.approx(2 * min(columns, places) / columns - 1)


def test_standing_still_catches_one_column() -> None:
    for action in range(3):
        env, total = Catch(), 0.0
        for seed in seeds_of(9):
            env.reset(seed=seed)
            total += sum(env.step(action)[1] for _ in range(9))
        assert total / 9 == pytest.approx(2 / 9 - 1)


def test_by_hand() -> None:
    env = Catch(rows=3, columns=3, blind=2)
    observation, info = env.reset(seed=seeds_of(3)[2])
    assert observation[..., 0].tolist() == [[0, 0, 255], [0, 0, 0], [0, 255, 0]]
    assert info == {"column": 2, "paddle": 1, "answer": 2, "asked": True, "facts": {"column": 2}}
    observation, reward, over, _, info = env.step(2)
    assert observation[..., 0].tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 255]]  # out of sight
    assert (reward, over, info["answer"]) == (0.0, False, 1)
    observation, reward, over, _, _ = env.step(2)  # the wall holds it
    assert (reward, over) == (1.0, True)
    env = Catch(rows=3, columns=3)
    env.reset(seed=seeds_of(3)[0])
    assert env.step(1)[0][..., 0].tolist() == [[0, 0, 0], [255, 0, 0], [0, 255, 0]]
    observation, reward, over, _, _ = env.step(1)
    assert observation[..., 0].tolist() == [[0, 0, 0], [0, 0, 0], [255, 255, 0]]
    assert (reward, over) == (-1.0, True)


def test_every_column_comes_up_and_follows_the_seed() -> None:
    env = Catch()
    columns = [env.reset(seed=seed)[1]["column"] for seed in range(900)]
    assert np.bincount(columns).min() > 60
    assert reproduces(EnvConfig(id="dqngui/Catch-v0", kwargs={"blind": 5}), seed=5, steps=40)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="blind"):
        Catch(rows=4, blind=4 + 1)
    with pytest.raises(ConfigError, match="blind"):
        make_env(EnvConfig(id="dqngui/Catch-v0", kwargs={"rows": 4, "blind": 20}))


@pytest.mark.parametrize("kwargs", [{}, {"blind": 9}, {"rows": 64, "columns": 84}, {"rows": 2, "columns": 1}])
def test_pictures(kwargs: dict[str, Any]) -> None:
    env = make_env(EnvConfig(id="dqngui/Catch-v0", kwargs=kwargs), "rgb_array")
    _, info = env.reset(seed=0)
    reachable = abs(info["column"] - info["paddle"]) < env.unwrapped.rows
    pictures = [env.render()]
    while info["asked"]:
        info = env.step(info["answer"])[-1]
        pictures.append(env.render())
    assert all((a != b).any() for a, b in itertools.pairwise(pictures))
    caught = (pictures[-1] == [63, 191, 138]).all(-1)
    assert caught.any() == reachable
    assert all((picture == [232, 178, 58]).all(-1).any() for picture in pictures)  # seen by us, if not by the agent
