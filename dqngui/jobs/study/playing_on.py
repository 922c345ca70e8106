"""Plays episodes on after a changed step: what return follows from another action, or from another memory.

An episode is (environment, seed, actions), so an environment is brought to the changed step by playing the same seed
and actions again. There the changed action is taken, and from then on the agent acts greedily, unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.envs.seeds import STUDY_SEEDS
from dqngui.envs.vector import Envs, Parts
from dqngui.jobs.agent import CPU, LoadedAgent
from dqngui.jobs.study.collecting import network_reward
from dqngui.learning.acting import inputs_of
from dqngui.nets.memory.contract import State


class NotRepeatable(Exception):
    """The environment showed something else for the same seed and actions."""


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One step of an episode after which the episode goes on otherwise.

    Attributes:
        episode: index of the episode, which gives its seed.
        actions: before the step, (t,).
        observation: the parts of the observation at the step, (*shape) each, by which a repetition is checked.
        action: the action at the step.
        state: the network's state after the step, one row.
    """

    episode: int
    actions: NDArray[np.int64]
    observation: Parts
    action: int
    state: State


def play_on(
    agent: LoadedAgent, envs: Envs, branches: Sequence[Branch], longest: int, returns: NDArray[np.float64]
) -> Iterator[float]:
    """Play every branch until its episode ends, or has `longest` steps; yields the share that is done.

    Args:
        returns: (len(branches),), where the undiscounted returns of the whole episodes are written.

    Raises NotRepeatable. Yields outside of inference mode.
    """
    playing = _Branches(agent, envs, branches, longest, returns)
    while len(playing.lanes):
        playing.step()
        yield playing.done


class _Branches:
    """The branches that are being played; all arrays have a row for each of the environments `lanes` in use."""

    def __init__(
        self,
        agent: LoadedAgent,
        envs: Envs,
        branches: Sequence[Branch],
        longest: int,
        returns: NDArray[np.float64],
    ) -> None:
        self.agent, self.envs, self.branches, self.longest, self.returns = agent, envs, branches, longest, returns
        self.lanes = np.arange(min(len(envs), len(branches)))
        self.branch = self.lanes.copy()  # which branch each lane plays
        self.begun = len(self.lanes)
        self.t = np.zeros(len(self.lanes), np.int64)
        self.action = np.full(len(self.lanes), -1)
        self.reward = np.zeros(len(self.lanes), np.float32)
        self.state: State = tuple(
            torch.cat([branch.state[part] for branch in branches[: len(self.lanes)]])
            for part in range(len(branches[0].state) if branches else 0)
        )
        self.parts = self._reset(np.ones(len(self.lanes), np.bool_))
        returns[:] = 0

    @property
    def done(self) -> float:
        """Share of the branches that are finished."""
        return (self.begun - len(self.lanes)) / max(len(self.branches), 1)

    def step(self) -> None:
        """One step of every branch: before its change the recorded action, then the changed one, then greedy ones."""
        past = np.array([len(self.branches[index].actions) for index in self.branch.tolist()])
        self._check(past)
        action = np.array(
            [
                branch.actions[t] if t < len(branch.actions) else branch.action
                for branch, t in zip(
                    (self.branches[index] for index in self.branch.tolist()), self.t.tolist(), strict=True
                )
            ]
        )
        if (free := self.t > past).any():
            action[free] = self._choose(free)
        actions, active = np.zeros(len(self.envs), np.int64), np.zeros(len(self.envs), np.bool_)
        actions[self.lanes], active[self.lanes] = action, True
        self.parts, reward, terminated, truncated = self.envs.step(actions, active)
        self.returns[self.branch] += reward[self.lanes]
        self.action, self.reward = action, network_reward(self.agent, reward[self.lanes])
        self.t = self.t + 1
        over = (terminated | truncated)[self.lanes]
        if (over & (self.t <= past)).any():
            raise NotRepeatable
        over |= self.t >= self.longest
        if over.any():
            self._go_on(over)

    def _check(self, past: NDArray[np.int64]) -> None:
        """Raises NotRepeatable if a lane stands at its change and sees something else than was recorded there."""
        for lane, index in zip(self.lanes[self.t == past], self.branch[self.t == past].tolist(), strict=True):
            recorded = self.branches[index].observation
            if any(not np.array_equal(self.parts[name][lane], value) for name, value in recorded.items()):
                raise NotRepeatable

    def _choose(self, free: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Greedy actions of the lanes that are past their change, and their next states."""
        rows = torch.from_numpy(np.flatnonzero(free))
        lanes = self.lanes[free]
        parts = {name: part[lanes] for name, part in self.parts.items()}
        inputs = inputs_of(parts, self.action[free], self.reward[free], CPU)
        with torch.inference_mode():
            q, state = self.agent.network(inputs, tuple(part[rows] for part in self.state))
            self.state = tuple(old.index_copy(0, rows, new) for old, new in zip(self.state, state, strict=True))
        greedy: NDArray[np.int64] = q[0].argmax(-1).numpy()
        return greedy

    def _reset(self, renewed: NDArray[np.bool_]) -> Parts:
        mask, seeds = np.zeros(len(self.envs), np.bool_), np.zeros(len(self.envs), np.int64)
        mask[self.lanes[renewed]] = True
        seeds[self.lanes[renewed]] = [
            STUDY_SEEDS + self.branches[index].episode for index in self.branch[renewed].tolist()
        ]
        return self.envs.reset_some(mask, seeds)

    def _go_on(self, over: NDArray[np.bool_]) -> None:
        """Start the next branches where one is over, and drop the lanes for which none is left."""
        renewed = over & (over.cumsum() <= len(self.branches) - self.begun)
        self.branch = self.branch.copy()
        self.branch[renewed] = self.begun + np.arange(renewed.sum())
        self.begun += int(renewed.sum())
        self.t, self.action = np.where(renewed, 0, self.t), np.where(renewed, -1, self.action)
        self.reward = np.where(renewed, np.float32(0), self.reward)
        if renewed.any():
            rows = torch.from_numpy(np.flatnonzero(renewed))
            fresh = [self.branches[index].state for index in self.branch[renewed].tolist()]
            self.state = tuple(
                old.index_copy(0, rows, torch.cat([each[part] for each in fresh]))
                for part, old in enumerate(self.state)
            )
            self.parts = self._reset(renewed)
        stay = ~over | renewed
        if not stay.all():
            rows = torch.from_numpy(np.flatnonzero(stay))
            self.state = tuple(part[rows] for part in self.state)
            self.lanes, self.branch, self.t = self.lanes[stay], self.branch[stay], self.t[stay]
            self.action, self.reward = self.action[stay], self.reward[stay]
