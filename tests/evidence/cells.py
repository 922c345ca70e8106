"""A cell: one row of the table with one seed, its experiment, and the file with its result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dqngui.config import ConfigError, Experiment
from dqngui.derivation import without_marks
from dqngui.presets import agent_names, read_agent, read_experiment, with_agent
from dqngui.settings import as_data, experiment_from, with_settings
from tests.evidence.table import ROWS, TASKS, Row, Task

EVIDENCE = Path(__file__).resolve().parent.parent.parent / "assets" / "evidence"


@dataclass(frozen=True)
class Cell:
    """One training run: a row of the table and a seed."""

    row: Row
    seed: int

    @property
    def task(self) -> Task:
        return TASKS[self.row.task]

    @property
    def name(self) -> str:
        return f"{self.row.task}/{self.row.agent}-{self.seed}"

    def path(self, folder: Path) -> Path:
        return folder / self.row.task / f"{self.row.agent}-{self.seed}.json"

    def experiment(self) -> Experiment:
        """The complete, validated experiment. Raises ConfigError, also for modules that the catalog does not know."""
        row, task = self.row, self.task
        start = with_settings(read_experiment(row.preset or task.preset), task.changes)
        run = {"run.seed": self.seed, "run.device": "cpu", "run.threads": 1, "run.host": "inline"}
        changed = with_settings(_with_named(start, row.is_ or row.agent), {**row.changes, **run})
        return with_settings(changed, {"run.checkpoint_every": changed.run.total_steps})

    def config(self) -> dict[str, Any]:
        """Everything that the result depends on, in the stored form. Raises ConfigError."""
        plain: dict[str, Any] = json.loads(json.dumps({**as_data(self.experiment()), "evidence": self._measured()}))
        return plain

    def _measured(self) -> dict[str, Any]:
        task = self.task
        return {"measure": task.measure, "test_episodes": task.test_episodes, "attends": task.attends}

    def made_by(self, config: Mapping[str, Any]) -> bool:
        """Whether a stored configuration equals today's; settings that it lacks count as defaults.

        Raises ConfigError if today's configuration is invalid.
        """
        today = self.experiment()
        rest = dict(config)
        if rest.pop("evidence", None) != self._measured():
            return False
        try:
            return without_marks(experiment_from(rest)) == without_marks(today)
        except ConfigError:
            return False

    def stored(self, folder: Path) -> dict[str, Any] | None:
        """The stored result; None if there is none."""
        return read_result(self.path(folder))

    def cost(self) -> float:
        """A rough estimate of the training time, to sort by. Raises ConfigError."""
        experiment = self.experiment()
        learn, run = experiment.learn, experiment.run
        memory_cost = {"none": 0.5, "transformer": 2.0, "mann": 6.0, "dnc": 10.0}.get(experiment.net.memory, 1.0)
        learned = (learn.window + learn.burn_in) * learn.batch_size * learn.updates / learn.update_every
        return run.total_steps * (1 + memory_cost * learned / 8)


def _with_named(experiment: Experiment, agent: str) -> Experiment:
    if agent in agent_names():
        return with_agent(experiment, read_agent(agent))
    attention, _, memory = agent.rpartition("+")
    return with_settings(experiment, {"net.attention": attention or "none", "net.memory": memory})


def read_result(path: Path) -> dict[str, Any] | None:
    """Read a stored result; None if the file is missing or broken."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and "config" in data else None


def write_result(path: Path, result: Mapping[str, Any]) -> None:
    """Store a result atomically: one line per key, each list of numbers on one line."""
    lines = []
    for key, value in result.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"    {json.dumps(name)}: {json.dumps(part)}" for name, part in value.items())
            lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    new.replace(path)


def cells(seeds: Sequence[int] | None = None, only: str = "", quick: bool = False) -> Iterator[Cell]:
    """The cells of the table, or some of them.

    Args:
        seeds: seeds to use instead of those of the table.
        only: texts that `task/agent-seed` must contain one of, separated by commas; empty: all cells.
        quick: only the ten-minute subset, one seed per row.
    """
    wanted = [part.strip() for part in only.split(",") if part.strip()]
    for row in ROWS:
        own = row.seeds or TASKS[row.task].seeds
        if quick and not row.quick:
            continue
        for seed in seeds if seeds is not None else own[:1] if quick else own:
            cell = Cell(row, seed)
            if not wanted or any(part in cell.name for part in wanted):
                yield cell
