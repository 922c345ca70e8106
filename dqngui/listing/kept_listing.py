"""Keeps what was read of many runs in the user's folder for caches, so that the next process need not read it again.

The file may be deleted at any time. It belongs to one folder of runs and to one version of dqngui, and what it says of
a run holds only as long as time and size of the run's files stay.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

import dqngui
from dqngui.bounded import MEGABYTE, own_folder, read_file
from dqngui.config import ConfigError
from dqngui.listing.run_settings import usual
from dqngui.runs.files import replace_file
from dqngui.runs.folder import RunSummary
from dqngui.runs.nested import Stamp
from dqngui.runs.user_folders import cache_folder

MOST_KEPT = 256 * MEGABYTE
WORTH_KEEPING = 200
"""Files that were opened before it is worth to keep what they say."""


class KeptRun(msgspec.Struct, frozen=True, array_like=True):
    """What was read of a run: its summary and settings, each with the stamp of its file (see `RunSettings`)."""

    summary_stamp: Stamp
    summary: RunSummary
    settings_stamp: Stamp | None = None
    changed: dict[str, Any] = {}
    derived: tuple[str, ...] = ()


class _Listing(msgspec.Struct, frozen=True):
    """All that was read of a folder of runs; paths of the runs are relative to it."""

    made_by: str
    runs: str
    kept: dict[str, KeptRun]


def read_kept(runs: Path) -> dict[str, KeptRun]:
    """What earlier processes have read of a folder of runs, by the path of a run; nothing if there is no such file."""
    path = kept_file(runs)
    if path is None:
        return {}
    try:
        own_folder(path.parent)
        data = zlib.decompressobj().decompress(read_file(path, MOST_KEPT), MOST_KEPT)
        listing = msgspec.msgpack.decode(data, type=_Listing)
    except (OSError, ValueError, RecursionError, zlib.error):
        return {}
    if (listing.made_by, listing.runs) != (_made_by(), os.path.abspath(runs)):
        return {}
    root = os.fspath(runs)
    return {
        f"{root}{os.sep}{name}": msgspec.structs.replace(
            each, summary=msgspec.structs.replace(each.summary, folder=f"{root}{os.sep}{name}", problem="")
        )
        for name, each in listing.kept.items()
    }


def write_kept(runs: Path, kept: Mapping[str, KeptRun]) -> None:
    """Keep what was read; without a folder for caches nothing happens."""
    path, root = kept_file(runs), os.fspath(runs)
    if path is None:
        return
    below = {name[len(root) + 1 :]: each for name, each in kept.items() if name.startswith(f"{root}{os.sep}")}
    data = msgspec.msgpack.encode(_Listing(_made_by(), os.path.abspath(runs), below))
    with contextlib.suppress(OSError, ConfigError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        own_folder(path.parent)
        replace_file(path, zlib.compress(data, 1), sync=False)


def kept_file(runs: Path) -> Path | None:
    """Where what was read of a folder of runs is kept; None if this user has no folder for caches."""
    place = cache_folder()
    if place is None:
        return None
    name = hashlib.sha256(os.fsencode(os.path.abspath(runs))).hexdigest()[:32]
    return place / "dqngui" / "runs" / f"{name}.listing"


def _made_by() -> str:
    """The version that reads the file as it was written: what is kept depends on the usual settings."""
    fields = RunSummary.__struct_fields__, KeptRun.__struct_fields__
    return f"{dqngui.__version__} {hashlib.sha256(msgspec.json.encode((usual(), fields))).hexdigest()}"
