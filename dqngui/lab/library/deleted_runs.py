"""The runs that a window deleted: they lie in the trash beside them until it closes, and can be restored."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.runs.nested import find_runs
from dqngui.runs.trash import TRASH, discard, empty_trash, restore
from dqngui.texts import Text

OLD_TRASH_S = 86_400.0  # seconds


class DeletedRuns:
    """Moves runs to the trash and back; true while a deletion can be undone."""

    def __init__(self) -> None:
        self._moved: list[list[Path]] = []

    def __bool__(self) -> bool:
        return bool(self._moved)

    def discard(self, folders: Sequence[Path]) -> tuple[list[Path], dict[Path, Text]]:
        """Move runs to the trash: (those that were moved, why the others were not)."""
        moved: dict[Path, Path] = {}
        problems: dict[Path, Text] = {}
        for folder in folders:
            try:
                moved[folder] = discard(folder)
            except ConfigError as error:
                problems[folder] = error.text
        if moved:
            self._moved.append(list(moved.values()))
        return list(moved), problems

    def restore_last(self) -> list[Text]:
        """Undo the last deletion; returns why runs were not restored."""
        problems = []
        for path in self._moved.pop() if self._moved else ():
            try:
                restore(path)
            except ConfigError as error:
                problems.append(error.text)
        return problems

    def empty(self) -> None:
        """Delete for good what this window moved to the trash; what cannot be deleted stays for the next start."""
        paths = [path for moved in self._moved for path in moved]
        for place in {path.parent.parent for path in paths}:
            with contextlib.suppress(ConfigError):
                empty_trash(place, [path for path in paths if path.parent.parent == place])

    @staticmethod
    def empty_old(runs: Path | None, now: float) -> None:
        """Delete the trash of a window that crashed. A newer one may belong to an open window.

        Args:
            now: seconds since 1970.
        """
        if runs is None:
            return
        with contextlib.suppress(OSError):
            for place in (runs, *map(Path, find_runs(runs).groups)):
                with contextlib.suppress(OSError, ConfigError):
                    if now - (place / TRASH).stat().st_mtime > OLD_TRASH_S:
                        empty_trash(place)
