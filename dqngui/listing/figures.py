"""What the list shows of a run apart from its settings: results, times, labels, its place. Each has names to type."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol

from dqngui import catalog
from dqngui.listing.run_settings import RunSettings
from dqngui.runs.folder import RunSummary
from dqngui.runs.labels import Labels
from dqngui.runs.started import moment
from dqngui.texts.numbers import measured

Kind = Literal["number", "text", "date", "flag", "seconds"]


class Run(Protocol):
    """A run as the list knows it.

    Attributes:
        settings: None if they were not read.
        group: the folder in which the run lies, relative to the folder of runs; empty for that folder itself.
    """

    @property
    def summary(self) -> RunSummary: ...
    @property
    def settings(self) -> RunSettings | None: ...
    @property
    def labels(self) -> Labels: ...
    @property
    def group(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of the list that is no setting.

    Attributes:
        label: head of its column.
        kind: how its values are compared and written; a `date` is in seconds since 1970.
        get: its value, None if the run has none.
        typed: what may be typed as its value, where that is more than the value itself.
        names: further names, in the form of `typed_words.plain`.
    """

    label: str
    kind: Kind
    get: Callable[[Run], Any]
    names: tuple[str, ...] = ()
    typed: Callable[[Run], tuple[Any, ...]] | None = None


def _best(run: Run) -> float | None:
    return run.summary.best


def _chosen_at(run: Run) -> float | None:
    return None if run.summary.tested is None else run.summary.tested.chosen_at


def _label(entries: Mapping[str, catalog.Entry], name: str) -> tuple[Any, ...]:
    return (name, entries[name].label) if name in entries and entries[name].label else (name,)


def _as_shown(value: float | None) -> tuple[Any, ...]:
    return (None,) if value is None else (value, measured(value).replace("\u2212", "-").replace(",", ""))


def _numbers_shown(value: float | None) -> tuple[Any, ...]:
    shown = _as_shown(value)
    try:
        return (*shown[:1], *(float(each) for each in shown[1:]))
    except ValueError:
        return shown


FIGURES: dict[str, Figure] = {
    "title": Figure("title", "text", lambda run: run.summary.title or os.path.basename(run.summary.folder), ("name",)),
    "task": Figure("task", "text", lambda run: run.summary.env, ("env", "env.id", "id", "environment")),
    "attention": Figure(
        "attention", "text", lambda run: run.summary.attention, ("net.attention",),
        lambda run: _label(catalog.ATTENTIONS, run.summary.attention),
    ),
    "memory": Figure(
        "memory", "text", lambda run: run.summary.memory, ("net.memory",),
        lambda run: _label(catalog.MEMORIES, run.summary.memory),
    ),
    "seed": Figure("seed", "number", lambda run: run.summary.seed, ("run.seed",)),
    "best": Figure("best", "number", _best, ("test",), lambda run: _numbers_shown(run.summary.best)),
    "final": Figure(
        "final", "number", lambda run: run.summary.final, (), lambda run: _numbers_shown(run.summary.final)
    ),
    "chosen": Figure("chosen at", "number", _chosen_at, ("chosen at",), lambda run: _numbers_shown(_chosen_at(run))),
    "steps": Figure(
        "steps", "number", lambda run: run.summary.step, ("step",),
        lambda run: (run.summary.step, run.summary.total_steps),
    ),
    "seconds": Figure("training", "seconds", lambda run: run.summary.seconds, ("training", "duration")),
    "state": Figure("state", "text", lambda run: run.summary.state),
    "started": Figure("started", "date", lambda run: moment(run.summary.started) or None, ("start", "date")),
    "updated": Figure("changed", "date", lambda run: moment(run.summary.updated) or None, ("changed",)),
    "fork": Figure("fork of", "text", lambda run: run.summary.parent or None, ("fork of", "parent")),
    "folder": Figure("folder", "text", lambda run: run.group or None, ("sweep",)),
    "tag": Figure("tags", "text", lambda run: ", ".join(run.labels.tags) or None, ("tags",),
        lambda run: run.labels.tags or (None,)),
    "star": Figure("star", "flag", lambda run: run.labels.star, ("starred",)),
    "note": Figure("note", "text", lambda run: run.labels.note or None, ("notes",)),
}  # fmt: skip
"""By key. The keys are names too, and `FOR_SETTINGS` says which of them stand for a setting."""

MEASURE = "measure."
"""How the key of a measure begins that a task names (`envs.measures`), as `measure.success`."""


@lru_cache(maxsize=256)
def _measure_figure(name: str) -> Figure:
    def value(run: Run) -> float | None:
        found = {} if run.summary.tested is None else run.summary.tested.known_measures
        return found[name].mean if name in found else None

    return Figure(name, "number", value, (), lambda run: _numbers_shown(value(run)))


def figure_of(key: str) -> Figure | None:
    """The figure with this key, also that of a measure; None for a setting."""
    return _measure_figure(key.removeprefix(MEASURE)) if key.startswith(MEASURE) else FIGURES.get(key)


def measures_of(runs: Iterable[Run]) -> list[str]:
    """The measures that were tested in any of these runs, in their order."""
    tested = (run.summary.tested for run in runs)
    return list(dict.fromkeys(name for each in tested if each is not None for name in each.known_measures))


FOR_SETTINGS = {"env.id": "task", "net.attention": "attention", "net.memory": "memory", "run.seed": "seed"}
