"""One environment that is tried with random actions before a run, to learn what kind of task it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.legal_actions import LegalActions, Mask
from dqngui.envs.make import make_env, make_usable
from dqngui.envs.missing_wrappers import usable_spaces
from dqngui.envs.spaces import ObservationLayout, Spaces
from dqngui.texts import reason_of

LARGEST_REWARD = 1e100
"""Sums and squares of rewards up to this stay in the range of numbers."""


class Trial:
    """An environment whose errors become a ConfigError that names it.

    Attributes:
        config: of the environment, with the wrappers that were added.
        env: the environment with its wrappers.
        spaces: its observation parts and actions.
        legal: which actions are legal after the last reset or step, (A,); None if it does not tell.
    """

    def __init__(self, config: EnvConfig, *, add_wrappers: bool = False) -> None:
        """Make the environment.

        Args:
            add_wrappers: add the wrappers that it needs so that an agent can use it, if `config` chooses none.

        Raises ConfigError if the environment cannot be made, or if no agent here can use its spaces.
        """
        self._name = config.id
        self.env, self.config = make_usable(config) if add_wrappers else (make_env(config), config)
        try:
            self.spaces: Spaces = usable_spaces(self.env, self.config)
            self._layout = ObservationLayout.of(self.env, self.config)
            self._legal = LegalActions([self.env], self.spaces.actions)
        except ConfigError:
            self.env.close()
            raise

    @property
    def legal(self) -> Mask | None:
        return None if self._legal.mask is None else self._legal.mask[0]

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        """Start the episode of a seed. Returns {part: (1, *shape)}."""
        try:
            observation, info = self.env.reset(seed=seed)
            self._legal.begin([0], [info], [observation])
            return self._layout.gather([observation])
        except ConfigError:
            raise
        except Exception as error:
            raise self._failed(error) from error

    def step(self, action: int) -> tuple[dict[str, np.ndarray], float, bool, bool]:
        """Parts {name: (1, *shape)}, reward, terminated, truncated after an action from 0."""
        try:
            observation, reward, terminated, truncated, info = self.env.step(action)
            self._legal.advance([0], [info], [observation], (0,) if terminated or truncated else ())
            step = self._layout.gather([observation]), float(reward), bool(terminated), bool(truncated)
        except ConfigError:
            raise
        except Exception as error:
            raise self._failed(error) from error
        if not abs(step[1]) <= LARGEST_REWARD:
            raise ConfigError("env.reward_too_large", name=self._name, reward=step[1])
        return step

    def _failed(self, error: Exception) -> ConfigError:
        problem: Any = reason_of(error)
        return ConfigError("env.broke", name=self._name, problem=problem)

    def close(self) -> None:
        """Close the environment."""
        self.env.close()
