"""Plays many greedy episodes of one agent in parallel and gives every step of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.envs.facts import Facts, facts_of
from dqngui.envs.make import LONGEST_GREEDY, make_vector
from dqngui.envs.seeds import STUDY_SEEDS
from dqngui.envs.vector import Envs
from dqngui.jobs.agent import CPU, LoadedAgent
from dqngui.learning.acting import inputs_of, reset_rows
from dqngui.nets.memory.contract import State
from dqngui.nets.record import Record
from dqngui.nets.trunk import Inputs, Trunk

PARALLEL_EPISODES = 32
"""Largest number of episodes played at once; one pass of the network serves all of them."""


@dataclass(frozen=True, slots=True)
class ParallelStep:
    """One step of each of n episodes, which may be at different steps.

    Attributes:
        episode, t: indices of the episodes, from 0, and of their steps, (n,).
        inputs: the network's inputs, (1, n, ...).
        state, next_state: the network's state before and after the step, n rows.
        q: action values (n, A).
        memory_output: output of the memory (n, D); None if the network has none.
        views: (n, *axes) by name, if they were recorded.
        facts: of each episode, if they were wanted.
        reward: the environment's own reward of the greedy action at this step, (n,).
        ended: the episode ended with this step, or was cut after it, (n,).
        done: share of all work that is done, from 0 to 1, assuming that running episodes reach the longest length.
    """

    episode: NDArray[np.int64]
    t: NDArray[np.int64]
    inputs: Inputs
    state: State
    next_state: State
    q: Tensor
    memory_output: Tensor | None
    views: dict[str, Tensor]
    facts: list[Facts]
    reward: NDArray[np.float64]
    ended: NDArray[np.bool_]
    done: float


def network_reward(agent: LoadedAgent, reward: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rewards of the environment as the network sees those of the step before."""
    return agent.network.reward_unit.learned(reward)


@contextmanager
def study_environments(agent: LoadedAgent, episodes: int) -> Iterator[Envs]:
    """The environments in which this number of episodes is played. Raises ConfigError."""
    envs = make_vector(agent.experiment.env, min(episodes, PARALLEL_EPISODES), longest=LONGEST_GREEDY)
    try:
        yield envs
    finally:
        with suppress(Exception):  # one that has just failed may fail again while it is closed
            envs.close()


def parallel_steps(
    agent: LoadedAgent, envs: Envs, episodes: int, longest: int, *, record: bool = False, facts: bool = False
) -> Iterator[ParallelStep]:
    """Every step of `episodes` episodes, on the study's own seeds, each cut after `longest` steps.

    Yields outside of inference mode; the tensors have no gradients.
    """
    playing = _ParallelEpisodes(agent, envs, episodes, longest)
    while len(playing.lanes):
        yield playing.step(record, facts)


class _ParallelEpisodes:
    """The running episodes; all arrays have a row for each of the environments `lanes` (n,) that are in use."""

    def __init__(self, agent: LoadedAgent, envs: Envs, episodes: int, longest: int) -> None:
        self.agent, self.envs, self.episodes, self.longest = agent, envs, episodes, longest
        self.lanes = np.arange(len(envs))
        self.episode = self.lanes.copy()
        self.begun = len(envs)
        self.t = np.zeros(len(envs), np.int64)
        self.action = np.full(len(envs), -1)
        self.reward = np.zeros(len(envs), np.float32)
        self.parts = envs.reset(STUDY_SEEDS + self.episode)
        self.state = self._initial()

    def _initial(self) -> State:
        with torch.inference_mode():
            return self.agent.network.initial_state(len(self.lanes))

    def step(self, record: bool, facts: bool) -> ParallelStep:
        network = self.agent.network
        recorded = Record() if record else None
        inputs = inputs_of({name: part[self.lanes] for name, part in self.parts.items()}, self.action, self.reward, CPU)
        with torch.inference_mode(), _memory_output_of(network) as outputs:
            q, next_state = network(inputs, self.state, recorded)
        known = [facts_of(self.envs.envs[lane], self.envs.infos[lane]) for lane in self.lanes] if facts else []
        done = float(self.begun - len(self.lanes) + (self.t / self.longest).sum()) / self.episodes
        episode, t, state = self.episode, self.t, self.state
        reward, ended = self._act(q[0].argmax(-1).numpy(), next_state)
        return ParallelStep(
            episode=episode,
            t=t,
            inputs=inputs,
            state=state,
            next_state=next_state,
            q=q[0],
            memory_output=outputs[-1][-1] if outputs else None,
            views={name: value[0] for name, value in recorded.values.items()} if recorded is not None else {},
            facts=known,
            reward=reward,
            ended=ended,
            done=done,
        )

    def _act(self, greedy: NDArray[np.int64], next_state: State) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Take the actions, and go on; returns the rewards, and which episodes are over."""
        count = len(self.envs)
        actions, active = np.zeros(count, np.int64), np.zeros(count, np.bool_)
        actions[self.lanes], active[self.lanes] = greedy, True
        self.parts, reward, terminated, truncated = self.envs.step(actions, active)
        self.action = greedy
        raw: NDArray[np.float64] = reward[self.lanes]
        self.reward = network_reward(self.agent, raw)
        self.state, self.t = next_state, self.t + 1
        over: NDArray[np.bool_] = (terminated | truncated)[self.lanes] | (self.t >= self.longest)
        if over.any():
            self._go_on(over)
        return raw, over

    def _go_on(self, over: NDArray[np.bool_]) -> None:
        """Start the next episodes where one is over, and drop the environments for which none is left."""
        renewed = over & (over.cumsum() <= self.episodes - self.begun)
        self.episode = self.episode.copy()
        self.episode[renewed] = self.begun + np.arange(renewed.sum())
        self.begun += int(renewed.sum())
        self.t, self.action = np.where(renewed, 0, self.t), np.where(renewed, -1, self.action)
        self.reward = np.where(renewed, np.float32(0), self.reward)
        if renewed.any():
            mask, seeds = np.zeros(len(self.envs), np.bool_), np.zeros(len(self.envs), np.int64)
            mask[self.lanes[renewed]], seeds[self.lanes[renewed]] = True, STUDY_SEEDS + self.episode[renewed]
            self.parts = self.envs.reset_some(mask, seeds)
            with torch.inference_mode():
                self.state = reset_rows(self.state, self._initial(), renewed)
        stay = ~over | renewed
        if not stay.all():
            rows = torch.from_numpy(np.flatnonzero(stay))
            self.state = tuple(part[rows] for part in self.state)
            self.lanes, self.episode, self.t = self.lanes[stay], self.episode[stay], self.t[stay]
            self.action, self.reward = self.action[stay], self.reward[stay]


@contextmanager
def _memory_output_of(network: Trunk) -> Iterator[list[Tensor]]:
    """Collects the memory's outputs, (T, n, D) a call, while the context lasts; empty if the memory is not called."""
    outputs: list[Tensor] = []

    def keep_output(_: Any, __: Any, output: tuple[Tensor, State]) -> None:
        outputs.append(output[0])

    handle = network.memory.register_forward_hook(keep_output)
    try:
        yield outputs
    finally:
        handle.remove()
