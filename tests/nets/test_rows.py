"""Rows in order, sets and the agent's own row: on what action values depend, and what can be learned."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from dqngui import catalog
from dqngui.config import EnvConfig, Experiment
from dqngui.envs.make import make_vector
from dqngui.envs.spaces import Spaces
from dqngui.jobs.agent import features_of
from dqngui.jobs.training import Training
from dqngui.learning.acting import inputs_of
from dqngui.nets.attention.ego import EgoAttention
from dqngui.nets.network import build_network
from dqngui.nets.trunk import Trunk
from dqngui.settings import experiment_from

CPU = torch.device("cpu")
ROWS, COLUMNS = 8, 2


class Trend(gymnasium.Env[NDArray[np.float32], int]):
    """A window of prices: is it rising or falling? Only the order of the prices tells. Each step is another window.

    Observations: prices and noise, (8, 2), in the order of time. Actions: it falls, it rises. Reward: 1 if it is right.
    """

    observation_space = spaces.Box(-np.inf, np.inf, (ROWS, COLUMNS), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, own: int | None = None) -> None:
        if own is not None:
            self.entity_sets = {"observation": own}

    def _window(self) -> NDArray[np.float32]:
        prices = 100 + 3 * self.np_random.normal() + np.sort(self.np_random.normal(0, 1, ROWS))
        self.rises = int(self.np_random.integers(2))
        prices = prices if self.rises else prices[::-1]
        return np.stack([prices, self.np_random.normal(0, 1, ROWS)], axis=1).astype(np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self.age = 0
        return self._window(), {}

    def step(self, action: int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        reward = float(action == self.rises)
        self.age += 1
        return self._window(), reward, self.age == 20, False, {}


gymnasium.register("tests/Trend-v0", entry_point=Trend)


def experiment(rows: str = "auto", own: int | None = None, **net: Any) -> Experiment:
    return experiment_from(
        {
            "env": {"id": "tests/Trend-v0", "num_envs": 8, "rows": rows, "kwargs": {"own": own}},
            "net": {"attention": "self", "memory": "none", "tokens": "feature", "width": 32, **net},
            "learn": {
                "window": 1, "burn_in": 0, "n_step": 1, "gamma": 0.0, "batch_size": 64, "warmup": 500,
                "update_every": 8, "replay_capacity": 5_000,
                "epsilon": {"start": 1.0, "end": 0.05, "steps": 2_000},
            },
            "run": {"total_steps": 5_000, "eval_every": 0, "device": "cpu"},
        }
    )  # fmt: skip


def network_of(told: Experiment) -> tuple[Trunk, Spaces]:
    envs = make_vector(told.env, 1)
    envs.close()
    return build_network(envs.spaces, told, torch.Generator().manual_seed(4)).eval(), envs.spaces


def values(network: Trunk, tables: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Action values (B, A) of tables (B, N, F)."""
    count = len(tables)
    parts = {"observation": tables.reshape(count, -1).astype(np.float32)}
    inputs = inputs_of(parts, np.full(count, -1), np.zeros(count, np.float32), CPU)
    with torch.no_grad():
        q, _ = network(inputs, None)
    found: NDArray[np.float32] = q[0].numpy()
    return found


def windows(count: int = 16) -> NDArray[np.float64]:
    return np.random.default_rng(3).normal(0, 1, (count, ROWS, COLUMNS))


ATTENTIONS = sorted(set(catalog.ATTENTIONS) - {"none"})  # none has weights of its own for each token


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_only_of_a_set_a_window_and_its_reverse_are_the_same(attention: str) -> None:
    shown = windows()
    for rows, same in (("auto", False), ("ordered", False), ("set", True)):
        network, _ = network_of(experiment(rows, attention=attention))
        there, back = values(network, shown), values(network, shown[:, ::-1])
        assert np.allclose(there, back, rtol=0, atol=1e-6) == same
        if not same:
            assert (np.abs(there - back).max(axis=1) > 1e-4).all()


def test_the_agents_own_row_is_the_one_that_asks_in_ego_attention() -> None:
    for own in (2, None):
        network, _ = network_of(experiment(own=own, attention="ego"))
        assert isinstance(network.attention, EgoAttention) and network.attention.own == own


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_of_a_set_with_an_own_row_the_order_of_the_others_does_not_count(attention: str) -> None:
    shown, own = windows(), 2
    network, _ = network_of(experiment(own=own, attention=attention))
    others = [index for index in range(ROWS) if index != own]
    shuffled = shown.copy()
    shuffled[:, others] = shown[:, np.random.default_rng(0).permutation(others)]
    exchanged = shown.copy()
    exchanged[:, [own, 5]] = shown[:, [5, own]]
    plain = values(network, shown)
    assert np.allclose(plain, values(network, shuffled), rtol=0, atol=1e-6)
    assert (np.abs(plain - values(network, exchanged)).max(axis=1) > 1e-4).all()


def test_rows_and_the_own_row_have_names() -> None:
    for given, first, second in (
        (experiment(), "row 1", "row 2"),
        (experiment("set"), "entity 1", "entity 2"),
        (experiment(own=0), "you", "entity 2"),
    ):
        network, seen = network_of(given)
        assert network.encoder.labels[:2] == (first, second) and network.encoder.count == ROWS
        assert network.encoder.entities == (0, ROWS)
    assert features_of(seen)[:3] == ("you: x[0]", "you: x[1]", "2: x[0]")


@pytest.mark.parametrize("rows", ["ordered", "set"])
@pytest.mark.slow  # learns for 5,000 steps
def test_what_only_the_order_tells_is_learned_of_rows_and_not_of_a_set(rows: str) -> None:
    training = Training(experiment(rows))
    training.begin()
    while training.counters.step < 5_000:
        training.act()
        training.learn()
    new = make_vector(EnvConfig(id="tests/Trend-v0"), 64).reset(np.arange(1000, 1064))["observation"]
    shown = new.reshape(64, ROWS, COLUMNS)
    shown = np.concatenate([shown, shown[:, ::-1]])
    rises = shown[:, -1, 0] > shown[:, 0, 0]
    right = (values(training.learner.policy, shown).argmax(axis=1) == rises).mean()
    training.close()
    if rows == "ordered":
        assert right > 0.95
    else:  # one of a window and its reverse
        assert right == pytest.approx(0.5, abs=0.02)
