"""The writer's lock: whether a run's folder has a writer, which the operating system decides and nothing else.

A writer holds an exclusive lock on the file `writer.lock` of the folder for as long as it writes. The system frees the
lock when the process ends, however it ends, so clocks, process ids and zombies do not matter. A process that is forked
from the writer drops its copy of the lock at once, and one that is started with `exec` gets none; only a C library that
forks without Python's knowledge keeps it. Readers ask without creating anything. The file is empty, and a writer that
ends removes it; one that was killed leaves it, which says nothing.

Some network file systems have no locks. There a lock is not `protected`, and who asks gets `UNKNOWN`.
Imports no torch.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from dqngui.runs.files import named

LOCK = "writer.lock"
PATIENCE_S = 3.0
"""How long a writer waits for the lock: a child whose parent was killed needs a moment to end."""

_TRY_AGAIN_S = 0.02
_OTHERS = (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK)
_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EISDIR)
"""There is no file, or a link or another thing that no writer locks."""

_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FileId = tuple[int, int]


class Writer(StrEnum):
    """Who writes a run's folder now."""

    NOBODY = "nobody"
    HERE = "here"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


class LockTaken(Exception):
    """Another writer holds the lock; `here`: it is in this process."""

    def __init__(self, *, here: bool) -> None:
        super().__init__()
        self.here = here


class WriterLock:
    """The lock of one run's folder, from `take_lock` until `release`. Also a context manager.

    Attributes:
        protected: whether the system keeps other writers away; False where the file system has no locks.
    """

    def __init__(self, folder: Path, fd: int, *, protected: bool) -> None:
        self.protected = protected
        self._path = folder / LOCK
        self._owner = os.getpid()
        self._hold(fd)

    def _hold(self, fd: int) -> None:
        self._fd, self._file = fd, _id_of(os.fstat(fd))
        _held[self._file] = self

    def release(self, *, remove: bool = True) -> None:
        """Let others write the folder, and remove the file; may be called twice."""
        if self._fd < 0 or self._owner != os.getpid():
            return  # a forked process has dropped its copy already
        try:
            # Before the lock is freed: whoever waits for this file finds out that it is not the folder's any more.
            with contextlib.suppress(OSError):
                if remove and _is_at(self._path, self._file):
                    os.unlink(self._path)
        finally:
            self._drop()
            if (
                remove and sys.platform == "win32"
            ):  # an open file cannot be removed there, nor one that another has opened
                with contextlib.suppress(OSError):
                    os.unlink(self._path)

    def _drop(self) -> None:
        fd, self._fd = self._fd, -1
        _held.pop(self._file, None)
        try:
            with contextlib.suppress(OSError):
                _unlock(fd)  # also for a copy of the descriptor that a library's fork left elsewhere
        finally:
            _close(fd)

    def follow(self, folder: Path) -> None:
        """Note that the folder was moved."""
        self._path = folder / LOCK

    def keep(self) -> None:
        """Lock the file that lies in the folder now, if somebody removed or replaced the locked one.

        Raises LockTaken if another writer was faster. A folder that is gone or away is left to those who write there.
        """
        if self._fd < 0:
            return
        try:
            if _id_of(os.lstat(self._path)) == self._file:
                return
        except FileNotFoundError:
            pass
        except OSError:
            return
        try:
            fd, protected = _take(self._path, patience_s=0.0)
        except OSError:
            return
        self._drop()
        self.protected = protected
        self._hold(fd)

    def __enter__(self) -> WriterLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def take_lock(folder: Path, patience_s: float = PATIENCE_S) -> WriterLock:
    """Take the lock of a folder, which must exist. Raises LockTaken, OSError.

    Args:
        patience_s: how long it waits for a writer in another process.
    """
    fd, protected = _take(folder / LOCK, patience_s)
    return WriterLock(folder, fd, protected=protected)


def writer_of(folder: Path) -> Writer:
    """Who writes the folder now; creates and changes nothing, and never waits."""
    path = folder / LOCK
    try:
        fd = _open(path, os.O_RDONLY)
    except OSError as error:
        return Writer.NOBODY if error.errno in _NO_FILE else Writer.UNKNOWN
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return Writer.NOBODY  # no writer locks such a thing
        if _id_of(found) in _held:
            return Writer.HERE
        return _asked(fd)
    finally:
        _close(fd)


# -- descriptors ----------------------------------------------------------------------------------

_fds: set[int] = set()
"""Open descriptors of lock files."""

_held: dict[_FileId, WriterLock] = {}
"""The locks that this process holds."""


def _take(path: Path, patience_s: float) -> tuple[int, bool]:
    """An open descriptor of the file that lies at `path` now, and whether it is locked."""
    end = time.monotonic() + patience_s
    while True:
        try:
            fd = _open(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise named(error, path) from error
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", str(path))
            if _id_of(found) in _held:
                raise LockTaken(here=True)
            locked = _locked(fd)
            if locked is not False and _is_at(path, _id_of(found)):
                return fd, locked is True
            if locked is False and time.monotonic() >= end:
                raise LockTaken(here=False)
        except BaseException:
            _close(fd)
            raise
        _close(fd)
        time.sleep(_TRY_AGAIN_S)


def _open(path: Path, flags: int) -> int:
    fd = os.open(path, flags | _FLAGS, 0o666)
    _fds.add(fd)
    return fd


def _close(fd: int) -> None:
    _fds.discard(fd)
    os.close(fd)


def _drop_all() -> None:
    """In a forked process: close the copies of the writer's descriptors, so that the lock ends with the writer."""
    for fd in _fds:
        with contextlib.suppress(OSError):
            os.close(fd)
    _fds.clear()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_all)


def _id_of(found: os.stat_result) -> _FileId:
    return found.st_dev, found.st_ino


def _is_at(path: Path, file: _FileId) -> bool:
    try:
        return _id_of(os.lstat(path)) == file
    except OSError:
        return False


# -- what the system offers -----------------------------------------------------------------------

if sys.platform == "win32":
    import msvcrt

    def _locked(fd: int) -> bool | None:
        """Lock it: True, False if another holds it, None if the file system has no locks."""
        os.lseek(fd, 0, os.SEEK_SET)
        with _translated() as outcome:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        return outcome[-1]

    def _unlock(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

    def _asked(fd: int) -> Writer:
        held = _locked(fd)
        if held:
            _unlock(fd)
        return _MEANING[held]

else:
    import fcntl

    def _locked(fd: int) -> bool | None:
        """Lock it: True, False if another holds it, None if the file system has no locks."""
        with _translated() as outcome:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return outcome[-1]

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)

    def _asked(fd: int) -> Writer:
        with _translated() as outcome:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)  # many may ask at once; a writer tries again
            fcntl.flock(fd, fcntl.LOCK_UN)
        return _MEANING[outcome[-1]]


_MEANING = {True: Writer.NOBODY, False: Writer.ELSEWHERE, None: Writer.UNKNOWN}


@contextlib.contextmanager
def _translated() -> Iterator[list[bool | None]]:
    """What became of an attempt to lock, as the last item once the block is left."""
    outcome: list[bool | None] = []
    try:
        yield outcome
        outcome.append(True)
    except OSError as error:
        outcome.append(False if error.errno in _OTHERS else None)
