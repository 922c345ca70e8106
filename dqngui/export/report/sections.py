"""The sections of the report of one run: head, curves, settings and the ledger of what happened."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

import numpy as np

from dqngui.comparison.curves import running_mean
from dqngui.comparison.groups import flat_settings
from dqngui.comparison.setting_words import plain_value
from dqngui.config import Experiment
from dqngui.export.exported_run import ExportedRun
from dqngui.export.report.charts import Chart, Line
from dqngui.export.report.columns import Columns
from dqngui.export.report.page import details, facts, section, table
from dqngui.texts import say, words
from dqngui.texts.numbers import measured, progress
from dqngui.texts.plain import plain_line

SMOOTHED = 20
MOST_NOTES = 500
LONGEST = 300
_SMALL = (
    "train/loss", "train/td_error", "train/q_mean", "train/grad_norm", "train/policy_loss", "train/value_error",
    "train/entropy", "train/kl", "train/clip_share", "train/explained_variance", "train/epsilon", "train/lr",
    "rollout/length", "time/steps_per_second",
)  # fmt: skip


def head(run: ExportedRun) -> str:
    """Title, tags, note and key figures."""
    summary, experiment = run.summary(), run.experiment
    star = "★ " if run.labels.star else ""
    tags = "".join(f"<span>{escape(tag)}</span>" for tag in run.labels.tags)
    agent = " + ".join(name for name in (experiment.net.attention, experiment.net.memory) if name != "none")
    minutes, seconds = divmod(round(summary.seconds), 60)
    pairs = [
        (say("report.fact_task"), experiment.env.id),
        (say("report.fact_agent"), agent or words(say("report.plain_agent"))),
        (say("report.fact_algorithm"), experiment.learn.algorithm),
        (say("report.fact_seed"), str(experiment.run.seed)),
        (say("report.fact_steps"), progress(summary.step, summary.total_steps)),
        (say("report.fact_training"), f"{minutes}:{seconds:02d} min"),
        (say("report.fact_state"), summary.state),
    ]
    if run.began:
        began = datetime.fromtimestamp(run.began, UTC)
        pairs.append((say("report.fact_began"), f"{began:%Y-%m-%d %H:%M} UTC"))
    told = facts((words(name), plain_line(value, LONGEST)) for name, value in pairs)
    tested = f"<p>{escape(words(summary.tested.text()))}</p>" if summary.tested is not None else ""
    note = f'<p class="note">{escape(run.labels.note)}</p>' if run.labels.note else ""
    return (
        f'<h1>{escape(star + run.title)}</h1><p class="muted">{escape(run.name)}</p>'
        f'{f"""<p class="tags">{tags}</p>""" if tags else ""}{note}{told}{tested}'
    )


def curves(columns: Columns) -> str:
    """Return with evaluations, then a small chart for each other quantity that the log has."""
    steps = words(say("report.environment_steps"))
    marks = [(float(note.step), f"{note.step:,}: {note.text}") for note in columns.notes if note.kind in _MARKED]
    x, y = columns.of("rollout/return")
    lines = [Line(x, y, words(say("report.line_episodes")), "dots", 0)] if len(x) else []
    if len(x) >= 2 * SMOOTHED:
        lines.append(Line(x, running_mean(y, SMOOTHED), words(say("report.line_mean", count=SMOOTHED)), "line", 0))
    at, means = columns.of("eval/mean")
    if len(at):
        lines.append(Line(at, means, words(say("report.line_evaluations")), "points", 1))
    returns = Chart(words(say("report.chart_return")), steps, lines, marks).svg()
    wide = returns.replace("<figure>", '<figure class="wide">', 1)
    small = "".join(
        Chart(name.partition("/")[2].replace("_", " "), "", [Line(*columns.of(name), "", "line", 0)], marks).svg()
        for name in _SMALL
        if name in columns.names
    )
    missing = f'<p class="muted">{escape(words(say("report.axis_note")))}</p>{_not_finite(columns)}'
    if not wide and not small:
        return section(say("report.curves"), f'<p class="muted">{escape(words(say("report.no_curves")))}</p>')
    return section(say("report.curves"), f'<div class="charts">{wide}{small}</div>{missing}')


_MARKED = ("change", "fork", "breakpoint")


def _not_finite(columns: Columns) -> str:
    """Which curves have gaps because their values are not finite."""
    parts = []
    for name in columns.names:
        count = int((~np.isfinite(columns.of(name)[1])).sum())
        if count:
            parts.append(f"{name} {count:,}")
    return f'<p class="muted">{escape(words(say("report.gaps", names=parts)))}</p>' if parts else ""


def settings(run: ExportedRun) -> str:
    """The settings that differ from their defaults, and all others after a click."""
    usual = flat_settings(Experiment())
    derived = set(run.experiment.derived)
    different = [path for path, value in run.settings.items() if path not in usual or usual[path] != value]
    chosen = [path for path in different if path not in derived]
    others = [path for path in run.settings if path not in chosen]

    def rows(paths: list[str]) -> list[tuple[str, str, str]]:
        return [
            (path, plain_line(plain_value(run.settings[path]), LONGEST),
             words(say("report.derived")) if path in derived else "") for path in paths
        ]  # fmt: skip

    names = (words(say("report.column_setting")), words(say("report.column_value")), "")
    body = table(names, rows(chosen), chosen=len(chosen)) if chosen else ""
    return section(say("report.settings"), body + details(say("report.other_settings"), table(names, rows(others))))


def ledger(columns: Columns) -> str:
    """Changes of live settings, forks, breakpoints, warnings and notes, by step."""
    if not columns.notes:
        return section(say("report.ledger"), f'<p class="muted">{escape(words(say("report.no_ledger")))}</p>')
    names = [words(name) for name in (say("report.column_step"), say("report.column_kind"), say("report.column_what"))]
    shown = columns.notes[:MOST_NOTES]
    rows = [(f"{note.step:,}", note.kind, plain_line(note.text, 2 * LONGEST)) for note in shown]
    more = len(columns.notes) - len(shown)
    cut = f'<p class="muted">{escape(words(say("report.more_notes", more=more)))}</p>' if more else ""
    return section(say("report.ledger"), table(names, rows, numbers=(0,)) + cut)


def number(value: float) -> str:
    """A measured number, or a dash."""
    return "–" if not np.isfinite(value) else measured(value)
