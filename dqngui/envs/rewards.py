"""Which rewards can be learned from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.faults import EnvironmentFault
from dqngui.texts import say

LARGEST_REWARD = 1e100
"""Sums and squares of rewards up to this stay in the range of numbers."""


def check_rewards(name: str, rewards: NDArray[np.float64]) -> None:
    """Raises EnvironmentFault if one of some rewards (N,), N ≥ 1, of the environment `name` is not finite or too large.

    An evaluation takes them: its mean then says so, and training goes on.
    """
    if not (rewards.min() >= -LARGEST_REWARD and rewards.max() <= LARGEST_REWARD):
        bad = rewards[~(np.abs(rewards) <= LARGEST_REWARD)][0]
        raise EnvironmentFault(say("fault.reward_too_large", name=name, reward=float(bad)))
