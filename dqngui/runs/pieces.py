"""A run's folder in pieces, which make the same folder on another machine; the copy can be resumed after every piece.

Whoever sends pieces (`runs.mirror`) puts the bytes of the log and of the episodes first, and then the saved state that
tells their lengths. A state is gathered in `resume.new` and takes the place of the former one in one step. So a copy
that has received any number of pieces is the folder of a run that was killed at some moment. Segments of a replay are
written before the state that names them. Imports no torch.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Literal

import msgspec

from dqngui.bounded import own_folder
from dqngui.config import ConfigError
from dqngui.runs import checkpoints, episodes, live_file, resume, segments
from dqngui.runs.files import named, patiently, sync_file, sync_folder
from dqngui.runs.folder import EVENTS, EXPERIMENT, SUMMARY

GROWING = (resume.DISCARDED, EVENTS, episodes.DATA, episodes.INDEX)
"""The files that are only appended to, while one process writes the run."""
REPLACED = (EXPERIMENT, SUMMARY)
LIVE = live_file.LIVE
OF_STATE = (resume.ARRAYS, resume.TENSORS, checkpoints.BEST, resume.META)
"""The files of a saved state; with the last one it is whole."""
_CHECKPOINT = re.compile(r"best|0|[1-9][0-9]{0,15}")
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """One change of a folder.

    Attributes:
        kind: `write`: cut the file to `offset` bytes and append `data`; `begin`: the same with the file that will
            replace it; `place`: let that one replace it; `remove` the file; `swap`: the files below `resume.new` are a
            whole state, which becomes the present one.
        name: path of the file in the folder, with `/`; empty for a swap.
        offset: bytes.
    """

    kind: Literal["write", "begin", "place", "remove", "swap"]
    name: str = ""
    offset: int = 0
    data: bytes = b""


class FolderCopy:
    """Carries out pieces in a folder. No piece leads out of it, and none is written through a link."""

    def __init__(self, folder: Path, *, writer: int | None = None) -> None:
        """Keep the copy in `folder`, which must exist; `writer` is the process id that its summary is to show."""
        self.folder, self._writer = folder, writer

    def apply(self, piece: Piece) -> None:
        """Carry out a piece. Raises OSError, and ConfigError for what cannot be a piece of a run."""
        path = self._path(piece)
        match piece.kind:
            case "write":
                self._write(path, piece)
            case "begin":
                self._write(_new(path), piece)
            case "place":
                self._place(path)
            case "remove":
                path.unlink(missing_ok=True)
            case "swap":
                self._swap()

    def _path(self, piece: Piece) -> Path:
        parent, _, name = piece.name.rpartition("/")
        stem, suffix = os.path.splitext(name)
        known = {
            "": name in (*GROWING, *REPLACED, LIVE) or (not name and piece.kind == "swap"),
            checkpoints.FOLDER: suffix == ".pt" and _CHECKPOINT.fullmatch(stem) is not None,
            resume.NEW: name in OF_STATE and piece.kind != "remove",
            segments.FOLDER: segments.NAME.fullmatch(name) is not None and piece.kind == "write",
        }
        if not known.get(parent, False) or piece.offset < 0:
            raise ConfigError("mirror.no_piece", name=piece.name, kind=piece.kind)
        if parent and own_folder(self.folder / parent) is False and piece.kind != "remove":
            (self.folder / parent).mkdir()
        return self.folder / parent / name

    def _write(self, path: Path, piece: Piece) -> None:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | _FLAGS, 0o666)
            try:
                if os.fstat(fd).st_size < piece.offset:
                    raise ConfigError("mirror.no_piece", name=piece.name, kind=piece.kind)
                os.ftruncate(fd, piece.offset)
                os.lseek(fd, 0, os.SEEK_END)
                data = memoryview(piece.data)
                while data:
                    data = data[os.write(fd, data) :]
            finally:
                os.close(fd)
        except OSError as error:
            raise named(error, path) from error

    def _place(self, path: Path) -> None:
        new = _new(path)
        if path.name == SUMMARY:
            self._sign(new)
        elif path.name != LIVE:
            sync_file(new)
        patiently(os.replace, new, path)

    def _sign(self, summary: Path) -> None:
        """Name this machine's process as the writer: the number of one on another machine misleads the reader."""
        with contextlib.suppress(ValueError, RecursionError):
            stored = json.loads(summary.read_bytes())
            if self._writer is not None and isinstance(stored, dict):
                summary.write_bytes(json.dumps(stored | {"pid": self._writer}, indent=2).encode() + b"\n")

    def _swap(self) -> None:
        for name in GROWING[1:]:  # the state tells their lengths
            with contextlib.suppress(FileNotFoundError):
                sync_file(self.folder / name)
        new = self.folder / resume.NEW
        for name in OF_STATE:
            with contextlib.suppress(FileNotFoundError):
                sync_file(new / name)
        sync_folder(new)
        present = resume.segments_of(new)
        segments.sync_segments(self.folder, present)
        shutil.rmtree(self.folder / resume.OLD, ignore_errors=True)
        resume.swap(self.folder)
        segments.drop_unnamed(self.folder, present)

    def settle(self) -> None:
        """Finish what was interrupted: remove what is incomplete. Raises OSError."""
        resume.settle(self.folder)
        for name in (*REPLACED, LIVE):
            _new(self.folder / name).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            for path in (self.folder / checkpoints.FOLDER).glob("*.pt.new"):
                path.unlink(missing_ok=True)


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
