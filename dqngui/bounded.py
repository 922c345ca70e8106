"""Reads what may come from anyone: regular files of bounded size, and data of bounded depth and numbers.

A run may be a stranger's. Its files may be links, pipes or devices, gigabytes long, nested a million times, or hold
numbers of thousands of digits. What is read here is none of that, or a ConfigError says what is wrong.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import stat
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
import psutil

from dqngui.config import ConfigError

_T = TypeVar("_T")

MEGABYTE = 2**20
MOST_TEXT = MEGABYTE
"""Bytes of the largest file of settings that is read; ours have a few thousand."""
MOST_NESTED = 32
LARGEST = 2**53
"""Largest count that is read: beyond it, doubles cannot hold each whole number."""
LARGEST_FLOAT = 1e100

_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Files of Linux's control groups, versions 2 and 1."""
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_OWN = getattr(os, "O_NOFOLLOW", 0)
_KEY = r"""(?:(?<![\w-])[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_DEEP_KEY = re.compile(rf"(?:{_KEY}[ \t]*+\.[ \t]*+){{{MOST_NESTED}}}")


# -- files ----------------------------------------------------------------------------------------


def memory_of_process() -> int:
    """Bytes of memory that this process may use: this machine's, or less where a limit is set (`ulimit -v`, a
    container).
    """
    limits = [psutil.virtual_memory().total]
    for file in _CONTAINER_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
            limits.append(int(file.read_text()))
    if sys.platform != "win32":
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        limits += [soft] if soft != resource.RLIM_INFINITY else []
    return min(limits)


def most_in_memory() -> int:
    """Size in bytes of the largest file that is read whole: as much as this process's memory, at least a gigabyte."""
    return max(memory_of_process(), 1024 * MEGABYTE)


def open_regular(path: Path, most: int, *, follow: bool = False) -> BinaryIO:
    """Open a regular file of at most so many bytes for reading.

    Args:
        follow: the user named this very file, so a link may lead elsewhere. Files of a run are never links.

    Raises ConfigError for a link, a special file or one that is too large; OSError if it cannot be opened.
    """
    _check_regular(path, path.stat() if follow else path.lstat())  # first: opening some devices already does something
    fd = os.open(path, _READ | (0 if follow else _OWN))
    try:
        status = os.fstat(fd)
        _check_regular(path, status)
        if status.st_size > most:
            raise ConfigError("file.too_large", path=path, size=status.st_size / MEGABYTE, most=most / MEGABYTE)
        return os.fdopen(fd, "rb")
    except BaseException:
        os.close(fd)
        raise


def read_file(path: Path, most: int, *, follow: bool = False) -> bytes:
    """All bytes of a regular file. Raises as `open_regular`."""
    with open_regular(path, most, follow=follow) as file:
        return file.read(os.fstat(file.fileno()).st_size)  # what is added meanwhile is left out


def _check_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise ConfigError("file.is_link", path=path)
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError("file.not_regular", path=path)


def exists(path: Path) -> bool:
    """Whether anything lies there, also a link that leads nowhere. Raises OSError if that cannot be seen."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def found(kind: Callable[[Path], bool], path: Path) -> bool:
    """What `Path.is_dir`, `is_file` or `exists` says; False for a name that no file can have, or if it is hidden."""
    try:
        return kind(path)
    except (OSError, ValueError):
        return False


def own_folder(folder: Path) -> bool:
    """Whether this folder of a run is there. Raises ConfigError if it is a link or a file, OSError."""
    if not exists(folder):
        return False
    mode = folder.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise ConfigError("file.is_link", path=folder)
    if not stat.S_ISDIR(mode):
        raise ConfigError("file.not_folder", path=folder)
    return True


def refuse_links(folder: Path, in_place: tuple[str, ...] = ()) -> None:
    """Check the folder of a run that will be written: through a link, another file would be changed.

    Args:
        in_place: names of the files that are cut or appended to; they must not have a second name elsewhere.

    Raises ConfigError for the first link or special file; OSError.
    """
    for entry in _entries(folder):
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            raise ConfigError("run.holds_link", path=entry.path)
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise ConfigError("run.holds_special", path=entry.path)
    for name in in_place:
        if exists(folder / name) and (folder / name).lstat().st_nlink > 1:
            raise ConfigError("run.holds_second_name", path=folder / name)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """All that lies in a folder and the folders below it, without following links."""
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


# -- data -----------------------------------------------------------------------------------------


def toml_data(text: str) -> dict[str, Any]:
    """The data of TOML text. Raises tomllib.TOMLDecodeError, or ConfigError for deep nesting and for an integer of more
    than 64 bits.
    """
    if _DEEP_KEY.search(text):  # its parser needs memory for the square of a key's parts
        raise ConfigError("data.too_deep", most=MOST_NESTED)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise ConfigError("data.too_deep", most=MOST_NESTED) from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # Python converts no integer of more than 4,300 digits
        raise ConfigError("data.too_large") from None
    check_bounds(data)
    return data


def json_data(data: bytes, type_: type[_T]) -> _T:
    """The value of JSON bytes. Raises msgspec.DecodeError or UnicodeDecodeError."""
    try:
        return msgspec.json.decode(data, type=type_)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None


def check_bounds(data: Any) -> None:
    """Raises ConfigError for plain data that is nested too deeply or holds an integer of more than 64 bits."""
    for value in _values(data):
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ConfigError("data.too_large")


def check_depth(data: Any) -> None:
    """Raises ConfigError for plain data that is nested too deeply."""
    for _ in _values(data):
        pass


def _values(data: Any) -> Iterator[Any]:
    """All values in plain data, and it itself. Raises ConfigError if it is nested too deeply."""
    waiting = [(data, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MOST_NESTED:
            raise ConfigError("data.too_deep", most=MOST_NESTED)
        yield value
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            waiting += [(each, depth + 1) for each in value]


def small_numbers(value: Any) -> bool:
    """Whether all numbers of an event, or of other plain data, are such as a run can have. NaN and infinity are."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, bool) or each is None or isinstance(each, str):
            continue
        if isinstance(each, int):
            if abs(each) > LARGEST:
                return False
        elif isinstance(each, float):
            if math.isfinite(each) and abs(each) > LARGEST_FLOAT:
                return False
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, (list, tuple)):
            waiting += each
        elif isinstance(each, msgspec.Struct):
            waiting += [getattr(each, name) for name in each.__struct_fields__]
    return True
