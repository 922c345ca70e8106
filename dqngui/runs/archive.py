"""A run as one zip file: made of a run's folder, and taken in as a stranger's.

A zip may claim anything: paths outside of its folder, links, devices, a petabyte of zeros, a million names. Only the
files that a run's folder holds are taken in, of bounded number and size, into a hidden folder, which gets its name once
all of it was read. Nothing of it is run, and the run is trusted no more than any other stranger's.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dqngui.bounded import MEGABYTE, MOST_TEXT, found, open_regular, own_folder
from dqngui.config import ConfigError
from dqngui.runs.episodes import DATA, INDEX
from dqngui.runs.folder import EVENTS, EXPERIMENT, MOST_SUMMARY, SUMMARY, has_experiment, read_experiment
from dqngui.runs.labels import LABELS, MOST_LABELS
from dqngui.runs.live_file import LIVE
from dqngui.runs.lock import LOCK, Writer, writer_of
from dqngui.runs.log_lines import MOST_LOG
from dqngui.texts import Text, say

GIGABYTE = 1024 * MEGABYTE
MOST_ENTRIES = 800
MOST_DIRECTORY = 2 * MEGABYTE  # bytes of the zip's own list of its files
MOST_WHOLE = 32 * GIGABYTE
MOST_TIMES, FREE_OF_RATIO = 200, 256 * MEGABYTE
"""Unpacked, a zip is at most so many times as large as packed, once it is larger than this."""
OLD_S = 86_400.0  # seconds until what a killed import left is removed
_BLOCK = MEGABYTE
_TEMPORARY = ".import-"
# As `runs.resume` and `runs.segments` name them, which need more than this.
_DISCARDED, _STATE, _SEGMENTS = "events.discarded.jsonl", "resume", "replay"
_STORED = (".pt", ".npz")  # compressing them saves little
_MOST = (
    (re.compile(rf"{re.escape(EXPERIMENT)}"), MOST_TEXT),
    (re.compile(rf"{re.escape(SUMMARY)}"), MOST_SUMMARY),
    (re.compile(rf"{re.escape(LABELS)}"), MOST_LABELS),
    (re.compile(rf"{re.escape(EVENTS)}|{re.escape(_DISCARDED)}"), MOST_LOG),
    (re.compile(rf"{re.escape(DATA)}|{re.escape(INDEX)}"), 16 * GIGABYTE),
    (re.compile(r"checkpoints/(?:\d{1,15}|best)\.pt", re.ASCII), 2 * GIGABYTE),
    (re.compile(r"resume/meta\.json"), 64 * MEGABYTE),
    (re.compile(r"resume/(?:tensors\.pt|best\.pt|arrays\.npz)"), 16 * GIGABYTE),
    (re.compile(r"replay/[0-9a-f]{16}\.npz"), 2 * GIGABYTE),
)
"""The files of a run, and how large each may be."""
_OF_A_PROCESS = re.compile(rf"{re.escape(LIVE)}|{re.escape(LOCK)}|commands/.*|resume\.(?:new|old)/.*|.*\.new")
"""What a folder holds only while a process writes it; it is left out on both ways."""
_OF_A_SYSTEM = re.compile(r"__MACOSX/.*|(?:.*/)?\.DS_Store", re.DOTALL)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


# -- out ------------------------------------------------------------------------------------------


def export_run(folder: Path, file: Path, *, replace: bool = False) -> bool:
    """Write a run as a zip; returns whether the state from which it could be continued is in it.

    Of a run that is being trained it is not, since it changes meanwhile. Files that are not a run's are left out.

    Raises ConfigError if the folder is not a run's, if the file exists (without `replace`) or cannot be written.
    """
    folder, file = folder.absolute(), file.absolute()
    if not has_experiment(folder):
        raise ConfigError("run.not_one", folder=folder, file=EXPERIMENT)
    if not replace and os.path.lexists(file):
        raise ConfigError("archive.exists", file=file)
    whole = writer_of(folder) is Writer.NOBODY
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        with zipfile.ZipFile(part, "x", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
            for name in _files_of(folder):
                if whole or not name.startswith((f"{_STATE}/", f"{_SEGMENTS}/")):
                    _pack(packed, folder, name)
        os.replace(part, file)
    except OSError as error:
        raise ConfigError("archive.not_written", file=file, problem=error.strerror or str(error)) from None
    finally:
        part.unlink(missing_ok=True)
    return whole and found(Path.is_dir, folder / _STATE)


def _files_of(folder: Path) -> Iterator[str]:
    """Names of the files of a run that is packed, with `/`. Raises OSError, ConfigError."""
    places = [""] + [f"{each}/" for each in ("checkpoints", _STATE, _SEGMENTS) if own_folder(folder / each)]
    for place in places:
        for name in sorted(os.listdir(folder / place)):
            if _most(f"{place}{name}") is not None:
                yield f"{place}{name}"


def _pack(packed: zipfile.ZipFile, folder: Path, name: str) -> None:
    """Add a file of a run as it is now; one that is a link or no regular file is left out. Raises OSError."""
    try:
        file = open_regular(folder / name, MOST_WHOLE)
    except (FileNotFoundError, ConfigError):
        return
    with file:
        status = os.fstat(file.fileno())
        entry = zipfile.ZipInfo(f"{folder.name}/{name}", _zip_time(status.st_mtime))
        entry.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
        entry.external_attr = (stat.S_IFREG | 0o644) << 16
        left = status.st_size  # what is appended meanwhile is left out
        with packed.open(entry, "w", force_zip64=left > GIGABYTE) as target:
            while left and (block := file.read(min(left, _BLOCK))):
                target.write(block)
                left -= len(block)


def _zip_time(seconds: float) -> tuple[int, int, int, int, int, int]:
    at = time.localtime(seconds)
    if not 1980 <= at.tm_year <= 2107:
        return 1980, 1, 1, 0, 0, 0
    return at.tm_year, at.tm_mon, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec


# -- in -------------------------------------------------------------------------------------------


def import_run(file: Path, runs: Path) -> Path:
    """Take a run in from a zip and return its new folder in `runs`; a name that exists gets a number.

    Raises ConfigError for a zip that is damaged, too large, or holds anything but the files of one run; then nothing
    is left of it.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        _remove_old(runs)
        with open_regular(file, MOST_WHOLE, follow=True) as opened, _opened_zip(file, opened) as packed:
            name, entries = _checked(file, packed, os.fstat(opened.fileno()).st_size, shutil.disk_usage(runs).free)
            place = runs / f"{_TEMPORARY}{secrets.token_hex(6)}"
            place.mkdir()
            try:
                for path, entry in entries.items():
                    _unpack(packed, entry, place / path)
                read_experiment(place)
                return _named(place, runs, name)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
    except ConfigError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise ConfigError("archive.damaged", file=file) from None
    except OSError as error:
        raise ConfigError("archive.not_read", file=file, problem=error.strerror or str(error)) from None


class _Bounded:
    """A file that is read in pieces of bounded size only: zipfile reads its list of entries at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(MOST_DIRECTORY + 1 if size < 0 else min(size, MOST_DIRECTORY + 1))
        if len(data) > MOST_DIRECTORY:
            raise zipfile.BadZipFile("too many entries")
        return data

    def seekable(self) -> bool:
        return True


def _opened_zip(file: Path, opened: BinaryIO) -> zipfile.ZipFile:
    return zipfile.ZipFile(_Bounded(opened))


def _checked(file: Path, packed: zipfile.ZipFile, size: int, free: int) -> tuple[str, dict[str, zipfile.ZipInfo]]:
    """(the run's name, the entry of each of its files). Raises ConfigError."""
    listed = [entry for entry in packed.infolist() if not _OF_A_SYSTEM.fullmatch(entry.filename)]
    if len(listed) > MOST_ENTRIES:
        raise ConfigError("archive.too_many", file=file, count=len(listed), most=MOST_ENTRIES)
    top = _top(listed)
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in listed:
        problem = _problem(entry, top)
        if problem is not None:
            raise ConfigError("archive.refused", file=file, name=entry.orig_filename, problem=problem)
        path = entry.filename[len(top) :]
        if entry.is_dir() or _OF_A_PROCESS.fullmatch(path):
            continue
        if path in entries:
            raise ConfigError("archive.refused", file=file, name=path, problem=say("archive.twice"))
        entries[path] = entry
    if EXPERIMENT not in entries:
        raise ConfigError("archive.no_run", file=file, needed=EXPERIMENT)
    whole = sum(entry.file_size for entry in entries.values())
    most = min(MOST_WHOLE, free, max(FREE_OF_RATIO, MOST_TIMES * size))
    if whole > most:
        raise ConfigError("archive.too_large", file=file, size=whole / MEGABYTE, most=most / MEGABYTE)
    return top.rstrip("/"), entries


def _top(listed: list[zipfile.ZipInfo]) -> str:
    """The folder in which all files of the zip lie, with a slash; empty if they lie in none."""
    tops = {entry.filename.partition("/")[0] for entry in listed if "/" in entry.filename}
    if len(tops) != 1 or any("/" not in entry.filename for entry in listed):
        return ""
    return f"{tops.pop()}/"


def _problem(entry: zipfile.ZipInfo, top: str) -> Text | None:
    """Why an entry is refused; None if it may be a file or a folder of a run."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return say("archive.special")
    if entry.flag_bits & 0x1:
        return say("archive.encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return say("archive.method")
    path = entry.filename[len(top) :]
    if entry.is_dir():
        known = path in ("", "checkpoints/", f"{_STATE}/", f"{_SEGMENTS}/", "resume.new/", "resume.old/", "commands/")
        return None if known and not entry.file_size else say("archive.unknown")
    if ".." in path.split("/") or path != entry.orig_filename[len(top) :]:
        return say("archive.unknown")
    if _OF_A_PROCESS.fullmatch(path):
        return None
    most = _most(path)
    if most is None:
        return say("archive.unknown")
    return None if entry.file_size <= most else say("archive.large_entry", most=most / MEGABYTE)


def _most(path: str) -> int | None:
    """How large a file of a run may be; None if a run has no such file."""
    return next((most for names, most in _MOST if names.fullmatch(path)), None)


def _unpack(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Write an entry as a new file of at most the size that was checked. Raises OSError, zipfile.BadZipFile."""
    path.parent.mkdir(exist_ok=True)
    left = entry.file_size
    with packed.open(entry) as source, open(path, "xb") as target:
        while block := source.read(_BLOCK):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile("longer than it says")
            target.write(block)
    if left:
        raise zipfile.BadZipFile("shorter than it says")


def _named(place: Path, runs: Path, wanted: str) -> Path:
    """Give a folder its name in `runs`, with a number where another has it. Raises OSError."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted)[:100].strip("-. ") or "imported"
    if _RESERVED.fullmatch(name):
        name = f"run-{name}"
    count = 1
    while True:
        target = runs / (name if count == 1 else f"{name}-{count}")
        count += 1
        if os.path.lexists(target):
            continue
        try:
            os.rename(place, target)
            return target
        except OSError:
            if not os.path.lexists(target):
                raise


def _remove_old(runs: Path) -> None:
    """Remove what killed imports left."""
    for path in runs.glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if not path.is_symlink() and time.time() - path.stat().st_mtime > OLD_S:
                shutil.rmtree(path, ignore_errors=True)
