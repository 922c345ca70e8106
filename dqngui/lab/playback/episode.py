"""An episode played by an agent, with the steps known so far. Panels about the agent draw from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.envs.choices import Choices
from dqngui.messages import EpisodeBegan, Played, PlayerReady, View


@dataclass(frozen=True, slots=True)
class EpisodeRequest:
    """A request to play an episode.

    Attributes:
        actions: prescribed actions of the first steps; afterwards the agent chooses.
        person_drives: after `actions` each step waits for a person's action.
        at: the step to show first.
        person_acted: a person chose some of its actions, even if the agent continues it.
        from_training: a replay of a training episode; it ends after `actions`.
    """

    seed: int
    actions: tuple[int, ...] = ()
    person_drives: bool = False
    at: int = 0
    person_acted: bool = False
    from_training: bool = False

    @property
    def is_prescribed(self) -> bool:
        """Whether more than the seed is given; then the player does not continue with another episode by itself."""
        return bool(self.actions or self.person_drives)


class GrowingRows:
    """An array with one row per step, which grows by doubling."""

    def __init__(self) -> None:
        self._data: npt.NDArray[Any] | None = None
        self._size = 0

    def put(self, first: int, rows: npt.NDArray[Any]) -> None:
        """Write rows [first, first + n), without a gap to the earlier rows."""
        end = first + len(rows)
        if self._data is None:
            self._data = np.empty((max(256, end), *rows.shape[1:]), rows.dtype)
        elif end > len(self._data):
            grown = np.empty((max(end, 2 * len(self._data)), *self._data.shape[1:]), self._data.dtype)
            grown[: self._size] = self._data[: self._size]
            self._data = grown
        self._data[first:end] = rows
        self._size = max(self._size, end)

    @property
    def values(self) -> npt.NDArray[Any]:
        """The rows so far (n, ...), as a view."""
        return np.empty(0) if self._data is None else self._data[: self._size]


class PlayedEpisode:
    """The observations, action values, actions, rewards and views of an episode, one row per step.

    Attributes:
        ready: what the agent's network announced: views, labels, names.
        number, seed, epsilon: number, seed and share of random actions of the episode.
        weights_step: environment steps of training of its weights.
        request: the request that it answers.
        given: number of its first actions that were prescribed, not chosen by the agent.
        person_acted: a person drives it or drove a part of it.
        source: name of the weights (`newest weights`, `demo`).
        has_views: whether views are recorded.
        length: number of steps known so far; `ended`: no more will follow.
        t: the shown step, 0 … length; t = length is the state after the last step.
        legal_next: whether each action is legal at step `length`; empty if the environment does not tell.
    """

    def __init__(
        self, ready: PlayerReady, began: EpisodeBegan, source: str, request: EpisodeRequest | None = None
    ) -> None:
        self.ready, self.source = ready, source
        self.number, self.seed, self.epsilon = began.number, began.seed, began.epsilon
        self.weights_step, self.has_views = began.step, began.recorded
        self.request = request or EpisodeRequest(began.seed)
        self.given, self.person_acted = began.given, self.request.person_acted
        self.length = self.t = 0
        self.legal_next = began.legal
        self.ended = self.truncated = False
        self._rows: dict[str, GrowingRows] = {}

    def take(self, played: Played) -> None:
        """Add new steps."""
        if "legal" in played.tensors and "legal" not in self._rows and played.first:
            actions = played.tensors["legal"].shape[1]  # nothing was told before, so every action was legal
            self._rows["legal"] = GrowingRows()
            self._rows["legal"].put(0, np.ones((played.first, actions), np.bool_))
        self.legal_next = played.legal
        for name, rows in played.tensors.items():
            self._rows.setdefault(name, GrowingRows()).put(played.first, rows)
        self.length = max(self.length, played.first + len(played.tensors["action"]))
        self.ended, self.truncated = played.ended, played.truncated

    def _column(self, name: str) -> npt.NDArray[Any]:
        rows = self._rows.get(name)
        return np.empty(0) if rows is None else rows.values

    @property
    def q(self) -> npt.NDArray[np.float32]:
        """Action values (length, A)."""
        return self._column("q")

    @property
    def action(self) -> npt.NDArray[np.int64]:
        """Actions taken (length,)."""
        return self._column("action")

    @property
    def legal(self) -> npt.NDArray[np.bool_]:
        """Which actions were legal (length, A); empty if the environment does not tell."""
        return self._column("legal")

    def legal_at(self, t: int) -> tuple[bool, ...]:
        """Whether each action is legal at step t, 0 … length; empty if the environment does not tell."""
        if t >= self.length:
            return self.legal_next
        return tuple(self.legal[t].tolist()) if self.legal.ndim == 2 else ()

    @property
    def legal_q(self) -> npt.NDArray[np.float32]:
        """Action values (length, A), −inf for actions that were not legal."""
        q, legal = self.q, self.legal
        return np.where(legal, q, np.float32(-np.inf)) if legal.ndim == 2 else q

    @property
    def reward(self) -> npt.NDArray[np.float64]:
        """Raw rewards (length,)."""
        return self._column("reward")

    @property
    def observation(self) -> npt.NDArray[np.float32]:
        """Flat observations (length, F)."""
        return self._column("observation")

    @property
    def non_greedy_steps(self) -> npt.NDArray[np.int64]:
        """Ascending steps (n,) at which another action than the greedy legal one was taken.

        Values that are equal as they are shown may differ in the unit in which they are learned: each of them may be
        the greedy action's.
        """
        q = self.legal_q
        if q.ndim != 2 or not len(q):
            return np.empty(0, np.int64)
        several = self.several
        if several is not None:
            entries = several.entries(self.action[: len(q)])
            best = np.stack([part.max(axis=1) for part in np.split(q, several.first[1:], axis=1)], axis=1)
            return np.flatnonzero((np.take_along_axis(q, entries, 1) < best).any(axis=1))
        return np.flatnonzero(q[np.arange(len(q)), self.action[: len(q)]] < q.max(axis=1))

    # -- several choices at once -------------------------------------------------------------------

    @property
    def several(self) -> Choices | None:
        """The choices that each action consists of; None if it is one choice."""
        return Choices(self.ready.choices) if self.ready.choices else None

    @property
    def best_value(self) -> npt.NDArray[np.float32]:
        """The value of the best legal action (length,); of several choices, the mean of their best values."""
        q, several = self.legal_q, self.several
        if several is None:
            return np.asarray(q.max(axis=1), np.float32)
        return np.asarray(np.mean([part.max(axis=1) for part in np.split(q, several.first[1:], axis=1)], axis=0))

    def taken(self, t: int) -> tuple[int, ...]:
        """The entries of `q` that the action of step t has chosen: one, or one a choice."""
        several = self.several
        return (int(self.action[t]),) if several is None else tuple(several.entries(self.action[t]).tolist())

    def action_name(self, t: int) -> str:
        """The name of the action of step t, or its number; of several choices, a name a choice."""
        names = self.option_names
        return ", ".join(names[entry] if entry < len(names) else str(entry) for entry in self.taken(t))

    @property
    def option_names(self) -> tuple[str, ...]:
        """Names of the entries of `q`: of the actions, or of each choice's options with the name of their choice."""
        several, names = self.several, self.ready.actions
        if several is None or len(names) != several.options:
            return names
        sizes = zip(self.ready.dimensions, several.sizes, strict=True)
        owners = [name for name, size in sizes for _ in range(size)]
        return tuple(f"{owner} {name}" for owner, name in zip(owners, names, strict=True))

    @property
    def return_so_far(self) -> float:
        """Undiscounted sum of rewards before step t."""
        return float(self.reward[: self.t].sum())

    def view(self, name: str) -> npt.NDArray[np.float32]:
        """The values of a view (length, *shape); empty if it was not recorded."""
        return self._column(f"view/{name}")

    @property
    def views(self) -> Mapping[str, View]:
        """The announced views by name."""
        return {view.name: view for view in self.ready.views}

    def labels(self, axis: str, count: int) -> list[str]:
        """Labels of an axis: those the agent announced, or `head 1`, `head 2`, …"""
        known = self.ready.labels.get(axis, ())
        return list(known) if len(known) == count else [f"{axis} {index + 1}" for index in range(count)]
