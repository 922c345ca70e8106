"""A task that fails in the middle of training, as a simulator may."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

BREAKS_AT = 700


class RaisingEnv(CartPoleEnv):
    """CartPole whose simulator fails after some steps."""

    def __init__(self, breaks_at: int = BREAKS_AT, **options: Any) -> None:
        super().__init__(**options)
        self._steps, self._breaks_at = 0, breaks_at

    def step(self, action: Any) -> Any:
        self._steps += 1
        if self._steps > self._breaks_at:
            raise ConnectionError("the simulator does not answer any more")
        return super().step(action)


gym.register(id="Raising-v0", entry_point=RaisingEnv, max_episode_steps=500)
