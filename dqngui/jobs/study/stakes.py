"""What is at stake at each step of many episodes, and how much of it each removal of places takes away.

At stake is the advantage of the chosen action: how much more it is worth than the others on average. (The gap to the
second-best action alone would be zero wherever two actions do the same.) A choice matters at the steps of an episode at
which at least `DECIDING` of that episode's largest stake is at stake.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.jobs.study.collecting import ParallelStep
from dqngui.jobs.study.playing_on import Branch
from dqngui.nets.legal import only_legal

DECIDING = 0.5
"""A choice matters where the stake is at least this share of the largest one of its episode."""
PLAYED = 2
"""Largest number of steps of an episode from which it is played on."""
RANDOM_PLAYED = 2
"""How many of the random removals of such a step are played on."""

Array = NDArray[np.float64]
Kind = Literal["other", "top", "random"]
_COLUMNS = ("stake", "top", "random", "top_changed", "random_changed", "concentration", "multiple")


def advantage(q: Tensor, action: Tensor, legal: Tensor | None = None) -> Tensor:
    """How much more an action is worth than the other legal ones on average, of q (..., A) and action (...), (...).

    `legal` (..., A): which actions are legal; None: all. Where only the action itself is legal, nothing is at stake: 0.
    """
    chosen = q.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    if legal is None:
        count = q.shape[-1]
        return (chosen * count - q.sum(-1)) / (count - 1)
    number = legal.sum(-1)
    return (chosen * number - (q * legal).sum(-1)) / (number - 1).clamp(min=1)


@dataclass(frozen=True, slots=True)
class MeasuredStep:
    """What removing places does at one step of each of n episodes.

    Attributes:
        eligible: there are more places than are removed, (n,).
        concentration: of the map, (n,); `multiple` how many times their even share the removed places weigh.
        q: action values with nothing removed, without the largest weights, and without random places, (2 + draws, n,
            A).
        states: the network's next state in each of these cases, parts (2 + draws, n, ...).
        other: an action that is not the greedy one, (n,).
    """

    eligible: NDArray[np.bool_]
    concentration: Array
    multiple: Array
    q: Tensor
    states: tuple[Tensor, ...]
    other: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PlayedBranch:
    """A branch, with the episode's index, and its `kind`: another action, or without which places.

    Attributes:
        weight: over how many branches of this kind and step the mean is taken, whether they are played or not.
    """

    episode: int
    kind: Kind
    weight: int
    branch: Branch


@dataclass(frozen=True, slots=True, eq=False)
class _KeptStep:
    """A step with much at stake, and the branches from it that differ from the unchanged episode."""

    t: int
    stake: float
    branches: tuple[PlayedBranch, ...]


class MeasuredSteps:
    """The measured steps of all episodes.

    Attributes:
        returns: undiscounted return of each episode, by index.
    """

    def __init__(self) -> None:
        self.returns: dict[int, float] = {}
        self._columns: dict[str, list[Array]] = {name: [] for name in _COLUMNS}
        self._places: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]] = []
        self._q: list[Array] = []
        self._actions: dict[int, list[int]] = {}
        self._digests: dict[int, int] = {}
        self._kept: dict[int, list[_KeptStep]] = {}

    def take(self, step: ParallelStep, measured: MeasuredStep) -> None:
        """Add one step of each of n episodes."""
        q = measured.q
        legal = None if step.legal is None else torch.from_numpy(step.legal)
        best = only_legal(q, legal).argmax(-1)  # (2 + draws, n)
        greedy = best[0]
        left = advantage(q, greedy.expand(q.shape[:2]), legal).numpy()
        changed = (best != greedy).numpy()
        rows = (
            left[0],
            left[0] - left[1],
            left[0] - left[2:].mean(0),
            changed[1].astype(np.float64),
            changed[2:].mean(0),
            measured.concentration,
            measured.multiple,
        )
        for name, values in zip(_COLUMNS, rows, strict=True):
            self._columns[name].append(np.asarray(values, np.float64))
        self._places.append((step.episode, step.t, measured.eligible))
        self._q.append((q[0] if legal is None else q[0][legal]).numpy().ravel())
        for row, episode in enumerate(step.episode.tolist()):
            if measured.eligible[row]:
                self._keep(step, measured, row, float(left[0, row]), best[:, row].tolist())
            action = int(step.action[row])
            self._actions.setdefault(episode, []).append(action)
            self.returns[episode] = self.returns.get(episode, 0.0) + float(step.reward[row])
            seen = b"".join(part[0, row].numpy().tobytes() for part in step.inputs.observation.values())
            told = seen + np.array([action, step.reward[row]]).tobytes()
            self._digests[episode] = zlib.crc32(told, self._digests.get(episode, 0))

    def _keep(self, step: ParallelStep, measured: MeasuredStep, row: int, stake: float, actions: list[int]) -> None:
        """Keep the branches of a step if it is one of its episode's steps with the most at stake. `actions` are the
        greedy ones of each case.
        """
        episode, t = int(step.episode[row]), int(step.t[row])
        kept = self._kept.setdefault(episode, [])
        if len(kept) == PLAYED and stake <= kept[-1].stake:
            return
        kept.append(_KeptStep(t, stake, tuple(self._branches(step, measured, row, actions))))
        kept.sort(key=lambda each: -each.stake)
        del kept[PLAYED:]

    def _branches(
        self, step: ParallelStep, measured: MeasuredStep, row: int, actions: list[int]
    ) -> Iterator[PlayedBranch]:
        """The branches of a step, without those after which the episode goes on as it did."""
        episode = int(step.episode[row])
        past = np.array(self._actions.get(episode, []), np.int64)
        observation = {name: part[0, row].numpy() for name, part in step.inputs.observation.items()}
        draws = min(RANDOM_PLAYED, len(measured.q) - 2)
        cases: list[tuple[Kind, int, int]] = [("other", 0, int(measured.other[row])), ("top", 1, actions[1])]
        cases += [("random", 2 + draw, actions[2 + draw]) for draw in range(draws)]
        unchanged = [part[0, row] for part in measured.states]
        for kind, case, action in cases:
            state = tuple(part[case, row : row + 1] for part in measured.states)
            same = all(torch.equal(one[0], other) for one, other in zip(state, unchanged, strict=True))
            if action != actions[0] or not same:
                branch = Branch(episode, past, observation, action, tuple(part.clone() for part in state))
                yield PlayedBranch(episode, kind, draws if kind == "random" else 1, branch)

    # -- results ----------------------------------------------------------------------------------

    @property
    def eligible_episodes(self) -> int:
        """Number of episodes with a step at which there are enough places."""
        return len(self._kept)

    @property
    def all_alike(self) -> bool:
        """Whether all episodes are the same."""
        return len(set(self._digests.values())) == 1

    @property
    def spread(self) -> float:
        """Standard deviation of the action values over all steps and actions."""
        return max(float(np.concatenate(self._q).std()), 1e-12)

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], dict[str, Array]]:
        """Episode (m,), step (m,) and measures (m,) of all m steps that have enough places. Measures: `stake`, and of
        it what is lost without the largest weights, `top`, and random ones, `random`; `top_changed` and
        `random_changed`, shares of removals that change the action; `concentration` and `multiple`; and `deciding`, 1
        where the choice matters.
        """
        episode, t, eligible = (np.concatenate(each) for each in zip(*self._places, strict=True))
        values = {name: np.concatenate(each)[eligible] for name, each in self._columns.items()}
        episode, t = episode[eligible], t[eligible]
        largest = np.zeros(int(episode.max()) + 1)
        np.maximum.at(largest, episode, values["stake"])
        values["deciding"] = (values["stake"] >= DECIDING * largest[episode]).astype(np.float64)
        return episode, t, values

    def played_steps(self) -> dict[int, list[int]]:
        """By episode the steps from which it is played on."""
        return {episode: [each.t for each in self._deciding(kept)] for episode, kept in self._kept.items()}

    def branches(self) -> list[PlayedBranch]:
        """All branches that have to be played on; where nothing changes there is none."""
        return [branch for kept in self._kept.values() for each in self._deciding(kept) for branch in each.branches]

    @staticmethod
    def _deciding(kept: list[_KeptStep]) -> list[_KeptStep]:
        return [each for each in kept if each.stake >= DECIDING * kept[0].stake]
