"""The stored results of the cells, grouped by row of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from dqngui.statistics import mean_intervals
from dqngui.statistics.quantiles import Floats
from tests.evidence.cells import read_result
from tests.evidence.strict import GAP
from tests.evidence.table import ROWS, TASKS, Row, Task


@dataclass(frozen=True)
class Group:
    """The results of all seeds of one row.

    Attributes:
        results: the stored results, one per seed, at least one.
    """

    row: Row
    results: tuple[dict[str, Any], ...]

    @property
    def task(self) -> Task:
        return TASKS[self.row.task]

    @property
    def planned(self) -> int:
        return len(self.row.seeds or self.task.seeds)

    @property
    def is_control(self) -> bool:
        return self.row.agent == self.task.control

    @property
    def scores(self) -> list[float]:
        return [result["score"] for result in self.results]

    @property
    def passed(self) -> int:
        """Number of seeds that passed."""
        return sum(self.passes(result) for result in self.results)

    def passes(self, result: dict[str, Any]) -> bool:
        if self.row.at_most is not None:
            return bool(result["score"] <= self.row.at_most)
        wanted = self.task.at_least if self.row.at_least is None else self.row.at_least
        return bool(result["score"] >= wanted and result.get("gap", GAP + 1) > GAP)

    def solved_at(self) -> list[int]:
        """Training steps of the chosen weights, for each seed that passed."""
        return [result["best_step"] for result in self.results if self.passes(result)]

    def median_of(self, key: str) -> float:
        """Median of a result's number over the seeds."""
        return median(result[key] for result in self.results)

    def curve(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Steps (N,), mean evaluation over the seeds (N,), and the bounds of its 95 % interval (N,), (N,); they are
        NaN where there are too few seeds for an interval or where all are equal.

        A seed that ended early keeps its last evaluation from there on.
        """
        curves = [np.array(result["curve"], dtype=np.float64) for result in self.results if result["curve"]]
        if not curves:
            return (np.zeros(0),) * 4
        steps = np.unique(np.concatenate([curve[:, 0] for curve in curves]))
        values = np.stack([np.interp(steps, curve[:, 0], curve[:, 1]) for curve in curves])
        low, high = mean_intervals(values)
        return steps, values.mean(0), low, high


def groups(folder: Path) -> list[Group]:
    """The rows with results in a folder, in the order of the table."""
    return [Group(row, results) for row in ROWS if (results := tuple(_of_row(row, folder)))]


def _of_row(row: Row, folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((folder / row.task).glob(f"{row.agent}-*.json")):
        if path.stem.removeprefix(f"{row.agent}-").isdigit() and (result := read_result(path)) is not None:
            yield result
