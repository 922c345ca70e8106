"""A task whose simulator never answers, as one that waits for a server may."""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
from gymnasium.envs.classic_control.cartpole import CartPoleEnv


class HangingEnv(CartPoleEnv):
    """CartPole whose reset does not return."""

    def reset(self, **options: Any) -> Any:
        while True:
            time.sleep(1.0)


gym.register(id="Hanging-v0", entry_point=HangingEnv, max_episode_steps=500)
