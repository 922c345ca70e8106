"""Steps that end the learning but not the episode, as the loss of a life: targets computed by hand."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.envs.registration import EnvSpec

from dqngui.config import EnvConfig, Experiment
from dqngui.envs.make import make_vector
from dqngui.envs.parts import ObservationPart
from dqngui.envs.spaces import Spaces
from dqngui.learning.algorithm import Generators
from dqngui.learning.batches import Batch, OneStepBatch
from dqngui.learning.counters import Counters
from dqngui.learning.off_policy import OffPolicy
from dqngui.learning.replay import Replay
from dqngui.learning.windows import WindowRule
from dqngui.settings import experiment_from

GAMMA = 0.5


def replay() -> Replay:
    """An episode with rewards 1, 2, 4, 8, 16, 32, a cut at the step of 4, and a termination at the end."""
    spaces = Spaces((ObservationPart("x", "vector", (1,), "float32"),), 2)
    kept = Replay(spaces, num_envs=1, capacity=20, generator=np.random.default_rng(0))
    for age in range(6):
        kept.add({"x": np.array([[age]])}, np.array([0]), np.array([2.0**age]), cut=np.array([age == 2]))
    kept.end_episodes(np.array([0]), {"x": np.array([[6]])}, np.array([False]))
    return kept


def test_targets_of_single_steps_do_not_look_beyond() -> None:
    batch = replay().sample(200, WindowRule(length=1, n_step=3), GAMMA)
    assert isinstance(batch, OneStepBatch)
    found = {int(x): (r, d) for x, r, d in zip(batch.now[0]["x"][:, 0], batch.returns, batch.discount, strict=True)}
    assert found == {
        0: (1 + 2 / 2 + 4 / 4, 0.0),
        1: (2 + 4 / 2, 0.0),
        2: (4.0, 0.0),
        3: (8 + 16 / 2 + 32 / 4, 0.0),  # the episode itself ends there
        4: (16 + 32 / 2, 0.0),
        5: (32.0, 0.0),
    }
    batch = replay().sample(200, WindowRule(length=1, n_step=2), GAMMA)
    assert isinstance(batch, OneStepBatch)
    found = {int(x): (r, d) for x, r, d in zip(batch.now[0]["x"][:, 0], batch.returns, batch.discount, strict=True)}
    assert found[0] == (1 + 2 / 2, 0.25) and found[1] == (2 + 4 / 2, 0.0) and found[3] == (8 + 16 / 2, 0.25)
    assert (batch.later[1][batch.now[0]["x"][:, 0] == 1] == 0).all()  # the previous action is still known


def test_windows_go_on_beyond_it() -> None:
    batch = replay().sample(50, WindowRule(length=6, n_step=2, context=2), GAMMA)
    assert isinstance(batch, Batch)
    whole = int(np.flatnonzero(batch.mask.sum(0) == 6)[0])
    assert batch.observation["x"][:6, whole, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert batch.prev_reward[:6, whole].tolist() == [0, 1, 2, 4, 8, 16]  # the memory goes on
    assert batch.returns[:6, whole].tolist() == [2, 4, 4, 16, 32, 32]
    assert batch.discount[:6, whole].tolist() == [0.25, 0, 0, 0.25, 0, 0]


class Lives(gymnasium.Env[np.ndarray, int]):
    """Nine steps; a life is lost at every third."""

    observation_space = gymnasium.spaces.Box(0, 9, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        self.age = 0
        return np.array([0.0], np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.age += 1
        lost = {"end_of_learning": True} if self.age % 3 == 0 else {}
        return np.array([self.age], np.float32), 1.0, self.age == 9, False, lost


def test_an_environment_says_it_in_its_info(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gymnasium.registry, "Lives-v0", EnvSpec("Lives-v0", entry_point=Lives))
    experiment: Experiment = experiment_from(
        {
            "env": {"id": "Lives-v0", "num_envs": 2},
            "net": {"memory": "gru", "width": 8},
            "learn": {"replay_capacity": 200, "window": 2, "burn_in": 1, "warmup": 400},
        }
    )
    with torch.inference_mode(False):
        envs = make_vector(EnvConfig(id="Lives-v0", num_envs=2))
        agent = OffPolicy(experiment, envs, torch.device("cpu"), Generators(0))
    agent.actor.begin()
    episodes = []
    count = Counters.of(experiment)
    for _ in range(12):
        episodes += agent.act(experiment, count, 1.0)
    assert [(each.length, each.ret) for each in episodes] == [(9, 9.0)] * 2  # the episodes are whole
    cuts = agent.store.cuts
    assert cuts is not None and cuts[:13].tolist() == [False, False, True] * 2 + [False, False, True, False] + [
        False,
        False,
        True,
    ]
    saved, other = agent.store.arrays(), OffPolicy(experiment, envs, torch.device("cpu"), Generators(0)).store
    other.restore(saved)
    assert other.cuts is not None and (other.cuts == cuts).all()
