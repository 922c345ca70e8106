"""A task whose only lesson is the first step of fifty: every memory learns it in few updates."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from dqngui import catalog
from dqngui.jobs.training import Training
from dqngui.learning.acting import inputs_of
from dqngui.learning.dqn import DQN
from dqngui.settings import experiment_from

LENGTH = 50
UPDATES, CHECK_EVERY = 500, 50
ENOUGH = 0.5  # of the true difference of the action values, which is 1


class FirstStep(gymnasium.Env[NDArray[np.float32], int]):
    """The first observation says which of two actions earns 1; nothing else matters.

    Observations: the cue (−1 or 1, 0 after the first step) and 1.
    """

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self.cue, self.age = int(self.np_random.integers(2)), 0
        return np.array([2 * self.cue - 1, 1], dtype=np.float32), {}

    def step(self, action: int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        reward = float(self.age == 0 and int(action) == self.cue)
        self.age += 1
        return np.array([0, 1], dtype=np.float32), reward, self.age == LENGTH, False, {}


gymnasium.register("tests/FirstStep-v0", entry_point=FirstStep)


def best_gap(memory: str, seed: int) -> float:
    """By how much the action values prefer the right first action, for the worse of the two cues; all actions were
    random.

    It is measured every 50 updates, and returned once it is enough, or after all updates.
    """
    experiment = experiment_from(
        {
            "env": {"id": "tests/FirstStep-v0", "num_envs": 8},
            "net": {"memory": memory, "attention": "none", "tokens": "one", "width": 32},
            "learn": {"reward_scale": 1.0, "epsilon": {"start": 1.0, "end": 1.0, "steps": 0}},
            "run": {"seed": seed, "device": "cpu"},
        }
    )
    torch.set_num_threads(1)
    training = Training(experiment)
    training.begin()
    assert isinstance(training.learner, DQN)
    gap, wanted = -np.inf, CHECK_EVERY
    while training.counters.updates < UPDATES and gap <= ENOUGH:
        training.act()
        training.learn()
        if training.counters.updates >= wanted:
            gap, wanted = _gap(training, training.learner), wanted + CHECK_EVERY
    training.close()
    return gap


def _gap(training: Training, learner: DQN) -> float:
    first = np.array([[-1, 1], [1, 1]], dtype=np.float32)
    name = training.spaces.parts[0].name
    start = inputs_of({name: first}, np.full(2, -1), np.zeros(2, np.float32), training.device)
    with torch.no_grad():
        (q, *_) = learner.online(start, learner.online.initial_state(2))
    left, right = q[0].tolist()
    return float(min(left[0] - left[1], right[1] - right[0]))


@pytest.mark.parametrize("memory", ["gru", "transformer"])
def test_the_first_step_is_learned(memory: str) -> None:
    assert best_gap(memory, seed=0) > ENOUGH


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("memory", list(catalog.MEMORIES))
def test_every_memory_learns_the_first_step(memory: str, seed: int) -> None:
    assert best_gap(memory, seed) > ENOUGH
