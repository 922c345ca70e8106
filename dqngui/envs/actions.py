"""Action spaces with several choices at once become one choice from the list of all combinations."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces
from gymnasium.wrappers import TransformAction

from dqngui.config import ConfigError
from dqngui.envs.choices import MOST_COMBINED, Choices

MOST_COMBINATIONS = 10_000


class _Combinations(gymnasium.ActionWrapper[Any, Any, Any]):
    """Action i is the i-th combination of the choices; the last choice varies fastest."""

    def __init__(self, env: gymnasium.Env[Any, Any], sizes: np.ndarray, start: np.ndarray) -> None:
        super().__init__(env)
        self._dtype, self._shape, self._start = env.action_space.dtype, sizes.shape, start
        self.choices = tuple(int(size) for size in sizes.ravel())
        self._split = Choices(self.choices)
        self.action_space = gym_spaces.Discrete(self._split.count)
        starts = np.broadcast_to(start, sizes.shape).ravel().tolist()
        self.option_names = tuple(
            str(first + option) for size, first in zip(self.choices, starts, strict=True) for option in range(size)
        )

    @property
    def action_names(self) -> tuple[str, ...]:
        """One name a combination; none where there are many."""
        if self._split.count > MOST_COMBINATIONS:
            return ()
        return tuple(" ".join(map(str, np.ravel(self.action(index)).tolist())) for index in range(self._split.count))

    def action(self, action: int) -> np.ndarray:
        row: np.ndarray = (self._split.split(int(action)).reshape(self._shape) + self._start).astype(self._dtype)
        return row

    @cached_property
    def _entries(self) -> np.ndarray:
        """The entries of a mask that each combination needs, (N, choices)."""
        return self._split.entries(np.arange(self._split.count))

    def combined(self, mask: np.ndarray) -> np.ndarray:
        """Which combinations are legal, (N,), from the masks of the choices side by side; other lengths as they are."""
        if len(mask) != self._split.options:
            return mask
        legal: np.ndarray = mask[self._entries].all(axis=1)
        return legal


def combined_mask(env: gymnasium.Env[Any, Any], mask: np.ndarray) -> np.ndarray:
    """An environment's mask of its own actions as a mask of the combinations that an agent chooses from."""
    layer: Any = env
    while isinstance(layer, gymnasium.Wrapper):
        if isinstance(layer, _Combinations):
            return layer.combined(mask)
        layer = layer.env
    return mask


def as_one_choice(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """The environment with its discrete actions as one choice, counted from 0.

    MultiDiscrete and MultiBinary become one Discrete choice among all combinations; other spaces stay as they are.
    Raises ConfigError if there are too many combinations.
    """
    space = env.action_space
    if isinstance(space, gym_spaces.Discrete) and space.start != 0:
        start = int(space.start)
        return TransformAction(env, lambda action: action + start, gym_spaces.Discrete(int(space.n)))
    if isinstance(space, gym_spaces.MultiDiscrete):
        sizes, starts = np.asarray(space.nvec), np.asarray(space.start)
    elif isinstance(space, gym_spaces.MultiBinary):
        sizes, starts = np.full(space.shape, 2), np.zeros(space.shape, np.int64)
    else:
        return env
    count = math.prod(sizes.ravel().tolist())
    if count > MOST_COMBINED:
        raise ConfigError("env.far_too_many_actions")
    return _Combinations(env, sizes, starts)
