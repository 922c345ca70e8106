"""A block of greedy episodes: which of them are played to their end, where they are cut, and its mean has no bias."""

from __future__ import annotations

import math
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from dqngui.config import EnvConfig
from dqngui.envs.vector import Envs
from dqngui.learning.evaluation import FEWEST_EPISODES, Evaluation, EvaluationLimits, evaluation

SEEDS = range(1_000, 1_020)


class Drawn(gymnasium.Env[np.ndarray, int]):
    """An episode's length is drawn from its seed: 10 steps, or 60 in one of five; each step gives its number."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        super().reset(seed=seed)
        self.left = length_of(seed or 0)
        return np.zeros(2, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.left -= 1
        return np.zeros(2, np.float32), 1.0, self.left == 0, False, {}


def length_of(seed: int) -> int:
    return 60 if np.random.default_rng(seed).random() < 0.2 else 10


def still() -> Any:
    """A network that always prefers the first action."""
    return SimpleNamespace(
        initial_state=lambda count: (),
        preferences=lambda inputs, state: (torch.zeros(1, len(inputs.prev_action[0]), 2), state),
        greedy=lambda preferences, legal: np.zeros(len(preferences), np.int64),
        reward_unit=SimpleNamespace(learned=lambda raw: raw.astype(np.float32)),
    )


@pytest.fixture(scope="module")
def envs() -> Envs:
    return Envs([Drawn() for _ in range(8)], EnvConfig())


def played(envs: Envs, seeds: range, limits: EvaluationLimits) -> tuple[Evaluation, list[int]]:
    """The result, and the numbers of steps that were yielded."""
    playing: Generator[int, None, Evaluation] = evaluation(
        still(), envs, seeds, device=torch.device("cpu"), limits=limits
    )
    steps = []
    while True:
        try:
            steps.append(next(playing))
        except StopIteration as end:
            return end.value, steps


def test_without_limits_every_episode_is_played(envs: Envs) -> None:
    found, steps = played(envs, SEEDS, EvaluationLimits(10_000))
    assert found.lengths == tuple(map(length_of, SEEDS)) and found.returns == found.lengths
    assert found.steps == sum(found.lengths) == steps[-1] and found.cut == 0
    assert steps == sorted(steps) and len(steps) >= max(found.lengths)


def test_a_long_episode_is_cut_and_its_return_counts_up_to_there(envs: Envs) -> None:
    found, _ = played(envs, SEEDS, EvaluationLimits(50))
    assert found.lengths == tuple(min(50, length_of(seed)) for seed in SEEDS) and found.returns == found.lengths
    assert found.cut == sum(length_of(seed) > 50 for seed in SEEDS) > 0


def test_after_its_steps_a_block_plays_only_its_first_episodes_to_their_end(envs: Envs) -> None:
    found, _ = played(envs, range(1_000, 1_008), EvaluationLimits(10_000, steps=16))
    assert found.lengths == tuple(length_of(seed) for seed in range(1_000, 1_000 + FEWEST_EPISODES))
    assert found.steps > sum(found.lengths)  # the others' steps count too


@pytest.mark.parametrize("steps", [0, 100, 300])
def test_the_steps_of_a_block_are_bounded(envs: Envs, steps: int) -> None:
    for first in range(0, 200, 20):
        found, _ = played(envs, range(first, first + 20), EvaluationLimits(100, steps=steps))
        assert len(found.returns) >= FEWEST_EPISODES
        assert found.steps <= steps + len(envs) + FEWEST_EPISODES * 100


def test_one_wanted_episode_is_one_episode(envs: Envs) -> None:
    found, _ = played(envs, range(1_000, 1_001), EvaluationLimits(100, steps=0))
    assert len(found.returns) == 1


@pytest.mark.parametrize("steps", [40, 100, math.inf])
def test_the_mean_of_bounded_blocks_has_no_bias(envs: Envs, steps: float) -> None:
    """Long episodes have other returns. A rule that dropped them, as they run longest, would give a mean of 10."""
    count, blocks = 8, 250
    means = [
        np.mean(played(envs, range(first, first + count), EvaluationLimits(10_000, steps=steps))[0].returns)
        for first in range(0, count * blocks, count)
    ]
    true = float(np.mean([length_of(seed) for seed in range(count * blocks)]))
    assert abs(np.mean(means) - true) < 4 * np.std(means) / blocks**0.5
