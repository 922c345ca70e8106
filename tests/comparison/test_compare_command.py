"""`dqngui compare` in the terminal."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dqngui.__main__ import main
from tests.comparison.made_runs import made_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for memory, first in (("gru", 6.0), ("lstm", 1.0)):
        for seed in range(5):
            made_run(tmp_path / "runs", [0.0, first + seed], seed=seed, net__memory=memory)
    return tmp_path / "runs"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["compare", *words])
    out, err = capsys.readouterr()
    return status, out, err


def test_the_table_has_figures_with_intervals_and_says_which_is_better(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = said(capsys, "--runs", str(runs), "--score", "final")
    assert status == 0
    head, gru, lstm, *rest = out.splitlines()
    assert head.split()[:3] == ["final", "n", "mean"] and "IQM" in head
    assert {gru.split()[0], lstm.split()[0]} == {"GRU", "LSTM"} and gru.split()[1] == "5"
    assert "GRU is better than LSTM: a run of it beats one of LSTM with probability 100\u00a0%" in out
    assert any(line.startswith("net.memory (names)") for line in rest)


def test_json_has_each_group_pair_and_setting(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, "--runs", str(runs), "--score", "steps-to:8", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    groups = {line["name"]: line for line in lines if line["type"] == "Group"}
    assert groups["GRU"]["n"] == 3 and groups["GRU"]["scores"] == [None, None, 200, 200, 200]
    assert groups["LSTM"]["n"] == 0 and groups["LSTM"]["mean"] == {"value": None, "low": None, "high": None}
    (pair,) = (line for line in lines if line["type"] == "Improvement")
    assert pair["probability"]["value"] in (0.8, 0.2)
    assert any(line["setting"] == "net.memory" for line in lines if line["type"] == "Difference")


def test_the_curves_are_written_as_csv(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "curves.csv"
    said(capsys, "--runs", str(runs), "--x", "time", "--statistic", "median", "--csv", str(file))
    rows = list(csv.DictReader(file.open()))
    middle = [row for row in rows if row["what"] == "median" and row["group"] == "GRU"]
    assert [(row["seconds"], row["return"], row["low"], row["high"], row["runs"]) for row in middle] == [
        ("2", "0", "", "", "5"), ("4", "8", "6", "10", "5")
    ]  # fmt: skip
    assert len([row for row in rows if row["what"] == "run"]) == 20


def test_runs_are_named_or_all_in_a_folder(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = sorted(path.name for path in runs.iterdir())[:2]
    assert said(capsys, *names, "--runs", str(runs))[0] == 0
    status, _, err = said(capsys, "nowhere", "--runs", str(runs))
    assert status == 2 and "there is no run `nowhere`" in err
    status, _, err = said(capsys, "--runs", str(runs.parent / "empty"))
    assert status == 2 and "there is no folder" in err


def test_a_run_that_cannot_be_read_is_left_out_and_named(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = runs / "broken"
    broken.mkdir()
    (broken / "experiment.toml").write_text("[run")
    status, out, err = said(capsys, "--runs", str(runs))
    assert status == 0 and "GRU" in out and "the run `broken` is left out:" in err
    assert said(capsys, str(broken), "--runs", str(runs))[0] == 2


@pytest.mark.parametrize(("words", "problem"), [(["--score", "bset"], "choose one of"), (["--x", "hours"], "hours")])
def test_wrong_arguments_are_one_sentence(
    runs: Path, capsys: pytest.CaptureFixture[str], words: list[str], problem: str
) -> None:
    status, out, err = said(capsys, "--runs", str(runs), *words)
    assert status == 2 and not out and problem in err and len(err.splitlines()) == 1


def test_the_lines_that_train_them_again(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "--runs", str(runs), "--commands")
    assert status == 0 and [line.endswith("--seeds 0-4") for line in out.splitlines()] == [True, True]


def test_runs_that_end_at_different_steps_are_told(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "different steps" not in said(capsys, "--runs", str(runs))[1]
    made_run(runs, [0.0, 1.0, 2.0], net__memory="gru", seed=9)
    assert "The runs end at different steps, 200 to 300" in said(capsys, "--runs", str(runs))[1]
