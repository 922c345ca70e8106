"""Is a fact used? What holds it is moved to another of its values, and the agent is watched.

The state before a step is moved along the direction in which it depends on the fact, as far as takes the reading from
the present value to another one. This is the pattern that belongs to a linear probe (Haufe et al. 2014, NeuroImage 87)
with what the present observation shows held constant. Two things are measured. First, where a second regression, of the
action values, says that another action is the best one with the other value: does the greedy action become that one?
Second, the agent plays whole episodes and chooses every action with its memory so moved, while what it carries on stays
as it is: how much return is lost? Both are compared with moves of the same length in random directions. To play on
without what a memory holds follows Elazar et al. 2021, Transactions of the ACL 9 (amnesic probing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.jobs.study.collecting import ParallelStep
from dqngui.jobs.study.following import held_numbers, moved_forward
from dqngui.jobs.study.linear import Array
from dqngui.jobs.study.thresholds import MIN_GAP
from dqngui.nets.legal import only_legal
from dqngui.nets.memory.contract import State
from dqngui.nets.trunk import Inputs, Trunk

RANDOM = 8
"""Random directions with which every move is compared."""
FAR = 1.5
"""A quantity is moved to this many standard deviations on the other side of its mean."""
_SHRINK = 1e-2


def gaps(q: Array) -> Array:
    """Difference of the two largest of (n, A), (n,); 0 with a single action, or a single one that is not −inf."""
    if q.shape[1] < 2:
        return np.zeros(len(q))
    two = np.partition(q, -2, axis=1)[:, -2:]
    return np.where(np.isfinite(two[:, 0]), two[:, 1] - two[:, 0], 0.0)


@dataclass(slots=True)
class _Sums:
    """Sums of products for one step: of the causes D (n, p) and what depends on them Y (n, m)."""

    causes: NDArray[Any]
    effects: NDArray[Any]

    def coefficients(self, free: int) -> Array:
        """Ridge coefficients (p, m); the first `free` causes are hardly shrunk."""
        size = np.diag(self.causes)
        penalty = np.where(np.arange(len(size)) < free, 1e-6, _SHRINK) * np.maximum(size, 1e-12)
        solved: Array = np.linalg.solve(self.causes + np.diag(penalty), self.effects)
        return solved


class Patterns:
    """How what the network holds, and its action values, depend on the fact and the observation, at each step.

    Args:
        every: distance of the expected steps; the steps between them are taken for the one before.
    """

    def __init__(self, network: Trunk, views: Sequence[str], kinds: Array | None, every: int = 1) -> None:
        self.network, self.views, self.kinds, self._every = network, tuple(views), kinds, every
        self._sums: dict[int, _Sums] = {}
        self._found: dict[int, Array] = {}
        self._spread: dict[int, tuple[float, float]] = {}  # of a quantity at each step: mean, standard deviation
        self._seen: dict[int, Array] = {}  # numbers of episodes with each value of a category, at each step

    def expect(self, t: int, fact: Array) -> None:
        """Tell the facts (n,) of a step of which rows will be taken."""
        self._spread[t] = float(fact.mean()), max(float(fact.std()), 1e-12)
        if self.kinds is not None:
            self._seen[t] = (fact[:, None] == self.kinds).sum(0)

    def of(self, t: NDArray[np.int64], fact: Array, between: bool = False) -> list[tuple[int, NDArray[np.int64]]]:
        """The expected steps among those of some rows, t and facts (n,), and the rows at each of them.

        Args:
            between: also rows at steps between the expected ones.
        """
        times = t // self._every * self._every if between else t
        known = np.isfinite(fact)
        found = [time for time in np.unique(times[known]).tolist() if time in self._spread]
        return [(time, np.flatnonzero((times == time) & known)) for time in found]

    def take(self, t: int, rows: NDArray[np.int64], step: ParallelStep, fact: Array, observation: Array) -> None:
        """Add rows of one expected step, with their facts (m,) and observations (m, O)."""
        causes, chosen = self._causes(t, fact, observation), torch.from_numpy(rows)
        numbers = held_numbers(self.network, self.views, step.state, step.memory_output)[chosen]
        effects = torch.cat([numbers.double(), step.q[chosen].double()], dim=1).numpy()
        products = _Sums(causes.T @ causes, causes.T @ effects)
        former = self._sums.setdefault(t, products)
        if former is not products:
            former.causes += products.causes
            former.effects += products.effects

    def _causes(self, t: int, fact: Array, observation: Array) -> Array:
        mean, spread = self._spread[t]
        own = (
            np.stack([(fact - mean) / spread, np.ones(len(fact))], axis=1)
            if self.kinds is None
            else (fact[:, None] == self.kinds).astype(np.float64)
        )
        return np.concatenate([own, observation], axis=1)

    def others(self, t: int, fact: Array, generator: np.random.Generator) -> Array:
        """Another value of the fact for each row, among those that occur at this step; the same if there is none."""
        if self.kinds is None:
            mean, spread = self._spread[t]
            opposite: Array = mean - np.where(fact >= mean, 1.0, -1.0) * FAR * spread
            return opposite
        scores = generator.random((len(fact), len(self.kinds)))
        scores[(fact[:, None] == self.kinds) | (self._seen[t] < 2)] = -1.0
        best = scores.argmax(1)
        found: Array = np.where(scores.max(1) < 0, fact, self.kinds[best])
        return found

    def change(self, t: int, fact: Array, other: Array, actions: int) -> tuple[Array, Array]:
        """By how much numbers (n, F) and action values (n, A) differ with the other value of the fact."""
        if t not in self._found:
            own = 2 if self.kinds is None else len(self.kinds)
            self._found[t] = self._sums[t].coefficients(own)[:own]
        empty = np.zeros((len(fact), 0))
        causes = self._causes(t, other, empty) - self._causes(t, fact, empty)
        changed = causes @ self._found[t]
        return changed[:, :-actions], changed[:, -actions:]

    def values(self, step: ParallelStep, rows: NDArray[np.int64], moves: Tensor) -> Array:
        """Action values (K, m, A) of rows (m,) whose memory is moved by each of (K, m, F); −inf for actions that are
        not legal.
        """
        chosen = torch.from_numpy(np.tile(rows, len(moves)))
        inputs, state = _rows_of(step.inputs, chosen), _state_of(step.state, chosen)
        q = moved_forward(self.network, self.views, inputs, state, moves.flatten(0, 1)).double()
        legal = None if step.legal is None else step.legal[rows]
        values: Array = only_legal(q.unflatten(0, (len(moves), len(rows))), legal).numpy()
        return values


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of steps at which the fact is moved to another value, by episode, (N,) each.

    Attributes:
        steps: all of them.
        expected: those at which another action is the best one with the other value.
        moved, random: those of the expected ones where that action is taken; of random moves the mean number.
    """

    steps: Array
    expected: Array
    moved: Array
    random: Array

    @classmethod
    def none(cls, episodes: int) -> Counts:
        return cls(*(np.zeros(episodes) for _ in range(4)))

    def add(
        self,
        episode: NDArray[np.int64],
        weight: NDArray[Any],
        expected: NDArray[Any],
        moved: NDArray[Any],
        random: NDArray[Any],
    ) -> None:
        """Count steps of these episodes with these weights, (m,) each."""
        np.add.at(self.steps, episode, weight)
        for sums, values in ((self.expected, expected), (self.moved, moved), (self.random, random)):
            np.add.at(sums, episode, weight * values)


class Following:
    """At how many steps the action follows the moved memory.

    Attributes:
        at_choices: of the steps where the choice matters.
        anywhere: of all steps.
    """

    def __init__(self, patterns: Patterns, spread: float, episodes: int) -> None:
        self._patterns, self._spread = patterns, spread
        self.at_choices, self.anywhere = Counts.none(episodes), Counts.none(episodes)
        self._draw, self._torch = np.random.default_rng(1), torch.Generator().manual_seed(1)

    def take(self, step: ParallelStep, fact: Array) -> None:
        """Move the memories of one step of n episodes, with their facts (n,)."""
        for t, rows in self._patterns.of(step.t, fact):
            other = self._patterns.others(t, fact[rows], self._draw)
            kept = other != fact[rows]
            if kept.any():
                self._move(t, rows[kept], step, fact[rows][kept], other[kept])

    def _move(self, t: int, rows: NDArray[np.int64], step: ParallelStep, fact: Array, other: Array) -> None:
        change, difference = self._patterns.change(t, fact, other, step.q.shape[-1])
        move = torch.from_numpy(change).float()
        drawn = _random_moves(torch.stack([move] * RANDOM), self._torch)
        values = self._patterns.values(step, rows, torch.stack([torch.zeros_like(move), move, *drawn]))
        before, wanted = values[0].argmax(-1), (values[0] + difference).argmax(-1)
        expected = wanted != before
        follows = (values[1:].argmax(-1) == wanted) & expected
        matters = gaps(values[0]) >= MIN_GAP * self._spread
        for counts, weight in ((self.anywhere, np.ones(len(rows))), (self.at_choices, matters * 1.0)):
            counts.add(step.episode[rows], weight, expected, follows[0], follows[1:].mean(0))


class MovedActing:
    """Chooses the greedy actions with the memory moved to another value, or as far in random directions."""

    def __init__(self, patterns: Patterns, randomly: bool) -> None:
        self._patterns, self._randomly = patterns, randomly
        self._draw, self._torch = np.random.default_rng(2), torch.Generator().manual_seed(2)

    def actions(self, step: ParallelStep, fact: Array) -> NDArray[np.int64]:
        """The actions (n,) of a step, with its facts (n,)."""
        actions = step.action.copy()
        for t, rows in self._patterns.of(step.t, fact, between=True):
            other = self._patterns.others(t, fact[rows], self._draw)
            change, _ = self._patterns.change(t, fact[rows], other, step.q.shape[-1])
            moves = torch.from_numpy(change).float()[None]
            moves = _random_moves(moves, self._torch) if self._randomly else moves
            chosen = self._patterns.values(step, rows, moves)[0].argmax(-1)
            actions[rows] = np.where(other != fact[rows], chosen, actions[rows])
        return actions


def _random_moves(moves: Tensor, generator: torch.Generator) -> Tensor:
    """Random directions with the lengths of moves (K, m, F)."""
    drawn = torch.randn(moves.shape, generator=generator)
    return drawn / drawn.norm(dim=-1, keepdim=True) * moves.norm(dim=-1, keepdim=True)


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
