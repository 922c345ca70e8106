"""The state that a queued fork starts from: kept in the fork's own folder, since its parent may go on meanwhile.

`RUN/parent/NAME/` holds the settings and the saved state of the run NAME as they were when the fork was queued. Its
files are second names of the parent's, which cost no room until the parent saves again. Imports no torch.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.runs.files import link_file
from dqngui.runs.folder import EXPERIMENT, read_experiment
from dqngui.runs.resume import STATE, read_meta, read_whole, segments_of
from dqngui.runs.segments import link_segments
from dqngui.runs.trust import Untrusted, check_trusted, trust

PARENT = "parent"


def keep_parent(folder: Path, parent: Path) -> int:
    """Keep in a fork's folder the state that its parent has now. Returns the environment steps of that state.

    Raises ConfigError, OSError.
    """
    kept = folder / PARENT / Path(os.path.abspath(parent)).name

    def link(current: Path) -> None:
        shutil.rmtree(kept, ignore_errors=True)
        (kept / STATE).mkdir(parents=True)
        try:
            for file in sorted(current.iterdir()):
                link_file(file, kept / STATE / file.name)
            link_segments(parent, kept, segments_of(current))
        except FileNotFoundError:  # the parent is saved just now
            raise ConfigError("state.changing", folder=parent) from None

    read_whole(parent, link)
    link_file(parent / EXPERIMENT, kept / EXPERIMENT)
    with suppress(Untrusted):  # what names the parent's code was refused before
        check_trusted(parent, read_experiment(parent).env)
        trust(kept)
    return read_meta(kept)[0].step


def kept_parent(folder: Path, parent: Path) -> Path:
    """Where a fork reads its parent's state: what was kept for it, or else the parent itself."""
    kept = folder / PARENT / parent.name
    return kept if kept.is_dir() else parent


def drop_parent(folder: Path) -> None:
    """Remove what was kept for a fork that has a saved state of its own now."""
    with suppress(ConfigError, OSError):
        read_meta(folder)
        shutil.rmtree(folder / PARENT, ignore_errors=True)
