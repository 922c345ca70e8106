"""What the cells of the table of runs say: heads, texts, tips and keys to sort by; nothing is drawn here."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from dqngui.listing.arranged import Group, folder_text
from dqngui.listing.listed_run import ListedRun, agent_text, result_text, task_text
from dqngui.listing.run_names import MONTHS, started_text
from dqngui.runs.folder import UNREADABLE
from dqngui.runs.started import moment
from dqngui.texts import words
from dqngui.texts.numbers import measured, progress


class RunColumn(IntEnum):
    """The usual columns; those that a person adds come after them."""

    SWATCH = 0
    NAME = 1
    TASK = 2
    AGENT = 3
    BEST = 4
    STEPS = 5
    SEED = 6
    STARTED = 7
    STATE = 8
    WHEN = 9
    STAR = 10
    TAGS = 11


HEADS = {
    RunColumn.SWATCH: ("", "Draw the run on the return plot of the open run (Space)"),
    RunColumn.NAME: ("run", "Title or folder, then what tells the run from others of this title: settings and seed"),
    RunColumn.TASK: ("task", "Environment"),
    RunColumn.AGENT: ("agent", "Attention and memory"),
    RunColumn.BEST: (
        "test",
        "Mean return of the kept checkpoint on episodes that did not choose it; in brackets, of a run of an earlier "
        "version, of the evaluation that chose it",
    ),
    RunColumn.STEPS: ("steps", "Environment steps made"),
    RunColumn.SEED: ("seed", "Seed of the run"),
    RunColumn.STARTED: ("started", "When the run was started, in local time"),
    RunColumn.STATE: ("", "State of the run"),
    RunColumn.WHEN: ("changed", "Time of the last write to the run's folder"),
    RunColumn.STAR: ("", "Mark the run with a star (S)"),
    RunColumn.TAGS: ("tags", "Tags that you gave the run (T)"),
}
NAMES = {
    RunColumn.SWATCH: "Colour on the return plot", RunColumn.STATE: "State", RunColumn.STAR: "Star",
    **{column: head.capitalize() for column, (head, _) in HEADS.items() if head},
}  # fmt: skip
"""Of the columns in menus."""
MUTED = (
    RunColumn.TASK, RunColumn.AGENT, RunColumn.STEPS, RunColumn.SEED, RunColumn.STARTED, RunColumn.WHEN, RunColumn.TAGS,
)  # fmt: skip
STATES = {
    "running": ("play-circle-outline", "good", "running"),
    "finished": ("check-circle-outline", "good", "finished"),
    "stopped": ("stop-circle-outline", "muted", "stopped; it can be resumed"),
    "failed": ("alert-circle-outline", "bad", "failed"),
    "interrupted": ("lightning-bolt-outline", "warn", "interrupted: its process ended before it saved"),
    "ready": ("clock-outline", "muted", "not started"),
    UNREADABLE: ("file-alert-outline", "bad", "cannot be read"),
}
"""Icon, colour token and label of each state of `RunSummary`."""
LONGEST_NOTE = 300  # characters of a note in a tooltip


def ago(then: str, now: datetime) -> str:
    """The time since an ISO time, as text: `just now`, `5 min ago`, `3 h ago`, `2 days ago`, `14 Oct 2025`."""
    if not (then_s := moment(then)):
        return ""
    seconds = now.timestamp() - then_s
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600:.0f} h ago"
    if seconds < 14 * 86_400:
        return f"{seconds // 86_400:.0f} day{'s' if seconds >= 172_800 else ''} ago"
    day = datetime.fromtimestamp(then_s)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def cell_text(run: ListedRun, column: RunColumn, now: datetime) -> str:
    """The text of a run's cell."""
    summary = run.summary
    match column:
        case RunColumn.NAME:
            return str(run.name)
        case RunColumn.TASK:
            return "cannot be read" if summary.state == UNREADABLE else task_text(summary)
        case RunColumn.AGENT:
            return "" if summary.state == UNREADABLE else agent_text(summary)
        case RunColumn.BEST:
            return result_text(summary)
        case RunColumn.STEPS:
            return f"{summary.step:,}"
        case RunColumn.SEED:
            return str(summary.seed)
        case RunColumn.STARTED:
            return " ".join(started_text(summary))
        case RunColumn.WHEN:
            return ago(summary.updated, now)
        case RunColumn.TAGS:
            return " ".join(run.labels.tags)
    return ""


def group_text(group: Group, column: RunColumn) -> str:
    """The text of a cell of a group's line."""
    if column is RunColumn.NAME:
        count = len(group.runs)
        text = f"{group.text} · {count:,} run{'s' if count != 1 else ''}"
        return text if group.mean is None else f"{text} (mean of {group.n:,})"
    if column is RunColumn.BEST and group.mean is not None:
        return measured(group.mean)
    return ""


def group_tip(group: Group, column: RunColumn) -> str:
    """The tip of a group's line."""
    if column is RunColumn.BEST and group.mean is not None:
        return f"Mean of the tests of {group.n:,} run{'s' if group.n != 1 else ''}, n = {group.n:,}"
    if column is RunColumn.BEST and group.n:
        return "Returns of different tasks are not averaged"
    return f"{group_text(group, RunColumn.NAME)}\nClick to fold or unfold (Left, Right)"


def run_tip(run: ListedRun, *, is_open: bool, label_problem: str) -> str:
    """The tip of a run's cells."""
    summary = run.summary
    if summary.state == UNREADABLE:
        return f"{folder_text(run)}\nThis run cannot be read: {words(summary.problem)}"
    minutes, seconds = divmod(round(summary.seconds), 60)
    lines = [
        *dict.fromkeys((str(run.name), *((f"in {run.group}",) if run.group else ()), Path(summary.folder).name)),
        f"{summary.env}, {agent_text(summary)}, seed {summary.seed}",
        f"{progress(summary.step, summary.total_steps, ' of ')} steps, {minutes}:{seconds:02d} of training",
    ]
    if summary.tested is not None:
        lines.append(f"test {words(summary.tested.text())}")
    if summary.started:
        lines.append("started {}, {}".format(*started_text(summary, seconds=True)))
    if summary.parent:
        lines.append(f"fork of {summary.parent}")
    if run.labels.tags:
        lines.append(f"tags: {', '.join(run.labels.tags)}")
    if note := run.labels.note:
        lines += ["", note if len(note) <= LONGEST_NOTE else f"{note[:LONGEST_NOTE]}…"]
    if label_problem:
        lines.append(label_problem)
    if is_open:
        lines.append("open in this window")
    return "\n".join(lines)


def sort_key(run: ListedRun, column: RunColumn, drawn: float) -> Any:
    """What runs are sorted by in a usual column; `drawn`: of the column of colours."""
    summary = run.summary
    match column:
        case RunColumn.SWATCH:
            return drawn
        case RunColumn.BEST:
            return -1e300 if summary.best is None else summary.best
        case RunColumn.STEPS:
            return summary.step
        case RunColumn.SEED:
            return summary.seed
        case RunColumn.STARTED:
            return moment(summary.started)
        case RunColumn.STAR:
            return run.labels.star
        case RunColumn.STATE:
            return list(STATES).index(summary.state) if summary.state in STATES else len(STATES)
        case RunColumn.WHEN:  # running runs change all the time; sorted by their start they keep their place
            now = summary.state == "running"
            return moment(summary.started) + 1e12 if now else moment(summary.updated)
        case RunColumn.TAGS:
            return tuple(tag.casefold() for tag in run.labels.tags)
        case RunColumn.NAME:
            return str(run.name).casefold()
        case RunColumn.TASK:
            return task_text(summary).casefold()
        case RunColumn.AGENT:
            return agent_text(summary).casefold()
