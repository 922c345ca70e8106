"""Replay: a ring of raw steps for each environment, from which windows are cut at sampling time.

Rows hold the observation, the action and the raw one-step reward; γ, n and the window's
length apply when sampling, so they can change live. An ended episode is followed by one more row with
its last observation, so that a truncated episode bootstraps from where it really stopped. Which windows there are, and
why each step is learned equally often, is told in `windows`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
from dqngui.learning.saved import check_like, check_observation, require, require_between
from dqngui.learning.windows import Steps, WindowRule

RUNNING, TERMINATED, TRUNCATED = 0, 1, 2


BYTES_OF_A_ROW = 33
"""Bytes of a row without observation and memory state: action, reward, its episode's ends, and how that ended."""


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
    of_a_step = BYTES_OF_A_ROW + sum(math.prod(part.shape) * np.dtype(part.dtype).itemsize for part in spaces.parts)
    of_a_state = sum(math.prod(part.shape[1:]) * part.dtype.itemsize for part in initial_state or ())
    return num_envs * rows * of_a_step, num_envs * (rows // stride + 2) * of_a_state


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
        self.observation = {p.name: np.zeros((flat, *p.shape), dtype=p.dtype) for p in spaces.parts}
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
        self._parts, self._actions = spaces.parts, spaces.actions
        self.legal = LegalRows(flat, spaces.options)

    def __len__(self) -> int:
        return int(np.minimum(self.head, self.rows).sum())

    @property
    def full(self) -> bool:
        """Whether the ring of every environment is full."""
        return int(self.head.min()) >= self.rows

    @property
    def bytes_of_steps(self) -> int:
        """Bytes of the steps once the ring is full."""
        return sum(part.nbytes for part in self.observation.values()) + BYTES_OF_A_ROW * len(self.action)

    @property
    def bytes_of_states(self) -> int:
        """Bytes of the memory's stored states once the ring is full."""
        return sum(part.nbytes for part in self.states)

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
    ) -> None:
        """Append one step of every environment; `states` are the memory's states before it, (N, ...) each, and `legal`
        says which actions were legal, (N, A); None: all.
        """
        row = self.offset + self.head % self.rows
        for name, part in observation.items():
            self.observation[name][row] = part
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
            row = self.offset[env] + head % self.rows
            for name, part in observation.items():
                self.observation[name][row] = part[env]
            self.action[row], self.reward[row], self.start[row] = 0, 0.0, start
            self.legal.put(np.array([row]), None if legal is None else legal[env : env + 1])
            if self.priorities is not None:
                self.priorities.remove(np.array([row]))
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
        position = self._positions().ravel()
        present = (position >= 0) & (position != self.end)
        self.priorities.assign(position - self.start, present, rule)

    def _positions(self) -> Steps:
        """Position of the step in each row of each environment, (N, rows); negative where nothing is stored yet."""
        head = self.head[:, None]
        return head - 1 - (head - 1 - np.arange(self.rows, dtype=np.int64)) % self.rows

    def _one_steps(
        self, drawn: DrawnWindows, rule: WindowRule, gamma: float, weights: NDArray[np.float32] | None
    ) -> OneStepBatch:
        s, offset = drawn.s, self.offset[drawn.env]
        index = offset + s % self.rows
        end = self.end[index]
        ahead: Steps | int = rule.n_step
        returns = self.reward[index]
        if rule.n_step > 1:
            ahead = np.where(end < 0, rule.n_step, np.minimum(rule.n_step, end - s))
            for i in range(1, rule.n_step):
                reward = self.reward[offset + (s + i) % self.rows]
                returns = returns + gamma**i * np.where(i < ahead, reward, 0.0)
        later = s + ahead
        stops = (later == end) & (self.ending[index] == TERMINATED)
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
        observation = {key: part[row] for key, part in self.observation.items()}
        return observation, *self._previous(offset, position, self.start[row])

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
        reward = np.where(inside & ((end < 0) | (position < end)), self.reward[rows], 0.0)
        ahead = np.where(end >= 0, np.minimum(rule.n_step, end - position), rule.n_step)
        terminates = (end >= 0) & (position + ahead >= end) & (self.ending[index] == TERMINATED)
        mask = (position >= s) & (position < stop) & inside
        burn, burned = self._burn(offset, first, start, rule)
        prev_action, prev_reward = self._previous(offset, position, start)
        return Batch(
            observation={key: part[rows] for key, part in self.observation.items()},
            prev_action=prev_action,
            prev_reward=prev_reward,
            action=self.action[rows],
            returns=_n_step_sums(reward, rule.n_step, gamma),
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
        observation = {key: part[rows] for key, part in self.observation.items()}
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

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""
        kept = {f"observation.{name}": part for name, part in self.observation.items()}
        kept |= self._columns() | self.legal.arrays()
        kept |= {f"state.{index}": state for index, state in enumerate(self.states)}
        return kept if self.priorities is None else kept | self.priorities.arrays()

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` gave. Raises KeyError or DoesNotFit when it does not fit."""
        check_like(arrays, self.arrays())
        for part_ in self._parts:
            check_observation(part_, arrays[f"observation.{part_.name}"], self.action.shape)
        for name, part in self.observation.items():
            part[...] = arrays[f"observation.{name}"]
        for name, column in self._columns().items():
            column[...] = arrays[name]
        self.legal.restore(arrays)
        for index, state in enumerate(self.states):
            state[...] = arrays[f"state.{index}"]
        if self.priorities is not None:
            self.priorities.restore(arrays)
        self._check()
        position, start = self._positions(), self.start.reshape(self.num_envs, self.rows)
        for env in range(self.num_envs):
            starts = np.append(start[env][position[env] >= 0], self.episode_start[env])
            begins = np.unique(starts)
            require(len(begins) <= self.episodes.slots, "start")
            self.episodes.rebuild(env, begins)

    def _check(self) -> None:
        """Raises DoesNotFit if what was taken over contradicts itself."""
        require_between("head", self.head, 0, 2**53)
        require_between("episode_start", self.episode_start, 0, self.head)
        require_between("taken", self.action, 0, self._actions - 1)
        require_between("ending", self.ending, RUNNING, TRUNCATED)
        if self.states:
            require_between("slot", self.slot, 0, self.num_envs * self.slots - 1)
            require_between("next_slot", self.next_slot, 0, 2**53)
        for env in range(self.num_envs):
            head = int(self.head[env])
            position = np.arange(max(0, head - self.rows), head)
            row = self.offset[env] + position % self.rows
            start, end = self.start[row], self.end[row]
            require_between("start", start, 0, position)
            require(bool(((end == -1) | ((end >= position) & (end < head))).all()), "end")
            same = start[1:] == start[:-1]
            require(bool((same | (start[1:] == position[1:])).all()), "start")
            require(bool((end[1:] == end[:-1])[same].all()), "end")

    def _columns(self) -> dict[str, NDArray[Any]]:
        """Arrays that are saved as they are, by their names on disk."""
        columns: dict[str, NDArray[Any]] = {
            "taken": self.action,
            "reward": self.reward,
            "start": self.start,
            "end": self.end,
            "ending": self.ending,
            "head": self.head,
            "episode_start": self.episode_start,
        }
        return {**columns, "slot": self.slot, "next_slot": self.next_slot} if self.states else columns


def _n_step_sums(reward: NDArray[np.float64], n_step: int, gamma: float) -> NDArray[np.float64]:
    """n-step sums Σ_{i<n} γ^i r_{t+i} over rows (L, B); rows after the end count as 0."""
    total = reward.copy()
    for ahead in range(1, min(n_step, len(reward))):
        total[:-ahead] += gamma**ahead * reward[ahead:]
    return total
