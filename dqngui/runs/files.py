"""Writes files so that a kill at any moment, or a full disk, damages nothing.

Every OSError raised here names its file, so that a failure can be described in one sentence.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dqngui.texts import Text

READERS_LOCK = os.name == "nt"
PATIENCE_SECONDS = 5.0
# Never through a link, and without waiting for another end of a pipe.
_OWN = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class OutOfPlace(OSError):
    """The files of a run were deleted or moved while the run writes them.

    Attributes:
        text: what happened.
    """

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


class AppendFile:
    """An append-only file with a buffer of its own.

    What could not be written is kept, and the file is cut back to its last whole record before it is written again. A
    file that a network drive has lost is opened again. `close` drops what cannot be written.

    Attributes:
        length: bytes in the file and the buffer together.
    """

    def __init__(self, path: Path, length: int | None = None) -> None:
        """Open for appending, or create; with `length`, the file must have exactly so many bytes (ValueError)."""
        self.path = path
        self._pending: list[bytes] = []
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _OWN, 0o666)
            status = os.fstat(self._fd)
            if not stat.S_ISREG(status.st_mode):
                os.close(self._fd)
                raise OSError(errno.EINVAL, "not a regular file")
            self.length = status.st_size
        except OSError as error:
            raise named(error, path) from error
        self._written = self.length
        self._torn = False  # a failed write may have left a part of a record
        if length is not None and length != self.length:
            os.close(self._fd)
            raise ValueError(f"{path} has {self.length} bytes, not {length}")

    def append(self, record: bytes) -> None:
        """Add a whole record to the buffer."""
        self._pending.append(record)
        self.length += len(record)

    def flush(self) -> None:
        """Hand the buffer to the system: from here on it survives the death of this process."""
        if not self._pending:
            return
        whole = b"".join(self._pending)
        self._pending = [whole]
        data = memoryview(whole)
        try:
            if self._torn:
                self._mend()
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as error:
            self._torn = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._written)
            raise named(error, self.path) from error
        self._pending.clear()
        self._written = self.length

    def _mend(self) -> None:
        """Open the file again if it cannot be used any more, and cut it back to its whole records. Raises OSError."""
        try:
            os.ftruncate(self._fd, self._written)
        except OSError:
            fd = os.open(self.path, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))
            if os.fstat(fd).st_size < self._written:
                os.close(fd)
                raise
            os.ftruncate(fd, self._written)
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = fd
        self._torn = False

    @property
    def there(self) -> bool:
        """Whether the file that is written is still the one at its path. Raises OSError if that cannot be seen."""
        try:
            found = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return os.path.samestat(found, os.fstat(self._fd))

    @property
    def place(self) -> Path | None:
        """Where the file is now; None if it has no name any more, or if the system does not tell."""
        try:
            found = Path(os.readlink(f"/proc/self/fd/{self._fd}"))
            return found if os.path.samestat(os.stat(found), os.fstat(self._fd)) else None
        except OSError:
            return None

    @property
    def deleted(self) -> bool:
        """Whether the file that is written has no name any more."""
        return os.fstat(self._fd).st_nlink == 0

    def write_again(self, path: Path) -> None:
        """Write all that was written so far as a new file at `path`, and go on there. Raises OSError."""
        self.path = path
        os.lseek(self._fd, 0, os.SEEK_SET)
        new, left = path.with_name(f"{path.name}.new"), self._written
        with open(new, "wb", buffering=0) as copy:
            while left and (piece := os.read(self._fd, min(left, 1 << 20))):
                copy.write(piece)
                left -= len(piece)
        fd = os.open(new, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))
        os.replace(new, path)
        os.close(self._fd)
        self._fd = fd

    def sync(self) -> None:
        """Flush, and wait until it is on the disk."""
        self.flush()
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise named(error, self.path) from error

    def close(self) -> None:
        """Flush if possible and close; may be called twice."""
        if self._fd < 0:
            return
        try:
            self.flush()
        finally:
            os.close(self._fd)
            self._fd = -1
            self._pending.clear()


def write_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a new file and, with `sync`, wait until it is on the disk; a file half written is removed.

    A link of that name is replaced, and what it leads to stays as it is.
    """
    try:
        path.unlink(missing_ok=True)
        with open(path, "xb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            if sync:
                os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise named(error, path) from error


def replace_file(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Replace a file in one step: a reader or a kill sees the old one or the new one.

    After a power cut it is one of the two as well, if `sync`.
    """
    new = path.with_name(f"{path.name}.new")
    write_file(new, data, sync=sync)
    try:
        patiently(os.replace, new, path)
    except OSError as error:
        raise named(error, path) from error


def patiently(rename: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    """Rename; where a reader locks an open file (Windows), wait a little until it is closed. Raises OSError."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return rename(source, target)
        except PermissionError:
            if not READERS_LOCK or time.monotonic() > end:
                raise
        time.sleep(0.01)


def link_file(source: Path, target: Path) -> None:
    """Replace `target` by a second name of `source`, or a copy where there are no links.

    Replacing the source later leaves the target as it is.
    """
    new = target.with_name(f"{target.name}.new")
    try:
        new.unlink(missing_ok=True)
        os.link(source, new)
        patiently(os.replace, new, target)
    except OSError:
        replace_file(target, source.read_bytes())
    finally:
        new.unlink(missing_ok=True)  # renaming a name onto another of the same file does nothing


def sync_file(path: Path, flags: int = os.O_RDWR) -> None:
    """Wait until a written file is on the disk; `flags` say how it is opened for that."""
    fd = os.open(path, flags)
    try:
        os.fsync(fd)
    except OSError as error:
        raise named(error, path) from error
    finally:
        os.close(fd)


def together(*actions: Callable[[], None]) -> None:
    """Run actions that wait for the disk at the same time: ten waits then cost little more than one.

    Raises the first error after all have ended.
    """
    with ThreadPoolExecutor(len(actions)) as pool:
        futures = [pool.submit(action) for action in actions]
    for future in futures:
        future.result()


def sync_folder(path: Path) -> None:
    """Wait until the folder's names are on the disk (nothing to do on Windows)."""
    if os.name != "nt":
        sync_file(path, os.O_RDONLY)


def named(error: OSError, path: Path) -> OSError:
    """The same error with its file's name."""
    return OSError(error.errno, error.strerror or str(error), str(path))
