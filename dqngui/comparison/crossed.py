"""Two settings crossed: a table of estimates, a row for each value of one and a column for each of the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np

from dqngui.comparison.curves import Statistic
from dqngui.comparison.figures import Estimate, GroupFigures, group_figures
from dqngui.comparison.groups import CHANGES, FORK, MISSING, Group, Grouping, flat_settings
from dqngui.comparison.results import RunResult
from dqngui.comparison.scores import Score
from dqngui.comparison.setting_words import module_name, plain_value, short_name
from dqngui.texts.plain import plain_line

TASK, ALL = "env.id", ""
"""The setting of the task, and what stands for no setting."""
_MODULES = ("net.memory", "net.attention")
_LONGEST = 40
Scale = Literal["rows", "columns", "all"]


@dataclass(frozen=True, eq=False, slots=True)
class Cell:
    """The runs with one value of each setting.

    Attributes:
        figures: of these runs, with their scores.
        estimate: the chosen statistic of their scores.
        share: how good it is among the cells that have one scale, from 0 (worst) to 1 (best); NaN without a score, and
            where there is nothing else to compare it with.
    """

    figures: GroupFigures
    estimate: Estimate
    share: float

    @property
    def runs(self) -> tuple[RunResult, ...]:
        return self.figures.group.runs


@dataclass(frozen=True, eq=False, slots=True)
class Crossed:
    """A table of estimates.

    Attributes:
        paths: dotted names of the settings of rows and columns.
        names: short names of these settings.
        rows, columns: their values in words.
        cells: by (row, column); absent where no run has these values.
        scale: which cells are compared with each other: those of a row where each row is another task, whose returns
            have a range of their own; of a column; or all.
    """

    paths: tuple[str, str]
    names: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: dict[tuple[int, int], Cell]
    scale: Scale


def crossable(grouping: Grouping) -> dict[str, str]:
    """The settings that can be crossed, with short names: those that somebody chose and in which groups differ."""
    found = [each for each in grouping.differing("names", "follows") if each.path not in (CHANGES, FORK)]
    return {each.path: _short(each.path) for each in found}


def crossed(
    grouping: Grouping, score: Score, statistic: Statistic = "iqm", rows: str = "", columns: str = ""
) -> Crossed | None:
    """The table of two settings; None without runs.

    Runs that differ in further settings are in one cell. If fewer than two settings differ, there is a single column.

    Args:
        rows, columns: dotted names; where one is not among those that differ, the first of these that is free.
    """
    known = list(crossable(grouping))
    if not grouping.groups:
        return None
    rows = rows if rows in known else next((path for path in known if path != columns), ALL)
    columns = columns if columns in known and columns != rows else next((path for path in known if path != rows), ALL)
    runs = [run for group in grouping.groups for run in group.runs]
    settings = [flat_settings(run.experiment) for run in runs]
    row_keys, row_values = _kinds(each.get(rows) for each in settings)
    column_keys, column_values = _kinds(each.get(columns) for each in settings)
    found: dict[tuple[int, int], list[RunResult]] = {}
    for run, row, column in zip(runs, row_keys, column_keys, strict=True):
        found.setdefault((row, column), []).append(run)
    row_names, column_names = _named(rows, row_values), _named(columns, column_values)
    scale: Scale = "rows" if rows == TASK else "columns" if columns == TASK else "all"
    figures = {
        at: group_figures(Group(f"{row_names[at[0]]} · {column_names[at[1]]}", tuple(each), 0), score)
        for at, each in found.items()
    }
    estimates: dict[tuple[int, int], Estimate] = {at: getattr(each, statistic) for at, each in figures.items()}
    shares = _shares({at: each.value for at, each in estimates.items()}, scale, score.larger_is_better)
    cells = {at: Cell(figures[at], estimates[at], shares[at]) for at in sorted(found)}
    return Crossed(
        (rows, columns), (_short(rows), _short(columns)), tuple(row_names), tuple(column_names), cells, scale
    )


def _kinds(values: Iterable[Any]) -> tuple[list[int], list[Any]]:
    """(the index of each value, the different values): numbers by size, others as they first appear."""
    given = list(values)
    kinds = list({msgspec.json.encode(value): value for value in given}.values())
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in kinds):
        kinds.sort()
    places = {msgspec.json.encode(value): index for index, value in enumerate(kinds)}
    return [places[msgspec.json.encode(value)] for value in given], kinds


def _short(path: str) -> str:
    return "task" if path == TASK else short_name(path) if path else ALL


def _named(path: str, values: Sequence[Any]) -> list[str]:
    if path == ALL:
        return ["all runs"]
    if path in _MODULES:
        return [MISSING if value is None else module_name(path, str(value)) for value in values]
    texts = [MISSING if value is None else plain_line(plain_value(value), _LONGEST) for value in values]
    if path != TASK:
        return texts
    alike = [len(set(signs)) == 1 for signs in zip(*texts, strict=False)]
    shared = texts[0][: alike.index(False)] if len(texts) > 1 and not all(alike) else ""
    start = max(shared.rfind("-"), shared.rfind("/"), shared.rfind(":")) + 1  # of the part that all ids share
    bare = [re.sub(r"-v\d+$", "", text[start:]) for text in texts]
    return bare if len(set(bare)) == len(texts) and all(bare) else texts


def _shares(values: dict[tuple[int, int], float], scale: Scale, larger: bool) -> dict[tuple[int, int], float]:
    """How good each value is among those of its scale; NaN where they are all equal."""
    found = {}
    for at, value in values.items():
        near = [
            other
            for place, other in values.items()
            if np.isfinite(other) and (scale == "all" or place[scale == "columns"] == at[scale == "columns"])
        ]
        if not np.isfinite(value):
            found[at] = float("nan")
            continue
        low, high = min(near), max(near)
        share = float("nan") if low == high else (value - low) / (high - low)
        found[at] = share if larger else 1.0 - share
    return found
