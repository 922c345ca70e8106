"""What is behind a comparison's figures, as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from dqngui.comparison.crossed import Crossed
from dqngui.comparison.curves import Axis, GroupCurve, Statistic
from dqngui.comparison.figures import GroupFigures
from dqngui.comparison.groups import Grouping
from dqngui.comparison.results import Floats
from dqngui.statistics import Profile
from dqngui.texts.plain import plain_line

_FORMULA = ("=", "+", "-", "@")
_HEADS = {"steps": "steps", "episodes": "episodes", "time": "seconds", "updates": "updates"}


def curves_csv(names: Sequence[str], curves: Sequence[GroupCurve], axis: Axis, statistic: Statistic) -> str:
    """Each run's curve and each group's: group, what (`run` or the statistic), seed, x, return, low, high, runs."""
    rows: list[Sequence[object]] = []
    for name, curve in zip(names, curves, strict=True):
        for run in curve.runs:
            rows += [(name, "run", run.seed, x, y, "", "", "") for x, y in zip(run.x, run.y, strict=True)]
        columns = zip(curve.x, curve.y, curve.low, curve.high, curve.count, strict=True)
        rows += [(name, statistic, "", x, y, low, high, count) for x, y, low, high, count in columns]
    return _written(("group", "what", "seed", _HEADS[axis], "return", "low", "high", "runs"), rows)


def figures_csv(found: Sequence[GroupFigures], score: str) -> str:
    """Each run's score, then mean, interquartile mean and median of each group with their intervals."""
    rows: list[Sequence[object]] = []
    for each in found:
        scores = zip(each.group.runs, each.scores, strict=True)
        rows += [(each.group.name, "run", run.experiment.run.seed, value, "", "", "") for run, value in scores]
        for what, estimate in (("mean", each.mean), ("iqm", each.iqm), ("median", each.median)):
            low, high = estimate.interval or ("", "")
            rows.append((each.group.name, what, "", estimate.value, low, high, each.count))
    return _written(("group", "what", "seed", score, "low", "high", "runs"), rows)


def profiles_csv(names: Sequence[str], thresholds: Floats, profiles: Sequence[Profile], score: str) -> str:
    """The share of each group's runs above each threshold, with its interval."""
    rows = [
        (name, *row)
        for name, profile in zip(names, profiles, strict=True)
        for row in zip(thresholds, *profile, strict=True)
    ]
    return _written(("group", score, "share above", "low", "high"), rows)


def crossed_csv(table: Crossed) -> str:
    """Each cell of two crossed settings: their values, the estimate with its interval, and the number of runs."""
    rows = []
    for (row, column), cell in table.cells.items():
        low, high = cell.estimate.interval or ("", "")
        rows.append((table.rows[row], table.columns[column], cell.estimate.value, low, high, cell.figures.count))
    return _written((*table.paths, "value", "low", "high", "runs"), rows)


def settings_csv(grouping: Grouping) -> str:
    """The settings that differ, a row for each setting and a column for each group."""
    rows = [(each.path, each.why, *each.texts) for each in grouping.differences]
    return _written(("setting", "why", *(group.name for group in grouping.groups)), rows)


def _written(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_cell(each) for each in head])
    writer.writerows([_cell(each) for each in row] for row in rows)
    return file.getvalue()


def _cell(value: object) -> str:
    """A number as exactly as it is, empty if it is none; a text so that no spreadsheet takes it for a formula."""
    if isinstance(value, str):
        text = plain_line(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    number = float(value)  # type: ignore[arg-type]
    if math.isnan(number):
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
