"""That memories remember: the passive T-maze, judged strictly.

Success alone is a false test: the sign of a negligible difference of the action values gives 0 or 100 %.
Strict means at least 95 % right on two evaluations of 100 episodes, and Q(right) − Q(wrong) at the
junction above 1 in the worst of 32 episodes (the true difference is 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from dqngui.envs.make import make_vector
from dqngui.envs.seeds import TEST_SEEDS
from dqngui.jobs.training import Training
from dqngui.learning.acting import inputs_of
from dqngui.presets import read_experiment
from dqngui.settings import with_settings

EVERY = 4_000


@dataclass(frozen=True)
class Outcome:
    """Share of right turns and worst gap at the last look, and the steps it took."""

    steps: int
    right: float
    gap: float

    @property
    def remembers(self) -> bool:
        return self.right >= 0.95 and self.gap > 1.0


def train(memory: str, length: int, seed: int, most: int) -> Outcome:
    """Train until the strict test is passed, or for `most` steps."""
    options = {"transformer": {"length": length + 1}, "none": {}}.get(memory, {"chrono": length})
    changes: dict[str, Any] = {
        "env.kwargs": {"length": length},
        "net.memory": memory,
        "net.memory_options": options,
        "learn.window": length + 1,
        "run.seed": seed,
        "run.device": "cpu",
    }
    torch.set_num_threads(1)
    training = Training(with_settings(read_experiment("tmaze"), changes))
    training.begin()
    due, outcome = EVERY, Outcome(0, 0.0, 0.0)
    while not outcome.remembers and training.counters.step < most:
        training.act()
        training.learn()
        if training.counters.step >= due:
            due += EVERY
            right = [np.mean(np.array(training.evaluate()[0]) > 0) for _ in range(2)]
            outcome = Outcome(training.counters.step, float(min(right)), worst_gap(training, length))
    training.close()
    return outcome


def worst_gap(training: Training, length: int) -> float:
    """Smallest Q(right) − Q(wrong) at the junction over 32 greedy episodes."""
    envs = make_vector(training.experiment.env, 32)
    parts = envs.reset(range(TEST_SEEDS, TEST_SEEDS + 32))
    right = np.array([info["turn"] for info in envs.infos])
    action, reward = np.full(32, -1, dtype=np.int64), np.zeros(32, dtype=np.float32)
    with torch.inference_mode():
        state = training.learner.policy.initial_state(32)
        for step in range(length + 1):
            inputs = inputs_of(parts, action, reward, training.device)
            q, state = training.learner.policy(inputs, state)
            action = q[0].argmax(-1).numpy()
            if step < length:
                parts, raw, _, _ = envs.step(action)
                reward = raw.astype(np.float32)
    envs.close()
    values = q[0].numpy()
    rows = np.arange(32)
    return float((values[rows, right] - values[rows, 1 - right]).min())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("memory", ["lstm", "gru", "transformer"])
def test_remembers_a_cue_for_ten_steps(memory: str) -> None:
    outcome = train(memory, length=10, seed=0, most=40_000)
    assert outcome.remembers, outcome


@pytest.mark.timeout(300)
def test_without_memory_the_cue_is_lost() -> None:
    outcome = train("none", length=10, seed=0, most=20_000)
    assert outcome.right <= 0.7, outcome
    assert outcome.gap <= 0, outcome


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [10, 11, 12])
@pytest.mark.parametrize("memory", ["lstm", "transformer"])
def test_remembers_a_cue_for_thirty_steps(memory: str, seed: int) -> None:
    outcome = train(memory, length=30, seed=seed, most=100_000)
    print(f"\n{memory}, corridor 30, seed {seed}: {outcome}")
    assert outcome.remembers, outcome
