"""Observations of a replay's rows: each part whole, or each frame of a stack once.

A stack of n frames, the oldest first, repeats n − 1 frames of the stack before it. An environment says that it shows
stacks (`Spaces.frames`); here it is compared with every observation before it is believed. Where a stack is the newest
frames of its episode, only the newest one is kept. Before an episode's first frame there are copies of it, or zeros;
both are told from each other by what comes. Every other stack is kept whole. So what is read is what was stored, bit
for bit, whatever the environment does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from dqngui.bounded import memory_of_process
from dqngui.config import ConfigError
from dqngui.envs.parts import ObservationPart
from dqngui.envs.spaces import Spaces
from dqngui.learning.saved import check_array, check_observation, require, require_between
from dqngui.learning.windows import Steps
from dqngui.texts import say

REPEATED, ZEROS, WHOLE = 0, 1, 2
"""What stands in a stack before its episode's first frame: copies of it, or zeros; or the stack is kept whole."""
_AT_ONCE = 256
"""Number of whole stacks of an earlier version that are taken over at once."""
_FIRST_LOOK = 1024
"""Number of stacks kept whole at which the memory that they will take is computed first."""


def bytes_of_observations(spaces: Spaces, num_envs: int, rows: int) -> int:
    """Bytes of the observations of `rows` rows of each environment."""
    total = 0
    for part in spaces.parts:
        frames = spaces.frames_of(part)
        total += num_envs * (rows + max(0, frames - 1)) * spaces.kept_bytes(part) + (num_envs * rows if frames else 0)
    return total


class PartRows(Protocol):
    """The rows of one part. A row of the ring has a position in its environment's steps and in an episode that begins
    at `start`; all three have the same shape, or shapes that go together.
    """

    values: NDArray[Any]

    def put(self, row: Steps, position: Steps, start: Steps, values: NDArray[Any]) -> None:
        """Store the observations (K, F) of new rows (K,)."""

    def at(self, row: Steps, position: Steps, start: Steps) -> NDArray[Any]:
        """The observations (…, F) of rows (…)."""

    @property
    def older(self) -> int:
        """Number of rows before the oldest one from which something is read."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""

    def restore(self, arrays: Mapping[str, NDArray[Any]], stored: Sequence[tuple[Steps, Steps, Steps]]) -> None:
        """Take over what `arrays` gave; `stored` as in `Observations.restore`. Raises KeyError, DoesNotFit."""

    def cut(self, row: Steps, position: Steps) -> dict[str, NDArray[Any]]:
        """What `paste` needs for these rows (K,), by name."""

    def paste(self, row: Steps, position: Steps, columns: Mapping[str, NDArray[Any]]) -> None:
        """Store what `cut` gave. Raises KeyError, DoesNotFit."""


class WholeRows:
    """The rows of a part as they are.

    Attributes:
        values: (rows of all environments, F).
    """

    older = 0

    def __init__(self, part: ObservationPart, rows: int) -> None:
        self._part, self._name = part, f"observation.{part.name}"
        self.values = np.zeros((rows, *part.shape), dtype=part.dtype)

    def put(self, row: Steps, position: Steps, start: Steps, values: NDArray[Any]) -> None:
        self.values[row] = values

    def at(self, row: Steps, position: Steps, start: Steps) -> NDArray[Any]:
        return self.values[row]

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {self._name: self.values}

    def restore(self, arrays: Mapping[str, NDArray[Any]], stored: Sequence[tuple[Steps, Steps, Steps]]) -> None:
        check_observation(self._part, arrays[self._name], self.values.shape[:1])
        self.values[...] = arrays[self._name]

    def cut(self, row: Steps, position: Steps) -> dict[str, NDArray[Any]]:
        return {self._name: self.values[row]}

    def paste(self, row: Steps, position: Steps, columns: Mapping[str, NDArray[Any]]) -> None:
        check_observation(self._part, columns[self._name], row.shape)
        self.values[row] = columns[self._name]


class FrameRows:
    """The rows of a part that is a stack of `frames` frames: the newest frame of each row, and whole stacks where these
    do not give it.

    Attributes:
        values: the newest frames, (environments · (rows + frames − 1), F / frames): a ring of its own for each
            environment, so that the oldest rows still find their older frames.
    """

    def __init__(self, part: ObservationPart, num_envs: int, rows: int, frames: int) -> None:
        self._part, self._rows, self._frames = part, rows, frames
        self._length = rows + frames - 1
        size = part.shape[0] // frames
        sizes = part.sizes[-size:] if part.kind == "discrete" else part.sizes
        self._frame = msgspec.structs.replace(part, name=part.name, shape=(size,), sizes=sizes)
        self.values = np.zeros((num_envs * self._length, size), dtype=part.dtype)
        self._bits = np.dtype(f"u{self.values.dtype.itemsize}")  # NaN and −0 are compared as what they are
        self._kind = np.zeros(num_envs * rows, dtype=np.uint8)
        self._whole: dict[int, NDArray[Any]] = {}  # stacks (frames, F / frames) that are kept whole, by row
        self._back = np.arange(frames)[::-1]
        self._look, self._seen = _FIRST_LOOK, 0  # number of rows that were stored so far

    @property
    def older(self) -> int:
        return self._frames - 1

    def put(self, row: Steps, position: Steps, start: Steps, values: NDArray[Any]) -> None:
        stacks = np.ascontiguousarray(values, self.values.dtype).reshape(len(row), self._frames, self.values.shape[1])
        self._forget(row)
        self._seen += len(row)
        self.values[self._slots(row, position)] = stacks[:, -1]
        self._kind[row] = REPEATED
        before = self._taken(row, position, start)
        if np.array_equal(before.view(self._bits), stacks.view(self._bits)):
            return
        for index in range(len(row)):
            self._put_other(int(row[index]), int(position[index]) - int(start[index]), before[index], stacks[index])

    def _put_other(self, row: int, age: int, repeated: NDArray[Any], stack: NDArray[Any]) -> None:
        """Note how a stack differs from the newest frames of its episode with copies of the first one before it."""
        if np.array_equal(repeated.view(self._bits), stack.view(self._bits)):
            return
        missing = max(0, self._frames - 1 - age)
        repeated[:missing] = 0
        if missing and np.array_equal(repeated.view(self._bits), stack.view(self._bits)):
            self._kind[row] = ZEROS
            return
        self._kind[row] = WHOLE
        self._whole[row] = stack.copy()
        if len(self._whole) >= self._look:
            self._look *= 2
            self._check_room()

    def _check_room(self) -> None:
        """Raises ConfigError if the stacks kept whole will take more memory than there is."""
        share = len(self._whole) / min(self._seen, len(self._kind))
        needed = self.values.nbytes + share * len(self._kind) * self._part.bytes
        if needed > memory_of_process():
            raise ConfigError(
                "train.no_stacks",
                part=self._part.name,
                frames=self._frames,
                share=share,
                needed=say("size.gigabytes", size=needed / 2**30),
                room=say("size.gigabytes", size=memory_of_process() / 2**30),
            )

    def at(self, row: Steps, position: Steps, start: Steps) -> NDArray[Any]:
        stacks = self._taken(row, position, start)
        kind = self._kind[row]
        if kind.any():
            missing = (kind == ZEROS)[..., None] & (position[..., None] - self._back < start[..., None])
            stacks[missing] = 0
            for place in np.argwhere(kind == WHOLE):
                stacks[tuple(place)] = self._whole[int(row[tuple(place)])]
        return stacks.reshape(*row.shape, self._part.shape[0])

    def _taken(self, row: Steps, position: Steps, start: Steps) -> NDArray[Any]:
        """The newest frames (…, frames, F / frames) of the episodes; before an episode's first one, copies of it."""
        wanted = np.maximum(position[..., None] - self._back, start[..., None])
        return self.values.take(self._slots(row[..., None], wanted), axis=0)

    def _slots(self, row: Steps, position: Steps) -> Steps:
        slots: Steps = row // self._rows * self._length + position % self._length
        return slots

    def _forget(self, row: Steps) -> None:
        if self._whole:
            for each in row.ravel().tolist():
                self._whole.pop(each, None)

    # -- saving -----------------------------------------------------------------------------------

    def _names(self) -> tuple[str, str, str, str]:
        name = self._part.name
        return f"frames.{name}", f"before.{name}", f"whole_rows.{name}", f"whole.{name}"

    def _stacks(self, rows: Sequence[int]) -> NDArray[Any]:
        stacks = [self._whole[row].ravel() for row in rows]
        return np.array(stacks, self.values.dtype).reshape(len(stacks), self._part.shape[0])

    def arrays(self) -> dict[str, NDArray[Any]]:
        rows = sorted(self._whole)
        parts = self.values, self._kind, np.array(rows, dtype=np.int64), self._stacks(rows)
        return dict(zip(self._names(), parts, strict=True))

    def restore(self, arrays: Mapping[str, NDArray[Any]], stored: Sequence[tuple[Steps, Steps, Steps]]) -> None:
        every = arrays.get(f"observation.{self._part.name}")
        if every is not None:  # an earlier version kept every stack whole
            check_observation(self._part, every, self._kind.shape)
            for row, position, start in stored:
                for first in range(0, len(row), _AT_ONCE):
                    some = slice(first, first + _AT_ONCE)
                    self.put(row[some], position[some], start[some], every[row[some]])
            return
        values, kind, rows, whole = (arrays[name] for name in self._names())
        check_observation(self._frame, values, self.values.shape[:1])
        self._check(kind, rows, whole, len(self._kind))
        self.values[...], self._kind[...] = values, kind
        self._whole = {int(row): stack for row, stack in zip(rows, self._as_stacks(whole), strict=True)}

    def cut(self, row: Steps, position: Steps) -> dict[str, NDArray[Any]]:
        kind = self._kind[row]
        kept = np.flatnonzero(kind == WHOLE)
        whole = self._stacks(row[kept].tolist())
        parts = self.values[self._slots(row, position)], kind, kept.astype(np.int64), whole
        return dict(zip(self._names(), parts, strict=True))

    def paste(self, row: Steps, position: Steps, columns: Mapping[str, NDArray[Any]]) -> None:
        values, kind, rows, whole = (columns[name] for name in self._names())
        check_observation(self._frame, values, row.shape)
        self._check(kind, rows, whole, len(row))
        self._forget(row)
        self._seen += len(row)
        self.values[self._slots(row, position)], self._kind[row] = values, kind
        for place, stack in zip(rows.tolist(), self._as_stacks(whole), strict=True):
            self._whole[int(row[place])] = stack

    def _as_stacks(self, whole: NDArray[Any]) -> NDArray[Any]:
        return whole.astype(self.values.dtype).reshape(len(whole), self._frames, self.values.shape[1])

    def _check(self, kind: NDArray[Any], rows: NDArray[Any], whole: NDArray[Any], count: int) -> None:
        """Raises DoesNotFit if there is not exactly one whole stack for each row that needs one."""
        name = f"before.{self._part.name}"
        check_array(name, kind, (count,), np.uint8)
        require_between(name, kind, REPEATED, WHOLE)
        check_array(f"whole_rows.{self._part.name}", rows, np.flatnonzero(kind == WHOLE).shape, np.int64)
        require(bool((rows == np.flatnonzero(kind == WHOLE)).all()), f"whole_rows.{self._part.name}")
        check_observation(self._part, whole, rows.shape)


class Observations:
    """The observations of a replay's rows, part by part.

    Args:
        rows: rows of one environment's ring.
    """

    def __init__(self, spaces: Spaces, num_envs: int, rows: int) -> None:
        self._parts: dict[str, PartRows] = {}
        for part in spaces.parts:
            frames = spaces.frames_of(part)
            self._parts[part.name] = (
                FrameRows(part, num_envs, rows, frames) if frames else WholeRows(part, num_envs * rows)
            )
        self.older = max(part.older for part in self._parts.values())

    @property
    def values(self) -> dict[str, NDArray[Any]]:
        """The numbers that are stored, by part: whole observations, or single frames."""
        return {name: part.values for name, part in self._parts.items()}

    def put(self, row: Steps, position: Steps, start: Steps, parts: Mapping[str, NDArray[Any]]) -> None:
        """Store the observations (K, F) of new rows (K,) in order of their positions. Raises ConfigError if there is no
        memory for stacks that are none.
        """
        for name, values in parts.items():
            self._parts[name].put(row, position, start, values)

    def at(self, row: Steps, position: Steps, start: Steps) -> dict[str, NDArray[Any]]:
        """The observations (…, F) of rows (…)."""
        return {name: part.at(row, position, start) for name, part in self._parts.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs, by name."""
        return {name: array for part in self._parts.values() for name, array in part.arrays().items()}

    def restore(self, arrays: Mapping[str, NDArray[Any]], stored: Sequence[tuple[Steps, Steps, Steps]]) -> None:
        """Take over what `arrays` gave, of this version or of an earlier one, which kept every stack whole.

        Args:
            stored: row, position and start of the stored rows of each environment, in order.

        Raises KeyError, DoesNotFit.
        """
        for part in self._parts.values():
            part.restore(arrays, stored)

    def cut(self, row: Steps, position: Steps) -> dict[str, NDArray[Any]]:
        """What `paste` needs for these rows, by name."""
        return {name: array for part in self._parts.values() for name, array in part.cut(row, position).items()}

    def paste(self, row: Steps, position: Steps, columns: Mapping[str, NDArray[Any]]) -> None:
        """Store what `cut` gave, in order of positions. Raises KeyError, DoesNotFit."""
        for part in self._parts.values():
            part.paste(row, position, columns)
