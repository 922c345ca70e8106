"""The trash: deleted runs, which can be restored, in `.trash/` in the folder of runs. Imports no torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from dqngui.bounded import own_folder
from dqngui.config import ConfigError
from dqngui.runs.folder import EXPERIMENT, claim, has_experiment

TRASH = ".trash"
MOMENT_S = 0.2  # the window waits no longer for a run that is being trained


def discard(folder: Path) -> Path:
    """Move a run into the trash and return where it lies there.

    Raises ConfigError for a run that is being trained, and for a folder that is not a run's.
    """
    folder = folder.absolute()
    if not has_experiment(folder):
        raise ConfigError("run.not_one", folder=folder, file=EXPERIMENT)
    return _move(folder, folder.parent / TRASH)


def restore(discarded: Path) -> Path:
    """Move a run back to where `discard` took it from and return its folder. Raises ConfigError."""
    discarded = discarded.absolute()
    if discarded.parent.name != TRASH or not discarded.is_dir():
        raise ConfigError("run.not_discarded", folder=discarded)
    return _move(discarded, discarded.parent.parent)


def empty_trash(runs: Path, only: Collection[Path] | None = None) -> int:
    """Delete what was discarded in a folder of runs for good; returns how many runs that were. Raises ConfigError.

    Args:
        only: these alone, as `discard` returned them; None: everything.
    """
    trash = runs / TRASH
    try:
        if not own_folder(trash):
            return 0
        found = [path for path in trash.iterdir() if only is None or path in only]
        for path in found:
            if path.is_symlink() or not path.is_dir():
                path.unlink()  # a link's target belongs to someone else
            else:
                shutil.rmtree(path)
        if not any(trash.iterdir()):
            trash.rmdir()
    except OSError as error:
        raise ConfigError("run.trash_not_emptied", trash=trash, problem=error.strerror) from None
    return len(found)


def _move(folder: Path, place: Path) -> Path:
    if place.name == TRASH:
        try:
            own_folder(place)  # a link would move the run to another place
        except OSError as error:
            raise ConfigError("run.not_moved", folder=folder, place=place, problem=error.strerror) from None
    lock = claim(folder, MOMENT_S)  # nobody may start to train it while it is moved
    is_link = folder.is_symlink()
    if os.name == "nt":
        lock.release()  # a folder with an open file cannot be moved there
    elif is_link:
        lock.follow(folder.resolve())  # the link may lead elsewhere from its new place
    try:
        place.mkdir(exist_ok=True)
        target, count = place / folder.name, 1
        while os.path.lexists(target):
            count += 1
            target = place / f"{folder.name}-{count}"
        os.rename(folder, target)
        if not is_link:
            lock.follow(target)
    except OSError as error:
        raise ConfigError("run.not_moved", folder=folder, place=place, problem=error.strerror) from None
    finally:
        lock.release()
    return target
