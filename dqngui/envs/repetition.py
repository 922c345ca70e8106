"""Whether an environment repeats itself: resets with different seeds give the same episode under the same actions.

Evaluating 10 episodes of such an environment with a greedy policy plays one episode ten times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np

from dqngui.config import EnvConfig
from dqngui.envs.legal_actions import legal_instead
from dqngui.envs.seeds import MEASURE_SEEDS
from dqngui.envs.trial import Trial
from dqngui.schema import Options

SEEDS = 16
"""Seeds that are compared: a cue of two values is the same for all of them once in 32,768 tries."""
ENOUGH_STEPS = 100
"""Steps that must be compared, unless the episode is shorter, before an environment counts as deterministic."""

Clock = Callable[[], float]
Outcome = tuple[bytes, float, bool, bool]
"""Observation, reward, terminated, truncated."""


class Repetition(Options, frozen=True):
    """What a comparison of episodes with different seeds found.

    Attributes:
        deterministic: enough steps were compared and showed no difference. What random actions do not reach in
            these steps was not seen.
        seeds: number of seeds whose first observations were compared.
        steps: steps of the first seed's episode that were played again with other seeds.
    """

    deterministic: bool
    seeds: int
    steps: int


def measure_repetition(
    config: EnvConfig, *, steps: int = 1000, seconds: float = 2.0, clock: Clock = time.perf_counter
) -> Repetition:
    """Compare the episodes of an environment's different seeds, with equal random actions.

    Args:
        steps: most steps in all.
        seconds: most time, for slow environments; two seeds are compared in any case.
        clock: gives the time in seconds.

    Raises ConfigError if the environment cannot be made or used, or if it raises.
    """
    with closing(Trial(config)) as trial:
        return repetition_of(trial, steps=steps, seconds=seconds, clock=clock)


def repetition_of(trial: Trial, *, steps: int, seconds: float, clock: Clock) -> Repetition:
    """The same for an environment that was already made; it stays open."""
    start = clock()
    first, seeds = trial.reset(MEASURE_SEEDS), 1
    while seeds < SEEDS and (seeds < 2 or clock() < start + seconds / 4):
        seeds += 1
        if not _equal(trial.reset(MEASURE_SEEDS + seeds - 1), first):
            return Repetition(deterministic=False, seeds=seeds, steps=0)
    generator = np.random.default_rng(MEASURE_SEEDS)
    actions = generator.integers(trial.spaces.actions, size=max(1, steps // 2)).tolist()
    episode = _episode(trial, MEASURE_SEEDS, actions, start + seconds / 2, clock)
    left, compared = steps - len(episode), 0
    for seed in range(MEASURE_SEEDS + 1, MEASURE_SEEDS + seeds):
        if left <= 0 or (compared and clock() >= start + seconds):
            break
        other = _episode(trial, seed, actions[: min(left, len(episode))], start + seconds, clock)
        left -= len(other)
        compared += len(other)
        if other != episode[: len(other)]:
            return Repetition(deterministic=False, seeds=seeds, steps=compared)
    whole = any(episode[-1][2:]) and compared >= len(episode)
    return Repetition(deterministic=whole or compared >= ENOUGH_STEPS, seeds=seeds, steps=compared)


def _episode(trial: Trial, seed: int, actions: list[int], until: float, clock: Clock) -> list[Outcome]:
    """Outcomes of the episode of a seed, to its end, the last action or the time."""
    trial.reset(seed)
    outcomes: list[Outcome] = []
    for action in actions:
        action = legal_instead(action, trial.legal)
        parts, reward, terminated, truncated = trial.step(action)
        outcomes.append((b"".join(part.tobytes() for part in parts.values()), reward, terminated, truncated))
        if terminated or truncated or clock() >= until:
            break
    return outcomes


def _equal(parts: dict[str, Any], others: dict[str, Any]) -> bool:
    return all(part.tobytes() == others[name].tobytes() for name, part in parts.items())
