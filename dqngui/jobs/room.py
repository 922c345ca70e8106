"""The room that a replay will take, told before the first step."""

from __future__ import annotations

import shutil
from pathlib import Path

from dqngui.size_rules import MUCH_ROOM
from dqngui.texts import Text, say


def note_about_room(rows: int, size: int) -> Text | None:
    """The memory and the room on the disk of a full replay of so many rows and bytes; None if it is small."""
    if size < MUCH_ROOM:
        return None
    return say("train.room", rows=rows, size=_gigabytes(size))


def warning_about_disk(size: int, folder: str | None) -> Text | None:
    """That a full replay will not fit on the disk of a run; None if it fits, or if that cannot be seen."""
    if folder is None or size < MUCH_ROOM:
        return None
    try:
        free = shutil.disk_usage(Path(folder)).free
    except OSError:
        return None
    return say("train.disk_room", size=_gigabytes(size), free=_gigabytes(free)) if free < size else None


def _gigabytes(size: int) -> Text:
    return say("size.gigabytes", size=size / 2**30)
