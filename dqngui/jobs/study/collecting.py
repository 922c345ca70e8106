"""Plays many greedy episodes of one agent in parallel and gives every step of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.envs.facts import Facts, facts_of
from dqngui.envs.legal_actions import Mask
from dqngui.envs.make import LONGEST_GREEDY, make_vector
from dqngui.envs.seeds import STUDY_SEEDS
from dqngui.envs.vector import Envs
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.study.lanes import Lanes
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
        action: the actions that are taken, (n,): the greedy ones, if nobody chooses others.
        memory_output: output of the memory (n, D); None if the network has none.
        views: (n, *axes) by name, if they were recorded.
        facts: of each episode, if they were wanted.
        reward: the environment's own reward of the action at this step, (n,).
        ended: the episode ended with this step, or was cut after it, (n,).
        legal: which actions are legal (n, A); None if the environment does not tell.
        done: share of all work that is done, from 0 to 1, assuming that running episodes reach the longest length.
    """

    episode: NDArray[np.int64]
    t: NDArray[np.int64]
    inputs: Inputs
    state: State
    next_state: State
    q: Tensor
    action: NDArray[np.int64]
    memory_output: Tensor | None
    views: dict[str, Tensor]
    facts: list[Facts]
    reward: NDArray[np.float64]
    ended: NDArray[np.bool_]
    done: float
    legal: Mask | None = None

    @property
    def judged_q(self) -> Tensor:
        """`q` with the lowest legal value in place of illegal ones, about which nothing was learned."""
        if self.legal is None:
            return self.q
        legal = torch.from_numpy(self.legal)
        lowest = self.q.masked_fill(~legal, torch.inf).amin(-1, keepdim=True)
        return torch.where(legal, self.q, lowest)


Choose = Callable[[ParallelStep], NDArray[np.int64]]
"""Gives the actions (n,) of a step whose rewards are not known yet; its `action` is the greedy one."""


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
    agent: LoadedAgent,
    envs: Envs,
    episodes: int,
    longest: int,
    *,
    record: bool = False,
    facts: bool = False,
    choose: Choose | None = None,
) -> Iterator[ParallelStep]:
    """Every step of `episodes` episodes, on the study's own seeds, each cut after `longest` steps.

    Yields outside of inference mode; the tensors have no gradients.
    """
    network = agent.network

    def initial(indices: NDArray[np.int64]) -> State:
        with torch.inference_mode():
            return network.initial_state(len(indices))

    lanes = Lanes(agent, envs, episodes, lambda indices: STUDY_SEEDS + indices, initial)
    while len(lanes):
        step = _present_step(network, envs, lanes, longest, Record() if record else None, facts)
        if choose is not None:
            step = replace(step, action=choose(step))
        reward, ended = lanes.take(step.action, step.next_state)
        ended = ended | (lanes.t >= longest)
        lanes.renew(ended)
        yield replace(step, reward=reward, ended=ended)


def _present_step(
    network: Trunk, envs: Envs, lanes: Lanes, longest: int, recorded: Record | None, facts: bool
) -> ParallelStep:
    """The present step of all running episodes, without its rewards."""
    inputs = lanes.inputs()
    with torch.inference_mode(), _memory_output_of(network) as outputs:
        preferences, next_state = network.preferences(inputs, lanes.state, recorded)
        q = network.shown(preferences, lanes.legal)
    return ParallelStep(
        episode=lanes.episode,
        t=lanes.t,
        inputs=inputs,
        state=lanes.state,
        next_state=next_state,
        q=q[0],
        action=network.greedy(preferences[0], lanes.legal),
        memory_output=outputs[-1][-1] if outputs else None,
        views={name: value[0] for name, value in recorded.values.items()} if recorded is not None else {},
        facts=[facts_of(envs.envs[index], envs.infos[index]) for index in lanes.envs] if facts else [],
        reward=np.zeros(len(lanes)),
        ended=np.zeros(len(lanes), np.bool_),
        done=(lanes.finished + float((lanes.t / longest).sum())) / lanes.episodes,
        legal=lanes.legal,
    )


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
