"""Measures the lateness of the window's event loop while a user inspects an agent and a run trains.

    python -m tests.benchmarks.inside [--repeats 3] [--quick]

A window of 1600×1000 trains from the start, in a process or in a thread. Once episodes are long and several
checkpoints are stored, a simulated user (`visitor.py`) does everything that the tour describes, through the widgets,
while training goes on. For each action it measures the worst lateness, from shortly before the action to half a second
after its answer, and the time to the answer. If the run trains in a process, the limit is 250 ms. The window's own
lateness is reported too: it leaves out the time in which the thread waited for a processor on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dqngui import presets, settings
from dqngui.config import Experiment
from tests.benchmarks.run import last_line
from tests.benchmarks.window import Row

MAX_LATE_MS = 250.0
HOSTS = ("process", "thread")
TRAINED = 40_000  # steps before the visit: long episodes, four checkpoints
ENDLESS = {"run.total_steps": 50_000_000, "run.checkpoint_every": 10_000}
AGENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "self-attention + GRU": ("cartpole-positions", {}),
    "self-attention + transformer": (
        "cartpole-positions-transformer",
        {"net.attention": "self", "net.tokens": "feature", "net.memory_options": {"layers": 2, "length": 32}},
    ),
}
MEASURE = "import json; from tests.benchmarks.inside import measure; print(json.dumps(measure{!r}))"

Timed = dict[str, dict[str, float]]


@dataclass
class ActionRow(Row):
    """One action: its lateness, which has a limit; the window's own lateness and the time to the answer have none."""

    seconds: float = 0.0
    own_ms: float = 0.0

    def __str__(self) -> str:
        return f"{super().__str__():<84}{self.own_ms:>6.0f} ms{self.seconds:>8.2f} s"


def experiment_of(agent: str, host: str) -> Experiment:
    """The experiment that trains; it does not end during the visit."""
    name, changes = AGENTS[agent]
    return settings.with_settings(presets.read_experiment(name), {**changes, **ENDLESS, "run.host": host})


def measure(agent: str, host: str) -> Timed:
    """Measure one visit in a new window: figures by action."""
    from tests.benchmarks.hand import opened
    from tests.benchmarks.visitor import Visitor

    with tempfile.TemporaryDirectory() as folder, opened(experiment_of(agent, host)) as app:
        visitor = Visitor(app, Path(folder))
        visitor.train(TRAINED)
        visitor.visit()
        return visitor.timed


def rows_of(host: str, visits: list[Timed]) -> list[Row]:
    """One row per action: the worst lateness of all visits, the median time to the answer."""
    limit = MAX_LATE_MS if host == "process" else None
    rows: list[Row] = []
    for name in visits[0]:
        late = max(visit[name]["late_ms"] for visit in visits)
        own = max(visit[name]["own_ms"] for visit in visits)
        seconds = statistics.median(visit[name]["seconds"] for visit in visits)
        rows.append(ActionRow(name, late, "ms", at_most=limit, seconds=seconds, own_ms=own))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one visit to the first agent for each host")
    parser.add_argument("--out", type=Path, default=Path("runs") / "benchmark-inside.json")
    given = parser.parse_args()
    repeats, agents = (1, list(AGENTS)[:1]) if given.quick else (given.repeats, list(AGENTS))
    figures: dict[str, list[Timed]] = {f"{agent}, {host}": [] for agent in agents for host in HOSTS}
    for repeat in range(repeats):
        for name, visits in figures.items():
            print(f"{name}: {repeat + 1}/{repeats}", file=sys.stderr)
            visits.append(last_line("-c", MEASURE.format(tuple(name.rsplit(", ", 1)))))
    tables = {name: rows_of(name.rsplit(", ", 1)[1], visits) for name, visits in figures.items()}
    print(
        f"\n{os.cpu_count()} processors, {repeats} visits for each table. Columns: worst lateness of the loop, limit,"
    )
    print("worst lateness caused by the window itself, median time until the answer was shown")
    for name, rows in tables.items():
        print(f"Looking inside: {name}", *rows, sep="\n")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    verdicts = {name: {row.label: [row.value, row.passed] for row in rows} for name, rows in tables.items()}
    given.out.write_text(json.dumps({"table": verdicts, "figures": figures}, indent=2) + "\n")
    print(f"Figures: {given.out}")
    return 0 if all(row.passed for rows in tables.values() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
