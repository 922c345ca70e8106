"""Action spaces with several choices at once become one choice from the list of all combinations."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces as gym_spaces
from gymnasium.wrappers import TransformAction

from dqngui.config import ConfigError

MOST_COMBINATIONS = 10_000


class _Combinations(gymnasium.ActionWrapper[Any, Any, Any]):
    """Action i is the i-th combination of the choices; the last choice varies fastest."""

    def __init__(self, env: gymnasium.Env[Any, Any], sizes: np.ndarray, start: np.ndarray) -> None:
        super().__init__(env)
        dtype = env.action_space.dtype
        self._first = np.concatenate([[0], np.cumsum(sizes.ravel())])  # each choice's first entry in a mask
        grid = np.indices(tuple(sizes.ravel())).reshape(sizes.size, -1).T  # (N, choices)
        self._grid = grid
        self._table = (grid.reshape(-1, *sizes.shape) + start).astype(dtype)
        self.action_space = gym_spaces.Discrete(len(grid))
        self.action_names = tuple(" ".join(map(str, np.ravel(row).tolist())) for row in self._table)

    def action(self, action: int) -> np.ndarray:
        row: np.ndarray = self._table[action].copy()  # some environments write into the action they are given
        return row

    def combined(self, mask: np.ndarray) -> np.ndarray:
        """Which combinations are legal, (N,), from the masks of the choices side by side; other lengths as they are."""
        if len(mask) != self._first[-1]:
            return mask
        legal: np.ndarray = mask[self._grid + self._first[:-1]].all(axis=1)
        return legal


def combined_mask(env: gymnasium.Env[Any, Any], mask: np.ndarray) -> np.ndarray:
    """An environment's mask of its own actions as a mask of the actions that an agent chooses from."""
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
    if count > MOST_COMBINATIONS:
        raise ConfigError("env.too_many_actions", count=count, most=MOST_COMBINATIONS)
    return _Combinations(env, sizes, starts)
