"""`dqngui runs`: filter, columns, groups; labels; zip files; names of nested runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dqngui import settings
from dqngui.__main__ import main
from dqngui.config import Experiment
from dqngui.runs.folder import create, new_summary, write_summary
from dqngui.runs.labels import LABELS

GRU = {"net.memory": "gru", "learn.lr": 1e-3}


def make(runs: Path, name: str, changes: dict[str, Any], **summary: Any) -> Path:
    experiment = settings.with_settings(Experiment(), {"net.memory": "none", **changes})
    folder = create(runs, experiment)
    write_summary(folder, msgspec.structs.replace(new_summary(experiment), **{"state": "finished", **summary}))
    return folder.rename(folder.with_name(name))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    folder = tmp_path / "runs"
    make(folder, "one", {**GRU, "run.seed": 1}, best=100.0, seconds=75.0)
    make(folder / "sweep", "two", {**GRU, "run.seed": 2}, best=300.0)
    make(folder, "three", {"net.memory": "lstm", "learn.lr": 3e-4, "run.seed": 3}, state="stopped")
    (folder / "sweep" / "sweep.toml").write_text("")
    make(folder / "sweep" / ".base", "hidden", {})
    return folder


def listed(capsys: pytest.CaptureFixture[str], runs: Path, *options: str) -> list[str]:
    """First word of each printed line."""
    assert main(["runs", str(runs), *options]) == 0
    return [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("memory=gru", {"one", "sweep/two"}), ("memory=gru best>200", {"sweep/two"}), ("best<=100", {"one"}),
        ("lr<0.001", {"three"}), ("lr>=1e-3 seed=1|3", {"one"}), ("state:stopped", {"three"}),
        ("memory!=gru", {"three"}), ("folder=sweep", {"sweep/two"}), ("seconds>60", {"one"}),
        ("updated>2020-01-01", {"one", "sweep/two", "three"}), ("lstm", {"three"}), ("seed=9", set()),
    ],
)  # fmt: skip
def test_a_query_leaves_the_runs_that_have_all_of_it(
    runs: Path, capsys: pytest.CaptureFixture[str], query: str, names: set[str]
) -> None:
    shown = listed(capsys, runs, "--filter", query)
    assert set(shown[1:]) == names if names else shown[0] == "No"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--filter", "foo=3"], "no setting or figure is called `foo`"),
        (["--filter", "best>"], "after `best>` a value is missing"),
        (["--filter", ">3"], "before `>` the name"),
        (["--filter", "best>much"], "`much` is none"),
        (["--filter", "memory>3"], "compared by = and !="),
        (["--filter", "updated>yesterday"], "is a date"),
        (["--filter", "a" * 2000], "at most 1,000 characters"),
        (["--columns", "best,foo"], "no setting or figure is called `foo`"),
        (["--sort", "foo"], "no setting or figure is called `foo`"),
        (["--group", "foo"], "no setting or figure is called `foo`"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_in_one_sentence(
    runs: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert main(["runs", str(runs), *options]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert not said.out


def test_columns_sorting_and_groups(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs), "--columns", "best, lr", "--sort", "best", "--descending"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[1:] == [["sweep/two", "300", "1e-3"], ["one", "100", "1e-3"], ["three", "–", "3e-4"]]
    assert main(["runs", str(runs), "--group", "memory", "--columns", "seed", "--sort", "seed"]) == 0
    text = capsys.readouterr().out
    assert "memory GRU: 2 runs, mean test 200 (n = 2)" in text
    assert "memory LSTM: 1 run\n" in text
    assert text.index("one") < text.index("sweep/two") < text.index("three")


def test_json_has_labels_groups_and_columns(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "label", str(runs / "one"), "--tag", "paper", "--star"]) == 0
    capsys.readouterr()
    assert main(["runs", str(runs), "--json", "--filter", "tag:paper", "--columns", "lr"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["labels"] == {"title": "", "star": True, "tags": ["paper"], "note": ""}
    assert (found["group"], found["columns"]) == ("", {"lr": 0.001})


def test_labels_are_given_shown_and_taken_away(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--runs", str(runs)]
    options = ["--title", "Mine", "--star", "--tag", "a", "--tag", "b", "--note", "To repeat."]
    assert main(["runs", "label", "two", *options, *at]) == 0
    assert capsys.readouterr().out.splitlines() == ["title: Mine", "star: yes", "tags: a, b", "note: To repeat."]
    assert main(["runs", str(runs), "--filter", "Mine"]) == 0
    assert "Mine" in capsys.readouterr().out
    assert main(["runs", "label", "two", "--unstar", "--untag", "a", "--title", "", "--note", "", *at]) == 0
    assert capsys.readouterr().out.splitlines() == ["tags: b"]
    assert main(["runs", "label", "two", "--untag", "b", *at]) == 0
    assert not (runs / "sweep" / "two" / LABELS).exists()
    for wrong in (["--star", "--unstar"], ["--tag", "two words"]):
        assert main(["runs", "label", "two", *wrong, *at]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_damaged_labels_are_said_and_the_run_is_listed(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "one" / LABELS).write_text("{{{")
    assert main(["runs", str(runs)]) == 0
    text = capsys.readouterr().out
    assert "shown without labels" in text
    assert len(text.splitlines()) == 5


def test_a_run_goes_out_and_comes_in(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, at = str(tmp_path / "two.zip"), ["--runs", str(runs)]
    assert main(["runs", "export", "two", file, *at]) == 0
    assert "Wrote" in capsys.readouterr().out
    assert main(["runs", "export", "two", file, *at]) == 2
    assert "exists already" in capsys.readouterr().err
    for name in ("two", "two-2"):
        assert main(["runs", "import", file, *at]) == 0
        assert (runs / name / "experiment.toml").exists()
    (tmp_path / "bad.zip").write_bytes(b"no")
    assert main(["runs", "import", str(tmp_path / "bad.zip"), *at]) == 2


def test_names_of_nested_runs_are_found_and_the_same_name_twice_is_said(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--runs", str(runs)]
    for name in ("two", "sweep/two"):
        assert main(["runs", "label", name, *at]) == 0
    os.utime(runs / "sweep" / "two", (4e9, 4e9))
    assert main(["runs", "label", "last", "--tag", "newest", *at]) == 0
    assert (runs / "sweep" / "two" / LABELS).exists()
    make(runs / "other", "two", {})
    capsys.readouterr()
    assert main(["runs", "label", "two", *at]) == 2
    said = capsys.readouterr().err
    assert "other/two" in said
    assert "sweep/two" in said
    assert main(["runs", "label", "hidden", *at]) == 2


def test_a_second_list_reads_no_file_again(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dqngui.listing.reader import ListReader

    reader = ListReader(runs)
    first = reader.read(settings=True)
    assert reader.read(settings=True) is first
    (runs / "one" / "summary.json").unlink()
    assert reader.read(settings=True) is not first
