"""Greedy evaluation: episodes without exploration, on separate environments, in generators that can be left midway.

A block of episodes has a bounded length. An episode without a time limit is cut. If the block has made more steps than
it may, only its first few episodes are played to their end. Which ones these are does not depend on what happened, so
the mean of their returns has no bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from dqngui.config import RunConfig
from dqngui.envs.make import LONGEST_GREEDY
from dqngui.envs.vector import Envs
from dqngui.learning.acting import inputs_of
from dqngui.learning.outside import Outside
from dqngui.nets.trunk import Trunk

_T = TypeVar("_T")

CUT_AFTER = 4
"""A greedy episode is cut after so many times the steps of the longest episode of training."""
SHORTEST_CUT = 1_000
"""Least number of steps after which a greedy episode is cut."""
FEWEST_EPISODES = 3
"""Least number of episodes of a block, if that many are wanted."""


class Interrupted(Exception):
    """An evaluation was interrupted; it has no result."""


@dataclass(frozen=True, slots=True)
class EvaluationLimits:
    """What bounds a block of episodes.

    Attributes:
        longest: steps after which an episode is cut.
        steps: steps of the whole block after which only its first `fewest` episodes go on.
        fewest: number of episodes that are played in any case.
    """

    longest: int
    steps: float = math.inf
    fewest: int = FEWEST_EPISODES


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of a block of episodes.

    Attributes:
        returns, lengths, measures: undiscounted return and steps of each episode, and what its task says beside them.
        steps: all steps that were made, also those of episodes without a result.
        cut: number of episodes that were cut because they were too long.
    """

    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    steps: int
    cut: int
    measures: tuple[Mapping[str, float], ...] = ()


def longest_greedy(longest_trained: int, time_limit: int | None, most: int) -> int:
    """Steps after which a greedy episode is cut: a greedy policy may repeat itself forever.

    Args:
        longest_trained: steps of the longest episode of training so far.
        time_limit: what the task says itself (`envs.task_facts.time_limit_of`); it is not made shorter.
        most: never later than this, if there is no time limit.
    """
    learned = min(most, max(SHORTEST_CUT, CUT_AFTER * longest_trained))
    return learned if time_limit is None else max(time_limit, learned)


def step_budget(step: int, evaluation_steps: int, run: RunConfig, time_limit: int | None) -> float:
    """Steps that the evaluation at `step` and its confirmations may make together.

    With the evaluations so far they have the share `run.eval_share` of all steps, if those of training up to the next
    evaluation count. Where the task has a time limit, an evaluation may always make as many steps as the whole
    training: its length is known there, and the measured tables of `assets/evidence` were made so.
    """
    share = run.eval_share
    allowed = math.inf if share == 1 else (step + run.eval_every) * share / (1 - share) - evaluation_steps
    return allowed if time_limit is None else max(allowed, run.total_steps)


@dataclass(slots=True)
class _Group:
    """Episodes that are played at the same time, one in each environment."""

    wanted: int
    active: NDArray[np.bool_]
    ret: NDArray[np.float64]
    length: NDArray[np.int64] = field(init=False)
    cut: NDArray[np.bool_] = field(init=False)
    measures: list[Mapping[str, float]] = field(init=False)

    def __post_init__(self) -> None:
        self.length = np.zeros(len(self.ret), dtype=np.int64)
        self.cut = np.zeros(len(self.ret), dtype=np.bool_)
        self.measures = [{} for _ in self.ret]

    def keep_first(self, count: int) -> None:
        """Leave all episodes but the first `count` without a result."""
        self.wanted = min(count, self.wanted)
        self.active[self.wanted :] = False


def evaluation(
    network: Trunk,
    envs: Envs,
    seeds: Sequence[int],
    *,
    device: torch.device,
    limits: EvaluationLimits,
    outside: Outside | None = None,
) -> Generator[int, None, Evaluation]:
    """Play a greedy episode for each seed; gives their results at the end.

    As many episodes run at the same time as there are environments; an environment whose episode has ended waits for
    the others of its group. Yields the number of steps so far after every step of the environments, and between single
    environments if they are slow. It can be closed there; the next evaluation resets the environments. `outside` is the
    context in which environments are called.
    """
    outside = outside or Outside()
    returns: list[float] = []
    lengths: list[int] = []
    measures: list[Mapping[str, float]] = []
    steps = cut = 0
    for first in range(0, len(seeds), len(envs)):
        if steps >= limits.steps and first >= limits.fewest:
            break
        some = list(seeds[first : first + len(envs)])
        group = _Group(len(some), np.arange(len(envs)) < len(some), np.zeros(len(envs)))
        some += [some[-1]] * (len(envs) - len(some))
        fewest = max(0, limits.fewest - first)
        steps = yield from _play(network, envs, some, group, device, limits, fewest, steps, outside)
        returns += group.ret.tolist()[: group.wanted]
        lengths += group.length.tolist()[: group.wanted]
        measures += group.measures[: group.wanted]
        cut += int(group.cut[: group.wanted].sum())
    return Evaluation(tuple(returns), tuple(lengths), steps, cut, tuple(measures))


def evaluated(
    network: Trunk, envs: Envs, seeds: Sequence[int], *, device: torch.device, longest: int = LONGEST_GREEDY
) -> Evaluation:
    """`evaluation` without a pause; episodes are cut after `longest` steps."""
    playing = evaluation(network, envs, seeds, device=device, limits=EvaluationLimits(longest))
    while True:
        try:
            next(playing)
        except StopIteration as end:
            found: Evaluation = end.value
            return found


def _play(
    network: Trunk,
    envs: Envs,
    seeds: list[int],
    group: _Group,
    device: torch.device,
    limits: EvaluationLimits,
    fewest: int,
    steps: int,
    outside: Outside,
) -> Generator[int, None, int]:
    """Play one group after `steps` steps of others; gives the new number of steps."""
    count = len(envs)
    action, reward = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.float32)
    active, length = group.active, 0
    resetting = envs.resetting(seeds)
    while (parts := _next(resetting, outside)) is None:
        yield steps
    with torch.inference_mode():
        state = network.initial_state(count)
    while active.any():
        with torch.inference_mode():  # not around a `yield`: what the caller does then is not inference
            preferences, state = network.preferences(inputs_of(parts, action, reward, device), state)
            action = network.greedy(preferences[0], envs.legal)
        stepping = envs.stepping(action, active)
        while (result := _next(stepping, outside)) is None:
            yield steps
        parts, raw, terminated, truncated = result
        length += 1
        steps += int(np.count_nonzero(active))
        group.ret[active] += raw[active]
        group.length[active] = length
        reward = network.reward_unit.learned(raw)
        for index in np.flatnonzero(active & (terminated | truncated)).tolist():
            group.measures[index] = envs.measures_of(index)
        active &= ~(terminated | truncated)
        if length >= limits.longest:
            group.cut[:] = active
            active[:] = False
        if steps >= limits.steps and active.any():
            group.keep_first(fewest)
        yield steps
    return steps


def _next(calls: Iterator[_T], outside: Outside) -> _T:
    with outside:
        return next(calls)


def episode(
    network: Trunk,
    envs: Envs,
    seed: int,
    *,
    device: torch.device,
    watch: Callable[[int], None],
    longest: int,
) -> Generator[int, None, Evaluation]:
    """Play one greedy episode in a single environment; `watch(t)` is called at every observation, the last included.

    Yields the number of steps so far after each of them.
    """
    parts = envs.reset([seed])
    action, reward = np.full(1, -1, dtype=np.int64), np.zeros(1, dtype=np.float32)
    ret, length, ended = 0.0, 0, False
    with torch.inference_mode():
        state = network.initial_state(1)
    watch(0)
    while not ended and length < longest:
        with torch.inference_mode():
            preferences, state = network.preferences(inputs_of(parts, action, reward, device), state)
            action = network.greedy(preferences[0], envs.legal)
        parts, raw, terminated, truncated = envs.step(action)
        reward = network.reward_unit.learned(raw)
        ret, length = ret + float(raw[0]), length + 1
        ended = bool(terminated[0] or truncated[0])
        watch(length)
        yield length
    return Evaluation((ret,), (length,), length, int(not ended), (envs.measures_of(0) if ended else {},))
