"""A vector of environments that are stepped together; each is reset explicitly, with its own seed.

`Envs` does what gymnasium's `SyncVectorEnv` does with `AutoresetMode.DISABLED`, at less cost: it writes each
observation directly into the arrays that it returns, which are new at every step, and keeps the `info` dictionaries as
they are. The last observation of an episode is the real one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium
import numpy as np

from dqngui.config import EnvConfig
from dqngui.envs.legal_actions import LegalActions
from dqngui.envs.measures import MeasureReader
from dqngui.envs.missing_wrappers import usable_spaces
from dqngui.envs.rewards import check_rewards
from dqngui.envs.spaces import ObservationLayout, Spaces

Parts = dict[str, np.ndarray]
Step = tuple[Parts, np.ndarray, np.ndarray, np.ndarray]
"""Parts, rewards, terminated and truncated, as `Envs.step` gives them."""
PAUSE_S = 0.05
"""So often a step of slow environments can be left between two of them."""


class Envs:
    """N environments of one kind. An exception of one of them is an `EnvironmentFault` (`border`).

    Attributes:
        spaces: observation parts and actions of each environment.
        envs: the single environments, for drawing and for hidden facts.
        infos: the last `info` of each.
        legal_actions: which actions they tell to be legal; `legal` has the present ones.
        measures: reads what they tell of ended episodes.
    """

    def __init__(self, envs: Sequence[gymnasium.Env[Any, Any]], config: EnvConfig) -> None:
        self.envs = list(envs)
        self.spaces: Spaces = usable_spaces(self.envs[0], config)
        self.infos: list[dict[str, Any]] = [{} for _ in self.envs]
        self._name = config.id
        self.legal_actions = LegalActions(self.envs, config.id, self.spaces.options, self.spaces.choices)
        self.measures = MeasureReader()
        self._layout = ObservationLayout.of(self.envs[0], config)
        self._ended: set[int] = set(range(len(self.envs)))  # indices of environments that wait for a reset
        self._last: Parts = {}
        self._observations: list[Any] = []

    def __len__(self) -> int:
        return len(self.envs)

    @property
    def ended(self) -> np.ndarray:
        """Which environments wait for a reset (N,)."""
        return np.isin(np.arange(len(self.envs)), list(self._ended))

    @property
    def parts(self) -> Parts:
        """The parts that were returned last, {part: (N, *shape)}."""
        return self._last

    @property
    def legal(self) -> np.ndarray | None:
        """Which actions are legal after the last reset or step (N, A) bool; None if the environments do not tell."""
        return self.legal_actions.mask

    def measures_of(self, index: int) -> dict[str, float]:
        """What environment `index` told with its last step of the episode that has just ended (`envs.measures`)."""
        return self.measures.read(self.infos[index])

    def texts(self) -> dict[str, str]:
        """The texts that the first environment showed at the last `reset` or `step` of all of them, by part."""
        return self._layout.texts(self._observations[0])

    def reset(self, seeds: Sequence[int] | np.ndarray) -> Parts:
        """Start an episode everywhere, environment i with seeds[i]. Returns {part: (N, *shape)}."""
        return next(parts for parts in self.resetting(seeds, pause_s=math.inf) if parts is not None)

    def resetting(self, seeds: Sequence[int] | np.ndarray, pause_s: float = PAUSE_S) -> Iterator[Parts | None]:
        """The same as `reset`, with pauses between slow environments: yields None in each, and at last the parts.

        It can be left at a pause; then all environments must be reset.

        Args:
            pause_s: seconds from the start or the last pause after which there is another one.
        """
        observations = []
        began = time.perf_counter()
        for index, (env, seed) in enumerate(zip(self.envs, seeds, strict=True)):
            observation, self.infos[index] = env.reset(seed=int(seed))
            observations.append(observation)
            if time.perf_counter() - began >= pause_s:
                yield None
                began = time.perf_counter()
        self._ended.clear()
        self._observations = observations
        self._last = self._layout.gather(observations)
        self.legal_actions.read(range(len(self.envs)), self.infos, observations, steps=0)
        yield self._last

    def step(self, actions: np.ndarray, active: np.ndarray | None = None) -> Step:
        """One step everywhere, or where `active` (N,) is true; the others keep their rows, with reward 0.

        Args:
            actions: (N,) integers from 0.

        Returns:
            parts {name: (N, *shape)}, rewards (N,) float64, terminated (N,) bool, truncated (N,) bool.

        Raises RuntimeError if an environment whose episode has ended was not reset.
        """
        if active is not None:
            return next(result for result in self.stepping(actions, active, pause_s=math.inf) if result is not None)
        if self._ended:
            raise RuntimeError(f"reset environments {sorted(self._ended)} before the next step")
        count = len(self.envs)
        observations: list[Any] = [None] * count
        rewards = np.empty(count)
        terminated = np.zeros(count, np.bool_)
        truncated = np.zeros(count, np.bool_)
        infos = self.infos
        for index, (env, action) in enumerate(zip(self.envs, actions.tolist(), strict=True)):
            observations[index], rewards[index], end, cut, infos[index] = env.step(action)
            if end or cut:
                terminated[index] = end
                truncated[index] = cut
                self._ended.add(index)
        check_rewards(self._name, rewards)
        self._observations = observations
        self._last = self._layout.gather(observations)
        self.legal_actions.read(range(count), infos, observations, ended=self._ended)
        return self._last, rewards, terminated, truncated

    def stepping(self, actions: np.ndarray, active: np.ndarray, pause_s: float = PAUSE_S) -> Iterator[Step | None]:
        """The same as `step` with `active`, with pauses between slow environments: yields None in each, and at last the
        result. It can be left at a pause; then all environments must be reset. `pause_s` as in `resetting`.
        """
        indices = np.flatnonzero(active).tolist()
        if waiting := self._ended.intersection(indices):
            raise RuntimeError(f"reset environments {sorted(waiting)} before the next step")
        count = len(self.envs)
        rewards, terminated, truncated = np.zeros(count), np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        observations = []
        began = time.perf_counter()
        for index in indices:
            observation, rewards[index], end, cut, self.infos[index] = self.envs[index].step(int(actions[index]))
            observations.append(observation)
            terminated[index], truncated[index] = end, cut
            if end or cut:
                self._ended.add(index)
            if time.perf_counter() - began >= pause_s:
                yield None
                began = time.perf_counter()
        self._overwrite(indices, observations)
        self.legal_actions.read(indices, self.infos, observations, ended=self._ended)
        yield self._last, rewards, terminated, truncated

    def replay(self, seeds: Sequence[int] | np.ndarray, actions: Sequence[Sequence[int]]) -> Parts:
        """Play the episode of seeds[i] in environment i, up to after actions[i]. Returns {part: (N, *shape)}.

        An environment that is not reproducible may end earlier; it is then among the `ended`.
        """
        observations = []
        self._ended.clear()
        for index, env in enumerate(self.envs):
            observation, self.infos[index] = env.reset(seed=int(seeds[index]))
            for action in actions[index]:
                observation, _, end, cut, self.infos[index] = env.step(action)
                if end or cut:
                    self._ended.add(index)
                    break
            observations.append(observation)
            self.legal_actions.read([index], self.infos, [observation], steps=len(actions[index]), ended=self._ended)
        self._last = self._layout.gather(observations)
        return self._last

    def _overwrite(self, indices: list[int], observations: list[Any]) -> None:
        renewed = self._layout.gather(observations)
        self._last = {name: values.copy() for name, values in self._last.items()}
        for name, values in renewed.items():
            self._last[name][indices] = values

    def reset_some(self, mask: np.ndarray, seeds: Sequence[int] | np.ndarray) -> Parts:
        """Start a new episode where `mask` (N,) is true, with the seeds (N,) there; other rows stay as they are.

        Returns new arrays {part: (N, *shape)} of all environments.
        """
        indices = np.flatnonzero(mask).tolist()
        observations = []
        for index in indices:
            observation, self.infos[index] = self.envs[index].reset(seed=int(seeds[index]))
            observations.append(observation)
        self._ended.difference_update(indices)
        self._overwrite(indices, observations)
        self.legal_actions.read(indices, self.infos, observations, steps=0)
        return self._last

    def close(self) -> None:
        """Close every environment."""
        for env in self.envs:
            env.close()
