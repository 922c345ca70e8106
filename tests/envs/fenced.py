"""Environments that tell which actions are legal, and that raise where another one is taken."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class IllegalMove(Exception):
    """An action was taken that the environment does not allow."""


class Fenced(gymnasium.Env[Any, Any]):
    """Four actions, of which some are legal at each step: which ones is drawn from the seed and observed as bits.

    Args:
        how: the mask is told in `info`, by the method `action_masks` (`method`) or in the observation (`part`).
        fault: how the mask is wrong, and from which step on: `silent` tells none, others replace it.
        length: the episode is truncated after so many steps; it terminates with the reward 1 after the legal action
            with the largest number was taken five times.
    """

    metadata = {"render_modes": [], "render_fps": 10}
    action_names = ("north", "east", "south", "west")

    def __init__(self, how: str = "info", fault: tuple[int, Any] | None = None, length: int = 12) -> None:
        self.how, self.fault, self.length = how, fault, length
        bits = spaces.Box(0.0, 1.0, (4,), np.float32)
        self.observation_space: Any = bits
        if how == "part":
            self.observation_space = spaces.Dict({"seen": bits, "action_mask": spaces.MultiBinary(4)})
        self.action_space = spaces.Discrete(4)
        self.t, self.largest = 0, 0
        self.mask = np.zeros(4, np.int8)
        if how == "method":
            self.action_masks = lambda: self.told

    @property
    def told(self) -> Any:
        """The mask as it is told."""
        if self.fault is not None and self.t >= self.fault[0]:
            return self.fault[1]
        return self.mask

    def _draw(self) -> tuple[Any, dict[str, Any]]:
        self.mask = np.zeros(4, np.int8)
        self.mask[self.np_random.choice(4, size=self.np_random.integers(1, 4), replace=False)] = 1
        seen: Any = self.mask.astype(np.float32)
        if self.how == "part":
            seen = {"seen": seen, "action_mask": self.told}
        gone = self.how != "info" or (isinstance(self.told, str) and self.told == "silent")
        facts = {"facts": {"first": self.first}}
        return seen, facts if gone else {"action_mask": self.told, **facts}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = self.largest = 0
        self.first = int(self.np_random.integers(2))  # a fact that is never shown
        return self._draw()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if not self.mask[action] and self.fault is None:
            raise IllegalMove(f"action {action} at step {self.t}, allowed are {np.flatnonzero(self.mask)}")
        self.largest += action == np.flatnonzero(self.mask)[-1]
        self.t += 1
        ended, cut = bool(self.largest >= 5), self.t >= self.length
        return (seen := self._draw())[0], float(ended), ended, cut, seen[1]


class StrictTaxi(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Taxi that raises where an action is taken that its mask forbids."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.mask = np.ones(6, np.int8)

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        seen, info = self.env.reset(**options)
        self.mask = info["action_mask"]
        return seen, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        if not self.mask[action]:
            raise IllegalMove(f"action {action}, allowed are {np.flatnonzero(self.mask)}")
        seen, reward, ended, cut, info = self.env.step(action)
        self.mask = info["action_mask"]
        return seen, reward, ended, cut, info


gymnasium.register("tests/Fenced-v0", entry_point=Fenced)
gymnasium.register("tests/StrictTaxi-v0", entry_point=lambda **kwargs: StrictTaxi(gymnasium.make("Taxi-v4", **kwargs)))
