"""`dqngui runs`: the stored runs of a folder, the newest first."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dqngui.bounded import found
from dqngui.commands.arguments import RunsArguments
from dqngui.commands.output import table, write_json_line
from dqngui.config import ConfigError
from dqngui.messages.json_lines import to_json
from dqngui.runs.folder import UNREADABLE, RunSummary, list_runs
from dqngui.texts import say, words
from dqngui.texts.numbers import measured, progress


def run(arguments: RunsArguments) -> int:
    """Print the table and return the exit status. Raises ConfigError."""
    folder = Path(arguments.folder)
    if not found(Path.is_dir, folder) and arguments.folder != "runs":
        raise ConfigError("command.no_folder", folder=arguments.folder)
    summaries = list_runs(folder)
    if arguments.json:
        for summary in summaries:
            said = msgspec.structs.replace(summary, problem=words(summary.problem))
            write_json_line(to_json({"type": "Run", **msgspec.to_builtins(said)}))
        return 0
    if not summaries:
        print(say("shown.no_runs", folder=arguments.folder))
        return 0
    head = ["run", "task", "agent", "seed", "steps", "test", "95\u00a0% interval", "chosen at", "training", "state"]
    rows = [_row(summary) for summary in summaries]
    if any(summary.parent for summary in summaries):
        head.append("fork of")
        for row, summary in zip(rows, summaries, strict=True):
            row.append(summary.parent)
    print(table([head, *rows]))
    for summary in summaries:
        if summary.state == UNREADABLE:
            print(say("shown.unreadable_run", name=Path(summary.folder).name, problem=summary.problem))
    return 0


def _row(summary: RunSummary) -> list[str]:
    if summary.state == UNREADABLE:
        return [Path(summary.folder).name, *["–"] * 8, summary.state]
    agent = " + ".join(name for name in (summary.attention, summary.memory) if name != "none") or "plain"
    minutes, seconds = divmod(round(summary.seconds), 60)
    return [
        Path(summary.folder).name,
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
        return ["–", "–", "–" if summary.best is None else measured(summary.best)]
    interval = (
        "–" if tested.low is None or tested.high is None else f"{measured(tested.low)} to {measured(tested.high)}"
    )
    return [measured(tested.mean), interval, "–" if tested.chosen_at is None else measured(tested.chosen_at)]
