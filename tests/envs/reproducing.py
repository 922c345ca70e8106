"""Whether an environment is reproducible: equal seeds and actions give equal observations."""

from __future__ import annotations

import numpy as np

from dqngui.config import EnvConfig
from dqngui.envs.make import make_vector
from dqngui.envs.vector import Envs


def reproduces(config: EnvConfig, seed: int, steps: int = 50) -> bool:
    """Whether the same seeds and actions give the same observations, rewards and ends again.

    Tried in a fresh environment, in a second fresh one, and again in that one after it was used.
    """
    first, second = make_vector(config, 1), make_vector(config, 1)
    try:
        story = _play(first, seed, steps)
        again = _play(second, seed, steps)
        _play(second, seed + 1, steps // 2)
        used = _play(second, seed, steps)
    finally:
        first.close()
        second.close()
    return all(
        np.array_equal(a, b, equal_nan=True) for other in (again, used) for a, b in zip(story, other, strict=True)
    )


def _play(envs: Envs, seed: int, steps: int) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    parts = envs.reset([seed])
    story = list(parts.values())
    for _ in range(steps):
        parts, *outcome = envs.step(generator.integers(envs.spaces.actions, size=1))
        story += [*parts.values(), *outcome]
        if outcome[1][0] or outcome[2][0]:
            seed += 1
            story += envs.reset([seed]).values()
    return story
