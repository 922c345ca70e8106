"""Two settings crossed: the cells of a heat map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dqngui.comparison.crossed import crossable, crossed
from dqngui.comparison.groups import Grouping, grouped
from dqngui.comparison.results import read_result
from dqngui.comparison.scores import score_named
from dqngui.comparison.writing import crossed_csv
from tests.comparison.made_runs import made_run

FINAL = score_named("final")


@pytest.fixture
def grouping(tmp_path: Path) -> Grouping:
    """Two tasks with returns of different size, two memories of which only one was tried on the second, three seeds."""
    tasks = {"popgym-AEasy-v0": 1.0, "popgym-BEasy-v0": 1000.0}
    for task, size in tasks.items():
        for memory, value in (("none", 0.0), ("gru", 1.0)):
            for seed in range(3):
                if (task, memory) != ("popgym-BEasy-v0", "none") or seed < 2:
                    made_run(
                        tmp_path, [size * (value + seed / 10)], seed=seed, env__id=task, net__memory=memory,
                        learn__lr=1e-3 if memory == "gru" else 1e-4,
                    )  # fmt: skip
    return grouped([read_result(folder) for folder in sorted(tmp_path.iterdir())])


def test_tasks_are_rows_and_memories_columns_with_a_scale_for_each_task(grouping: Grouping) -> None:
    table = crossed(grouping, FINAL, "mean")
    assert table is not None and table.paths == ("env.id", "net.memory") and table.scale == "rows"
    assert table.rows == ("AEasy", "BEasy") and set(table.columns) == {"GRU", "no memory"}
    gru, none = table.columns.index("GRU"), table.columns.index("no memory")
    assert table.cells[0, gru].estimate.value == pytest.approx(1.1) and table.cells[0, gru].figures.count == 3
    assert table.cells[1, none].figures.count == 2
    assert [table.cells[row, gru].share for row in (0, 1)] == [1.0, 1.0]
    assert [table.cells[row, none].share for row in (0, 1)] == [0.0, 0.0]


def test_less_is_better_turns_the_colours(grouping: Grouping) -> None:
    table = crossed(grouping, score_named("steps-to:0"), "mean")
    assert table is not None and all(np.isnan(cell.share) for cell in table.cells.values())
    lower = crossed(grouping, score_named("final", "", lower=True), "mean")
    assert lower is not None and lower.cells[0, lower.columns.index("GRU")].share == 0.0


def test_other_settings_may_be_crossed_and_cells_without_runs_are_absent(grouping: Grouping) -> None:
    assert list(crossable(grouping)) == ["env.id", "net.memory", "learn.lr"]
    table = crossed(grouping, FINAL, "mean", rows="learn.lr", columns="net.memory")
    assert table is not None and table.rows == ("1e-4", "1e-3") and table.scale == "all"
    assert len(table.cells) == 2 and sum(len(cell.runs) for cell in table.cells.values()) == 11
    assert crossed(grouping, FINAL, rows="net.memory", columns="net.memory").paths == ("net.memory", "env.id")  # type: ignore[union-attr]
    lines = crossed_csv(table).splitlines()
    assert lines[0] == "learn.lr,net.memory,value,low,high,runs" and len(lines) == 3


def test_a_run_without_a_score_leaves_an_empty_cell(tmp_path: Path) -> None:
    for memory in ("none", "gru"):
        for lr in (1e-3, 1e-4):
            made_run(tmp_path, [] if memory == "gru" and lr == 1e-3 else [1.0], net__memory=memory, learn__lr=lr)
    table = crossed(grouped([read_result(folder) for folder in sorted(tmp_path.iterdir())]), FINAL)
    assert table is not None and len(table.cells) == 4
    assert sum(np.isnan(cell.estimate.value) for cell in table.cells.values()) == 1


def test_one_difference_has_a_single_column(tmp_path: Path) -> None:
    made_run(tmp_path, [1.0], net__memory="gru")
    made_run(tmp_path, [1.0], net__memory="lstm")
    table = crossed(grouped([read_result(folder) for folder in sorted(tmp_path.iterdir())]), FINAL)
    assert table is not None and table.rows == ("GRU", "LSTM") and table.columns == ("all runs",)
    assert crossed(grouped([]), FINAL) is None
