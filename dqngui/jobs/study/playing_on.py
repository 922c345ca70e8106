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
from dqngui.jobs.study.lanes import Lanes
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
        yield playing.lanes.finished / len(branches)


class _Branches:
    """The branches that are being played, each as an episode of `lanes`."""

    def __init__(
        self,
        agent: LoadedAgent,
        envs: Envs,
        branches: Sequence[Branch],
        longest: int,
        returns: NDArray[np.float64],
    ) -> None:
        self.network, self.branches, self.longest, self.returns = agent.network, branches, longest, returns
        seeds = np.array([STUDY_SEEDS + branch.episode for branch in branches], np.int64)
        self.lanes = Lanes(agent, envs, len(branches), seeds.__getitem__, self._initial)
        returns[:] = 0

    def _initial(self, indices: NDArray[np.int64]) -> State:
        states = [self.branches[index].state for index in indices.tolist()]
        return tuple(torch.cat(parts) for parts in zip(*states, strict=True))

    def step(self) -> None:
        """One step of every branch: before its change the recorded action, then the changed one, then greedy ones."""
        lanes = self.lanes
        running = [self.branches[index] for index in lanes.episode.tolist()]
        past = np.array([len(branch.actions) for branch in running])
        self._check(running, past)
        action = np.array(
            [
                branch.actions[t] if t < len(branch.actions) else branch.action
                for branch, t in zip(running, lanes.t.tolist(), strict=True)
            ]
        )
        state = lanes.state
        if (free := lanes.t > past).any():
            action[free], state = self._choose(free)
        branch = lanes.episode
        reward, ended = lanes.take(action, state)
        self.returns[branch] += reward
        if (ended & (lanes.t <= past)).any():
            raise NotRepeatable
        lanes.renew(ended | (lanes.t >= self.longest))

    def _check(self, running: Sequence[Branch], past: NDArray[np.int64]) -> None:
        """Raises NotRepeatable if a lane stands at its change and sees something else than was recorded there."""
        for row in np.flatnonzero(self.lanes.t == past).tolist():
            env = self.lanes.envs[row]
            recorded = running[row].observation
            if any(not np.array_equal(self.lanes.parts[name][env], value) for name, value in recorded.items()):
                raise NotRepeatable

    def _choose(self, free: NDArray[np.bool_]) -> tuple[NDArray[np.int64], State]:
        """Greedy actions of the lanes that are past their change, and the next states of all lanes."""
        rows, lanes = torch.from_numpy(np.flatnonzero(free)), self.lanes
        parts = {name: part[lanes.envs[free]] for name, part in lanes.parts.items()}
        inputs = inputs_of(parts, lanes.action[free], lanes.reward[free], CPU)
        with torch.inference_mode():
            preferences, state = self.network.preferences(inputs, tuple(part[rows] for part in lanes.state))
            state = tuple(old.index_copy(0, rows, new) for old, new in zip(lanes.state, state, strict=True))
        legal = None if lanes.legal is None else lanes.legal[free]
        return self.network.greedy(preferences[0], legal), state
