"""Environments of 84 by 84 grey pictures for `pixels.py`: one that costs next to nothing, and Pong as it is usual."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

SIDE, FRAMES = 84, 4


class Moving(gymnasium.Env[np.ndarray, int]):
    """A bright square that the actions move over a background of random bytes; the reward is 1 in the upper half."""

    observation_space = gymnasium.spaces.Box(0, 255, (SIDE, SIDE), np.uint8)
    action_space = gymnasium.spaces.Discrete(6)

    def __init__(self, length: int = 1000) -> None:
        self.length = length
        self.background = np.random.default_rng(0).integers(0, 200, (SIDE, SIDE)).astype(np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps, self.row, self.column = 0, *self.np_random.integers(0, SIDE - 8, 2).tolist()
        return self.seen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        self.row = (self.row + int(action) // 3 * 2 - 1) % (SIDE - 8)
        self.column = (self.column + int(action) % 3 - 1) % (SIDE - 8)
        return self.seen(), float(self.row < SIDE // 2 - 4), False, self.steps >= self.length, {}

    def seen(self) -> np.ndarray:
        picture = self.background.copy()
        picture[self.row : self.row + 8, self.column : self.column + 8] = 255
        return picture


class Pong(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Pong, grey, 84 by 84, four emulator frames a step, with sticky actions. Needs ale-py and opencv-python."""

    def __init__(self) -> None:
        import ale_py
        from gymnasium.wrappers import AtariPreprocessing

        gymnasium.register_envs(ale_py)
        super().__init__(AtariPreprocessing(gymnasium.make("ALE/Pong-v5", frameskip=1), noop_max=0))
