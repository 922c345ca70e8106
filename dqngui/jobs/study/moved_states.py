"""Is a fact used? What holds it is moved to another of its values, and the action values are watched.

At the steps where the choice matters, the state before the step is moved along the direction in which it depends on the
fact, as far as takes the reading from the present value to another one. This is the pattern that belongs to a linear
probe (Haufe et al. 2014, NeuroImage 87) with what the present observation shows held constant. Where a second
regression, of the action values, says that another action is the best one with the other value, the greedy action
should become that one. The same is done with random directions of equal length, and with untrained networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.jobs.study.following import NetworkStep, held_numbers, moved_forward
from dqngui.jobs.study.linear import Array
from dqngui.jobs.study.thresholds import MIN_GAP
from dqngui.nets.memory.contract import State
from dqngui.nets.trunk import Inputs, Trunk

RANDOM = 8
"""Random directions with which every move is compared."""
MOVED_EPISODES = 100
"""Largest number of episodes in which memories are moved."""
FAR = 1.5
"""A quantity is moved to this many standard deviations on the other side of its mean."""
_SHRINK = 1e-2


def gaps(q: Array) -> Array:
    """Difference of the two largest of (n, A), (n,); 0 with a single action."""
    if q.shape[1] < 2:
        return np.zeros(len(q))
    two = np.partition(q, -2, axis=1)[:, -2:]
    difference: Array = two[:, 1] - two[:, 0]
    return difference


@dataclass(slots=True)
class _Sums:
    """Sums of products for one step of one network: of the causes D (n, p) and what depends on them Y (n, m)."""

    causes: NDArray[Any]
    effects: NDArray[Any]

    def coefficients(self, free: int) -> Array:
        """Ridge coefficients (p, m); the first `free` causes are hardly shrunk."""
        size = np.diag(self.causes)
        penalty = np.where(np.arange(len(size)) < free, 1e-6, _SHRINK) * np.maximum(size, 1e-12)
        solved: Array = np.linalg.solve(self.causes + np.diag(penalty), self.effects)
        return solved


class Patterns:
    """How what networks hold, and their action values, depend on the fact and the observation, at each step."""

    def __init__(self, networks: Sequence[Trunk], views: Sequence[str], kinds: Array | None) -> None:
        self.networks, self.views, self.kinds = list(networks), tuple(views), kinds
        self._sums: dict[tuple[int, int], _Sums] = {}
        self._found: dict[tuple[int, int], Array] = {}
        self._spread: dict[int, tuple[float, float]] = {}  # of a quantity at each step: mean, standard deviation
        self._seen: dict[int, Array] = {}  # numbers of episodes with each value of a category, at each step

    def know(self, t: int, fact: Array) -> None:
        """Tell the facts of a step, (n,), before its rows are taken."""
        self._spread[t] = float(fact.mean()), max(float(fact.std()), 1e-12)
        if self.kinds is not None:
            self._seen[t] = (fact[:, None] == self.kinds).sum(0)

    def _causes(self, t: int, fact: Array, observation: Array) -> Array:
        mean, spread = self._spread[t]
        own = (
            np.stack([(fact - mean) / spread, np.ones(len(fact))], axis=1)
            if self.kinds is None
            else (fact[:, None] == self.kinds).astype(np.float64)
        )
        return np.concatenate([own, observation], axis=1)

    @property
    def _own(self) -> int:
        return 2 if self.kinds is None else len(self.kinds)

    def take(
        self, t: int, rows: NDArray[np.int64], steps: Sequence[NetworkStep], fact: Array, observation: Array
    ) -> None:
        """Add rows of one step t of all networks."""
        causes = self._causes(t, fact, observation)
        chosen = torch.from_numpy(rows)
        for index, (network, step) in enumerate(zip(self.networks, steps, strict=True)):
            numbers = held_numbers(network, self.views, step.state, step.memory_output)[chosen]
            effects = torch.cat([numbers.double(), step.q[chosen].double()], dim=1).numpy()
            products = _Sums(causes.T @ causes, causes.T @ effects)
            former = self._sums.get((t, index))
            if former is not None:
                products.causes += former.causes
                products.effects += former.effects
            self._sums[t, index] = products

    def others(self, t: int, fact: Array, generator: np.random.Generator) -> Array:
        """Another value of the fact for each row, among those that occur at this step."""
        if self.kinds is None:
            mean, spread = self._spread[t]
            opposite: Array = mean - np.where(fact >= mean, 1.0, -1.0) * FAR * spread
            return opposite
        scores = generator.random((len(fact), len(self.kinds)))
        scores[(fact[:, None] == self.kinds) | (self._seen[t] < 2)] = -1.0
        best = scores.argmax(1)
        found: Array = np.where(scores.max(1) < 0, fact, self.kinds[best])
        return found

    def change(self, t: int, index: int, fact: Array, other: Array, actions: int) -> tuple[Array, Array]:
        """By how much numbers (n, F) and action values (n, A) differ with the other value of the fact."""
        if (t, index) not in self._found:
            self._found[t, index] = self._sums[t, index].coefficients(self._own)[: self._own]
        empty = np.zeros((len(fact), 0))
        causes = self._causes(t, other, empty) - self._causes(t, fact, empty)
        changed = causes @ self._found[t, index]
        return changed[:, :-actions], changed[:, -actions:]


class MovedEffects:
    """Shares of actions that follow when memories are moved, by network and episode."""

    def __init__(self, patterns: Patterns, spreads: Sequence[float], episodes: int) -> None:
        networks = len(patterns.networks)
        self.patterns, self._spreads = patterns, spreads
        self.moved, self.random = np.zeros((networks, episodes)), np.zeros((networks, episodes))
        self.counts, self.gap = np.zeros(episodes), np.zeros(episodes)
        self._draw, self._torch = np.random.default_rng(1), torch.Generator().manual_seed(1)

    def take(
        self,
        t: int,
        rows: NDArray[np.int64],
        inputs: Inputs,
        steps: Sequence[NetworkStep],
        fact: Array,
        episode: NDArray[np.int64],
    ) -> None:
        """Move the memories of rows (m,) that are at step t, with their facts and episodes (m,)."""
        other = self.patterns.others(t, fact, self._draw)
        gap = gaps(steps[0].q.numpy()[rows].astype(np.float64)) / self._spreads[0]
        kept = (gap >= MIN_GAP) & (other != fact)
        rows, fact, other, episode, gap = (each[kept] for each in (rows, fact, other, episode, gap))
        if not len(rows):
            return
        np.add.at(self.counts, episode, 1.0)
        np.add.at(self.gap, episode, gap)
        for index, step in enumerate(steps):
            moved, random = self._effect(t, index, rows, inputs, step, fact, other)
            np.add.at(self.moved[index], episode, moved)
            np.add.at(self.random[index], episode, random)

    def _effect(
        self, t: int, index: int, rows: NDArray[np.int64], inputs: Inputs, step: NetworkStep, fact: Array, other: Array
    ) -> tuple[Array, Array]:
        network = self.patterns.networks[index]
        change, expected = self.patterns.change(t, index, fact, other, step.q.shape[-1])
        move = torch.from_numpy(change).float()
        length = move.norm(dim=1, keepdim=True)
        drawn = torch.randn(RANDOM, *move.shape, generator=self._torch)
        moves = torch.cat([torch.zeros_like(move), move, *(drawn / drawn.norm(dim=2, keepdim=True) * length)])
        chosen = torch.from_numpy(np.tile(rows, 2 + RANDOM))
        q = moved_forward(network, self.patterns.views, _rows_of(inputs, chosen), _state_of(step.state, chosen), moves)
        values = q.double().unflatten(0, (2 + RANDOM, len(rows))).numpy()
        before, wanted = values[0].argmax(-1), (values[0] + expected).argmax(-1)
        stake = (gaps(values[0]) >= MIN_GAP * self._spreads[index]) & (wanted != before)
        follows = (values[1:].argmax(-1) == wanted) & stake
        return follows[0].astype(np.float64), follows[1:].mean(0)


def _rows_of(inputs: Inputs, rows: Tensor) -> Inputs:
    observation = {name: part[:, rows] for name, part in inputs.observation.items()}
    return replace(
        inputs,
        observation=observation,
        prev_action=inputs.prev_action[:, rows],
        prev_reward=inputs.prev_reward[:, rows],
    )


def _state_of(state: State, rows: Tensor) -> State:
    return tuple(part[rows] for part in state)


def groups(t: NDArray[np.int64], wanted: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The steps among t (n,) where `wanted`, and the rows that are at each."""
    for time in np.unique(t[wanted]).tolist():
        yield time, np.flatnonzero((t == time) & wanted)
