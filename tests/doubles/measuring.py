"""A task that names measures of each episode: `tests/Measuring-v0`."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Measuring(gymnasium.Env[Any, Any]):
    """Episodes of four steps. `success`: the last action was 1; `speed`: the share of steps with action 1.

    Args:
        more: further measures (`inf` is the infinite number), or something else instead of all of them.
    """

    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, more: Any = None) -> None:
        numbers = more.items() if isinstance(more, dict) else ()
        self.more = {name: np.inf if value == "inf" else value for name, value in numbers} if numbers else more or {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.actions: list[int] = []
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.actions.append(int(action))
        over = len(self.actions) == 4
        said = {"success": bool(action), "speed": np.float32(np.mean(self.actions))}
        info = {"measures": said | self.more if isinstance(self.more, dict) else self.more} if over else {}
        return np.zeros(1, np.float32), float(action), over, False, info


gymnasium.register("tests/Measuring-v0", entry_point=Measuring)
