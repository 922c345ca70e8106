"""Tells a copy of a run's folder on another machine, piece by piece, how the folder grows while a process trains in it.

The process that trains writes the files as always; here they are only read. What `scan` gives is in an order in which
the copy can be resumed after each piece (`runs.pieces`): a saved state is opened first, then what the log and the
episodes hold by now is sent, which reaches at least to the lengths that the state tells, and then the state. A state is
opened as a whole although the process may replace it meanwhile: its files never change, and an open file stays. Of a
large replay, the segments are sent that the copy does not have.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from dqngui.bounded import open_regular
from dqngui.config import ConfigError
from dqngui.runs import checkpoints, episodes, resume, segments
from dqngui.runs.folder import EVENTS
from dqngui.runs.log_lines import MOST_LOG
from dqngui.runs.pieces import GROWING, LIVE, OF_STATE, REPLACED, Piece
from dqngui.runs.resume import LogMark, read_meta

CHUNK = 4 * 1024 * 1024
"""Most bytes of a piece."""
_MOST = {episodes.DATA: episodes.MOST}
_Id = tuple[int, int, int]


class Mirror:
    """Reads the folder in which a run trains, for a copy that has what the folder holds now."""

    def __init__(self, folder: Path) -> None:
        """Look at the folder before the job begins in it. Raises ConfigError for a damaged state."""
        self._folder = folder
        self._mark = _mark_of(folder)
        self._sent = {name: _size(folder / name) for name in GROWING}
        self._ids = {name: _id(folder / name) for name in (*REPLACED, *self._checkpoints())}
        self._state = resume.identity(folder)
        self._segments = _segments_of(folder)
        self._live: _Id | None = None  # of the present writer; None before it began

    def scan(self) -> Iterator[Piece]:
        """Pieces for what has changed since the last call; none before the job writes. Raises OSError, ConfigError."""
        if self._live is None:
            yield from self._begin()
        if self._live is None:
            return
        with contextlib.ExitStack() as stack:
            found = opened_state(self._folder, stack, unless=self._state, without=self._segments)
            for name in GROWING:
                yield from self._growth(name)
            yield from self._replaced(self._checkpoints())
            if found is not None:
                self._state, files = found
                yield from state_pieces(files)
                self._segments = _segments_of(self._folder) & (self._segments | files.keys())
        yield from self._replaced(REPLACED)
        yield from self._growth(LIVE)

    def _begin(self) -> Iterator[Piece]:
        """Once the job writes: cut the files where it went on, as it did, and begin what it tells of the present.

        Who watches the copy learns from the first line of `live.jsonl` where the log was cut, so that it comes before
        the log goes on.
        """
        live = _id(self._folder / LIVE)
        if live is None:
            return
        first = _read(self._folder / LIVE, 0, CHUNK).partition(b"\n")
        if not first[1]:
            return  # it is being written just now
        yield from self._growth(resume.DISCARDED)
        yield from self._replaced(REPLACED)
        marks = {EVENTS: self._mark.events, episodes.DATA: self._mark.episodes_data}
        for name, length in {**marks, episodes.INDEX: self._mark.episodes_index}.items():
            self._sent[name] = length
            yield Piece("write", name, length)
        head = first[0] + first[1]
        self._live, self._sent[LIVE] = live, len(head)
        yield Piece("begin", LIVE, 0, head)
        yield Piece("place", LIVE)

    def _growth(self, name: str) -> Iterator[Piece]:
        size = _size(self._folder / name)
        while (sent := self._sent[name]) < size:
            data = _read(self._folder / name, sent, min(CHUNK, size - sent))
            if not data:
                return
            self._sent[name] = sent + len(data)
            yield Piece("write", name, sent, data)

    def _replaced(self, names: tuple[str, ...]) -> Iterator[Piece]:
        """Files that are replaced as a whole; those of checkpoints that are gone are removed."""
        for name in names:
            if (seen := _id(self._folder / name)) is not None and seen != self._ids.get(name):
                with contextlib.suppress(FileNotFoundError), open_regular(self._folder / name, _most(name)) as file:
                    self._ids[name] = _id_of(os.fstat(file.fileno()))
                    yield from file_pieces(name, file)
        if names is not REPLACED:
            for name in [each for each in self._ids if each not in REPLACED and each not in names]:
                del self._ids[name]
                yield Piece("remove", name)

    def _checkpoints(self) -> tuple[str, ...]:
        names = [f"{step}.pt" for step in checkpoints.checkpoints(self._folder)]
        best = [checkpoints.BEST] if _id(self._folder / checkpoints.FOLDER / checkpoints.BEST) is not None else []
        return tuple(f"{checkpoints.FOLDER}/{name}" for name in [*names, *best])


def whole_folder(folder: Path) -> Iterator[Piece]:
    """Pieces that make a copy of a run's folder while nobody writes it. Raises OSError, ConfigError."""
    for name in (*REPLACED, *GROWING):
        with contextlib.suppress(FileNotFoundError), open_regular(folder / name, _most(name)) as file:
            yield from file_pieces(name, file, kind="write")
    stored = Mirror(folder)._checkpoints()
    for name in stored:
        with open_regular(folder / name, _most(name)) as file:
            yield from file_pieces(name, file)
    yield from state_of(folder)


def state_of(folder: Path) -> Iterator[Piece]:
    """Pieces for the newest whole saved state of a run, which may be in training; none if it has no state."""
    with contextlib.ExitStack() as stack:
        found = opened_state(folder, stack)
        if found is not None:
            yield from state_pieces(found[1])


def settings_and_state(folder: Path) -> Iterator[Piece]:
    """Pieces for what a fork needs of its parent."""
    for name in REPLACED:
        with contextlib.suppress(FileNotFoundError), open_regular(folder / name, _most(name)) as file:
            yield from file_pieces(name, file, kind="write")
    yield from state_of(folder)


def opened_state(
    folder: Path, stack: contextlib.ExitStack, unless: object = None, without: Collection[str] = ()
) -> tuple[tuple[Path, int, int], dict[str, BinaryIO]] | None:
    """The files of the newest whole state, opened, with its identity; None if there is none, or it is `unless`.

    Its segments come first, without those that are named in `without`.
    """
    while (before := resume.identity(folder)) is not None and before != unless:
        with contextlib.ExitStack() as trial:
            files: dict[str, BinaryIO] = {}
            for name in sorted(_segments_of(folder) - set(without)):
                with contextlib.suppress(FileNotFoundError):
                    files[name] = trial.enter_context(open_regular(folder / name, _most(name)))
            for name in OF_STATE:
                with contextlib.suppress(FileNotFoundError):
                    files[name] = trial.enter_context(open_regular(before[0] / name, _most(name)))
            if resume.identity(folder) == before:
                stack.enter_context(trial.pop_all())
                return before, files
    return None


def state_pieces(files: dict[str, BinaryIO]) -> Iterator[Piece]:
    """Pieces for a state; the file that makes it whole is placed last, and in one step."""
    for name in files:
        if name not in OF_STATE:
            yield from file_pieces(name, files[name], "write")
    for name in OF_STATE:
        if name in files:
            kind = "place" if name == resume.META else "write"
            yield from file_pieces(f"{resume.NEW}/{name}", files[name], kind)
    yield Piece("swap")


def file_pieces(name: str, file: BinaryIO, kind: str = "place") -> Iterator[Piece]:
    """Pieces for a whole file: written where it lies (`write`), or beside it and then put into its place."""
    offset = 0
    while (data := file.read(CHUNK)) or not offset:
        yield Piece("begin" if kind == "place" else "write", name, offset, data)
        offset += len(data)
        if not data:
            break
    if kind == "place":
        yield Piece("place", name)


def _segments_of(folder: Path) -> set[str]:
    """Paths in the folder of the segments that the newest state names; none if it is damaged."""
    try:
        found = resume.read_whole(folder, resume.segments_of)
    except ConfigError:
        return set()
    return {f"{segments.FOLDER}/{each.name}" for each in found}


def _mark_of(folder: Path) -> LogMark:
    try:
        return read_meta(folder)[0]
    except ConfigError as error:
        if error.text.key != "state.none":
            raise
        return LogMark()


def _most(name: str) -> int:
    return _MOST.get(name, MOST_LOG if name in GROWING else max(resume.MOST_WEIGHTS, 64 * 1024 * 1024 * 1024))


def _read(path: Path, offset: int, count: int) -> bytes:
    try:
        with open_regular(path, _most(path.name)) as file:
            file.seek(offset)
            return file.read(count)
    except FileNotFoundError:
        return b""


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _id(path: Path) -> _Id | None:
    try:
        return _id_of(path.lstat())
    except FileNotFoundError:
        return None


def _id_of(found: os.stat_result) -> _Id:
    return found.st_ino, found.st_mtime_ns, found.st_size
