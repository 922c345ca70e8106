"""The contents of a run to compare with another run, and a simulated disk that fails or is full from some moment."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dqngui.messages import without_clock
from dqngui.runs.checkpoints import checkpoints, load_weights
from dqngui.runs.folder import read_events
from dqngui.runs.resume import segments_of

OPERATIONS = ("write", "fsync", "rename", "replace", "truncate", "link", "unlink", "mkdir", "rmdir", "open")


def contents(folder: Path) -> dict[str, Any]:
    """Everything of a finished run that must not depend on how often it was stopped and resumed."""
    best_step, best = load_weights(folder, "best")
    named = {segment.name for segment in segments_of(folder / "resume")}
    return {
        "segments that the state does not name": {path.name for path in (folder / "replay").glob("*")} - named,
        "log": [without_clock(event) for event in read_events(folder)],
        "episodes": ((folder / "episodes.dat").read_bytes(), (folder / "episodes.idx").read_bytes()),
        "best": (best_step, best["w"].tolist()),
        "last": (checkpoints(folder)[-1], load_weights(folder, "last")[1]["w"].tolist()),
    }


class Killed(BaseException):
    """Simulates a killed process: no code may clean up after it."""


class Disk:
    """Counts file operations; from the chosen one on, every operation is killed, or fails because the disk is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, full: bool = False) -> None:
        self.count, self.at, self.full, self.names = 0, at, full, []
        for name in ("write", "fsync", "mkdir") if full else OPERATIONS:
            monkeypatch.setattr(os, name, self._counted(name, getattr(os, name)))

    def _counted(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            self.names.append(name)
            if self.count >= self.at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) if self.full else Killed(name)
            return operation(*args, **kwargs)

        return counted

    @property
    def struck(self) -> bool:
        return self.count >= self.at
