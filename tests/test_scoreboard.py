"""The memory scoreboard: which sweep it makes, and the table of what is finished."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from dqngui.messages import Evaluated
from dqngui.runs.folder import summary_of, write_summary
from dqngui.sweeps.sweep_file import sweep_from
from tests.comparison.made_runs import made_run
from tests.evidence.scoreboard import board, finished, report


def test_the_board_is_a_sweep_of_tasks_and_memories_of_which_a_part_can_be_asked_for() -> None:
    whole = sweep_from(board())
    assert len(whole.axes[0].values) == 14 and [each.label for each in whole.axes[1].choices][:2] == ["none", "gru"]
    part = sweep_from(board(["HigherLowerEasy"], ["gru"], "0-1", 50_000))
    assert part.axes[0].values == ("popgym-HigherLowerEasy-v0",) and part.base.env == "popgym-HigherLowerEasy-v0"
    assert part.seeds == "0-1" and part.base.settings["run.total_steps"] == 50_000
    with pytest.raises(SystemExit, match="there is no Chess"):
        board(["Chess"])


def test_the_table_has_the_finished_runs_with_intervals_where_there_are_enough(tmp_path: Path) -> None:
    for task in ("A", "B"):
        for memory, seeds in (("none", 2), ("gru", 5)):
            for seed in range(seeds):
                value = 0.5 + 0.01 * seed
                best = Evaluated(
                    step=100, returns=(value,), lengths=(1,), mean=value, role="confirmation", best=True, score=value
                )
                folder = made_run(
                    tmp_path, [0.1], seed=seed, extra=[best], env__id=f"popgym-{task}-v0", net__memory=memory
                )
                summary = summary_of(folder)
                assert summary is not None
                state = "stopped" if (task, memory, seed) == ("B", "gru", 4) else "finished"
                write_summary(folder, replace(summary, state=state))
    text, rows = report(finished(tmp_path))
    assert {(row["task"], row["memory"]): row["n"] for row in rows} == {
        ("popgym-A-v0", "none"): 2, ("popgym-A-v0", "gru"): 5, ("popgym-B-v0", "none"): 2, ("popgym-B-v0", "gru"): 4,
    }  # fmt: skip
    assert "0.52 [0.50, 0.54] (n = 5)" in text and "(n = 2)<br>MMER 0.10" in text
    assert next(row for row in rows if row["n"] == 2)["interval"] is None
    assert "| task |" in text and text.count("\n| ") == 3
