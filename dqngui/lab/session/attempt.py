"""A resumption or a fork whose job has not begun yet: if it never does, the run becomes what it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from dqngui.lab.session.run import RunState
from dqngui.lab.session.states import State
from dqngui.messages import Failed
from dqngui.runs.folder import EVENTS


class Attempt:
    """What to go back to.

    Attributes:
        what: what is attempted, as a word of a sentence.
        state: of the run before.
        folder: of a fork, made for it and used by nothing else yet; None for a resumption.
    """

    def __init__(
        self, what: Literal["resumed", "forked"], run: RunState, state: State, folder: Path | None = None
    ) -> None:
        self.what, self.state, self.folder = what, state, folder
        self._run, self._failure, self._notice = run, run.failure, run.notice

    def undo(self) -> Failed | None:
        """Give the run what it had, and remove the folder of a fork that wrote nothing; returns why it failed."""
        failure = self._run.failure
        self._run.failure, self._run.notice = self._failure, self._notice
        if self.folder is not None:
            log = self.folder / EVENTS
            if not log.exists() or log.stat().st_size == 0:
                shutil.rmtree(self.folder, ignore_errors=True)
        return failure
