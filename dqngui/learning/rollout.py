"""What the present policy has just done, cut into windows: the on-policy counterpart of replay.

Steps of all environments are kept side by side, (R, N). A window begins with a rollout, with an episode, or where the
one before has its full length, and ends with its episode at the latest. A recurrent memory's state is kept where
windows begin; for a finite memory as many steps stay readable before the rollout as it can see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dqngui.envs.spaces import Spaces
from dqngui.learning.acting import Parts

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """One vector step, (N, ...) each.

    Attributes:
        observation, action, reward: what the network saw: parts, previous action, previous scaled reward.
        taken: the actions.
        chance: their log-probabilities when they were taken.
        value: V of what was seen.
        gained: raw reward of the step.
        ended: the episode ended with it.
        beyond: V of a truncated episode's last observation, 0 elsewhere.
        begins: a window begins.
    """

    observation: Parts
    action: NDArray[np.int64]
    reward: Floats
    taken: NDArray[np.int64]
    chance: Floats
    value: Floats
    gained: Floats
    ended: NDArray[np.bool_]
    beyond: Floats
    begins: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one update, time first, left-aligned, padded at the end.

    Attributes:
        observation: parts by name, (L, B, ...).
        action, reward: previous action and previous scaled reward, (L, B).
        taken, chance, value: actions taken, their log-probabilities and V as they were then, (L, B).
        advantage, returns: of the actions taken, and what V is taught, in scaled rewards, (L, B).
        mask: rows that are learned, (L, B).
        state: the memory's state at row 0 (recurrent memories), else None.
    """

    observation: dict[str, NDArray[Any]]
    action: NDArray[np.int64]
    reward: Floats
    taken: NDArray[np.int64]
    chance: Floats
    value: Floats
    advantage: Floats
    returns: Floats
    mask: NDArray[np.bool_]
    state: tuple[NDArray[Any], ...] | None


_COLUMNS = ("action", "reward", "taken", "chance", "value", "gained", "ended", "beyond", "begins")


class Rollout:
    """Steps of `num_envs` environments since the last update.

    Args:
        context: past steps that a finite memory sees; None for a recurrent one.
        states: number of tensors in a recurrent memory's state.
    """

    def __init__(self, spaces: Spaces, *, num_envs: int, context: int | None, states: int) -> None:
        self.names = tuple(part.name for part in spaces.parts)
        self.context = context
        self.rows: list[Row] = []
        self.fresh = 0  # the first row that is learned; those before it are context
        self.made = np.full(num_envs, -1, dtype=np.int64)  # steps in the present window; −1: the next begins one
        self.states: list[list[NDArray[Any]]] = [[] for _ in range(states if context is None else 0)]

    def __len__(self) -> int:
        """Vector steps to learn from."""
        return len(self.rows) - self.fresh

    def begins(self, window: int) -> NDArray[np.bool_]:
        """In which environments the next step begins a window (N,)."""
        return (self.made < 0) | (self.made >= window)

    def add(self, row: Row, states: Sequence[NDArray[Any]] = ()) -> None:
        """Append a step; `states` are the memory's states before it, (N, ...) each, if a window begins."""
        self.rows.append(row)
        self.made = np.where(row.ended, -1, np.where(row.begins, 1, self.made + 1))
        if row.begins.any():
            for kept, state in zip(self.states, states, strict=True):
                kept.append(state[row.begins])

    def cut_off(self, lost: NDArray[np.bool_], beyond: Floats) -> None:
        """End running episodes as if truncated behind the last step; `beyond` (N,) is V of what was seen last."""
        self.made[lost] = -1
        if self.rows:
            last = self.rows[-1]
            running = lost & ~last.ended  # the others have made no step yet
            last.ended[running] = True
            last.beyond[running] = beyond[running]

    def clear(self) -> None:
        """Forget what was learned, but for the steps that a finite memory will look back at."""
        self.rows = self.rows[len(self.rows) - min(len(self.rows), self.context or 0) :]
        self.fresh = len(self.rows)
        self.made[:] = -1
        self.states = [[] for _ in self.states]

    # -- saving -----------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""
        kept: dict[str, NDArray[Any]] = {"fresh": np.array(self.fresh), "made": self.made}
        if self.rows:
            kept |= {name: np.stack([getattr(row, name) for row in self.rows]) for name in _COLUMNS}
            kept |= {f"observation.{name}": part for name, part in self._observations().items()}
            kept |= {f"state.{index}": np.concatenate(state) for index, state in enumerate(self.states) if state}
        return kept

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` gave. Raises KeyError or ValueError when it does not fit."""
        self.fresh, self.made = int(arrays["fresh"]), arrays["made"].copy()
        self.rows = []
        for t in range(len(arrays["taken"]) if "taken" in arrays else 0):
            columns = {name: arrays[name][t].copy() for name in _COLUMNS}
            self.rows.append(Row({name: arrays[f"observation.{name}"][t] for name in self.names}, **columns))
        stored = [f"state.{index}" for index in range(len(self.states))]
        self.states = [[arrays[name].copy()] if name in arrays else [] for name in stored]

    def _observations(self) -> dict[str, NDArray[Any]]:
        return {name: np.stack([row.observation[name] for row in self.rows]) for name in self.names}

    # -- learning ---------------------------------------------------------------------------------

    def lessons(self, *, gamma: float, trace: float, reward_scale: float, bootstrap: Floats) -> Lessons:
        """All windows with their advantages; `bootstrap` (N,) is V of what the environments show now."""
        columns = {name: np.stack([getattr(row, name) for row in self.rows]) for name in _COLUMNS}
        columns["advantage"] = advantages(
            columns["gained"] * np.float32(reward_scale),
            columns["value"],
            columns["ended"],
            columns["beyond"],
            bootstrap,
            gamma=gamma,
            trace=trace,
        )
        columns["returns"] = columns["advantage"] + columns["value"]
        states = tuple(np.concatenate(state) for state in self.states)
        return Lessons(columns, self._observations(), states, self.fresh, self.context)


class Lessons:
    """A whole rollout's windows, from which updates take some at a time.

    Args:
        columns: (R, N) each, by the names of `Row` and of `Windows`.
        observation: parts, (R, N, ...).
        states: a recurrent memory's, at each window's beginning, (W, ...).
        fresh: the first row that is learned.
    """

    def __init__(
        self,
        columns: dict[str, NDArray[Any]],
        observation: dict[str, NDArray[Any]],
        states: tuple[NDArray[Any], ...],
        fresh: int,
        context: int | None,
    ) -> None:
        self.columns, self.observation, self.states, self.recurrent = columns, observation, states, context is None
        ended = columns["ended"]
        rows = np.arange(len(ended))[:, None]
        begins = columns["begins"].copy()
        begins[:fresh] = False
        self.begin, self.env = np.nonzero(begins)
        cuts = np.concatenate([begins[1:] | ended[:-1], np.ones_like(ended[:1])])  # a window ends with this row
        after = np.minimum.accumulate(np.where(cuts, rows, len(ended))[::-1])[::-1]
        self.stop = after[self.begin, self.env] + 1
        fresh_episode = np.concatenate([np.ones_like(ended[:1]), ended[:-1]])
        start = np.maximum.accumulate(np.where(fresh_episode, rows, 0))
        self.first = np.maximum(start[self.begin, self.env], self.begin - (context or 0))

    def __len__(self) -> int:
        return len(self.begin)

    @property
    def explained(self) -> float | None:
        """Share of the returns' variance that V explains; None where they do not vary."""
        returns, value = (self.columns[name][self._learned].astype(np.float64) for name in ("returns", "value"))
        variance = float(returns.var())
        return 1.0 - float((returns - value).var()) / variance if variance > 1e-12 else None

    @property
    def _learned(self) -> slice:
        return slice(int(self.begin.min()), None)

    def take(self, which: NDArray[np.int64]) -> Windows:
        """Some of the windows."""
        first, begin, stop, env = (each[which] for each in (self.first, self.begin, self.stop, self.env))
        position = first + np.arange(int((stop - first).max()))[:, None]  # (L, B)
        mask = (position >= begin) & (position < stop)
        rows = np.minimum(position, stop - 1)
        columns = ("action", "reward", "taken", "chance", "value", "advantage", "returns")
        return Windows(
            observation={name: part[rows, env] for name, part in self.observation.items()},
            **{name: self.columns[name][rows, env] for name in columns},
            mask=mask,
            state=tuple(state[which] for state in self.states) if self.recurrent else None,
        )


def advantages(
    reward: Floats,
    value: Floats,
    ended: NDArray[np.bool_],
    beyond: Floats,
    bootstrap: Floats,
    *,
    gamma: float,
    trace: float,
) -> Floats:
    """Generalised advantage estimates A_t = δ_t + γλ A_{t+1} within episodes, all (R, N).

    Schulman et al. 2016, arXiv:1506.02438, eq. 16, with δ_t = r_t + γ V(o_{t+1}) − V(o_t). V(o_{t+1}) is `beyond`
    where an episode ended (0 after a termination, V of the real last observation after a truncation), and `bootstrap`
    (N,) behind the last row.
    """
    following = np.where(ended, beyond, np.concatenate([value[1:], bootstrap[None]]))
    surprise = reward + np.float32(gamma) * following - value
    estimate: Floats = np.zeros_like(surprise)
    later = np.zeros_like(bootstrap)
    for t in range(len(surprise) - 1, -1, -1):
        later = surprise[t] + np.float32(gamma * trace) * np.where(ended[t], np.float32(0), later)
        estimate[t] = later
    return estimate
