"""The strict test of remembering in the passive T-maze.

Success alone is a false test: the sign of a negligible difference of the action values gives 0 or 100 %.
Strict means at least 95 % right on two evaluations of 100 episodes, and Q(right) − Q(wrong) at the
junction above 1 in the worst of 32 episodes (the true difference is 2).
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
from dqngui.learning.evaluation import evaluate
from dqngui.nets.network import QNetwork

EPISODES, WATCHED = 100, 32
RIGHT, GAP = 0.95, 1.0


@dataclass(frozen=True)
class Outcome:
    """What one strict test saw.

    Attributes:
        step: environment steps of training before it.
        right: share of right turns, of each evaluation.
        gap: smallest Q(right) − Q(wrong) at the junction.
    """

    step: int
    right: tuple[float, float]
    gap: float

    @property
    def remembers(self) -> bool:
        return min(self.right) >= RIGHT and self.gap > GAP


def strictly(network: QNetwork, experiment: Experiment, first_seed: int, step: int = 0) -> Outcome:
    """The strict test on the 232 seeds from `first_seed` on."""
    device = next(network.parameters()).device
    envs = make_vector(experiment.env, EPISODES)
    right = []
    for first in (first_seed, first_seed + EPISODES):
        seeds = range(first, first + EPISODES)
        scale = experiment.learn.reward_scale
        returns, _ = evaluate(network, envs, seeds, reward_scale=scale, device=device, interrupted=lambda: False)
        right.append(fmean(ret > 0 for ret in returns))
    envs.close()
    watched = range(first_seed + 2 * EPISODES, first_seed + 2 * EPISODES + WATCHED)
    return Outcome(step, (right[0], right[1]), worst_gap(network, experiment, watched))


def worst_gap(network: QNetwork, experiment: Experiment, seeds: Sequence[int]) -> float:
    """Smallest Q(right) − Q(wrong) at the junction over one greedy episode a seed."""
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
                reward = (raw * experiment.learn.reward_scale).astype(np.float32)
    envs.close()
    values, rows = q[0].cpu().numpy(), np.arange(count)
    return float((values[rows, right] - values[rows, 1 - right]).min())
