"""Rollouts of PPO: the last steps of the present policy, with advantages, cut into windows for the updates.

The steps of all environments are kept side by side, (R, N): R steps of N environments. A window starts with the
rollout, with an episode, or after a window of full length, and ends with its episode at the latest. A recurrent
memory's state is kept where windows start; for a finite memory the rollout also keeps the earlier steps that it can
see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.legal_actions import Mask
from dqngui.envs.spaces import Spaces
from dqngui.learning.acting import ObservationParts
from dqngui.learning.saved import check_array, check_observation, require, require_between
from dqngui.nets.scaling import RewardUnit

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step of all N environments, (N, ...) each.

    Attributes:
        observation, prev_action, prev_reward: the network's inputs: parts, previous action, previous reward in its
            unit.
        action: the actions of the step.
        log_prob: their log-probabilities under the policy that acted.
        value: the critic's value of the observation.
        reward: raw reward of the step.
        ended: the episode ended with this step.
        bootstrap_value: value of a truncated episode's last observation, 0 elsewhere.
        window_start: a window starts with this step.
        legal: which actions were legal, (N, A); None if the environments do not tell.
    """

    observation: ObservationParts
    prev_action: NDArray[np.int64]
    prev_reward: Floats
    action: NDArray[np.int64]
    log_prob: Floats
    value: Floats
    reward: NDArray[np.float64]
    ended: NDArray[np.bool_]
    bootstrap_value: Floats
    window_start: NDArray[np.bool_]
    legal: Mask | None = None


@dataclass(frozen=True, slots=True)
class Minibatch:
    """Windows of one update, time first, left-aligned, padded at the end.

    Attributes:
        observation: parts by name, (L, B, ...).
        prev_action, prev_reward: previous action and previous reward in the network's unit, (L, B).
        action, log_prob, value: actions, their log-probabilities and the critic's values when the policy acted, (L, B).
        advantage, returns: of the actions; the returns are the critic's targets. In the network's unit of
            rewards, (L, B).
        mask: rows whose loss counts, (L, B).
        state: the memory's state at row 0 (recurrent memories), else None.
        legal: which actions were legal when the policy acted, (L, B, A); None: all.
    """

    observation: dict[str, NDArray[Any]]
    prev_action: NDArray[np.int64]
    prev_reward: Floats
    action: NDArray[np.int64]
    log_prob: Floats
    value: Floats
    advantage: Floats
    returns: Floats
    mask: NDArray[np.bool_]
    state: tuple[NDArray[Any], ...] | None
    legal: Mask | None = None


_STORED_NAMES = {
    "prev_action": "action",
    "prev_reward": "reward",
    "action": "taken",
    "log_prob": "chance",
    "value": "value",
    "reward": "gained",
    "ended": "ended",
    "bootstrap_value": "beyond",
    "window_start": "begins",
}
"""The fields of `RolloutStep` that are arrays, and their names in saved states, which are older than the fields'."""

_KINDS = {"prev_action": np.int64, "action": np.int64, "ended": np.bool_, "window_start": np.bool_}


class Rollout:
    """Steps of `num_envs` environments since the last updates.

    Args:
        context: past steps that a finite memory sees; None for a recurrent one.
        states: number of tensors in a recurrent memory's state.

    Attributes:
        rows: the steps, oldest first.
        first_learned: index of the first step that is learned; those before it are context of a finite memory.
        window_steps: steps in the present window of each environment, (N,); −1: the next step starts one.
        states: per tensor of the state, rows (…) of the environments in which windows started, step by step.
    """

    def __init__(self, spaces: Spaces, *, num_envs: int, context: int | None, states: int) -> None:
        self._parts, self._actions = spaces.parts, spaces.actions
        self.part_names = tuple(part.name for part in spaces.parts)
        self.context = context
        self.rows: list[RolloutStep] = []
        self.first_learned = 0
        self.window_steps = np.full(num_envs, -1, dtype=np.int64)
        self.states: list[list[NDArray[Any]]] = [[] for _ in range(states if context is None else 0)]

    def __len__(self) -> int:
        """Vector steps to learn from."""
        return len(self.rows) - self.first_learned

    def window_starts(self, window: int) -> NDArray[np.bool_]:
        """In which environments the next step starts a window (N,); `window` is the longest that one may be."""
        return (self.window_steps < 0) | (self.window_steps >= window)

    def add(self, row: RolloutStep, states: Sequence[NDArray[Any]] = ()) -> None:
        """Append a step; `states` are the memory's states before it, (N, ...) each, if a window starts."""
        self.rows.append(row)
        self.window_steps = np.where(row.ended, -1, np.where(row.window_start, 1, self.window_steps + 1))
        if row.window_start.any():
            for kept, state in zip(self.states, states, strict=True):
                kept.append(state[row.window_start])

    def cut_off(self, lost: NDArray[np.bool_], bootstrap_value: Floats) -> None:
        """End the running episodes of the environments `lost` (N,) as if they were truncated after the last step.

        `bootstrap_value` (N,) is the critic's value of their last observations.
        """
        self.window_steps[lost] = -1
        if self.rows:
            last = self.rows[-1]
            running = lost & ~last.ended  # the others have made no step yet
            last.ended[running] = True
            last.bootstrap_value[running] = bootstrap_value[running]

    def clear(self) -> None:
        """Remove the steps that were learned, except those that a finite memory still sees."""
        self.rows = self.rows[len(self.rows) - min(len(self.rows), self.context or 0) :]
        self.first_learned = len(self.rows)
        self.window_steps[:] = -1
        self.states = [[] for _ in self.states]

    # -- saving -----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""
        kept: dict[str, NDArray[Any]] = {"fresh": np.array(self.first_learned), "made": self.window_steps}
        if self.rows:
            kept |= {_STORED_NAMES[name]: column for name, column in self._columns().items()}
            kept |= {f"observation.{name}": part for name, part in self._observations().items()}
            kept |= {f"state.{index}": np.concatenate(state) for index, state in enumerate(self.states) if state}
            if (legal := self._legal()) is not None:
                kept["legal"] = legal
        return kept

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` gave. Raises KeyError or DoesNotFit when it does not fit."""
        self._check(arrays)
        self.first_learned, self.window_steps = int(arrays["fresh"]), arrays["made"].copy()
        self.rows = []
        if "legal" in arrays and arrays["legal"].shape[:-1] != arrays["taken"].shape:
            raise ValueError(f"legal actions of shape {arrays['legal'].shape}")
        for t in range(len(arrays["taken"]) if "taken" in arrays else 0):
            columns = {name: arrays[stored][t].copy() for name, stored in _STORED_NAMES.items()}
            observation = {name: arrays[f"observation.{name}"][t] for name in self.part_names}
            legal = arrays["legal"][t].astype(np.bool_) if "legal" in arrays else None
            self.rows.append(RolloutStep(observation, **columns, legal=legal))
        stored = [f"state.{index}" for index in range(len(self.states))]
        self.states = [[arrays[name].copy()] if name in arrays else [] for name in stored]

    def _check(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Raises KeyError or DoesNotFit when saved arrays do not fit."""
        count = len(self.window_steps)
        check_array("made", arrays["made"], (count,), np.int64)
        require_between("made", arrays["made"], -1, 2**53)
        check_array("fresh", arrays["fresh"], (), np.int64)
        steps = len(arrays["taken"]) if "taken" in arrays else 0
        require_between("fresh", arrays["fresh"], 0, steps)
        if not steps:
            return
        for name, stored in _STORED_NAMES.items():
            check_array(stored, arrays[stored], (steps, count), _KINDS.get(name, np.float64))
        for part in self._parts:
            check_observation(part, arrays[f"observation.{part.name}"], (steps, count))
        require_between("taken", arrays["taken"], 0, self._actions - 1)
        require_between("action", arrays["action"], -1, self._actions - 1)
        for index in range(len(self.states)):
            if (state := arrays.get(f"state.{index}")) is not None:
                require(len(state) == int(arrays["begins"].sum()), f"state.{index}")

    def _observations(self) -> dict[str, NDArray[Any]]:
        return {name: np.stack([row.observation[name] for row in self.rows]) for name in self.part_names}

    def _legal(self) -> Mask | None:
        """Which actions were legal at each step, (R, N, A); None if the environments told none."""
        told = [row.legal for row in self.rows if row.legal is not None]
        if not told:
            return None
        everything = np.ones_like(told[0])
        return np.stack([everything if row.legal is None else row.legal for row in self.rows])

    def _columns(self) -> dict[str, NDArray[Any]]:
        """The arrays of all steps, (R, N) each, by their names in `RolloutStep`."""
        return {name: np.stack([getattr(row, name) for row in self.rows]) for name in _STORED_NAMES}

    # -- learning ---------------------------------------------------------------------------------

    def windows(self, *, gamma: float, trace: float, unit: RewardUnit, last_value: Floats) -> RolloutWindows:
        """All windows with their advantages.

        Args:
            trace: λ of the generalised advantage estimate.
            unit: the unit in which the network learns rewards.
            last_value: the critic's value of what the environments show now, (N,).
        """
        columns = self._columns()
        columns["advantage"] = advantages(
            unit.learned(columns["reward"]),
            columns["value"],
            columns["ended"],
            columns["bootstrap_value"],
            last_value,
            gamma=gamma,
            trace=trace,
        )
        columns["returns"] = columns["advantage"] + columns["value"]
        states = tuple(np.concatenate(state) for state in self.states)
        observations, legal = self._observations(), self._legal()
        return RolloutWindows(columns, observations, states, self.first_learned, self.context, legal)


class RolloutWindows:
    """The windows of a whole rollout, from which each update takes a minibatch.

    Args:
        columns: (R, N) each, by the names of `RolloutStep` and of `Minibatch`.
        observation: parts, (R, N, ...).
        states: a recurrent memory's states at the start of each of the W windows, (W, ...).
        first_learned: index of the first step that is learned.
        context: past steps that a finite memory sees; None for a recurrent one.
        legal: which actions were legal, (R, N, A); None: all.

    Attributes:
        begin, stop: first learned step of each window and the step after its last one, (W,).
        first: first step that the network must read for it, (W,).
        env: its environment, (W,).
    """

    def __init__(
        self,
        columns: dict[str, NDArray[Any]],
        observation: dict[str, NDArray[Any]],
        states: tuple[NDArray[Any], ...],
        first_learned: int,
        context: int | None,
        legal: Mask | None = None,
    ) -> None:
        self.legal = legal
        self.columns, self.observation, self.states, self.recurrent = columns, observation, states, context is None
        ended = columns["ended"]
        rows = np.arange(len(ended))[:, None]
        starts = columns["window_start"].copy()
        starts[:first_learned] = False
        self.begin, self.env = np.nonzero(starts)
        cuts = np.concatenate([starts[1:] | ended[:-1], np.ones_like(ended[:1])])  # a window ends with this row
        after = np.minimum.accumulate(np.where(cuts, rows, len(ended))[::-1])[::-1]
        self.stop = after[self.begin, self.env] + 1
        new_episode = np.concatenate([np.ones_like(ended[:1]), ended[:-1]])
        start = np.maximum.accumulate(np.where(new_episode, rows, 0))
        self.first = np.maximum(start[self.begin, self.env], self.begin - (context or 0))

    def __len__(self) -> int:
        return len(self.begin)

    @property
    def explained(self) -> float | None:
        """Share of the returns' variance that the critic explains; None where the returns do not vary."""
        returns, value = (self.columns[name][self._learned].astype(np.float64) for name in ("returns", "value"))
        variance = float(returns.var())
        return 1.0 - float((returns - value).var()) / variance if variance > 1e-12 else None

    @property
    def _learned(self) -> slice:
        return slice(int(self.begin.min()), None)

    def minibatch(self, which: NDArray[np.int64]) -> Minibatch:
        """The windows with these indices."""
        first, begin, stop, env = (each[which] for each in (self.first, self.begin, self.stop, self.env))
        position = first + np.arange(int((stop - first).max()))[:, None]  # (L, B)
        mask = (position >= begin) & (position < stop)
        rows = np.minimum(position, stop - 1)
        columns = ("prev_action", "prev_reward", "action", "log_prob", "value", "advantage", "returns")
        return Minibatch(
            observation={name: part[rows, env] for name, part in self.observation.items()},
            **{name: self.columns[name][rows, env] for name in columns},
            mask=mask,
            state=tuple(state[which] for state in self.states) if self.recurrent else None,
            legal=None if self.legal is None else self.legal[rows, env],
        )


def advantages(
    reward: Floats,
    value: Floats,
    ended: NDArray[np.bool_],
    bootstrap_value: Floats,
    last_value: Floats,
    *,
    gamma: float,
    trace: float,
) -> Floats:
    """Generalised advantage estimates A_t = δ_t + γλ A_{t+1} within episodes, all (R, N).

    Schulman et al. 2016, arXiv:1506.02438, eq. 16, with δ_t = r_t + γ V(o_{t+1}) − V(o_t). V(o_{t+1}) is
    `bootstrap_value` where an episode ended (0 after a termination, V of the real last observation after a truncation),
    and `last_value` (N,) after the last row.
    """
    next_value = np.where(ended, bootstrap_value, np.concatenate([value[1:], last_value[None]]))
    td_error = reward + np.float32(gamma) * next_value - value
    estimate: Floats = np.zeros_like(td_error)
    later = np.zeros_like(last_value)
    for t in range(len(td_error) - 1, -1, -1):
        later = td_error[t] + np.float32(gamma * trace) * np.where(ended[t], np.float32(0), later)
        estimate[t] = later
    return estimate
