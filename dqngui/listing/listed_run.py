"""A run as the list shows it: summary, settings, labels, place and name; and what a filter searches of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dqngui import catalog
from dqngui.listing.figures import measures_of
from dqngui.listing.run_names import RunName, folder_name, started_text
from dqngui.listing.run_settings import RunSettings
from dqngui.listing.searched_run import SearchedRun
from dqngui.listing.vocabulary import Vocabulary, known_paths, vocabulary
from dqngui.runs.folder import UNREADABLE, RunSummary
from dqngui.runs.labels import Labels
from dqngui.texts.numbers import measured

NO_LABELS = Labels()


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run of the list.

    Attributes:
        summary: with the title that a person gave, if one did.
        name: short, and different from those of the other runs.
        settings: None if they were not read.
        group: the folder in which it lies, relative to the folder of runs; empty for that folder itself.
    """

    summary: RunSummary
    name: RunName
    settings: RunSettings | None = None
    labels: Labels = NO_LABELS
    group: str = ""
    _searched: list[SearchedRun] = field(default_factory=list, compare=False, repr=False)

    @property
    def folder(self) -> str:
        return self.summary.folder

    @property
    def searched(self) -> SearchedRun:
        """What a filter searches, made once."""
        if not self._searched:
            self._searched.append(SearchedRun(self, texts_of(self)))
        return self._searched[0]


def listed_runs(
    runs: Path | None,
    summaries: Sequence[RunSummary],
    names: Mapping[str, RunName],
    settings: Mapping[str, RunSettings],
    labels: Mapping[str, Labels],
    before: Mapping[str, ListedRun],
) -> list[ListedRun]:
    """The runs with these summaries; a run of which nothing changed is the same object as in `before`."""
    root = os.fspath(runs) if runs is not None else ""
    found = []
    for summary in summaries:
        path = summary.folder
        name, known, said = names.get(path), settings.get(path), labels.get(path, NO_LABELS)
        old = before.get(path)
        if (
            old is not None
            and old.summary is summary
            and (old.settings is known or old.settings == known)
            and old.name == name
            and old.labels == said
        ):
            found.append(old)
            continue
        group = os.path.dirname(path)[len(root) + 1 :] if root and path.startswith(root) else ""
        found.append(ListedRun(summary, name or RunName(folder_name(path)), known, said, group.replace(os.sep, "/")))
    return found


def prepare(runs: Sequence[ListedRun], go_on: Callable[[], bool] = lambda: True) -> None:
    """Make what a filter searches of all runs, so that a filter need not wait for it."""
    for run in runs:
        if not go_on():
            return
        run.searched  # noqa: B018


def vocabulary_of(runs: Sequence[ListedRun]) -> Vocabulary:
    """The names that may be typed in a filter of these runs."""
    known = known_paths()
    others: set[str] = set()
    for run in runs:
        if run.settings is not None:
            others.update(path for path in run.settings.changed if path not in known)
    return vocabulary(frozenset(others), frozenset(measures_of(runs)))


# -- what the list shows ----------------------------------------------------------------------------


def texts_of(run: ListedRun) -> list[str]:
    """What the list shows of a run in its usual columns, to be searched."""
    summary = run.summary
    if summary.state == UNREADABLE:
        return [str(run.name), os.path.basename(summary.folder), "cannot be read", summary.state]
    return [
        str(run.name), task_text(summary), agent_text(summary), result_text(summary), f"{summary.step:,}",
        str(summary.seed), *started_text(summary), summary.env, summary.state,
    ]  # fmt: skip


def task_text(summary: RunSummary) -> str:
    """Short name of the environment: `CartPole` for `CartPole-v1`."""
    bare = summary.env.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
    return bare.rpartition("-v")[0] or bare


def agent_text(summary: RunSummary) -> str:
    """Attention and memory as a label: `self + GRU`, `LSTM`, `no memory`."""
    attention, memory = summary.attention, summary.memory
    entry = catalog.MEMORIES.get(memory)
    parts = [attention] if attention != "none" else []
    if memory != "none" or not parts:
        parts.append(entry.label or memory if entry else memory)
    return " + ".join(parts)


def result_text(summary: RunSummary) -> str:
    """The test of the kept checkpoint; in brackets the evaluation that chose it, if there is no test."""
    if summary.best is None:
        return "–"
    text = measured(summary.best)
    return text if summary.tested is not None else f"({text})"
