"""Whether random actions that are held for some steps find what single random actions do not.

Where single actions find neither an end nor another reward, nothing can be learned before something is found. In some
tasks holding an action leads there (MountainCar), in others away from it (a room with doors), so it is tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.legal_actions import random_action
from dqngui.envs.repetition import Clock
from dqngui.envs.seeds import MEASURE_SEEDS
from dqngui.envs.trial import Trial

_FIRST_SEED = MEASURE_SEEDS + 2000  # after those of the other measurements
MOST_EPISODES = 200


@dataclass(frozen=True, slots=True)
class Found:
    """What random episodes found.

    Attributes:
        episodes: number of episodes that ended.
        found: those of them that terminated, or had another reward than the usual one.
    """

    episodes: int
    found: int


def repetition_shares(longest: int, power: float) -> NDArray[np.float64]:
    """How often a random action is held for 1 to `longest` steps, ∝ 1/n^`power`, (longest,)."""
    shares = 1 / np.arange(1, longest + 1).astype(np.float64) ** power
    return np.asarray(shares / shares.sum())


def search(
    trial: Trial,
    usual: float,
    *,
    longest: int,
    power: float,
    steps: int,
    seconds: float,
    clock: Clock,
    enough: int = MOST_EPISODES,
) -> Found:
    """Play episodes of random actions, each held for a number of steps (`repetition_shares`).

    An action that is no longer legal is replaced by another random one.

    Args:
        usual: the reward of steps that find nothing.
        steps, seconds: most steps and most time.
        enough: the search ends when so many episodes have found something.

    Raises ConfigError if the environment raises.
    """
    generator = np.random.default_rng(_FIRST_SEED)
    shares = repetition_shares(longest, power)
    start, played, episodes, found = clock(), 0, 0, 0
    while episodes < MOST_EPISODES and found < enough:
        trial.reset(_FIRST_SEED + episodes)
        held, left, ended, other = 0, 0, False, False
        while not ended:
            if left == 0:
                held = random_action(generator, trial.spaces.actions, trial.legal)
                left = 1 + int(generator.choice(longest, p=shares)) if longest > 1 else 1
            elif trial.legal is not None and not trial.legal[held]:
                held = random_action(generator, trial.spaces.actions, trial.legal)
            left -= 1
            _, reward, terminated, truncated = trial.step(held)
            played += 1
            ended, other = terminated or truncated, other or terminated or reward != usual
            if not ended and (played >= steps or clock() - start >= seconds):
                return Found(episodes, found)
        episodes += 1
        found += other
    return Found(episodes, found)
