"""The strict test of memory in the passive T-maze.

The success rate alone is not enough: a tiny difference between the action values decides between 0 and 100 %.
To pass, an agent must choose the correct turn in at least 95 % of the episodes of two evaluations of 100 episodes, and
Q(right) − Q(wrong) at the junction must be above 1 in each of 32 other episodes (the true difference is 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch

from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.learning.acting import inputs_of
from dqngui.learning.evaluation import evaluated
from dqngui.nets.network import QNetwork

EPISODES, GAP_EPISODES = 100, 32
MIN_RIGHT, GAP = 0.95, 1.0


@dataclass(frozen=True)
class Outcome:
    """The result of one strict test.

    Attributes:
        step: environment steps trained before the test.
        right: share of correct turns in each of the two evaluations.
        gap: smallest Q(right) − Q(wrong) at the junction.
    """

    step: int
    right: tuple[float, float]
    gap: float

    @property
    def remembers(self) -> bool:
        return min(self.right) >= MIN_RIGHT and self.gap > GAP


def strictly(network: QNetwork, experiment: Experiment, first_seed: int, step: int = 0) -> Outcome:
    """Run the strict test on 232 seeds, starting with `first_seed`."""
    device = next(network.parameters()).device
    envs = make_vector(experiment.env, EPISODES)
    right = []
    for first in (first_seed, first_seed + EPISODES):
        seeds = range(first, first + EPISODES)
        returns = evaluated(network, envs, seeds, device=device).returns
        right.append(fmean(ret > 0 for ret in returns))
    envs.close()
    gap_seeds = range(first_seed + 2 * EPISODES, first_seed + 2 * EPISODES + GAP_EPISODES)
    return Outcome(step, (right[0], right[1]), worst_gap(network, experiment, gap_seeds))


def worst_gap(network: QNetwork, experiment: Experiment, seeds: Sequence[int]) -> float:
    """Smallest Q(right) − Q(wrong) at the junction over one greedy episode per seed."""
    device = next(network.parameters()).device
    count, length = len(seeds), int(experiment.env.kwargs["length"])
    envs = make_vector(experiment.env, count)
    parts = envs.reset(list(seeds))
    right = np.array([info["turn"] for info in envs.infos])
    action, reward = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.float32)
    with torch.inference_mode():
        state = network.initial_state(count)
        for step in range(length + 1):
            q, state = network(inputs_of(parts, action, reward, device), state)
            action = q[0].argmax(-1).cpu().numpy()
            if step < length:
                parts, raw, _, _ = envs.step(action)
                reward = network.reward_unit.learned(raw)
    envs.close()
    values, rows = q[0].cpu().numpy(), np.arange(count)
    return float((values[rows, right] - values[rows, 1 - right]).min())
