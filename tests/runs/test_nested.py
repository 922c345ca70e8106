"""Runs in folders below folders: found to a bounded depth, without following links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dqngui.config import Experiment
from dqngui.runs.folder import UNREADABLE, create, list_runs
from dqngui.runs.nested import MOST_DEPTH, find_runs, run_in


def titles(runs: Path) -> list[str]:
    return sorted(run.title for run in list_runs(runs))


def test_runs_are_listed_to_the_third_level(tmp_path: Path) -> None:
    place = tmp_path
    for level in range(MOST_DEPTH + 1):
        create(place, Experiment(title=f"level {level}"))
        place /= f"sweep-{level}"
    (tmp_path / "sweep-0" / "sweep.toml").write_text("")
    assert titles(tmp_path) == ["level 0", "level 1", "level 2"]


def test_folders_inside_a_run_and_hidden_ones_hold_no_runs(tmp_path: Path) -> None:
    run = create(tmp_path, Experiment(title="outer"))
    create(run, Experiment(title="inside a run"))
    create(tmp_path / ".trash", Experiment(title="deleted"))
    create(tmp_path / "sweep" / ".trash", Experiment(title="deleted below"))
    assert titles(tmp_path) == ["outer"]


def test_a_link_is_a_run_at_most_and_not_followed_further(tmp_path: Path) -> None:
    runs, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    linked = create(elsewhere, Experiment(title="linked"))
    runs.mkdir()
    (runs / "one").symlink_to(linked)
    (runs / "all").symlink_to(elsewhere)
    (runs / "loop").symlink_to(runs)
    (runs / "sweep").mkdir()
    (runs / "sweep" / "up").symlink_to(runs)
    (runs / "sweep" / "one").symlink_to(linked)
    assert titles(runs) == ["linked"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything can be read here")
def test_a_folder_that_cannot_be_read_is_a_line_with_its_reason(tmp_path: Path) -> None:
    create(tmp_path, Experiment(title="a"))
    closed = tmp_path / "closed"
    closed.mkdir(0o000)
    try:
        listed = list_runs(tmp_path)
    finally:
        closed.chmod(0o700)
    assert [(Path(run.folder).name, run.state) for run in listed if run.state == UNREADABLE] == [("closed", UNREADABLE)]
    assert "ermission" in str(listed[-1].problem)


def test_a_folder_that_raises_is_a_line_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create(tmp_path, Experiment(title="a"))
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path: str) -> object:
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    listed = {Path(run.folder).name: run for run in list_runs(tmp_path)}
    assert listed["closed"].state == UNREADABLE
    assert str(listed["closed"].problem) == "Permission denied"
    assert len(listed) == 2


def test_a_name_means_a_path_below_the_runs_or_every_run_of_this_name(tmp_path: Path) -> None:
    outer = create(tmp_path, Experiment()).rename(tmp_path / "same")
    first = create(tmp_path / "a", Experiment()).rename(tmp_path / "a" / "same")
    other = create(tmp_path / "a", Experiment()).rename(tmp_path / "a" / "other")
    assert run_in(tmp_path, "same") == [outer]
    assert run_in(tmp_path, "a/same") == [first]
    assert run_in(tmp_path, "other") == [other]
    assert run_in(tmp_path, "none") == []
    assert run_in(tmp_path / "a", "../same") == []
    outer.rename(tmp_path / "b")
    second = create(tmp_path / "b2", Experiment()).rename(tmp_path / "b2" / "same")
    assert run_in(tmp_path, "same") == [first, second]


def test_a_partial_search_stops(tmp_path: Path) -> None:
    create(tmp_path / "sweep", Experiment())
    assert len(find_runs(tmp_path, lambda: False).runs) == 0
