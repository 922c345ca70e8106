"""The runs that a fork came from: its parent, the parent's parent, and so on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dqngui.lab.library.library import Library
from dqngui.lab.session.history import History
from dqngui.messages import Forked

MAX_ANCESTORS = 8  # longest chain of forks that is followed


@dataclass(frozen=True, slots=True)
class Ancestor:
    """An ancestor of a run: a run from which it, or another ancestor, was forked at `step`."""

    name: str
    history: History
    step: int
    folder: Path


def ancestors(history: History, folder: Path | None, library: Library) -> list[Ancestor]:
    """Find the ancestors of the run in `folder`, the parent first.

    The list ends at the first ancestor whose folder is missing next to the run's own, or was not read yet.
    """
    found: list[Ancestor] = []
    fork: Forked | None = history.forks[0] if history.forks else None
    visited = {folder}
    while fork is not None and folder is not None and len(found) < MAX_ANCESTORS:
        if fork.parent in ("", "..") or Path(fork.parent).name != fork.parent:
            break  # a log from elsewhere may name any path: only a sibling folder is read
        folder = folder.absolute().parent / fork.parent
        if folder in visited:
            break
        visited.add(folder)
        parent = library.curve(folder)
        if parent is None or parent.empty:
            break
        found.append(Ancestor(library.name_of(folder), parent, fork.step, folder))
        fork = parent.forks[0] if parent.forks else None
    return found
