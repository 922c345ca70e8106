"""Replay: a ring of raw steps for each environment, from which windows are cut at sampling time.

Rows hold the observation, the action and the raw one-step reward; γ, n and the window's
length apply when sampling, so they can change live. An ended episode is followed by one more row with
its last observation, so that a truncated episode bootstraps from where it really stopped. Which windows there are, and
why each step is learned equally often, is told in `windows`; how frames of a stack are kept, in `stored_observations`.

A step that ends the learning but not the episode is a cut: targets do not look beyond it, as if the episode had been
terminated there, while the episode, the memory's state and the windows go on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.legal_actions import Mask
from dqngui.envs.spaces import Spaces
from dqngui.learning.batches import Batch, OneStepBatch, RawInputs
from dqngui.learning.drawing import DrawnWindows, draw_windows
from dqngui.learning.episode_table import EpisodeTable
from dqngui.learning.legal_rows import LegalRows
from dqngui.learning.priorities import WindowPriorities
from dqngui.learning.replay_saving import GrownRows, ReplaySaving
from dqngui.learning.returns import cut_ahead, n_step_sums
from dqngui.learning.stored_observations import Observations, bytes_of_observations
from dqngui.learning.windows import Steps, WindowRule
from dqngui.size_rules import BYTES_OF_A_ROW

RUNNING, TERMINATED, TRUNCATED = 0, 1, 2

LARGE = 8_000_000
"""A replay of at least so many bytes, once full, is saved piece by piece."""


def bytes_of_replay(
    spaces: Spaces,
    *,
    num_envs: int,
    capacity: int,
    initial_state: Sequence[NDArray[Any]] | None = None,
    stride: int = 1,
) -> tuple[int, int]:
    """Bytes of the steps and of the memory's stored states of a full `Replay`, whose arguments these are."""
    rows = capacity // num_envs
    of_steps = num_envs * rows * BYTES_OF_A_ROW + bytes_of_observations(spaces, num_envs, rows)
    of_a_state = sum(math.prod(part.shape[1:]) * part.dtype.itemsize for part in initial_state or ())
    return of_steps, num_envs * (rows // stride + 2) * of_a_state


class Replay:
    """Steps of `num_envs` environments, the oldest overwritten first.

    Args:
        capacity: rows over all environments together.
        initial_state: a recurrent memory's state of one episode, (1, ...) each; None stores no states.
        stride: number of steps of an episode between stored states.
        prioritized: draw windows by priority.

    Attributes:
        rows: rows of one environment's ring; those of all environments lie in one array, from `offset` (N,) on.
        head: number of rows that each environment has written, (N,).
        start, end: first and last position of each row's episode; the last one of a running episode is −1.
        episodes: the episodes of which rows are stored.
        priorities: of the windows; None if they are drawn with equal probabilities.
        legal: which actions were legal at the rows, if the environments tell.
        stored: the observations.
        bytes_of_steps, bytes_of_states: of the steps, and of the memory's stored states, once the ring is full.
        cuts: at which rows a step ended the learning but not the episode; None: nowhere so far.
    """

    def __init__(
        self,
        spaces: Spaces,
        *,
        num_envs: int,
        capacity: int,
        generator: np.random.Generator,
        initial_state: Sequence[NDArray[Any]] | None = None,
        stride: int = 1,
        prioritized: bool = False,
    ) -> None:
        self.num_envs, self.rows, self.stride = num_envs, capacity // num_envs, stride
        self.generator = generator
        flat = num_envs * self.rows
        self.stored = Observations(spaces, num_envs, self.rows)
        self.action = np.zeros(flat, dtype=np.int64)
        self.reward = np.zeros(flat, dtype=np.float64)
        self.start = np.zeros(flat, dtype=np.int64)
        self.end = np.full(flat, -1, dtype=np.int64)
        self.ending = np.zeros(flat, dtype=np.uint8)
        self.head = np.zeros(num_envs, dtype=np.int64)
        self.episode_start = np.zeros(num_envs, dtype=np.int64)
        self.offset = np.arange(num_envs, dtype=np.int64) * self.rows
        self.slots = self.rows // stride + 2
        self.initial_state = None if initial_state is None else tuple(initial_state)
        self.states: tuple[NDArray[Any], ...] = ()
        if self.initial_state is not None:
            shape = (num_envs * self.slots,)
            self.states = tuple(np.zeros(shape + s.shape[1:], dtype=s.dtype) for s in self.initial_state)
            self.slot = np.zeros(flat, dtype=np.int32)
            self.next_slot = np.zeros(num_envs, dtype=np.int64)
        self.priorities = WindowPriorities(flat, num_envs) if prioritized else None
        self.episodes = EpisodeTable(num_envs, self.rows)
        self.actions = spaces.actions
        self.legal = LegalRows(flat, spaces.options)
        self.cuts: NDArray[np.bool_] | None = None
        self.bytes_of_steps, self.bytes_of_states = bytes_of_replay(
            spaces, num_envs=num_envs, capacity=capacity, initial_state=initial_state, stride=stride
        )
        self._saving = ReplaySaving(self)

    def __len__(self) -> int:
        return int(np.minimum(self.head, self.rows).sum())

    @property
    def full(self) -> bool:
        """Whether the ring of every environment is full."""
        return int(self.head.min()) >= self.rows

    @property
    def observation(self) -> dict[str, NDArray[Any]]:
        """The numbers that are stored of observations, by part: whole ones, or single frames."""
        return self.stored.values

    def state_due(self) -> NDArray[np.bool_]:
        """In which environments the next `add` stores a memory state, (N,)."""
        age = self.head - self.episode_start
        return (age > 0) & (age % self.stride == 0)

    def add(
        self,
        observation: Mapping[str, NDArray[Any]],
        action: NDArray[np.int64],
        reward: NDArray[np.float64],
        states: Sequence[NDArray[Any]] | None = None,
        rule: WindowRule | None = None,
        legal: Mask | None = None,
        cut: NDArray[np.bool_] | None = None,
    ) -> None:
        """Append one step of every environment; `states` are the memory's states before it, (N, ...) each, `legal` says
        which actions were legal, (N, A); None: all; `cut` which steps end the learning but not the episode, (N,); None:
        none.
        """
        row = self.offset + self.head % self.rows
        self.stored.put(row, self.head, self.episode_start, observation)
        if cut is not None and self.cuts is None:
            self.cuts = np.zeros(len(self.action), dtype=np.bool_)
        if self.cuts is not None:
            self.cuts[row] = False if cut is None else cut
        self.action[row], self.reward[row] = action, reward
        self.start[row], self.end[row] = self.episode_start, -1
        self.legal.put(row, legal)
        if states is not None:
            due = self.state_due()
            envs = np.flatnonzero(due)
            slots = envs * self.slots + self.next_slot[envs] % self.slots
            for kept, state in zip(self.states, states, strict=True):
                kept[slots] = state[envs]
            self.slot[row[envs]] = slots
            self.next_slot[envs] += 1
        if self.priorities is not None and rule is not None:
            self.priorities.add(row, self.head - self.episode_start, rule)
        self.head += 1

    def end_episodes(
        self,
        envs: NDArray[np.int64],
        observation: Mapping[str, NDArray[Any]],
        truncated: NDArray[np.bool_],
        legal: Mask | None = None,
    ) -> None:
        """Close the episodes of some environments with their last observations (rows of all environments), and the
        legal actions there, (N, A); None: all.
        """
        for env in envs:
            head, start = int(self.head[env]), int(self.episode_start[env])
            row = self.offset[env : env + 1] + head % self.rows
            last = {name: part[env : env + 1] for name, part in observation.items()}
            self.stored.put(row, self.head[env : env + 1], self.episode_start[env : env + 1], last)
            self.action[row], self.reward[row], self.start[row] = 0, 0.0, start
            self.legal.put(row, None if legal is None else legal[env : env + 1])
            if self.cuts is not None:
                self.cuts[row] = False
            if self.priorities is not None:
                self.priorities.remove(row)
            oldest = max(start, head - self.rows + 1)
            rows = self.offset[env] + np.arange(oldest, head + 1) % self.rows
            self.end[rows] = head
            self.ending[rows] = TRUNCATED if truncated[env] else TERMINATED
            self.head[env] = head + 1
            self.episode_start[env] = head + 1
            self.episodes.begin(int(env), head + 1, head + 1 - self.rows)

    # -- sampling ---------------------------------------------------------------------------------

    def sample(self, batch_size: int, rule: WindowRule, gamma: float, beta: float = 1.0) -> Batch | OneStepBatch | None:
        """Windows drawn uniformly over steps or by priority; None while no window can be learned yet.

        Windows of one step for an agent without memory come as `OneStepBatch`.
        """
        self._assign_priorities(rule)
        drawn = draw_windows(self, batch_size, rule)
        if drawn is None:
            return None
        weights = None if self.priorities is None else self.priorities.importance(drawn.index, beta)
        if rule.single_steps:
            return self._one_steps(drawn, rule, gamma, weights)
        return self._windows(drawn, rule, gamma, weights)

    def set_priorities(self, indices: Steps, priorities: NDArray[np.float64]) -> None:
        """Priorities (already to the power α) of the windows of a batch, by its `indices`."""
        if self.priorities is not None and len(indices):
            self.priorities.set(indices, priorities)

    def _assign_priorities(self, rule: WindowRule) -> None:
        """Give priorities to the windows of `rule`, and to no others.

        Another length or burn-in moves them.
        """
        if self.priorities is None or self.priorities.fits(rule):
            return
        position = self.positions().ravel()
        present = (position >= 0) & (position != self.end)
        self.priorities.assign(position - self.start, present, rule)

    def _one_steps(
        self, drawn: DrawnWindows, rule: WindowRule, gamma: float, weights: NDArray[np.float32] | None
    ) -> OneStepBatch:
        s, offset = drawn.s, self.offset[drawn.env]
        index = offset + s % self.rows
        end = self.end[index]
        ahead: Steps | int = rule.n_step
        rows, inside = index[None], np.ones((1, len(s)), dtype=np.bool_)
        if rule.n_step > 1:
            ahead = np.where(end < 0, rule.n_step, np.minimum(rule.n_step, end - s))
            steps = np.arange(rule.n_step)[:, None]
            rows, inside = offset + (s + steps) % self.rows, steps < ahead
        later = s + ahead
        cuts = None if self.cuts is None else self.cuts[rows] & inside
        returns = n_step_sums(np.where(inside, self.reward[rows], 0.0), rule.n_step, gamma, cuts)[0]
        stops = (later == end) & (self.ending[index] == TERMINATED)
        if cuts is not None:
            stops |= cuts.any(0)
        return OneStepBatch(
            now=self._raw_inputs(offset, index, s),
            later=self._raw_inputs(offset, offset + later % self.rows, later),
            action=self.action[index],
            returns=returns,
            discount=np.where(stops, 0.0, np.float64(gamma) ** ahead).astype(np.float32),
            weights=weights,
            indices=drawn.index,
            later_legal=self.legal.at(offset + later % self.rows),
        )

    def _raw_inputs(self, offset: Steps, row: Steps, position: Steps) -> RawInputs:
        """The network's inputs at these rows."""
        start = self.start[row]
        return self.stored.at(row, position, start), *self._previous(offset, position, start)

    def _windows(
        self, drawn: DrawnWindows, rule: WindowRule, gamma: float, weights: NDArray[np.float32] | None
    ) -> Batch:
        s, stop, offset = drawn.s, drawn.stop, self.offset[drawn.env]
        index = offset + s % self.rows
        start, end = self.start[index], self.end[index]
        first = rule.first_read(s, start)
        last = np.where(end >= 0, np.minimum(stop - 1 + rule.n_step, end), stop - 1 + rule.n_step)
        length = int((last - first).max()) + 1
        position = first + np.arange(length)[:, None]  # (L, B)
        inside = position <= last
        position = np.minimum(position, last)
        rows = offset + position % self.rows
        steps = inside & ((end < 0) | (position < end))  # the others have no action
        reward = np.where(steps, self.reward[rows], 0.0)
        cuts = None if self.cuts is None else self.cuts[rows] & steps
        ahead = np.where(end >= 0, np.minimum(rule.n_step, end - position), rule.n_step)
        terminates = (end >= 0) & (position + ahead >= end) & (self.ending[index] == TERMINATED)
        if cuts is not None:
            terminates |= cut_ahead(cuts, rule.n_step)
        mask = (position >= s) & (position < stop) & inside
        burn, burned = self._burn(offset, first, start, rule)
        prev_action, prev_reward = self._previous(offset, position, start)
        return Batch(
            observation=self.stored.at(rows, position, np.broadcast_to(start, position.shape)),
            prev_action=prev_action,
            prev_reward=prev_reward,
            action=self.action[rows],
            returns=n_step_sums(reward, rule.n_step, gamma, cuts),
            bootstrap_row=np.minimum(position - first + ahead, length - 1),
            discount=np.where(terminates | ~mask, 0.0, np.float64(gamma) ** ahead).astype(np.float32),
            mask=mask,
            state=self._stored_state(offset, first, start, rule),
            burn=burn,
            burned=burned,
            weights=weights,
            indices=drawn.index,
            legal=self.legal.at(rows),
        )

    def _previous(self, offset: Steps, position: Steps, start: Steps) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        rows = offset + (position - 1) % self.rows
        fresh = position == start
        return np.where(fresh, -1, self.action[rows]), np.where(fresh, 0.0, self.reward[rows])

    def _burn(
        self, offset: Steps, first: Steps, start: Steps, rule: WindowRule
    ) -> tuple[Any, NDArray[np.bool_] | None]:
        """Rows of the burn-in, (burn_in, B), and which windows have one; windows at their episode's start repeat
        their first row.
        """
        if rule.context is not None or rule.burn_in == 0:
            return None, None
        burned = first > start
        if not burned.any():
            return None, None
        position = np.where(burned, first - rule.burn_in, first) + np.arange(rule.burn_in)[:, None] * burned
        rows = offset + position % self.rows
        observation = self.stored.at(rows, position, np.broadcast_to(start, position.shape))
        return (observation, *self._previous(offset, position, start)), burned

    def _stored_state(
        self, offset: Steps, first: Steps, start: Steps, rule: WindowRule
    ) -> tuple[NDArray[Any], ...] | None:
        if self.initial_state is None or rule.context is not None:
            return None
        row = rule.first_state(first, start)
        at_start = row == start
        slots = self.slot[offset + row % self.rows]
        return tuple(
            np.where(at_start.reshape(-1, *[1] * (kept.ndim - 1)), initial, kept[slots])
            for kept, initial in zip(self.states, self.initial_state, strict=True)
        )

    # -- saving -----------------------------------------------------------------------------------

    @property
    def growing(self) -> ReplaySaving | None:
        """What is saved piece by piece of a large replay; None for a small one, which `arrays` gives whole."""
        return self._saving if self.bytes_of_steps + self.bytes_of_states >= LARGE else None

    def arrays(self, *, whole: bool = True) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name; without `whole`, what `growing` does not give."""
        return self._saving.arrays() if whole or self.growing is None else self._saving.rest()

    def restore(self, arrays: Mapping[str, NDArray[Any]], grown: Iterable[GrownRows] = ()) -> None:
        """Take over what `arrays` gave, and what `growing` gave, the oldest first.

        Raises KeyError or DoesNotFit when it does not fit.
        """
        self._saving.restore(arrays, grown)

    def positions(self) -> Steps:
        """Position of the step in each row of each environment, (N, rows); negative where nothing is stored yet."""
        head = self.head[:, None]
        return head - 1 - (head - 1 - np.arange(self.rows, dtype=np.int64)) % self.rows
