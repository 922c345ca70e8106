"""Finds the runs in a folder and in the folders below it: a sweep's runs lie in the folder of the sweep.

Links are not followed, except that an entry of the folder itself may be a link to a run. The depth and the number of
folders that are looked into are bounded, since the folder may be any, also the user's home.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

EXPERIMENT, SUMMARY, SWEEP = "experiment.toml", "summary.json", "sweep.toml"
MOST_DEPTH = 3  # levels of folders in which runs are found: `runs/a/b/RUN`
MOST_FOLDERS = 2_000  # folders that are looked into, runs not counted
Stamp = tuple[int, int]
"""Time of the last change in ns and size in bytes of a file: if both stay, the file was not changed."""


@dataclass(slots=True)
class FoundRuns:
    """What lies in a folder of runs.

    Attributes:
        runs: the stamp of its summary (None: it has none) for the path of each run.
        unreadable: the reason for each folder that cannot be looked into.
        groups: the other folders that were looked into, without the folder of runs itself.
        more: whether there are more folders than are looked into.
    """

    runs: dict[str, Stamp | None] = field(default_factory=dict)
    unreadable: dict[str, OSError] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    more: bool = False


def find_runs(runs: Path, go_on: Callable[[], bool] = lambda: True) -> FoundRuns:
    """All runs in a folder and below it; a part of them if `go_on` returns False.

    Raises OSError if the folder itself cannot be read.
    """
    found = FoundRuns()
    waiting = _look_into(os.fspath(runs), 1, found)
    while waiting and go_on():
        path, depth = waiting.pop()
        if len(found.groups) >= MOST_FOLDERS:
            found.more = True
            break
        found.groups.append(path)
        try:
            waiting += _look_into(path, depth, found)
        except (FileNotFoundError, NotADirectoryError):
            found.groups.pop()  # it has just been moved or deleted
        except OSError as error:
            found.unreadable[path] = error
    return found


def _look_into(folder: str, depth: int, found: FoundRuns) -> list[tuple[str, int]]:
    """Add the runs of a folder; returns the other folders in it, with their depth. Raises OSError."""
    others = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or not _is_dir(entry, follow=depth == 1):
                continue
            path = entry.path
            stamp = stamp_of(f"{path}{os.sep}{SUMMARY}")
            if stamp is not None or _has_experiment(path):
                found.runs[path] = stamp
            elif depth < MOST_DEPTH and not entry.is_symlink():
                others.append((path, depth + 1))
    return others


def stamp_of(path: str) -> Stamp | None:
    """The stamp of a file; None if there is none, or if it cannot be seen."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def run_in(runs: Path, name: str) -> list[Path]:
    """The runs that a name means: the path below the folder of runs, or else every run whose folder has this name."""
    named = runs / name
    if not os.path.isabs(name) and ".." not in Path(name).parts and os.path.isdir(named):
        return [named]
    try:
        return [Path(path) for path in sorted(find_runs(runs).runs) if os.path.basename(path) == name]
    except (OSError, ValueError):
        return []


def _has_experiment(folder: str) -> bool:
    """Whether the folder is a run's; also if that cannot be seen, so that the list says why."""
    try:
        os.lstat(f"{folder}{os.sep}{EXPERIMENT}")
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _is_dir(entry: os.DirEntry[str], *, follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:  # a link that leads to itself hides no other run
        return False
