"""The list of runs as it is shown: those that a query leaves, sorted, and in groups with the mean of their scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dqngui.listing.columns import Column
from dqngui.listing.figures import Run
from dqngui.listing.listed_run import ListedRun
from dqngui.listing.query import Query
from dqngui.statistics import mean_of

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that have the same value in a column.

    Attributes:
        text: this value as it is shown.
        runs: in the order of the list.
        mean: mean of the tests of those runs that have one; None if none has, or if the runs have different tasks,
            whose returns cannot be averaged.
        n: how many runs that are.
    """

    text: str
    runs: tuple[ListedRun, ...]
    mean: float | None
    n: int


def matching(runs: Sequence[ListedRun], query: Query) -> list[ListedRun]:
    """Those runs that a query leaves, in their order."""
    if not query:
        return list(runs)
    return [each.run for each in query.of([run.searched for run in runs]) if isinstance(each.run, ListedRun)]


def by_column(runs: Iterable[ListedRun], column: Column, *, descending: bool = False) -> list[ListedRun]:
    """The runs sorted by a column; those without a value stand last in both directions. Equal ones keep their order."""
    return ordered(runs, column.order, descending=descending)


def ordered(
    runs: Iterable[ListedRun], key: Callable[[ListedRun], _Key | None], *, descending: bool = False
) -> list[ListedRun]:
    """The runs sorted by a key; those for which it is None stand last in both directions."""
    keyed = [(key(run), run) for run in runs]
    known = [(order, run) for order, run in keyed if order is not None]
    known.sort(key=lambda each: each[0], reverse=descending)  # type: ignore[arg-type, return-value]
    return [run for _, run in known] + [run for order, run in keyed if order is None]


def grouped(runs: Iterable[ListedRun], column: Column) -> list[Group]:
    """The runs in groups of the same value, in the order of the values; the group without a value is the last."""
    found: dict[str, list[ListedRun]] = {}
    for run in runs:
        found.setdefault(column.text(run), []).append(run)
    firsts = ordered((group[0] for group in found.values()), column.order)
    return [_group(text, found[text]) for text in (column.text(run) for run in firsts)]


def _group(text: str, runs: list[ListedRun]) -> Group:
    scores = [run.summary.best for run in runs if run.summary.best is not None]
    same = len({run.summary.env for run in runs if run.summary.best is not None}) == 1
    return Group(text, tuple(runs), mean_of(scores) if scores and same else None, len(scores))


def folder_text(run: Run) -> str:
    """The path of a run below the folder of runs, with `/` on every system."""
    name = run.summary.folder.replace("\\", "/").rpartition("/")[2]
    return f"{run.group}/{name}" if run.group else name
