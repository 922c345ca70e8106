"""Lanes: environments that play numbered episodes in parallel, each the next one when its own is over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.envs.legal_actions import Mask
from dqngui.envs.vector import Envs, Parts
from dqngui.jobs.agent import CPU, LoadedAgent
from dqngui.learning.acting import inputs_of
from dqngui.nets.memory.contract import State
from dqngui.nets.trunk import Inputs


class Lanes:
    """The n environments that are in use, each with its running episode; an environment leaves when no episode is left.

    All arrays have a row for each of them, in the order of `envs`. An array is replaced and never changed in place.

    Args:
        episodes: number of all episodes.
        seeds: gives the seeds of some episodes, by their indices, which are in the order in which they are played.
        initial: gives the network's states from which some episodes are played, by their indices: a row for each.

    Attributes:
        envs: index of each environment in use, (n,).
        episode, t: index of the running episode, and its present step, (n,).
        action: of the step before, (n,); −1 at the start.
        reward: of the step before in the network's unit, (n,); 0 at the start.
        state: the network's state before the present step, n rows.
        parts: what all environments show, in use or not.
        begun: number of those that have begun.
    """

    def __init__(
        self,
        agent: LoadedAgent,
        envs: Envs,
        episodes: int,
        seeds: Callable[[NDArray[np.int64]], NDArray[np.int64]],
        initial: Callable[[NDArray[np.int64]], State],
    ) -> None:
        self._agent, self._envs, self._seeds, self._initial = agent, envs, seeds, initial
        self.episodes, self.begun = episodes, min(len(envs), episodes)
        self.envs = np.arange(self.begun)
        self.episode = self.envs.copy()
        self.t = np.zeros(self.begun, np.int64)
        self.action = np.full(self.begun, -1)
        self.reward = np.zeros(self.begun, np.float32)
        self.state: State = ()
        self.parts: Parts = {}
        if self.begun:
            self.state = initial(self.episode)
            self.parts = envs.reset(seeds(np.minimum(np.arange(len(envs)), self.begun - 1)))

    def __len__(self) -> int:
        return len(self.envs)

    @property
    def finished(self) -> int:
        """Number of episodes that are over."""
        return self.begun - len(self.envs)

    @property
    def legal(self) -> Mask | None:
        """Which actions are legal at the present step, (n, A); None if the environment does not tell."""
        return None if self._envs.legal is None else self._envs.legal[self.envs]

    def inputs(self) -> Inputs:
        """The network's inputs of the present step, (1, n, ...)."""
        return inputs_of({name: part[self.envs] for name, part in self.parts.items()}, self.action, self.reward, CPU)

    def take(self, action: NDArray[np.int64], state: State) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Take one action (n,) everywhere; `state` is the network's next state.

        Returns the environment's rewards, and which episodes have ended, (n,) each. The caller says with `renew` which
        of them are over.
        """
        actions, active = np.zeros(len(self._envs), np.int64), np.zeros(len(self._envs), np.bool_)
        actions[self.envs], active[self.envs] = action, True
        self.parts, rewards, terminated, truncated = self._envs.step(actions, active)
        raw: NDArray[np.float64] = rewards[self.envs]
        self.action, self.state, self.t = action, state, self.t + 1
        self.reward = self._agent.network.reward_unit.learned(raw)
        ended: NDArray[np.bool_] = (terminated | truncated)[self.envs]
        return raw, ended

    def renew(self, over: NDArray[np.bool_]) -> None:
        """Start the next episodes where one is over, (n,), and leave the environments for which none is left."""
        if not over.any():
            return
        renewed = over & (over.cumsum() <= self.episodes - self.begun)
        self.episode = self.episode.copy()
        self.episode[renewed] = self.begun + np.arange(renewed.sum())
        self.begun += int(renewed.sum())
        self.t, self.action = np.where(renewed, 0, self.t), np.where(renewed, -1, self.action)
        self.reward = np.where(renewed, np.float32(0), self.reward)
        if renewed.any():
            self._restart(renewed)
        stay = ~over | renewed
        if not stay.all():
            rows = torch.from_numpy(np.flatnonzero(stay))
            self.state = tuple(part[rows] for part in self.state)
            self.envs, self.episode, self.t = self.envs[stay], self.episode[stay], self.t[stay]
            self.action, self.reward = self.action[stay], self.reward[stay]

    def _restart(self, renewed: NDArray[np.bool_]) -> None:
        mask, seeds = np.zeros(len(self._envs), np.bool_), np.zeros(len(self._envs), np.int64)
        mask[self.envs[renewed]], seeds[self.envs[renewed]] = True, self._seeds(self.episode[renewed])
        self.parts = self._envs.reset_some(mask, seeds)
        rows, fresh = torch.from_numpy(np.flatnonzero(renewed)), self._initial(self.episode[renewed])
        with torch.inference_mode():
            self.state = tuple(old.index_copy(0, rows, new) for old, new in zip(self.state, fresh, strict=True))
