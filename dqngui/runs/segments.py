"""The steps of a large replay on disk: files in `replay/` that are written once and never changed.

The saved state (`runs.resume`) names the segments that belong to it, with their sizes and checksums, and is replaced in
one step, so that a kill at any moment leaves one whole state. A save writes only the steps that are new since the one
before. Small segments are written again together with what is new, so that there are never many files. A segment
of which no step is stored any more is not named by the next state; what no state names is removed after the swap.
"""

from __future__ import annotations

import os
import re
import secrets
import weakref
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec
import numpy as np

from dqngui.bounded import LARGEST, exists, most_in_memory, open_regular, own_folder
from dqngui.config import ConfigError
from dqngui.runs.arrays_file import arrays_in, write_arrays
from dqngui.runs.files import link_file, named, sync_file, sync_folder, together

FOLDER = "replay"
NAME = re.compile(r"[0-9a-f]{16}\.npz")
MOST_BYTES = 128 * 1024 * 1024
"""Bytes of a segment, about; steps that are new since the last save can make it larger by a half."""
MOST_SEGMENTS = 400
"""Number of segments of a state that is read."""
_SEGMENTS_OF_ALL = 64  # of a replay of many gigabytes
_AT_ONCE = 16  # files for which a save waits together
_TAIL = 65_536
"""Bytes at the end of a segment that are in its checksum. They hold the checksums of its arrays."""


class Segment(msgspec.Struct, frozen=True):
    """A file with the steps of each environment from `first` to before `stop`, (N,) each.

    Attributes:
        bytes: size of the file.
        tail: CRC-32 of its last `_TAIL` bytes.
    """

    name: str
    bytes: int
    tail: int
    first: tuple[int, ...]
    stop: tuple[int, ...]


class Growing(Protocol):
    """Steps of several environments that only grow at their end, and of which the oldest fall away."""

    origin: Sequence[Segment]
    """The segments from which the steps were restored."""

    @property
    def bytes_of_row(self) -> int:
        """Bytes of a step, about."""

    def extent(self) -> tuple[list[int], list[int]]:
        """First position that is still needed and the one after the last, of each environment."""

    def columns(self, first: Sequence[int], stop: Sequence[int]) -> Mapping[str, np.ndarray]:
        """The steps of each environment from `first` to before `stop`, by name."""


# -- saving ---------------------------------------------------------------------------------------


def write_segments(folder: Path, growing: Growing, saved: Sequence[Segment]) -> list[Segment]:
    """Write what the segments `saved` of a run do not hold yet; returns those that hold all of it. Raises OSError."""
    first, stop = growing.extent()
    kept = _usable(folder, saved, first, stop)
    begin = list(kept[-1].stop) if kept else first
    new = sum(stop) - sum(begin)
    if new == 0:
        return kept
    most = max(MOST_BYTES, (sum(stop) - sum(first)) * growing.bytes_of_row // _SEGMENTS_OF_ALL)
    while kept and kept[-1].bytes <= new * growing.bytes_of_row and kept[-1].bytes + new * growing.bytes_of_row <= most:
        begin = [max(a, b) for a, b in zip(kept.pop().first, first, strict=True)]
        new = sum(stop) - sum(begin)
    if not own_folder(folder / FOLDER):
        (folder / FOLDER).mkdir()
        sync_folder(folder)
    written: list[Segment] = []
    pieces = max(1, round(new * growing.bytes_of_row / most))
    for piece in range(1, pieces + 1):
        until = [a + (b - a) * piece // pieces for a, b in zip(begin, stop, strict=True)]
        start = list(written[-1].stop) if written else begin
        written.append(_write(folder, growing, start, until))
    sync_segments(folder, written)
    return kept + written


def sync_segments(folder: Path, segments: Sequence[Segment]) -> None:
    """Wait until the segments of a run are on the disk, as far as they are there. Raises OSError."""
    paths = [folder / FOLDER / each.name for each in segments]
    paths = [path for path in paths if exists(path)]
    for first in range(0, len(paths), _AT_ONCE):
        together(*(partial(sync_file, path) for path in paths[first : first + _AT_ONCE]))
    if paths:
        sync_folder(folder / FOLDER)


def _usable(folder: Path, saved: Sequence[Segment], first: list[int], stop: list[int]) -> list[Segment]:
    """The saved segments that are still needed; none if they do not hold the oldest steps, or are not there."""
    needed = [each for each in saved if any(a > b for a, b in zip(each.stop, first, strict=False))]
    reached = [tuple(first), *(each.stop for each in needed)]
    for each, before in zip(needed, reached, strict=False):
        fits = len(each.first) == len(each.stop) == len(stop)
        goes_on = each.first == before if each is not needed[0] else all(map(int.__le__, each.first, before))
        if not (fits and goes_on and all(map(int.__le__, each.stop, stop)) and _size(folder, each) == each.bytes):
            return []
    return needed


def _size(folder: Path, segment: Segment) -> int:
    try:
        return (folder / FOLDER / segment.name).lstat().st_size
    except FileNotFoundError:
        return -1


def _write(folder: Path, growing: Growing, first: list[int], stop: list[int]) -> Segment:
    path = folder / FOLDER / f"{secrets.token_hex(8)}.npz"
    write_arrays(path, growing.columns(first, stop))
    try:
        with open(path, "rb") as file:
            size, tail = size_and_tail(file)
    except OSError as error:
        raise named(error, path) from error
    return Segment(path.name, size, tail, tuple(first), tuple(stop))


def size_and_tail(file: BinaryIO) -> tuple[int, int]:
    """Bytes of a file, and the checksum of its end."""
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - _TAIL))
    return size, zlib.crc32(file.read(_TAIL))


def drop_unnamed(folder: Path, segments: Sequence[Segment]) -> None:
    """Remove the segments of a run that its state does not name; one that cannot be removed now is removed later."""
    names = {each.name for each in segments}
    with suppress(OSError, ConfigError):
        if not own_folder(folder / FOLDER):
            return
        for path in (folder / FOLDER).iterdir():
            if NAME.fullmatch(path.name) and path.name not in names:
                with suppress(OSError):
                    path.unlink()
        if not names:
            (folder / FOLDER).rmdir()


def link_segments(source: Path, target: Path, segments: Sequence[Segment]) -> None:
    """Give another run the segments of one: second names where the disk has them, copies elsewhere. Raises OSError."""
    if segments:
        (target / FOLDER).mkdir(exist_ok=True)
        for each in segments:
            link_file(source / FOLDER / each.name, target / FOLDER / each.name)


# -- loading --------------------------------------------------------------------------------------


def segments_in(data: Any) -> tuple[Segment, ...]:
    """The segments that a state names. Raises ValueError for what no save has written."""
    segments = msgspec.convert(data, tuple[Segment, ...])
    numbers = [number for each in segments for number in (each.bytes, each.tail, *each.first, *each.stop)]
    fits = all(0 <= number <= LARGEST for number in numbers) and len(segments) <= MOST_SEGMENTS
    names = {each.name for each in segments}
    if not fits or len(names) < len(segments) or not all(map(NAME.fullmatch, names)):
        raise ValueError("segments")
    return segments


class OpenedSegments:
    """The segments of a state, opened: they can be read although the run that they belong to replaces them."""

    def __init__(self, folder: Path, segments: Sequence[Segment]) -> None:
        """Open and check all. Raises ConfigError for one that is missing, a link, or not as the state says."""
        self._files: list[tuple[Path, Segment, BinaryIO]] = []
        self._close = weakref.finalize(self, _close_all, self._files)
        try:
            if segments:
                own_folder(folder / FOLDER)
            for each in segments:
                path = folder / FOLDER / each.name
                file = open_regular(path, most_in_memory())
                self._files.append((path, each, file))
                if size_and_tail(file) != (each.bytes, each.tail):
                    raise ConfigError("state.segment", path=path)
        except OSError as error:
            self.close()
            path = Path(error.filename or folder / FOLDER)
            raise ConfigError("state.no_segment", path=path, problem=error.strerror or str(error)) from None
        except BaseException:
            self.close()
            raise

    def __bool__(self) -> bool:
        return bool(self._files)

    def __iter__(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], dict[str, np.ndarray]]]:
        """First and last positions and the columns of each segment, one after the other. Raises ConfigError."""
        for path, segment, file in self._files:
            file.seek(0)
            yield segment.first, segment.stop, arrays_in(file, path)

    @property
    def named(self) -> tuple[Segment, ...]:
        """What is known of each."""
        return tuple(segment for _, segment, _ in self._files)

    def link(self, folder: Path) -> None:
        """Give another run these segments, as far as they are still there. Raises OSError."""
        for path, segment, _ in self._files:
            with suppress(FileNotFoundError):
                link_segments(path.parent.parent, folder, [segment])

    def close(self) -> None:
        """Close all files; may be called twice."""
        self._close()


def _close_all(files: list[tuple[Path, Segment, BinaryIO]]) -> None:
    for _, _, file in files:
        file.close()
