"""The memory scoreboard: trains tasks with memories as a sweep, and writes one table, task by memory.

    python -m tests.evidence.scoreboard [--tasks RepeatPreviousEasy ...] [--memories none gru ...] [--seeds 0-4]
        [--steps 100000] [--runs build/scoreboard] [--into assets/evidence/scoreboard] [--report]

`scoreboard.toml` beside this file says what is trained; the arguments leave out a part of it. The sweep is an ordinary
one (`dqngui sweep`), so a stopped call continues where it was, `dqngui work --runs build/scoreboard` helps, and the
window compares the runs as a heat map (Compare, Heat map). `--report` only writes the table of what is there:
README.md and results.json. The score of a run is the mean return of its best checkpoint on fresh episodes; of several
seeds, their interquartile mean with its interval. MMER is POPGym's own figure (`comparison.scores.mmer`).

`PUBLISHED` has figures of papers with their source and number of steps, to stand beside ours: only such that were read
in the paper itself. popgym has to be installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from dqngui.__main__ import main as dqngui
from dqngui.comparison.crossed import Cell, Crossed, crossed
from dqngui.comparison.groups import grouped
from dqngui.comparison.results import RunResult, read_result
from dqngui.comparison.scores import mmer, score_named
from dqngui.runs.nested import find_runs
from dqngui.statistics import MIN_VALUES, Interval, iqm, iqm_interval, mean_of
from dqngui.sweeps.sweep_folder import SWEEP

ROOT = Path(__file__).parents[2]
BOARD = Path(__file__).with_name("scoreboard.toml")
TASK, MEMORY = "env.id", "net.memory"


@dataclass(frozen=True)
class Published:
    """A figure of a paper: `source` names it, `steps` is its number of environment steps."""

    value: float
    source: str
    steps: int


PUBLISHED: dict[tuple[str, str], Published] = {}
"""By task and memory, as ("popgym-RepeatPreviousEasy-v0", "gru")."""


def board(tasks: Sequence[str] = (), memories: Sequence[str] = (), seeds: str = "", steps: int = 0) -> dict[str, Any]:
    """The sweep as plain data, without the tasks and memories that are not asked for. Raises SystemExit for an unknown
    one.
    """
    data = tomllib.loads(BOARD.read_text(encoding="utf-8"))
    task_axis, memory_axis = data["axes"]
    known = {short(task): task for task in task_axis["values"]}
    labels = {each["label"]: each for each in memory_axis["choices"]}
    for name, names in ((tasks, known), (memories, labels)):
        if unknown := [each for each in name if each not in names]:
            raise SystemExit(f"there is no {', '.join(unknown)}; known: {', '.join(names)}")
    task_axis["values"] = [known[name] for name in tasks or known]
    memory_axis["choices"] = [labels[name] for name in memories or labels]
    data["base"]["env"] = task_axis["values"][0]
    data["seeds"] = seeds or data["seeds"]
    if steps:
        data["base"]["settings"]["run.total_steps"] = steps
    return data


def short(task: str) -> str:
    """`RepeatPreviousEasy` for `popgym-RepeatPreviousEasy-v0`."""
    return task.removeprefix("popgym-").rpartition("-v")[0]


def train(data: dict[str, Any], runs: Path) -> int:
    """Make the sweep in a folder of runs, or continue it there; the exit status of `dqngui sweep`."""
    text = tomli_w.dumps(data)
    mine = runs / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.toml"
    runs.mkdir(parents=True, exist_ok=True)
    told = mine.with_suffix(".folder")
    if told.exists() and (runs / told.read_text() / SWEEP).exists():
        return dqngui(["sweep", str(runs / told.read_text()), "--runs", str(runs)])
    mine.write_text(text, encoding="utf-8")
    before = {path.parent for path in runs.glob(f"*/{SWEEP}")}
    status = dqngui(["sweep", str(mine), "--runs", str(runs), "--queue"])
    made = {path.parent for path in runs.glob(f"*/{SWEEP}")} - before
    if status or len(made) != 1:
        return status or 1
    folder = made.pop()
    told.write_text(folder.name, encoding="utf-8")
    return dqngui(["sweep", str(folder), "--runs", str(runs)])


# -- the table ------------------------------------------------------------------------------------


def finished(runs: Path) -> list[RunResult]:
    """The runs of a folder that have made all their steps."""
    results = [read_result(folder) for folder in sorted(find_runs(runs).runs)]
    return [each for each in results if each.summary.state == "finished"]


def results_of(table: Crossed) -> list[dict[str, Any]]:
    """A row for each task and memory, as plain data."""
    rows = []
    for cell in table.cells.values():
        experiment = cell.runs[0].experiment
        highest = [mmer(run) for run in cell.runs]
        published = PUBLISHED.get((experiment.env.id, experiment.net.memory))
        rows.append(
            {
                "task": experiment.env.id,
                "memory": experiment.net.memory,
                "steps": experiment.run.total_steps,
                "n": cell.figures.count,
                "iqm": cell.estimate.value,
                "interval": _ends(cell.estimate.interval),
                "scores": {str(run.experiment.run.seed): float(score) for run, score in _scores(cell)},
                "mmer": iqm(np.array(highest)),
                "mmer_interval": _ends(iqm_interval(np.array(highest))),
                "seconds": mean_of([run.summary.seconds for run in cell.runs]),
                "published": None if published is None else vars(published),
            }
        )
    return rows


def _scores(cell: Cell) -> list[tuple[RunResult, float]]:
    return list(zip(cell.runs, cell.figures.scores.tolist(), strict=True))


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def report(results: Sequence[RunResult]) -> tuple[str, list[dict[str, Any]]]:
    """(the table in Markdown, the rows as plain data). Raises SystemExit without runs of two memories or two tasks."""
    table = crossed(grouped(results), score_named("best"), "iqm", TASK, MEMORY)
    if table is None or table.paths != (TASK, MEMORY):
        raise SystemExit("runs of at least two tasks and two memories have to be finished")
    rows = results_of(table)
    steps = sorted({row["steps"] for row in rows})
    lines = [
        "# The memory scoreboard",
        "",
        f"The default agent with each memory, {' or '.join(f'{each:,}' for each in steps)} environment steps. A cell "
        "is the interquartile mean over the seeds of the mean return of the best checkpoint on fresh episodes, its "
        "95 % interval in brackets, and the number of seeds. Below it MMER, POPGym's maximum mean episodic reward: the "
        "largest mean return of 100 consecutive training episodes, exploration included. Made by `make scoreboard`.",
        "",
        f"| task | {' | '.join(table.columns)} |",
        "|---|" + "---|" * len(table.columns),
    ]
    by_place = dict(zip(table.cells, rows, strict=True))
    for row, name in enumerate(table.rows):
        cells = [_text(by_place.get((row, column))) for column in range(len(table.columns))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    few = [row for row in rows if row["n"] < MIN_VALUES]
    lines += ["", f"{len(few)} cells have fewer than {MIN_VALUES} seeds and so no interval."] if few else []
    known = [row for row in rows if row["published"]]
    lines += ["", "## Published figures", ""] if known else []
    for row in known:
        said = row["published"]
        lines.append(
            f"- {short(row['task'])}, {row['memory']}: {said['value']:g} at {said['steps']:,} steps ({said['source']})"
        )
    return "\n".join(lines) + "\n", rows


def _text(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    ends = row["interval"]
    interval = "" if ends is None else f" [{ends[0]:.2f}, {ends[1]:.2f}]"
    return f"{row['iqm']:.2f}{interval} (n = {row['n']})<br>MMER {row['mmer']:.2f}".replace("-", "−")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=())
    parser.add_argument("--memories", nargs="+", default=())
    parser.add_argument("--seeds", default="")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--runs", type=Path, default=ROOT / "build" / "scoreboard")
    parser.add_argument("--into", type=Path, default=ROOT / "assets" / "evidence" / "scoreboard")
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args(arguments)
    status = 0 if given.report else train(board(given.tasks, given.memories, given.seeds, given.steps), given.runs)
    text, rows = report(finished(given.runs))
    given.into.mkdir(parents=True, exist_ok=True)
    (given.into / "README.md").write_text(text, encoding="utf-8")
    (given.into / "results.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(text)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
