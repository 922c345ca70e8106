"""The names of runs in the window: short, and different from each other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from dqngui import catalog
from dqngui.runs.folder import RunSummary

_STAMP = re.compile(r"^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_")


def folder_name(folder: str | Path) -> str:
    """The name of a run's folder without its start time."""
    return _STAMP.sub("", Path(folder).name)


def plain_name(summary: RunSummary) -> str:
    """The title of the run, or the name of its folder if it has none."""
    return summary.title or folder_name(summary.folder)


def names(summaries: Sequence[RunSummary]) -> dict[str, str]:
    """Names of runs, by folder: the title or folder name, with additions if several runs share it.

    The additions are memory, attention, seed, `fork` and start time, each only if it differs between these runs.
    """
    found = {each.folder: plain_name(each) for each in summaries}
    for more in (
        lambda each: _label(catalog.MEMORIES, each.memory),
        lambda each: _label(catalog.ATTENTIONS, each.attention),
        lambda each: f"seed {each.seed}",
        lambda each: "fork" if each.parent else "",
        lambda each: Path(each.folder).name[11:16].replace("-", ":") if _STAMP.match(Path(each.folder).name) else "",
    ):
        parts: dict[str, set[str]] = defaultdict(set)
        for each in summaries:
            parts[found[each.folder]].add(more(each))
        found = {
            each.folder: " · ".join(filter(None, (name, more(each) if len(parts[name]) > 1 else "")))
            for each in summaries
            for name in (found[each.folder],)
        }
    return found


def _label(entries: Mapping[str, catalog.Entry], name: str) -> str:
    return (entries[name].label if name in entries else "") or name
