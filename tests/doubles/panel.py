"""An environment that shows bytes which are no picture, and a small window of numbers without bounds: `tests/Panel-v0`.

Earlier versions divided the bytes by 255 and took the window for a picture.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Panel(gymnasium.Env[Any, Any]):
    """Episodes of ten steps; the reward is 1 for the action that equals the first byte."""

    observation_space = spaces.Dict(
        {
            "bytes": spaces.Box(0, 255, (6,), np.uint8),
            "window": spaces.Box(-np.inf, np.inf, (5, 5, 1), np.float32),
        }
    )
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.left = 10
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = float(int(action) == self.wanted)
        self.left -= 1
        return self._shown(), reward, self.left == 0, False, {}

    def _shown(self) -> dict[str, Any]:
        numbers = self.np_random.integers(0, 3, 6)
        self.wanted = int(self.np_random.integers(2))
        numbers[0] = self.wanted
        window = self.np_random.integers(0, 5, (5, 5, 1)) * 100 + 1000
        return {"bytes": numbers.astype(np.uint8), "window": window.astype(np.float32)}


gymnasium.register("tests/Panel-v0", entry_point=Panel)
