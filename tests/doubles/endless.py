"""A task without a time limit: random actions end an episode within some 16 steps, a policy that repeats itself never.

Importing registers `Endless-v0`. Its evaluations and tests are slow while the environment variable `ENDLESS_STEP_S`
says how many seconds a step takes; `ENDLESS_LOG` names a file to which each of their steps adds a byte.
"""

from __future__ import annotations

import os
import time
from typing import Any

import gymnasium
import numpy as np

from dqngui.envs.seeds import MEASURE_SEEDS, SELECTION_SEEDS

NAME = "tests.doubles.endless:Endless-v0"
ENDING = [1, 1, 0, 0]  # the actions that end an episode


class Endless(gymnasium.Env[np.ndarray, int]):
    """Shows nothing; every step gives -1."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self) -> None:
        self.last: list[int] = []
        self.slow = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        super().reset(seed=seed)
        self.last = []
        self.slow = seed is not None and SELECTION_SEEDS <= seed < MEASURE_SEEDS
        return np.zeros(2, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if self.slow and (seconds := float(os.environ.get("ENDLESS_STEP_S", "0"))):
            time.sleep(seconds)
        if self.slow and (file := os.environ.get("ENDLESS_LOG")):
            with open(file, "ab") as log:
                log.write(b".")
        self.last = [*self.last, int(action)][-len(ENDING) :]
        return np.zeros(2, np.float32), -1.0, self.last == ENDING, False, {}


gymnasium.register("Endless-v0", entry_point=Endless)
