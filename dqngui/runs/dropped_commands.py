"""Commands for a run that trains in another process: files that are dropped into its folder.

The writer of a run makes the folder `commands/` anew and publishes an id of its own in it. Whoever may write the folder
may drop a command: a small JSON file that names this id, written under another name and then renamed. The writer
carries out what is addressed to it, in the order of the files' names, and removes everything else: commands for a
former writer, in a copied folder, and what is no command.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from dqngui.bounded import check_depth, own_folder, read_file, small_numbers
from dqngui.config import ConfigError
from dqngui.messages import (
    COMMANDS,
    Command,
    Pause,
    Resume,
    SaveCheckpoint,
    SetBreakpoints,
    SetKnob,
    Step,
    Stop,
)
from dqngui.messages.json_lines import from_json, to_json
from dqngui.runs.files import write_file

FOLDER, WRITER = "commands", "writer.json"
LOOK_S = 0.1
"""Seconds between two looks for commands."""
MOST_FILES, MOST_BYTES = 200, 64 * 1024
STEERING = (Pause, Resume, Step, Stop, SetKnob, SaveCheckpoint, SetBreakpoints)
"""The commands that may be dropped."""


class _Dropped(msgspec.Struct, frozen=True):
    """What a file holds: a command, and the writer that it is for."""

    writer: str
    command: COMMANDS


class _Published(msgspec.Struct, frozen=True):
    writer: str


class CommandFiles:
    """The dropped commands of a run, for its writer. Nothing here raises: a run whose folder cannot be used trains on.

    Attributes:
        writer: the id that commands must name.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.writer = secrets.token_hex(8)
        self._folder, self._clock = folder / FOLDER, clock
        self._next_look = 0.0
        with contextlib.suppress(OSError, ConfigError):
            _remove(self._folder)
            self._folder.mkdir()
            write_file(self._folder / WRITER, to_json(_Published(self.writer)), sync=False)

    def poll(self) -> list[Command]:
        """Commands that have been dropped since the last call; looks at most every `LOOK_S`."""
        now = self._clock()
        if now < self._next_look:
            return []
        self._next_look = now + LOOK_S
        try:
            with os.scandir(self._folder) as entries:
                names = [each.name for each in entries if each.name != WRITER and not each.name.startswith(".")]
        except OSError:
            return []
        found = [self._taken(self._folder / name) for name in sorted(names)[:MOST_FILES]]
        return [command for command in found if command is not None]

    def _taken(self, path: Path) -> Command | None:
        """The command in a file, which is removed; None if there is none for this writer."""
        try:
            data = read_file(path, MOST_BYTES)
            check_depth(from_json(data, object))
            dropped = from_json(data, _Dropped)
            valid = dropped.writer == self.writer and isinstance(dropped.command, STEERING)
            command = dropped.command if valid and small_numbers(dropped.command) else None
        except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
            command = None
        _remove(path)
        return None if command is None else msgspec.structs.replace(command, at=None)

    def close(self) -> None:
        """Take no more commands: the folder goes."""
        with contextlib.suppress(OSError, ConfigError):
            _remove(self._folder)


_numbers = itertools.count()


def drop(folder: Path, command: Command) -> bool:
    """Drop a command for the present writer of a run; False if nobody listens there, or the folder is read-only."""
    place = folder / FOLDER
    try:
        if not own_folder(place):
            return False
        writer = from_json(read_file(place / WRITER, MOST_BYTES), _Published).writer
        name = f"{time.time_ns():020d}-{next(_numbers):06d}-{secrets.token_hex(4)}.json"
        hidden = place / f".{name}"
        write_file(hidden, to_json(_Dropped(writer, command)), sync=False)
        os.rename(hidden, place / name)
    except (OSError, ValueError, ConfigError, msgspec.MsgspecError):
        return False
    return True


def _remove(path: Path) -> None:
    """Remove whatever lies there, without following a link."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
