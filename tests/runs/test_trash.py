"""Runs moved to the trash and restored."""

from __future__ import annotations

from pathlib import Path

import pytest

from dqngui.config import ConfigError, Experiment
from dqngui.runs import folder as folders
from dqngui.runs.folder import create, list_runs, summary_of
from dqngui.runs.trash import discard, empty_trash, restore


def titles(runs: Path) -> list[str]:
    return sorted(run.title for run in list_runs(runs))


def test_a_discarded_run_is_not_listed_and_comes_back_as_it_was(tmp_path: Path) -> None:
    first, second = create(tmp_path, Experiment(title="a")), create(tmp_path, Experiment(title="b"))
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    gone = discard(first)
    assert titles(tmp_path) == ["b"]
    assert not first.exists()
    assert summary_of(gone) is not None
    assert restore(gone) == first
    assert titles(tmp_path) == ["a", "b"]
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before
    assert second.exists()


def test_two_runs_of_one_name_lie_side_by_side_in_the_trash_and_outside(tmp_path: Path) -> None:
    gone = []
    for title in ("a", "b"):
        folder = create(tmp_path, Experiment(title=title))
        gone.append(discard(folder.rename(tmp_path / "same")))
    assert gone[0] != gone[1]
    assert {restore(path) for path in gone} == {tmp_path / "same", tmp_path / "same-2"}
    assert titles(tmp_path) == ["a", "b"]


def test_a_run_in_training_stays_where_it_is(tmp_path: Path) -> None:
    folder = create(tmp_path, Experiment())
    with folders.claim(folder), pytest.raises(ConfigError, match="being trained here already"):
        discard(folder)
    assert folder.exists()
    discard(folder)


@pytest.mark.parametrize("name", ["other", "nowhere"])
def test_only_runs_go_to_the_trash(tmp_path: Path, name: str) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(ConfigError, match="is not a run's folder"):
        discard(tmp_path / name)
    folder = create(tmp_path, Experiment())
    for path in (folder, tmp_path / ".trash" / "gone"):
        with pytest.raises(ConfigError, match="there is no discarded run"):
            restore(path)


def test_emptying_deletes_what_was_discarded_and_nothing_else(tmp_path: Path) -> None:
    assert empty_trash(tmp_path) == 0
    kept, gone, elsewhere = (create(tmp_path, Experiment(title=title)) for title in "abc")
    discard(gone)
    outside = elsewhere.rename(tmp_path.parent / f"{tmp_path.name}-outside")
    elsewhere.symlink_to(outside)
    discard(elsewhere)
    assert empty_trash(tmp_path) == 2
    assert titles(tmp_path) == ["a"]
    assert kept.exists()
    assert (outside / "experiment.toml").exists()
    assert not (tmp_path / ".trash").exists()


def test_a_link_to_a_run_is_discarded_and_comes_back(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    folder = create(runs, Experiment(title="a"))
    elsewhere = folder.rename(tmp_path / "elsewhere")
    try:
        folder.symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("links need a privilege here")
    assert restore(discard(folder)) == folder
    folders.claim(folder).release()
    assert titles(runs) == ["a"]
