"""The data of the Return card as a table, for export."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from dqngui.gui.panels.curves.return_drawn import ReturnDrawn, evaluation_mean
from dqngui.jobs.breakpoints import point_text
from dqngui.lab.analysis.table import Table
from dqngui.lab.session.history import History
from dqngui.texts import words

_HEAD = ("step", "kind", "run", "return", "low", "high", "runs", "length", "detail", "old", "new")
OverlayRow = tuple[int, str, float, float | None, float | None, int]
"""(step, name, mean return, ends of its interval or None, number of runs) of a point of an overlay."""


class _Row(NamedTuple):
    """A row of the exported table; `value`: a return or a mean of returns, `low` and `high`: the ends of its band."""

    step: int
    kind: str
    run: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    runs: int | None = None
    length: int | None = None
    detail: str = ""
    old: object = None
    new: object = None


def return_table(
    history: History, drawn: ReturnDrawn | None, own: str, smoothing: str, overlays: Iterable[OverlayRow]
) -> Table:
    """One row per episode, point of a curve, evaluation, changed setting and breakpoint, by step.

    A row of kind `mean` is a point of the open run's line with its band, one of kind `overlay` a point of another
    run's line, or of a mean of `runs` runs with its interval.

    Where a measure is drawn, its name stands in the head and its values for the returns.

    Args:
        own: name of the open run; smoothing: what its line is the mean of.
    """
    lengths, measure = history.lengths.y.values, drawn.measure if drawn is not None else ""
    curve = history.curve(measure)
    rows: list[_Row] = [
        _Row(int(step), "episode", own, value, length=int(length))
        for step, value, length in zip(curve.x.values, curve.y.values, lengths, strict=True)
    ]
    rows += _own_line(drawn, own, smoothing)
    rows += [
        _Row(each.step, "evaluation", own, evaluation_mean(each, measure), detail=each.role)
        for each in history.evaluations
    ]
    rows += [_Row(each.step, "knob", own, detail=each.field, old=each.old, new=each.new) for each in history.knobs]
    rows += [
        _Row(each.step, "breakpoint", own, detail=words(point_text(each.point)), new=each.value)
        for each in history.hits
    ]
    rows += [
        _Row(step, "overlay", name, value, low=low, high=high, runs=runs)
        for step, name, value, low, high, runs in overlays
    ]
    rows.sort(key=lambda row: row.step)
    head = tuple(measure if measure and name == "return" else name for name in _HEAD)
    return Table(head, (["" if cell is None else cell for cell in row] for row in rows))


def _own_line(drawn: ReturnDrawn | None, name: str, smoothing: str) -> list[_Row]:
    if drawn is None or not len(drawn.line[0]):
        return []
    (x, means), (band_x, low, high) = drawn.line, drawn.band
    ends = {step: (below, above) for step, below, above in zip(band_x, low, high, strict=True)}
    return [
        _Row(round(step), "mean", name, float(mean), *ends.get(step, (None, None)), detail=smoothing)
        for step, mean in zip(x, means, strict=True)
        if np.isfinite(mean)
    ]
