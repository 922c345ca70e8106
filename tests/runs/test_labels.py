"""Labels that a person gives a run: written beside the log, read as a stranger's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dqngui.config import ConfigError, Experiment
from dqngui.runs.folder import claim, create
from dqngui.runs.labels import LABELS, MOST_TAGS, Labels, changed_labels, read_labels, write_labels

SOME = Labels(title="A better name", star=True, tags=("paper", "ablation/2"), note="two\nlines")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return create(tmp_path, Experiment(title="a"))


def test_labels_are_read_as_they_were_written_also_while_the_run_is_trained(run: Path) -> None:
    assert read_labels(run) == (Labels(), "")
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with claim(run):
        write_labels(run, SOME)
    assert read_labels(run) == (SOME, "")
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.name != LABELS} == before
    write_labels(run, Labels())
    assert not (run / LABELS).exists()
    assert read_labels(run) == (Labels(), "")


def test_a_change_keeps_what_it_does_not_name() -> None:
    changed = changed_labels(SOME, tags=["new", "paper"], untags=["ablation/2", "none"])
    assert changed == Labels("A better name", True, ("paper", "new"), "two\nlines")
    assert changed_labels(SOME, title="  other \n name ", star=False, note="") == Labels(
        "other name", False, SOME.tags, ""
    )


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (Labels(tags=("two words",)), "two words"),
        (Labels(tags=("",)), "tag"),
        (Labels(tags=("x" * 41,)), "40"),
        (Labels(tags=("a\x1b[2J",)), "tag"),
        (Labels(tags=tuple(map(str, range(MOST_TAGS + 1)))), "50 tags"),
        (Labels(title="x" * 201), "title"),
        (Labels(note="x" * 4_001), "note"),
    ],
)
def test_what_is_no_label_is_refused_and_changes_nothing(run: Path, labels: Labels, named: str) -> None:
    write_labels(run, SOME)
    with pytest.raises(ConfigError, match=named):
        write_labels(run, labels)
    assert read_labels(run) == (SOME, "")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"tags": 3}', b'{"title": null}', b"\xff\xfe", b"[" * 100_000, b" " * 70_000, b'{"star": 2}'],
)
def test_a_damaged_file_means_no_labels_and_a_reason(run: Path, content: bytes) -> None:
    (run / LABELS).write_bytes(content)
    labels, problem = read_labels(run)
    assert labels == Labels()
    assert LABELS in str(problem)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_links_and_special_files_are_not_read_and_a_link_is_replaced(run: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text('{"title": "not yours"}')
    (run / LABELS).symlink_to(elsewhere)
    assert read_labels(run)[0] == Labels()
    write_labels(run, SOME)
    assert elsewhere.read_text() == '{"title": "not yours"}'
    (run / LABELS).unlink()
    os.mkfifo(run / LABELS)
    assert read_labels(run)[0] == Labels()


def test_a_strangers_labels_are_shown_harmless(run: Path) -> None:
    (run / LABELS).write_text(
        '{"title": "a\\u001b[2Jb\\nc", "tags": ["x y", "", "' + "z" * 100 + '"], "note": "1\\u202e\\n2", "more": 1}'
    )
    labels, problem = read_labels(run)
    assert not problem
    assert labels.title == "a\\x1b[2Jb\\x0ac"
    assert labels.tags[0] == "x_y"
    assert len(labels.tags) == 2 and len(labels.tags[1]) == 40
    assert labels.note == "1\\u202e\n2"


def test_labels_of_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run"):
        write_labels(tmp_path / "none", SOME)
