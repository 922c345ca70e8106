"""An environment of any spaces, whose every observation is a sample: `tests/Sampled-v0`."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
from gymnasium import spaces


class Sampled(gymnasium.Env[Any, Any]):
    """Episodes of `length` steps, ended as `cut` says; the reward is the number of the step."""

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any] | None = None,
        length: int = 5,
        cut: bool = False,
        breaks: bool = False,
        seeded: bool = True,
    ) -> None:
        self.observation_space = copy.deepcopy(observation_space)  # its generator is this environment's own
        self.action_space = action_space or spaces.Discrete(3)
        self.length, self.cut, self.breaks, self.seeded = length, cut, breaks, seeded
        self.actions: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if self.seeded:
            self.observation_space.seed(seed)
        self.actions = []
        return self.observation_space.sample(), {"seed": seed}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.breaks:
            raise OSError("the robot fell over")
        assert self.action_space.contains(action)
        self.actions.append(action)
        over = len(self.actions) == self.length
        return (
            self.observation_space.sample(),
            float(len(self.actions)),
            over and not self.cut,
            over and self.cut,
            {"step": len(self.actions)},
        )


gymnasium.register("tests/Sampled-v0", entry_point=Sampled)
