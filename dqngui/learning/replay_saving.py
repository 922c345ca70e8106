"""Saving and restoring a replay: whole, or piece by piece.

Whole, each array is saved as it is. Piece by piece, a save needs only the rows that are new since the last one, because
nothing that is saved of a row changes later: how its episode ended is told by the episode's last row. What changes all
the time (priorities) and what is small is saved whole each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dqngui.learning.episode_table import EpisodeTable
from dqngui.learning.legal_rows import LegalRows
from dqngui.learning.priorities import WindowPriorities
from dqngui.learning.saved import check_array, check_like, require, require_between
from dqngui.learning.stored_observations import Observations
from dqngui.learning.windows import Steps

Arrays = Mapping[str, NDArray[Any]]
GrownRows = tuple[Sequence[int], Sequence[int], Arrays]
"""First and last position (exclusive) of each environment's rows, (N,) each, and their columns by name."""
_RUNNING, _TRUNCATED = 0, 2  # as in `replay`


class SavedReplay(Protocol):
    """What is saved of a replay; its attributes are described there."""

    num_envs: int
    rows: int
    stride: int
    slots: int
    actions: int
    offset: Steps
    head: Steps
    episode_start: Steps
    action: NDArray[np.int64]
    reward: NDArray[np.float64]
    start: Steps
    end: Steps
    ending: NDArray[np.uint8]
    stored: Observations
    legal: LegalRows
    cuts: NDArray[np.bool_] | None
    priorities: WindowPriorities | None
    episodes: EpisodeTable
    states: tuple[NDArray[Any], ...]
    slot: NDArray[np.int32]
    next_slot: Steps
    bytes_of_steps: int
    bytes_of_states: int


class ReplaySaving:
    """Saves and restores one replay.

    Attributes:
        origin: what the rows that were restored piece by piece say of where they lie; it is not used here.
    """

    def __init__(self, replay: SavedReplay) -> None:
        self._replay = replay
        self.origin: Sequence[Any] = ()

    # -- whole ------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""
        return self._replay.stored.arrays() | self._columns() | self.rest()

    def rest(self) -> dict[str, NDArray[Any]]:
        """What is saved whole in any case."""
        replay = self._replay
        kept = self._counts()
        return kept if replay.priorities is None else kept | replay.priorities.arrays()

    def restore(self, arrays: Arrays, grown: Iterable[GrownRows] = ()) -> None:
        """Take over what `arrays` gave; or what `rest` and, row by row, `columns` gave.

        Raises KeyError or DoesNotFit when it does not fit.
        """
        replay = self._replay
        check_like(arrays, self._counts())
        for name, column in self._counts().items():
            column[...] = arrays[name]
        require_between("head", replay.head, 0, 2**53)
        require_between("episode_start", replay.episode_start, 0, replay.head)
        if replay.states:
            require_between("next_slot", replay.next_slot, 0, 2**53)
        if "taken" in arrays:
            self._restore_columns(arrays)
        else:
            self._restore_grown(grown)
        self._check()
        if "taken" in arrays:
            stored = [(row, position, replay.start[row]) for row, position in map(self._stored, range(replay.num_envs))]
            replay.stored.restore(arrays, stored)
        if replay.priorities is not None:
            check_like(arrays, replay.priorities.arrays())
            replay.priorities.restore(arrays)
        for env in range(replay.num_envs):
            row, _ = self._stored(env)
            begins = np.unique(np.append(replay.start[row], replay.episode_start[env]))
            require(len(begins) <= replay.episodes.slots, "start")
            replay.episodes.rebuild(env, begins)

    def _restore_columns(self, arrays: Arrays) -> None:
        replay = self._replay
        check_like(arrays, self._columns() | {"cuts": np.zeros(len(replay.action), dtype=np.bool_)})
        replay.cuts = arrays["cuts"].astype(np.bool_) if "cuts" in arrays else None
        replay.legal.restore(arrays)
        for name, column in self._columns().items():
            if name not in ("legal", "cuts"):
                column[...] = arrays[name]

    def _counts(self) -> dict[str, NDArray[Any]]:
        """Numbers of each environment, by their names on disk."""
        replay = self._replay
        counts: dict[str, NDArray[Any]] = {"head": replay.head, "episode_start": replay.episode_start}
        return {**counts, "next_slot": replay.next_slot} if replay.states else counts

    def _columns(self) -> dict[str, NDArray[Any]]:
        """Arrays of all rows but the observations, by their names on disk."""
        replay = self._replay
        columns: dict[str, NDArray[Any]] = {
            "taken": replay.action,
            "reward": replay.reward,
            "start": replay.start,
            "end": replay.end,
            "ending": replay.ending,
        }
        if replay.states:
            columns["slot"] = replay.slot
        columns |= {f"state.{index}": state for index, state in enumerate(replay.states)}
        if replay.cuts is not None:
            columns["cuts"] = replay.cuts
        return columns | replay.legal.arrays()

    def _stored(self, env: int) -> tuple[Steps, Steps]:
        """Rows and positions of what is stored of an environment, the oldest first."""
        replay = self._replay
        head = int(replay.head[env])
        position = np.arange(max(0, head - replay.rows), head)
        return replay.offset[env] + position % replay.rows, position

    def _check(self) -> None:
        """Raises DoesNotFit if what was taken over contradicts itself."""
        replay = self._replay
        require_between("taken", replay.action, 0, replay.actions - 1)
        require_between("ending", replay.ending, _RUNNING, _TRUNCATED)
        if replay.states:
            require_between("slot", replay.slot, 0, replay.num_envs * replay.slots - 1)
        for env in range(replay.num_envs):
            row, position = self._stored(env)
            start, end = replay.start[row], replay.end[row]
            require_between("start", start, 0, position)
            require(bool(((end == -1) | ((end >= position) & (end < replay.head[env]))).all()), "end")
            same = start[1:] == start[:-1]
            require(bool((same | (start[1:] == position[1:])).all()), "start")
            require(bool((end[1:] == end[:-1])[same].all()), "end")

    # -- piece by piece ---------------------------------------------------------------------------

    @property
    def bytes_of_row(self) -> int:
        """Bytes of a row, about."""
        replay = self._replay
        return max(1, (replay.bytes_of_steps + replay.bytes_of_states) // len(replay.action))

    def extent(self) -> tuple[list[int], list[int]]:
        """First position that is still needed and the one after the last, of each environment."""
        replay = self._replay
        first = np.maximum(0, replay.head - replay.rows - replay.stored.older)
        return first.tolist(), replay.head.tolist()

    def columns(self, first: Sequence[int], stop: Sequence[int]) -> dict[str, NDArray[Any]]:
        """The rows of each environment from `first` to before `stop`, (N,) each, by name."""
        replay = self._replay
        env, position = _positions(first, stop)
        row = replay.offset[env] + position % replay.rows
        closing = np.where(replay.end[row] == position, replay.ending[row], 0).astype(np.uint8)
        kept = replay.stored.cut(row, position)
        kept |= {"taken": replay.action[row], "reward": replay.reward[row], "start": replay.start[row]}
        kept["closing"] = closing
        kept |= replay.legal.cut(row)
        if replay.cuts is not None:
            kept["cuts"] = replay.cuts[row]
        if replay.states:
            age = position - replay.start[row]
            due = (age > 0) & (age % replay.stride == 0) & (closing == 0)
            stated = np.flatnonzero(due & (position >= replay.head[env] - replay.rows))
            kept["stated"], kept["slot"] = stated, replay.slot[row[stated]]
            kept |= {f"state.{index}": state[kept["slot"]] for index, state in enumerate(replay.states)}
        return kept

    def _restore_grown(self, grown: Iterable[GrownRows]) -> None:
        replay = self._replay
        replay.cuts = None
        needed, head = self.extent()
        reached: list[int] | None = None
        for first, stop, columns in grown:
            first, stop = list(first), list(stop)
            fits = len(first) == len(stop) == replay.num_envs and first == (first if reached is None else reached)
            require(fits and all(0 <= a <= b <= c for a, b, c in zip(first, stop, head, strict=True)), "segments")
            require(reached is not None or all(a <= b for a, b in zip(first, needed, strict=True)), "segments")
            self._paste(first, stop, columns)
            reached = stop
        require((reached or [0] * replay.num_envs) == head, "segments")
        self.origin = getattr(grown, "named", ())
        for env in range(replay.num_envs):
            self._close_episodes(env)

    def _paste(self, first: Sequence[int], stop: Sequence[int], columns: Arrays) -> None:
        replay = self._replay
        count = sum(b - a for a, b in zip(first, stop, strict=True))
        require(columns["taken"].shape[:1] == (count,), "taken")  # before room is made for so many
        env, position = _positions(first, stop)
        row = replay.offset[env] + position % replay.rows
        own = {"taken": replay.action, "reward": replay.reward, "start": replay.start}
        for name, column in own.items():
            check_array(name, columns[name], (count, *column.shape[1:]), column.dtype)
            column[row] = columns[name]
        check_array("closing", columns["closing"], (count,), np.uint8)
        require_between("closing", columns["closing"], _RUNNING, _TRUNCATED)
        replay.end[row], replay.ending[row] = -1, columns["closing"]
        replay.stored.paste(row, position, columns)
        replay.legal.paste(row, columns)
        if "cuts" in columns:
            check_array("cuts", columns["cuts"], (count,), np.bool_)
        if replay.cuts is None and "cuts" in columns:
            replay.cuts = np.zeros(len(replay.action), dtype=np.bool_)
        if replay.cuts is not None:
            replay.cuts[row] = columns.get("cuts", False)
        if replay.states:
            self._paste_states(row, columns)

    def _paste_states(self, row: Steps, columns: Arrays) -> None:
        replay = self._replay
        stated, slot = columns["stated"], columns["slot"]
        check_array("stated", stated, (len(stated),), np.int64)
        check_array("slot", slot, stated.shape, replay.slot.dtype)
        require_between("stated", stated, 0, len(row) - 1)
        require_between("slot", slot, 0, replay.num_envs * replay.slots - 1)
        replay.slot[row[stated]] = slot
        for index, state in enumerate(replay.states):
            values = columns[f"state.{index}"]
            check_array(f"state.{index}", values, (len(slot), *state.shape[1:]), state.dtype)
            state[slot] = values

    def _close_episodes(self, env: int) -> None:
        """Tell each row how its episode ended, from the last rows of the episodes."""
        replay = self._replay
        row, position = self._stored(env)
        closing, start = replay.ending[row], replay.start[row]
        last = np.flatnonzero(closing)
        if not len(last):
            return
        place = np.searchsorted(last, np.arange(len(row)))
        ends = last[np.minimum(place, len(last) - 1)]
        closed = (place < len(last)) & (start[ends] == start)
        replay.end[row] = np.where(closed, position[ends], -1)
        replay.ending[row] = np.where(closed, closing[ends], _RUNNING)


def _positions(first: Sequence[int], stop: Sequence[int]) -> tuple[Steps, Steps]:
    """Environment and position of each row of these stretches, one for each environment."""
    positions = [np.arange(a, b) for a, b in zip(first, stop, strict=True)]
    env = np.repeat(np.arange(len(positions)), [len(each) for each in positions])
    return env, np.concatenate(positions)
