"""Under --json standard output has nothing but JSON lines, whatever environments and their libraries print."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dqngui.commands.arguments import PlayArguments, TrainArguments, shown_path, with_absolute_paths
from dqngui.commands.output import own_standard_output, write_json_line


def chatter() -> None:
    print("printed by Python")
    sys.stdout.write("written by Python\n")
    os.write(1, b"written to the descriptor\n")
    ctypes.CDLL(None).puts(b"printed by C")
    ctypes.CDLL(None).fflush(None)
    subprocess.run(["echo", "printed by a child"], check=True)


@pytest.mark.skipif(os.name == "nt", reason="no such C library there")
def test_only_json_lines_reach_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    said = ("by Python", "written by Python", "to the descriptor", "by C", "by a child")
    with own_standard_output():
        write_json_line(b'{"line": 1}')
        chatter()
        write_json_line('{"line": "ü"}'.encode())
    out, err = capfd.readouterr()
    assert [json.loads(line) for line in out.splitlines()] == [{"line": 1}, {"line": "ü"}]
    assert all(text in err for text in said)
    chatter()
    out, err = capfd.readouterr()
    assert all(text in out for text in said) and err == ""


def test_a_standard_output_that_is_no_file_works_too(capsys: pytest.CaptureFixture[str]) -> None:
    with own_standard_output():
        print("printed by Python")
        write_json_line(b"{}")
    out, err = capsys.readouterr()
    assert out == "{}\n" and err == "printed by Python\n"


def test_paths_are_absolute_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "one").mkdir(parents=True)
    given = with_absolute_paths(TrainArguments(file="cartpole", resume="runs/one"))
    assert (given.runs, given.resume) == (str(tmp_path / "runs"), str(tmp_path / "runs" / "one"))
    assert given.file == "cartpole"  # the name of a preset
    given = with_absolute_paths(PlayArguments(run="last", video="film.mp4"))
    assert (given.run, given.video) == ("last", str(tmp_path / "film.mp4"))
    assert shown_path(given.runs) == "runs" and shown_path(str(tmp_path.parent)) == str(tmp_path.parent)
