"""The folders where programs keep what belongs to a user and not to a run: states and caches."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def state_folder() -> Path | None:
    """Where programs keep what they remember of their user: XDG_STATE_HOME, or what the system has instead of it."""
    return _folder("XDG_STATE_HOME", mac="Library/Application Support", other=".local/state")


def cache_folder() -> Path | None:
    """Where programs keep what may be deleted: XDG_CACHE_HOME, or what the system has instead of it."""
    return _folder("XDG_CACHE_HOME", mac="Library/Caches", other=".cache")


def _folder(variable: str, *, mac: str, other: str) -> Path | None:
    """The folder that a variable names, or the usual one; None for a user without a home."""
    usual = mac if sys.platform == "darwin" else other
    if sys.platform == "win32":
        variable, usual = "LOCALAPPDATA", "AppData/Local"
    named = os.environ.get(variable, "")
    try:
        return Path(named) if os.path.isabs(named) else Path.home() / usual
    except RuntimeError:
        return None
