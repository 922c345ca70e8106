"""`dqngui export`: tables, event files, following a run that is trained, and what is wrong said in one sentence."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dqngui.__main__ import main
from dqngui.export.exported_run import read_run
from dqngui.export.exporting import export
from dqngui.export.sink import FORMATS, Target
from dqngui.messages import EpisodeEnded, KnobChanged, encode
from dqngui.runs.lock import take_lock
from tests.comparison.made_runs import made_run, write_log
from tests.export.event_files import fields, records, scalars


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    changed = KnobChanged(step=150, field="learn.lr", old=1e-3, new=5e-4)
    return made_run(tmp_path / "runs", [1.0, 2.0], extra=[changed], title="=evil")


def exported(*arguments: str | Path) -> int:
    return main(["export", *map(str, arguments)])


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_table_has_a_row_for_each_number(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "table.csv"
    assert exported(folder, "--to", "csv", "--out", out) == 0
    rows = rows_of(out)
    said = capsys.readouterr().out
    assert f"{len(rows)} numbers saved to" in said and "table.csv" in said
    assert {row["run"] for row in rows} == {folder.name}
    means = [(row["step"], row["value"]) for row in rows if row["name"] == "eval/mean"]
    assert means == [("100", "1"), ("200", "2")]
    assert [row["value"] for row in rows if row["name"] == "knob/learn.lr"] == ["0.0005"]


def test_several_runs_share_a_table_and_exporting_again_replaces_it(folder: Path, tmp_path: Path) -> None:
    made_run(tmp_path / "runs", [5.0], seed=1)
    out = tmp_path / "all.csv"
    assert exported(tmp_path / "runs", "--to", "csv", "--out", out) == 0
    first = out.read_bytes()
    assert exported(tmp_path / "runs", "--to", "csv", "--out", out) == 0
    assert out.read_bytes() == first and len({row["run"] for row in rows_of(out)}) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "runs"]


def test_numbers_that_are_not_finite_and_damaged_lines(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [EpisodeEnded(step=1, ret=float("nan"), length=1), EpisodeEnded(step=2, ret=3.0, length=1)]
    write_log(folder, good)
    log = folder / "events.jsonl"
    log.write_bytes(log.read_bytes() + b'broken\n{"type":"Unknown"}\n' + encode(good[1]) + b"\n" + b'{"torn')
    out = tmp_path / "t.csv"
    assert exported(folder, "--to", "csv", "--out", out) == 0
    assert [row["value"] for row in rows_of(out) if row["name"] == "rollout/return"] == ["nan", "3", "3"]
    said = capsys.readouterr().err
    assert "2 lines of the log" in said and len(said.splitlines()) == 1


def test_a_run_without_a_log_gives_an_empty_table(folder: Path, tmp_path: Path) -> None:
    (folder / "events.jsonl").unlink()
    out = tmp_path / "t.csv"
    assert exported(folder, "--to", "csv", "--out", out) == 0
    assert out.read_text() == "run,step,name,value,seconds\n"


# -- event files ------------------------------------------------------------------------------------


def test_event_files_hold_every_scalar_with_right_checksums(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "tb"
    assert exported(folder, "--to", "tensorboard", "--out", out) == 0
    (file,) = out.rglob("*tfevents*")
    assert file.parent.name == folder.name
    found = scalars(file.read_bytes())
    means = [(step, value) for tag, step, value, _ in found if tag == "eval/mean"]
    assert means == [(100, 1.0), (200, 2.0)]
    began = read_run(folder).began
    clocks = [at for tag, step, _, at in found if tag == "time/seconds" and step == 200]
    assert clocks == [pytest.approx(began + 200 / 50)]
    first, *others = [fields(message) for message in records(file.read_bytes())]
    assert first[3] == [b"brain.Event:2"] and first[1] == [pytest.approx(began)]
    texts = b"".join(summary for event in others for summary in event.get(5, []))
    assert b"Learning rate 1e-3" in texts and b"net.memory" in texts
    before = file.read_bytes()
    assert exported(folder, "--to", "tensorboard", "--out", out) == 0
    assert [each.read_bytes() for each in out.rglob("*") if each.is_file()] == [before]


# -- following ----------------------------------------------------------------------------------------


def test_following_ends_with_the_run_and_misses_nothing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    lock = take_lock(folder)
    told: list[str] = []

    def grow(text: object) -> None:
        """Called when everything so far was saved."""
        told.append(str(text))
        assert rows_of(out)[-1]["name"] == "knob/learn.lr"
        with (folder / "events.jsonl").open("ab") as log:
            log.write(encode(EpisodeEnded(step=300, ret=9.0, length=7)) + b"\n")
        lock.release()

    place = export("csv", [read_run(folder)], Target(str(out)), follow=True, tell=grow)
    assert place == str(out) and len(told) == 1
    assert [(row["step"], row["value"]) for row in rows_of(out)[-2:]] == [("300", "9"), ("300", "7")]


def test_a_log_that_is_cut_while_it_is_followed_is_exported_anew(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    lock = take_lock(folder)
    calls = []

    def cut(text: object) -> None:
        """The run is resumed from an earlier state."""
        calls.append(text)
        if len(calls) == 1:
            write_log(folder, [EpisodeEnded(step=50, ret=1.0, length=50)])
        else:
            lock.release()

    export("csv", [read_run(folder)], Target(str(out)), follow=True, tell=cut)
    assert [(row["step"], row["name"]) for row in rows_of(out)] == [("50", "rollout/return"), ("50", "rollout/length")]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
def test_ctrl_c_leaves_a_whole_file_and_status_130(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    with take_lock(folder):
        command = [
            sys.executable,
            "-P",
            "-m",
            "dqngui",
            "export",
            str(folder),
            "--to",
            "csv",
            "--follow",
            "--out",
            str(out),
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            end = time.monotonic() + 30
            while not out.exists() and time.monotonic() < end:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "is whole" in said
    assert out.read_text().endswith("\n") and rows_of(out)[-1]["name"] == "knob/learn.lr"
    assert not [path for path in tmp_path.iterdir() if "part" in path.name]


# -- mistakes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "csx"], f"there is no such format; formats: {', '.join(FORMATS)}"),
        (["--to", "csv", "--out", "{tmp}"], "it is a folder; name a file"),
        (["--to", "csv", "--out", "{tmp}/none/t.csv"], "there is no folder"),
        (["--to", "csv", "--out", "{run}/summary.json"], "is not an earlier export of this format"),
        (["--to", "html", "--out", "{run}/summary.json"], "is not an earlier export of this format"),
        (["--to", "tensorboard", "--out", "{run}/summary.json"], "needs a folder, and that is a file"),
        (["--to", "html", "--follow"], "--follow cannot be combined"),
        (["--to", "csv", "--online"], "--online belongs to --to wandb"),
        (["nobody", "--to", "csv"], "there is no run `nobody`"),
        (["{run}/..", "--to", "csv", "--out", "{tmp}"], "it is a folder; name a file"),
        (["{run}/commands", "--to", "csv"], "there is no run"),
    ],
)
def test_a_mistake_is_said_in_one_sentence_and_changes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    before = {path: path.stat().st_size for path in tmp_path.rglob("*")}
    filled = [each.format(tmp=tmp_path, run=folder) for each in arguments]
    assert exported(folder, *filled) == 2
    captured = capsys.readouterr()
    assert said in captured.err and len(captured.err.splitlines()) == 1 and not captured.out
    assert {path: path.stat().st_size for path in tmp_path.rglob("*")} == before


@pytest.mark.skipif(sys.platform == "win32", reason="no limit for the size of a file")
@pytest.mark.parametrize("name", ["csv", "tensorboard"])
def test_a_full_disk_is_said_and_leaves_nothing(folder: Path, tmp_path: Path, name: str) -> None:
    write_log(folder, [EpisodeEnded(step=step, ret=1.0, length=1) for step in range(2000)])
    out = tmp_path / "out"
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));"
        "from dqngui.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-P", "-c", code, "export", str(folder), "--to", name, "--out", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(os.environ))
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1 and "cannot be written" in ended.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and folder not in path.parents]
