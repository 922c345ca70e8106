"""ε-greedy exploration, with a ladder of ε over the environments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def epsilon_ladder(epsilon: float, num_envs: int, spread: float) -> NDArray[np.float64]:
    """ε of each environment: ε^(1 + i·spread/(n−1)), Horgan et al. 2018, arXiv:1803.00933, section 4.1.

    Environment 0 explores with ε itself, the last one least; ε = 0 and ε = 1 do not change.
    """
    if num_envs == 1 or spread == 0.0:
        return np.full(num_envs, epsilon)
    return epsilon ** (1.0 + spread * np.arange(num_envs) / (num_envs - 1))


def explore(
    greedy: NDArray[np.int64], epsilon: NDArray[np.float64], actions: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Replace each greedy action by a uniformly random one with probability ε (N,)."""
    random = generator.random(len(greedy)) < epsilon
    return np.where(random, generator.integers(actions, size=len(greedy)), greedy)
