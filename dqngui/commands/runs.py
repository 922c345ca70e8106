"""`dqngui runs`: the stored runs of a folder, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from dqngui.bounded import found
from dqngui.commands.arguments import RunsArguments
from dqngui.commands.output import table, write_json_line
from dqngui.config import ConfigError
from dqngui.listing.arranged import by_column, folder_text, grouped, matching
from dqngui.listing.columns import NOTHING, Column, column_of, columns_of
from dqngui.listing.listed_run import ListedRun
from dqngui.listing.query import parse_query
from dqngui.listing.reader import Listing, ListReader
from dqngui.messages.json_lines import to_json
from dqngui.runs.folder import UNREADABLE, RunSummary
from dqngui.texts import say, words
from dqngui.texts.numbers import measured, progress

HEAD = ["run", "task", "agent", "seed", "steps", "test", "95\u00a0% interval", "chosen at", "training", "state"]


def run(arguments: RunsArguments) -> int:
    """Print the table and return the exit status. Raises ConfigError."""
    folder = Path(arguments.folder)
    if not found(Path.is_dir, folder) and arguments.folder != "runs":
        raise ConfigError("command.no_folder", folder=arguments.folder)
    reader = ListReader(folder)
    asked = any((arguments.filter, arguments.columns, arguments.sort, arguments.group))
    listing = reader.read(settings=asked, named=False)
    reader.keep()
    if listing.problem:
        raise ConfigError("shown.not_listed", problem=listing.problem)
    runs, columns = _chosen(arguments, listing)
    if arguments.json:
        for each in runs:
            write_json_line(to_json(_as_data(each, columns)))
        return 0
    if not runs:
        asked_for = say("shown.no_match", folder=arguments.folder, query=arguments.filter)
        print(asked_for if listing.runs else say("shown.no_runs", folder=arguments.folder))
        return 0
    if arguments.group:
        _print_groups(runs, column_of(arguments.group, listing.names), columns)
    else:
        print(_table(runs, columns))
    for each in runs:
        if each.summary.state == UNREADABLE:
            print(say("shown.unreadable_run", name=folder_text(each), problem=each.summary.problem))
        elif problem := listing.label_problems.get(each.folder):
            print(say("shown.labels_unread", name=folder_text(each), problem=problem))
    return 0


def _chosen(arguments: RunsArguments, listing: Listing) -> tuple[list[ListedRun], list[Column]]:
    """(the runs that are asked for, in their order; the columns that are). Raises ConfigError."""
    columns = columns_of(arguments.columns, listing.names)
    query = parse_query(arguments.filter, listing.names)
    if arguments.group:
        column_of(arguments.group, listing.names)
    sort = column_of(arguments.sort, listing.names) if arguments.sort else None
    runs = matching(listing.runs, query)
    return (runs if sort is None else by_column(runs, sort, descending=arguments.descending)), columns


def _as_data(run: ListedRun, columns: Sequence[Column]) -> dict[str, Any]:
    said = msgspec.structs.replace(run.summary, problem=words(run.summary.problem))
    data = {"type": "Run", **msgspec.to_builtins(said), "group": run.group, "labels": msgspec.to_builtins(run.labels)}
    return data | ({"columns": {column.name: column.value(run) for column in columns}} if columns else {})


def _print_groups(runs: Sequence[ListedRun], by: Column, columns: Sequence[Column]) -> None:
    for number, group in enumerate(grouped(runs, by)):
        name, count = f"{by.head} {group.text}", len(group.runs)
        if number:
            print()
        if group.mean is None:
            print(say("shown.group", group=name, count=count))
        else:
            print(say("shown.group_mean", group=name, count=count, mean=measured(group.mean), n=group.n))
        print(_table(group.runs, columns))


def _table(runs: Sequence[ListedRun], columns: Sequence[Column]) -> str:
    if columns:
        rows = [[folder_text(run), *(column.text(run) for column in columns)] for run in runs]
        return table([["run", *(column.head for column in columns)], *rows])
    head, rows = list(HEAD), [_row(run) for run in runs]
    labels = [run.labels for run in runs]
    further = {
        "fork of": [run.summary.parent for run in runs],
        "title": [each.title for each in labels],
        "star": ["yes" if each.star else "" for each in labels],
        "tags": [", ".join(each.tags) for each in labels],
    }
    for title, texts in further.items():
        if any(texts):
            head.append(title)
            for row, text in zip(rows, texts, strict=True):
                row.append(text)
    return table([head, *rows])


def _row(run: ListedRun) -> list[str]:
    summary = run.summary
    if summary.state == UNREADABLE:
        return [folder_text(run), *[NOTHING] * 8, summary.state]
    agent = " + ".join(name for name in (summary.attention, summary.memory) if name != "none") or "plain"
    minutes, seconds = divmod(round(summary.seconds), 60)
    return [
        folder_text(run),
        summary.env,
        agent,
        str(summary.seed),
        progress(summary.step, summary.total_steps),
        *_results(summary),
        f"{minutes}:{seconds:02d}",
        summary.state,
    ]


def _results(summary: RunSummary) -> list[str]:
    """Test, its interval, and what chose the checkpoint; of a run of an earlier version only the last is known."""
    tested = summary.tested
    if tested is None:
        return [NOTHING, NOTHING, NOTHING if summary.best is None else measured(summary.best)]
    interval = (
        NOTHING if tested.low is None or tested.high is None else f"{measured(tested.low)} to {measured(tested.high)}"
    )
    return [measured(tested.mean), interval, NOTHING if tested.chosen_at is None else measured(tested.chosen_at)]
