"""A resumption or a fork until its job has begun: if it never does, the run it came from stays as it was."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dqngui.lab.session.states import State
from dqngui.messages import Failed
from dqngui.runs.folder import EVENTS


@dataclass(frozen=True, slots=True)
class Attempt:
    """What to go back to.

    Attributes:
        folder: of a fork, made for it and used by nothing else yet.
    """

    what: Literal["resumed", "forked"]
    back_to: State
    failure: Failed | None
    notice: str
    folder: Path | None = None

    def clean_up(self) -> None:
        """Remove the folder of a fork that wrote nothing."""
        if self.folder is None:
            return
        log = self.folder / EVENTS
        if not log.exists() or log.stat().st_size == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
