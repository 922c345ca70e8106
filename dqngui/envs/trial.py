"""One environment that is tried with random actions before a run, to learn what kind of task it is."""

from __future__ import annotations

from contextlib import closing

import numpy as np

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.border import check_alike
from dqngui.envs.faults import EnvironmentFault, described, details_of
from dqngui.envs.legal_actions import LegalActions, Mask, legal_instead
from dqngui.envs.make import make_env, make_usable
from dqngui.envs.missing_wrappers import usable_spaces
from dqngui.envs.rewards import check_rewards
from dqngui.envs.seeds import MEASURE_SEEDS
from dqngui.envs.spaces import ObservationLayout, Spaces
from dqngui.texts import say

TRIED_STEPS = 3


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
            self._legal = LegalActions([self.env], self._name, self.spaces.options, self.spaces.choices)
        except ConfigError:
            self.env.close()
            raise

    def second_refused(self) -> EnvironmentFault | None:
        """Why no second environment can be made while this one is open; None if one can.

        Raises EnvironmentFault if it has other spaces.
        """
        try:
            other = make_env(self.config)
        except EnvironmentFault as error:
            return error
        try:
            check_alike(other, self.env, self.config)
        finally:
            other.close()
        return None

    @property
    def legal(self) -> Mask | None:
        return None if self._legal.mask is None else self._legal.mask[0]

    def reset(self, seed: int) -> dict[str, np.ndarray]:
        """Start the episode of a seed. Returns {part: (1, *shape)}."""
        try:
            observation, info = self.env.reset(seed=seed)
            self._legal.read([0], [info], [observation], steps=0)
            return self._layout.gather([observation])
        except EnvironmentFault as error:
            raise self._named(error) from error
        except ConfigError:
            raise
        except Exception as error:
            raise self._failed(error) from error

    def step(self, action: int) -> tuple[dict[str, np.ndarray], float, bool, bool]:
        """Parts {name: (1, *shape)}, reward, terminated, truncated after an action from 0."""
        try:
            observation, reward, terminated, truncated, info = self.env.step(action)
            self._legal.read([0], [info], [observation], ended=(0,) if terminated or truncated else ())
            step = self._layout.gather([observation]), float(reward), bool(terminated), bool(truncated)
        except EnvironmentFault as error:
            raise self._named(error) from error
        except ConfigError:
            raise
        except Exception as error:
            raise self._failed(error) from error
        check_rewards(self._name, np.array([step[1]]))
        return step

    def _named(self, fault: EnvironmentFault) -> EnvironmentFault:
        if not fault.details:
            return fault  # what it returned is wrong; else it raised
        text = say("env.broke", name=self._name, problem=fault.problem)
        return EnvironmentFault(text, fault.problem, fault.details)

    def _failed(self, error: Exception) -> EnvironmentFault:
        problem = described(error)
        return EnvironmentFault(say("env.broke", name=self._name, problem=problem), problem, details_of(error))

    def close(self) -> None:
        """Close the environment."""
        self.env.close()


def try_task(config: EnvConfig, *, copies: bool) -> None:
    """Make the environment, start an episode and step it a few times, before anything is written for a run.

    Args:
        copies: the run needs more than one environment at the same time.

    Raises ConfigError, with the settings to write if only one can be made at once.
    """
    with closing(Trial(config)) as trial:
        trial.reset(MEASURE_SEEDS)
        for _ in range(TRIED_STEPS):
            if any(trial.step(legal_instead(0, trial.legal))[2:]):
                trial.reset(MEASURE_SEEDS + 1)
        if copies and (refusal := trial.second_refused()) is not None:
            name, settings = config.id.rpartition(":")[2], "env.num_envs=1 run.eval_every=0"
            raise ConfigError("fault.once", name=name, problem=refusal.problem, settings=settings)
