"""The sections of a comparison of several runs, in groups that differ in more than their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from dqngui.comparison.curves import group_curve
from dqngui.comparison.figures import Estimate, GroupFigures, figures, improvements
from dqngui.comparison.groups import Group, Grouping, grouped
from dqngui.comparison.results import read_result
from dqngui.comparison.scores import score_named
from dqngui.comparison.words import improvement_text
from dqngui.export.exported_run import ExportedRun
from dqngui.export.report import sections
from dqngui.export.report.charts import Chart, Line
from dqngui.export.report.columns import Columns
from dqngui.export.report.page import details, section, table
from dqngui.texts import say, words

MOST_EPISODES = 4
MOST_PAIRS = 30
MOST_FAINT = 200
"""Curves of single runs in all; more would only make the file large."""
_NUMBERS = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True)
class Compared:
    """The sections before and after the episodes, a line about the runs, and whose episodes are shown, by name."""

    about: str
    first: list[str]
    last: list[str]
    chosen: list[tuple[str, ExportedRun]]


def compared(runs: Sequence[ExportedRun], columns: Sequence[Columns]) -> Compared:
    """Compare runs by their best checkpoints. Raises ConfigError if one of them cannot be read."""
    grouping = grouped([read_result(run.folder) for run in runs])
    score = score_named("best")
    found = figures(grouping, score)
    names = [group.name for group in grouping.groups]
    pairs = improvements(found, score)
    said = "".join(f"<p>{escape(words(improvement_text(pair, names)))}</p>" for pair in pairs[:MOST_PAIRS])
    if len(pairs) > 1 and said:
        said += f'<p class="muted">{escape(words(say("compare.each_alone", count=len(pairs))))}</p>'
    by_folder = {run.folder: run for run in runs}
    chosen = [(group.name, by_folder[each]) for group, each in zip(grouping.groups, map(_best, found), strict=True)]
    about = words(say("report.groups", count=len(names), runs=len(runs)))
    return Compared(
        about,
        [_curves(grouping), section(say("report.figures"), _figures(found) + said)],
        [_settings(grouping, runs), _runs(runs), _ledgers(runs, columns)],
        chosen[:MOST_EPISODES],
    )


def _best(found: GroupFigures) -> Path:
    """The folder of the group's best run; the first one if none was evaluated."""
    scores = found.scores
    index = int(np.nanargmax(scores)) if np.isfinite(scores).any() else 0
    return found.group.runs[index].folder


def _curves(grouping: Grouping) -> str:
    lines: list[Line] = []
    for group in grouping.groups:
        curve = group_curve(group.runs, "steps", "iqm")
        each = max(1, MOST_FAINT // len(grouping.groups))
        lines += [Line(run.x, run.y, "", "faint", group.slot) for run in curve.runs[:each]]
        label = words(say("report.line_group", name=group.name, runs=len(group.runs)))
        lines.append(Line(curve.x, curve.whole, label, "line", group.slot, curve.low, curve.high))
    steps = words(say("report.environment_steps"))
    chart = Chart(words(say("report.chart_groups")), steps, lines, height=360).svg()
    if not chart:
        return section(say("report.curves"), f'<p class="muted">{escape(words(say("report.no_curves")))}</p>')
    wide = chart.replace("<figure>", '<figure class="wide">', 1)
    note = f'<p class="muted">{escape(words(say("report.iqm_note")))}</p>'
    return section(say("report.curves"), f'<div class="charts">{wide}</div>{note}')


def _figures(found: Sequence[GroupFigures]) -> str:
    interval = words(say("report.column_interval"))
    head = ["", "n", words(say("report.column_mean")), interval, "IQM", interval,
            words(say("report.column_median")), interval]  # fmt: skip
    rows = [
        [each.group.name, _count(each.group, each.count), *_cells(each.mean), *_cells(each.iqm), *_cells(each.median)]
        for each in found
    ]
    return table(head, rows, numbers=_NUMBERS)


def _count(group: Group, count: int) -> str:
    return str(count) if count == len(group.runs) else f"{count} / {len(group.runs)}"


def _cells(estimate: Estimate) -> list[str]:
    value = sections.number(estimate.value)
    if estimate.interval is None:
        return [value, "–"]
    return [value, f"{sections.number(estimate.interval.low)} … {sections.number(estimate.interval.high)}"]


def _settings(grouping: Grouping, runs: Sequence[ExportedRun]) -> str:
    """What differs first, then all settings of the first run."""
    names = [group.name for group in grouping.groups]
    head = [words(say("report.column_setting")), *names]
    rows = [[each.path, *each.texts] for each in grouping.differences]
    differing = table(head, rows, chosen=len(rows)) if rows else f"<p>{escape(words(say('report.no_difference')))}</p>"
    same = {path: value for path, value in runs[0].setting_texts().items()
            if all(run.settings.get(path) == runs[0].settings[path] for run in runs)}  # fmt: skip
    shared = table(
        [words(say("report.column_setting")), words(say("report.column_value"))],
        [(path, str(value)) for path, value in same.items()],
    )
    return section(say("report.settings"), differing + details(say("report.same_settings"), shared))


def _runs(runs: Sequence[ExportedRun]) -> str:
    """Every run with its seed, steps, state and test."""
    rows = []
    for run in runs:
        summary = run.summary()
        tested = words(summary.tested.text()) if summary.tested is not None else "–"
        rows.append((run.title, run.name, str(run.experiment.run.seed), f"{summary.step:,}", summary.state, tested))
    names = (say("report.column_title"), say("report.column_run"), say("report.fact_seed"), say("report.fact_steps"),
             say("report.fact_state"), say("report.column_test"))  # fmt: skip
    return section(say("report.runs"), table([words(name) for name in names], rows, numbers=(2, 3)))


def _ledgers(runs: Sequence[ExportedRun], columns: Sequence[Columns]) -> str:
    """What happened in each run while it was trained."""
    rows = [
        (run.name, f"{note.step:,}", note.kind, note.text)
        for run, each in zip(runs, columns, strict=True)
        for note in each.notes
    ]
    names = (say("report.column_run"), say("report.column_step"), say("report.column_kind"), say("report.column_what"))
    body = table([words(name) for name in names], rows[: sections.MOST_NOTES], numbers=(1,)) if rows else ""
    if len(rows) > sections.MOST_NOTES:
        more = words(say("report.more_notes", more=len(rows) - sections.MOST_NOTES))
        body += f'<p class="muted">{escape(more)}</p>'
    return section(say("report.ledger"), body)
