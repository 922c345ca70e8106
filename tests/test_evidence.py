"""The programs of the evidence: what is trained again, what is reported, and with which intervals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dqngui.config import ConfigError
from dqngui.envs.seeds import TEST_SEEDS
from dqngui.presets import read_experiment
from dqngui.settings import with_settings
from dqngui.statistics import iqm
from tests.evidence import beside, report, results, scale, table, train_cell
from tests.evidence import cells as cells_module
from tests.evidence.cells import Cell, cells, read_result, write_result
from tests.evidence.run import due
from tests.evidence.strict import Outcome
from tests.evidence.table import ROWS, TASKS, Row, Task

ROOT = Path(__file__).resolve().parent.parent
TINY = Task(
    title="Tiny",
    preset="cartpole-positions",
    at_least=10,
    control="none",
    known="at most 500",
    test_episodes=3,
    changes={"run.total_steps": 640, "run.eval_every": 320, "run.eval_episodes": 2, "learn.warmup": 64},
)
TINY_MAZE = replace(
    TINY,
    title="Tiny maze",
    preset="tmaze",
    measure="strict",
    at_least=0.95,
    changes={**TINY.changes, "env.kwargs": {"length": 2}, "net.horizon": 2, "learn.window": 3},
)
TINY_ROWS = (Row("tiny", "none", at_most=100, quick=True), Row("tiny", "gru"), Row("maze", "gru"), Row("tiny", "soon"))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of three small rows, and one whose memory is not there."""
    tasks = {"tiny": TINY, "maze": TINY_MAZE}
    for module in (table, cells_module, results):
        monkeypatch.setattr(module, "TASKS", tasks)
        monkeypatch.setattr(module, "ROWS", TINY_ROWS)
    monkeypatch.setattr(train_cell, "ROWS", TINY_ROWS)


# -- how sure ---------------------------------------------------------------------------------------


def test_the_interquartile_mean_leaves_a_quarter_out_at_each_end() -> None:
    assert iqm([7.0]) == 7.0
    assert iqm([1.0, 2.0, 9.0]) == 4.0  # a quarter of three is none
    assert iqm([100.0, 2.0, 4.0, -50.0]) == 3.0
    assert iqm([0, 10, 20, 30, 1000]) == 20.0
    assert iqm([8, 1, 2, 3, 4, 5, 6, 7]) == 4.5


# -- the table --------------------------------------------------------------------------------------


def test_every_row_names_a_task_and_every_task_has_its_control() -> None:
    names = [(row.task, row.agent) for row in ROWS]
    assert len(names) == len(set(names))
    assert {row.task for row in ROWS} == set(TASKS)
    lacking = [name for name, task in TASKS.items() if task.control and (name, task.control) not in names]
    assert tuple(lacking) == UNCONTROLLED
    assert all(seed >= 20 for task in TASKS.values() for seed in task.seeds)


UNCONTROLLED = ("tmaze-500", "tmaze-1000")  # what fails at 100 steps need not be shown to fail at 1,000


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.task}-{row.agent}")
def test_every_row_is_an_experiment(row: Row) -> None:
    experiment = Cell(row, 20).experiment()
    assert (experiment.run.seed, experiment.run.device, experiment.run.threads) == (20, "cpu", 1)
    assert Cell(row, 21).config() != Cell(row, 20).config()


def test_an_agent_keeps_what_it_needs_against_the_task_and_the_row_decides() -> None:
    def cell(agent: str) -> Cell:
        return Cell(next(row for row in ROWS if (row.task, row.agent) == ("cartpole-positions", agent)), 20)

    assert cell("attention-gru").experiment().net.tokens == "feature"
    assert cell("gru").experiment().net.tokens == "one"
    assert cell("transformer").experiment().run.total_steps == 100_000
    long = next(row for row in ROWS if (row.task, row.agent) == ("tmaze-500", "lstm"))
    assert Cell(long, 20).experiment().net.memory_options == {"chrono": 500}


def test_cells_are_chosen_by_seed_and_name() -> None:
    names = [cell.name for cell in cells([3], only="tmaze-50/lstm,find/none")]
    assert names == ["tmaze-50/lstm-3", "find/none-3"]
    quick = list(cells(quick=True))
    assert 3 <= len(quick) < 15 and len({cell.name for cell in quick}) == len(quick)


def test_strictly_means_success_and_a_gap() -> None:
    assert Outcome(1, (0.95, 1.0), 1.1).remembers
    assert not Outcome(1, (0.95, 0.94), 1.9).remembers
    assert not Outcome(1, (1.0, 1.0), 1.0).remembers


# -- training and resuming --------------------------------------------------------------------------


@pytest.mark.usefixtures("tiny")
def test_a_cell_is_trained_tested_and_stored_as_a_small_file(tmp_path: Path) -> None:
    cell = Cell(TINY_ROWS[1], 0)
    write_result(cell.path(tmp_path), train_cell.result_of(cell))
    result = cell.stored(tmp_path)
    assert result is not None
    assert (result["task"], result["agent"], result["seed"], result["steps"], result["ended"]) == (
        "tiny",
        "gru",
        0,
        640,
        "completed",
    )
    assert [step for step, _ in result["curve"]] == [320, 640] and result["best_step"] in (320, 640)
    assert len(result["returns"]) == 3 and result["score"] == pytest.approx(np.mean(result["returns"]), rel=1e-3)
    assert result["episodes"] > 10 and result["versions"]["torch"] and cell.made_by(result["config"])
    assert cell.path(tmp_path).stat().st_size < 8_000
    assert "/home" not in (text := cell.path(tmp_path).read_text()) and str(ROOT) not in text


@pytest.mark.usefixtures("tiny")
def test_a_strict_cell_ends_when_it_passes_and_is_judged_on_test_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def strictly(network: Any, experiment: Any, first_seed: int, step: int = 0) -> Outcome:
        asked.append(first_seed)
        return Outcome(step, (1.0, 0.99), 1.5)

    monkeypatch.setattr(train_cell.strict, "strictly", strictly)
    monkeypatch.setattr(train_cell, "STRICT_FROM", -2.0)
    result = train_cell.result_of(Cell(TINY_ROWS[2], 0))
    assert asked == [train_cell.STRICT_SEEDS, TEST_SEEDS]
    assert (result["ended"], result["score"], result["gap"]) == ("solved", 0.99, 1.5)
    assert 320 <= result["best_step"] <= result["steps"]


@pytest.mark.usefixtures("tiny")
def test_a_cell_ends_at_its_time_limit(tmp_path: Path) -> None:
    result = train_cell.result_of(Cell(TINY_ROWS[1], 0), limit_s=0.0)
    assert result["ended"] == "time" and result["steps"] < 640


@pytest.mark.usefixtures("tiny")
def test_only_what_is_missing_changed_or_cut_off_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def names(limit_s: float = 100.0, again: bool = False) -> list[str]:
        return [cell.name for cell in due(cells([0]), tmp_path, limit_s, again)]

    assert sorted(names()) == ["maze/gru-0", "tiny/gru-0", "tiny/none-0"]
    assert "left out: tiny/soon: `net.memory`" in capsys.readouterr().err
    none, gru, maze = (Cell(row, 0) for row in TINY_ROWS[:3])
    for cell in (none, gru, maze):
        write_result(cell.path(tmp_path), {"ended": "completed", "limit_seconds": 100.0, "config": cell.config()})
    assert names() == [] and len(names(again=True)) == 3
    gru.path(tmp_path).write_text(gru.path(tmp_path).read_text()[:-40])  # torn
    assert names() == ["tiny/gru-0"]
    write_result(gru.path(tmp_path), {"ended": "time", "limit_seconds": 100.0, "config": gru.config()})
    assert names() == [] and names(limit_s=200.0) == ["tiny/gru-0"]
    old = none.config()
    del old["learn"]["n_step"]  # a setting that came later counts as it is by default
    write_result(none.path(tmp_path), {"ended": "completed", "config": old})
    assert names() == []
    write_result(none.path(tmp_path), {"ended": "completed", "config": {**old, "learn": {**old["learn"], "lr": 0.5}}})
    assert names() == ["tiny/none-0"]


@pytest.mark.slow
def test_a_killed_runner_leaves_what_was_done_and_goes_on(tmp_path: Path) -> None:
    """Interrupted while it trains, the runner ends its processes and writes no half of a file."""
    command = [sys.executable, "-m", "tests.evidence.run", "--only", "cartpole-positions/none", "--seeds", "0"]
    command += ["--into", str(tmp_path), "--jobs", "1"]
    runner = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    assert runner.stderr is not None
    assert any("training cartpole-positions/none-0" in line for line in runner.stderr)
    time.sleep(2.0)
    children = _children(runner.pid)
    assert children
    runner.send_signal(signal.SIGINT)
    assert runner.wait(30) == 130
    deadline = time.monotonic() + 10
    while any(_alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(_alive(child) for child in children)
    assert list(tmp_path.rglob("*.json")) == [] and list(tmp_path.rglob("*.new")) == []
    listed = subprocess.run([*command, "--list"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["cartpole-positions/none-0"]


def _children(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def _alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# -- the report -------------------------------------------------------------------------------------


def stored(folder: Path, row: Row, seed: int, score: float, **more: Any) -> None:
    cell = Cell(row, seed)
    result = {
        "task": row.task, "agent": row.agent, "seed": seed, "steps": 500 + seed, "episodes": 40, "cpu_seconds": 9.6,
        "ended": "completed", "best_step": 320, "score": score, "curve": [[320, score / 2], [640, score]],
    }  # fmt: skip
    write_result(cell.path(folder), {**result, **more, "config": cell.config()})


@pytest.fixture
def evidence(tmp_path: Path, tiny: None) -> Path:
    for seed, score in ((20, 5.0), (21, 12.0), (22, 16.0)):
        stored(tmp_path, TINY_ROWS[1], seed, score)
    stored(tmp_path, TINY_ROWS[0], 20, 99.5)
    for seed, gap in ((20, 1.5), (21, 0.5)):
        stored(tmp_path, TINY_ROWS[2], seed, 1.0, gap=gap)
    return tmp_path


def test_the_report_counts_seeds_that_passed(evidence: Path) -> None:
    none, gru, maze = results.groups(evidence)
    assert (none.passed, gru.passed, maze.passed) == (1, 2, 1)  # the maze's second seed has no gap to speak of
    assert none.is_control and not gru.is_control
    assert maze.solved_at() == [320]


def test_the_tables_show_mean_interval_and_control(evidence: Path) -> None:
    text = report.section(results.groups(evidence))
    few, passed = "too few for an interval", "1 of 1, at most 100 (5 planned)"
    assert f"| none (control) | {passed} | 99.5 (1 seed: {few}) | 99.5 | 520 | 10 s |" in text
    assert f"| gru | 2 of 3 (5 planned) | 11 (3 seeds: {few}) | 11 | 521 | 10 s |" in text
    assert f"| 1 of 2 (5 planned) | 100 % (2 seeds: {few}), gap 0.50 | 100 % | 520 (40" in text
    assert text.index("**Tiny**") < text.index("**Tiny maze**")


def test_what_passed_before_and_fails_now_is_named_beside_the_numbers(
    evidence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = tmp_path / "now"
    stored(now, TINY_ROWS[0], 20, 100.5)
    stored(now, TINY_ROWS[1], 20, 4.0)
    assert beside.main([str(evidence), "--now", str(now)]) == 1
    out, err = capsys.readouterr()
    assert "| tiny | none | 1 of 1 | 0 of 1 | 99.5 | 100 | 520 | 520 | 10 s | 10 s |" in out
    assert "| tiny | gru | 2 of 3 | 0 of 1 | 11 | 4 | 521 | 520 | 10 s | 10 s |" in out
    assert err == "passed before and not now: tiny/none-20\n"  # this seed of gru had not passed before
    assert beside.main([str(evidence), "--now", str(evidence)]) == 0


def test_curves_of_seeds_that_ended_early_go_on_level(evidence: Path) -> None:
    stored(evidence, TINY_ROWS[1], 20, 5.0, curve=[[320, 4.0]])
    _, gru, _ = results.groups(evidence)
    steps, mean, low, high = gru.curve()
    assert steps.tolist() == [320, 640]
    assert mean.tolist() == pytest.approx([(4 + 6 + 8) / 3, (4 + 12 + 16) / 3])
    assert np.isnan(low).all() and np.isnan(high).all()  # three seeds are too few for an interval


def test_what_another_configuration_made_is_named(evidence: Path) -> None:
    assert report.stale(results.groups(evidence)) == []
    path = Cell(TINY_ROWS[1], 21).path(evidence)
    result = read_result(path)
    assert result is not None
    result["config"]["learn"]["lr"] = 0.5
    path.write_text(json.dumps(result))
    assert report.stale(results.groups(evidence)) == ["tiny/gru-21"]


def test_the_report_writes_between_its_marks_and_nowhere_else(evidence: Path, tmp_path: Path) -> None:
    readme = tmp_path / "project.md"
    document = evidence / "README.md"
    for file in (readme, document):
        file.write_text(f"# before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n")
    arguments = ["--from", str(evidence), "--readme", str(readme)]
    assert report.main(arguments) == 0
    once = readme.read_text(), document.read_text()
    for text in once:
        assert text.startswith(f"# before\n\n{report.BEGIN}\n") and text.endswith(f"{report.END}\n\nafter\n")
        assert "old" not in text
    assert "| gru | 2 of 3" in once[1] and '"curves-dark.png"' in once[1]
    assert report.main(arguments) == 0 and (readme.read_text(), document.read_text()) == once
    sizes = [
        (evidence / f"{name}-{theme}.png").stat().st_size
        for name in ("curves", "tmaze-lengths")
        for theme in ("dark", "light")
    ]
    assert min(sizes) > 5_000
    document.unlink()
    assert report.main(arguments) == 0 and "| gru | 2 of 3" in document.read_text()
    readme.write_text("no marks")
    with pytest.raises(ValueError, match="lacks the marks"):
        report.main(arguments)


def test_the_short_table_sets_an_agent_beside_its_control(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "IN_SHORT", (("tiny", "gru"), ("maze", "gru"), ("tiny", "soon")))
    lines = report.short_table(results.groups(evidence)).splitlines()[2:]
    assert lines == [
        "| Tiny | gru | 2 of 3 | 11 | 99.5 | 10 |",
        "| Tiny maze | gru | 1 of 2 | 100 % | – | 95 % |",
    ]  # what is not stored has no line


def test_the_documents_say_what_the_stored_results_say() -> None:
    """`make evidence-report` was run after the last result."""
    found = results.groups(cells_module.EVIDENCE)
    assert report.section(found) in (cells_module.EVIDENCE / "README.md").read_text(encoding="utf-8")
    short = report.short_table(found)
    assert f"{report.BEGIN}\n\n{short}\n\n{report.END}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(short.splitlines()) == 2 + len(report.IN_SHORT)


def test_without_evidence_the_report_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["--from", str(tmp_path)]) == 1
    assert "make evidence" in capsys.readouterr().err


def test_attention_shares_are_reported_with_the_chance_level(tmp_path: Path, tiny: None) -> None:
    shares = {"chance": 0.05, "attention/pool": {"mean": 0.2, "best": 0.4, "where": [1]},
              "attention/self/0": {"mean": 0.3, "best": 0.9, "where": [0, 3]}}  # fmt: skip
    stored(tmp_path, TINY_ROWS[1], 20, 12.0, attention=shares)
    text = report.section(results.groups(tmp_path))
    assert "gru 90 % (1 seed: too few for an interval) (`attention/self/0`); uniform attention gives 5 %." in text


def test_a_row_of_an_unknown_memory_is_refused(tiny: None) -> None:
    with pytest.raises(ConfigError, match="there is no memory `soon`"):
        Cell(TINY_ROWS[3], 0).experiment()


def test_shares_of_attention_are_those_of_the_relevant_token() -> None:
    """A pool that cannot tell tokens apart spreads evenly: its share is the chance level."""
    import torch

    from dqngui.envs.make import make_vector
    from dqngui.nets.network import build_network
    from tests.evidence import attention_shares

    experiment = with_settings(read_experiment("find"), {"net.tokens": "feature", "net.attention": "self"})
    envs = make_vector(experiment.env, 1)
    network = build_network(envs.spaces, experiment, torch.Generator().manual_seed(0))
    envs.close()
    with torch.no_grad():
        network.attention.pool.query.weight.zero_()
    result = attention_shares.shares(network, experiment)
    assert result["chance"] == pytest.approx(1 / network.encoder.count, abs=1e-4)
    assert result["attention/pool"]["mean"] == pytest.approx(1 / network.encoder.count, abs=1e-4)
    assert result["attention/self/0"]["best"] > result["attention/self/0"]["mean"]


# -- other units --------------------------------------------------------------------------------------


def test_runs_in_other_units_are_stored_once_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = scale.Task("CartPole-v1", "cartpole", True, 9.0, 2_500)
    monkeypatch.setattr(scale, "TASKS", {"small": small})
    monkeypatch.setattr(scale, "FOLDER", tmp_path)
    for unit in ("rewards-1", "rewards-100"):
        scale.run("small", unit, 30)
    files = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(files) == {"small-rewards-1-30.json", "small-rewards-100-30.json"}
    scale.run("small", "rewards-1", 30)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    lines = [line for line in scale.report().splitlines() if line.startswith("| CartPole")]
    assert len(lines) == 2 and all(line.endswith("| 1.00 | all |") for line in lines)


def test_episodes_that_differ_are_named_by_the_step_up_to_which_they_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "TASKS", {"cartpole": scale.TASKS["cartpole"]})
    monkeypatch.setattr(scale, "FOLDER", tmp_path)
    for unit, solved, checks in (("rewards-1", 4_000, [1, 2, 3, 4]), ("rewards-100", 2_000, [1, 2])):
        (tmp_path / f"cartpole-{unit}-30.json").write_text(json.dumps({"solved": solved, "checks": checks}))
    (tmp_path / "cartpole-rewards-0.01-30.json").write_text(json.dumps({"solved": None, "checks": [1, 7, 8]}))
    _, slow, fast = [line for line in scale.report().splitlines() if line.startswith("| CartPole")]
    assert slow.endswith("| never | never | – | 1 |") and fast.endswith("| 2,000 | 2,000 | 0.50 | 1 |")
