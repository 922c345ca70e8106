"""A curve of stored runs that is drawn over the open run's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dqngui.listing.run_names import RunName


@dataclass(eq=False, slots=True)
class RunOverlay:
    """A stored run's return curve, or the mean of several seeds', drawn over the open run's.

    Attributes:
        folders: folders of the runs: one, or with `seeds` all that differ only in their seed.
        parts: the run's name in parts, or what the names of the runs have in common.
        slot: selects colour and dash pattern; different for each overlay.
        named: whether the name was given by the caller and stays when those of the runs change.
    """

    folders: tuple[Path, ...]
    parts: RunName
    slot: int
    seeds: bool = False
    named: bool = False

    @property
    def name(self) -> str:
        return str(self.parts)


def name_for(overlay: RunOverlay, name_of: Callable[[Path], RunName]) -> RunName:
    """The name of the run, or what the names of several seeds have in common."""
    first, *others = (name_of(folder) for folder in overlay.folders)
    if not overlay.seeds:
        return first
    shared = tuple(part for part in first.settings if all(part in other.settings for other in others))
    return RunName(first.title, shared)
