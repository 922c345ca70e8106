"""The seed and actions of every episode, about a byte a step: enough to play each again.

`episodes.idx` holds one fixed record an episode, `episodes.dat` the actions, in the smallest
unsigned integers that hold them. Both only grow; a torn end is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dqngui.bounded import MEGABYTE, open_regular
from dqngui.config import ConfigError
from dqngui.runs.files import AppendFile

DATA, INDEX = "episodes.dat", "episodes.idx"
MOST = 64 * 1024 * MEGABYTE
MOST_INDEX, MOST_EPISODE = 1024 * MEGABYTE, 64 * MEGABYTE
"""Bytes that are read at once: of the index, more than twenty million episodes, and the actions of one episode."""

RECORD = np.dtype(
    [
        ("step", "<i8"),  # environment steps of the run when the episode ended
        ("env", "<i4"),
        ("episode", "<i8"),
        ("seed", "<i8"),
        ("offset", "<i8"),  # first byte of its actions in the data file
        ("length", "<i8"),  # steps
        ("width", "<i4"),  # bytes an action
    ]
)


@dataclass(frozen=True, slots=True)
class EpisodeTrace:
    """One finished training episode, as it can be played again.

    Attributes:
        step: environment steps of the run when it ended.
        env, episode: index of the environment, and of the episode in it, both 0-based.
        seed: what its environment was reset with.
        actions: (length,) integers >= 0.
    """

    step: int
    env: int
    episode: int
    seed: int
    actions: np.ndarray


class EpisodeFiles:
    """The pair of files while a run writes it."""

    def __init__(self, folder: Path, lengths: tuple[int, int] | None = None) -> None:
        """Open both; with `lengths` (data, index) they must have exactly so many bytes (ValueError)."""
        data, index = lengths or (None, None)
        self._data = AppendFile(folder / DATA, data)
        self._index = AppendFile(folder / INDEX, index)

    @property
    def lengths(self) -> tuple[int, int]:
        """Bytes of the data and of the index."""
        return self._data.length, self._index.length

    def append(self, trace: EpisodeTrace) -> None:
        """Add one episode to the buffers."""
        actions = np.asarray(trace.actions)
        kind = np.min_scalar_type(int(actions.max())) if actions.size else np.dtype("u1")
        record = np.zeros((), RECORD)
        record[()] = (
            trace.step, trace.env, trace.episode, trace.seed, self._data.length, actions.size, kind.itemsize
        )  # fmt: skip
        self._data.append(actions.astype(kind.newbyteorder("<")).tobytes())
        self._index.append(record.tobytes())

    def flush(self) -> None:
        # Data first: an index record on disk may only point at actions that are there.
        self._data.flush()
        self._index.flush()

    @property
    def files(self) -> tuple[AppendFile, AppendFile]:
        """The data and the index."""
        return self._data, self._index

    @property
    def syncs(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """What waits for the disk, after `flush`; may run at the same time."""
        return self._data.sync, self._index.sync

    def close(self) -> None:
        try:
            self._data.close()
        finally:
            self._index.close()


def read_index(folder: Path) -> np.ndarray:
    """(episodes,) records of type `RECORD`, in the order in which they ended; only whole ones.

    Raises ConfigError if they cannot be read.
    """
    try:
        size = (folder / DATA).stat().st_size
        with open_regular(folder / INDEX, MOST) as file:  # an episode has an action, of at least one byte
            raw = file.read(min(MOST_INDEX, size * RECORD.itemsize))
    except FileNotFoundError:
        return np.zeros(0, RECORD)
    except OSError as error:
        raise ConfigError("file.unreadable", path=folder / INDEX, problem=error.strerror) from None
    index = np.frombuffer(raw[: len(raw) // RECORD.itemsize * RECORD.itemsize], RECORD)
    offset, length, width = (index[name].astype(np.float64) for name in ("offset", "length", "width"))  # none overflows
    whole = (offset >= 0) & (length >= 0) & (width > 0) & (offset + length * width <= size)
    return index[: len(index) if whole.all() else int(np.argmin(whole))]


def recorded_episode(folder: Path, number: int, step: int) -> EpisodeTrace | None:
    """The `number`th episode (from 0) that ended in a run, at environment step `step`; None where it is not stored.

    Only its record is read, as the files may be long, and a run that trains lets them grow; what has ended just now is
    stored within a second. Raises ConfigError if the files are damaged, OSError if they cannot be read.
    """
    try:
        with open_regular(folder / INDEX, MOST) as file:
            count = file.seek(0, 2) // RECORD.itemsize
            if number < count:
                file.seek(number * RECORD.itemsize)
                record = np.frombuffer(file.read(RECORD.itemsize), RECORD)[0]
                if record["step"] == step:
                    return read_episode(folder, record)
    except FileNotFoundError:
        return None
    index = read_index(folder)  # a log that lost lines counts otherwise
    same = np.flatnonzero(index["step"] == step)
    return read_episode(folder, index[same[np.argmin(np.abs(same - number))]]) if same.size else None


def read_episode(folder: Path, record: np.void) -> EpisodeTrace:
    """The episode of one index record. Raises ConfigError if its actions are not there."""
    length, width = int(record["length"]), int(record["width"])
    if width not in (1, 2, 4, 8) or not 0 <= length * width <= MOST_EPISODE or record["offset"] < 0:
        raise ConfigError("file.damaged", path=folder / INDEX)
    with open_regular(folder / DATA, MOST) as file:
        size = file.seek(0, 2)
        file.seek(min(int(record["offset"]), size))
        raw = file.read(length * width)
    if len(raw) != length * width:
        raise ConfigError("file.too_short", path=folder / DATA)
    actions = np.frombuffer(raw, np.dtype(f"<u{width}")).astype(np.int64)
    if actions.size and actions.min() < 0:  # of more than 63 bits
        raise ConfigError("file.damaged", path=folder / DATA)
    return EpisodeTrace(int(record["step"]), int(record["env"]), int(record["episode"]), int(record["seed"]), actions)
