"""A run that was killed before it was saved for the first time: it begins again in its own folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from dqngui.config import ConfigError
from dqngui.runs import episodes, segments
from dqngui.runs.checkpoints import FOLDER
from dqngui.runs.folder import EVENTS, claim
from dqngui.runs.resume import NEW, read_meta
from dqngui.runs.rewinding import check_own


def begin_again(folder: Path) -> None:
    """Remove the log, the episodes and the checkpoints of a run that has no saved state; its settings stay.

    Raises ConfigError if it has a saved state, or is trained now; OSError.
    """
    check_own(folder)
    with claim(folder):
        try:
            read_meta(folder)
        except ConfigError as error:
            if error.text.key != "state.none":
                raise
        else:
            raise ConfigError("run.exists", folder=folder)
        for name in (FOLDER, NEW, segments.FOLDER):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (episodes.DATA, episodes.INDEX, EVENTS):  # the log last: while it is there, this is done again
            (folder / name).unlink(missing_ok=True)
