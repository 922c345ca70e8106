"""Deletes what lies in the trash of a folder of runs, where nobody can undo it any more."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.runs.trash import TRASH, empty_trash

OLD_TRASH_S = 86_400.0  # seconds


def empty_old_trash(runs: Path | None, now: float) -> None:
    """Delete the trash of a window that crashed. A newer one may belong to an open window.

    Args:
        now: seconds since 1970.
    """
    with contextlib.suppress(OSError):
        if runs is not None and now - (runs / TRASH).stat().st_mtime > OLD_TRASH_S:
            empty_own_trash(runs)


def empty_own_trash(runs: Path | None, only: Sequence[Path] | None = None) -> None:
    """Delete the trash, or `only` these folders of it; what cannot be deleted stays for the next start."""
    if runs is not None:
        with contextlib.suppress(ConfigError):
            empty_trash(runs, only)
