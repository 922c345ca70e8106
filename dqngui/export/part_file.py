"""A file of an export: it has another name until it is whole, and an earlier export of the same kind is replaced."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from dqngui.bounded import exists
from dqngui.config import ConfigError
from dqngui.runs.files import AppendFile
from dqngui.texts import reason_of


class PartFile:
    """Writes a file beside its place and moves it there with `place`; later records are added to the placed file.

    A record is written whole or not at all, also on a full disk.
    """

    def __init__(self, path: Path, mark: bytes) -> None:
        """Raises ConfigError if a file lies there that does not begin with `mark`, or if none can be written there."""
        self.path = path
        self._part = path.with_name(f".{path.name[:200]}.part")
        self._placed = False
        check_place(path, mark)
        try:
            self._part.unlink(missing_ok=True)
            self._file = AppendFile(self._part)
        except OSError as error:
            raise not_written(path, error) from None

    def append(self, record: bytes) -> None:
        """Add a record to the buffer."""
        self._file.append(record)

    def place(self) -> None:
        """Write what was added so far, and give the file its name. Raises ConfigError."""
        try:
            self._file.flush()
            if not self._placed:
                self._file.sync()
                os.replace(self._part, self.path)
                self._file.path = self.path
                self._placed = True
        except OSError as error:
            raise not_written(self.path, error) from None

    def flush(self) -> None:
        """Write what was added so far, under the present name. Raises ConfigError."""
        try:
            self._file.flush()
        except OSError as error:
            raise not_written(self.path, error) from None

    def close(self) -> None:
        """Close; a file that was never placed is removed. Never raises."""
        with contextlib.suppress(OSError):
            self._file.close()
        if not self._placed:
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)


def check_place(path: Path, mark: bytes) -> None:
    """Raises ConfigError if a file of an export cannot be written here: a folder, or a file that is no such export."""
    try:
        if not exists(path):
            if not path.parent.is_dir():
                raise ConfigError("exported.no_folder", path=path, folder=path.parent)
            return
        if path.is_dir():
            raise ConfigError("exported.is_folder", path=path)
        if not path.is_file():
            raise ConfigError("exported.no_file", path=path)
        with path.open("rb") as file:
            earlier = file.read(len(mark)) == mark or not file.seek(0, 2)
    except OSError as error:
        raise not_written(path, error) from None
    if not earlier:
        raise ConfigError("exported.another", path=path)


def made_folder(path: Path) -> Path:
    """The folder, made if it is missing (with its parent's, as it is an export's own). Raises ConfigError."""
    try:
        if path.exists() and not path.is_dir():
            raise ConfigError("exported.no_out_folder", path=path)
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(path, error) from None
    return path


def not_written(path: Path, error: OSError) -> ConfigError:
    """The error that says why an export cannot be written."""
    return ConfigError("exported.not_written", path=path, problem=error.strerror or reason_of(error))
