"""An episode that an agent plays, as far as its steps are known: every panel about the agent draws from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.messages import EpisodeBegan, Played, PlayerReady, View


@dataclass(frozen=True, slots=True)
class EpisodeRequest:
    """An episode that the player is asked to play, whoever plays it.

    Attributes:
        actions: done first, whatever the agent says.
        person_drives: after `actions`, each step waits for the action of a person.
        at: the step that is shown first.
        person_acted: a person chose some of its actions, though the agent may go on in it.
        from_training: `actions` are all of an episode of the training; it goes no further.
    """

    seed: int
    actions: tuple[int, ...] = ()
    person_drives: bool = False
    at: int = 0
    person_acted: bool = False
    from_training: bool = False

    @property
    def is_prescribed(self) -> bool:
        """More than a seed was asked for: the player does not go on to another episode by itself."""
        return bool(self.actions or self.person_drives)


class GrowingRows:
    """Rows of one kind, one a step, in an array that grows by doubling."""

    def __init__(self) -> None:
        self._data: npt.NDArray[Any] | None = None
        self._size = 0

    def put(self, first: int, rows: npt.NDArray[Any]) -> None:
        """Write rows [first, first + n); they follow without a gap."""
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
    """An episode that an agent plays: its observations, values, actions, rewards and views, step by step.

    Attributes:
        ready: what the agent's network announced: views, labels, names.
        number, seed, epsilon: of the episode.
        weights_step: environment steps that its weights were trained for.
        request: what was asked for.
        given: how many of its first actions were given to it, rather than chosen by the agent.
        person_acted: a person drives it, or drove a part of it.
        source: where the weights come from, in words (`newest weights`, `demo`).
        has_views: views come with the steps.
        length: steps known so far; `ended`: there will be no more.
        t: the step that is shown, 0 … length; t = length is behind the last one.
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
        self.ended = self.truncated = False
        self._rows: dict[str, GrowingRows] = {}

    def take(self, played: Played) -> None:
        """Keep new steps."""
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
    def reward(self) -> npt.NDArray[np.float64]:
        """Raw rewards (length,)."""
        return self._column("reward")

    @property
    def observation(self) -> npt.NDArray[np.float32]:
        """What the agent saw (length, F), flat."""
        return self._column("observation")

    @property
    def non_greedy_steps(self) -> npt.NDArray[np.int64]:
        """Steps (n,), rising, whose action is not the one that the agent values most."""
        q = self.q
        if q.ndim != 2 or not len(q):
            return np.empty(0, np.int64)
        return np.flatnonzero(np.argmax(q, axis=1) != self.action[: len(q)])

    @property
    def return_so_far(self) -> float:
        """Undiscounted reward before step t."""
        return float(self.reward[: self.t].sum())

    def view(self, name: str) -> npt.NDArray[np.float32]:
        """A view's rows (length, *shape); empty where it was not recorded."""
        return self._column(f"view/{name}")

    @property
    def views(self) -> Mapping[str, View]:
        """The announced views by name."""
        return {view.name: view for view in self.ready.views}

    def labels(self, axis: str, count: int) -> list[str]:
        """Names along an axis: announced ones, or `head 1`, `head 2`, …"""
        known = self.ready.labels.get(axis, ())
        return list(known) if len(known) == count else [f"{axis} {index + 1}" for index in range(count)]
