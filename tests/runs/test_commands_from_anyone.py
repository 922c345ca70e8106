"""Commands that are dropped into a run's folder, where anybody may have put anything, and the file beside its log."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from dqngui import messages as m
from dqngui.hosts.elsewhere import ElsewhereHost
from dqngui.presets import read_experiment
from dqngui.runs import live_file
from dqngui.runs.dropped_commands import CommandFiles, drop
from dqngui.runs.folder import claim, create
from dqngui.runs.live_file import LIVE, LiveFile


class Clock:
    """Gives a time at which it may be looked again, at each call."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def listening(folder: Path) -> CommandFiles:
    return CommandFiles(folder, clock=Clock())


def test_commands_come_once_and_in_order(tmp_path: Path) -> None:
    files = listening(tmp_path)
    assert drop(tmp_path, m.Pause()) and drop(tmp_path, m.Resume()) and drop(tmp_path, m.Stop())
    assert [type(each) for each in files.poll()] == [m.Pause, m.Resume, m.Stop]
    assert files.poll() == []


def test_a_clock_that_is_set_back_does_not_change_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = listening(tmp_path)
    drop(tmp_path, m.Pause())
    earlier = time.time_ns() - 3600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: earlier)
    drop(tmp_path, m.Resume())
    assert [type(each) for each in files.poll()] == [m.Pause, m.Resume]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"writer":"',
        b"1" * 10_000_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"writer":"another","command":{"type":"Pause"}}',
        b'{"writer":"WRITER","command":{"type":"Explode"}}',
        b'{"writer":"WRITER","command":{"type":"SendWeights"}}',
        b'{"writer":"WRITER","command":{"type":"SetKnob","field":"learn.lr","value":' + b"9" * 5_000 + b"}}",
        b"\xff\xfe",
    ],
    ids=["empty", "half", "huge", "deep", "other_writer", "unknown", "not_for_files", "digits", "no_text"],
)
def test_what_is_no_command_for_this_writer_is_removed_and_not_carried_out(tmp_path: Path, data: bytes) -> None:
    files = listening(tmp_path)
    place = tmp_path / "commands"
    (place / "0.json").write_bytes(data.replace(b"WRITER", files.writer.encode()))
    drop(tmp_path, m.Pause())
    assert files.poll() == [m.Pause()]
    assert os.listdir(place) == ["writer.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
def test_links_and_pipes_are_removed_and_lead_nowhere(tmp_path: Path) -> None:
    files = listening(tmp_path)
    place = tmp_path / "commands"
    valid = tmp_path / "valid.json"
    valid.write_text(json.dumps({"writer": files.writer, "command": {"type": "Stop"}}))
    os.symlink(valid, place / "0.json")
    os.mkfifo(place / "1.json")
    assert files.poll() == []
    assert valid.exists() and os.listdir(place) == ["writer.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_folder_of_commands_that_becomes_a_link_or_another_folder_is_left_alone(tmp_path: Path) -> None:
    run, own = tmp_path / "run", tmp_path / "own"
    run.mkdir()
    (own / "sub").mkdir(parents=True)
    (own / "a.txt").write_text("mine")
    (own / "sub" / "b.txt").write_text("mine")
    files = listening(run)
    shutil.rmtree(run / "commands")
    os.symlink(own, run / "commands")
    assert files.poll() == []
    assert (own / "a.txt").exists() and (own / "sub" / "b.txt").exists()
    (run / "commands").unlink()
    shutil.move(own, run / "commands")
    assert files.poll() == []
    assert (run / "commands" / "a.txt").exists() and (run / "commands" / "sub" / "b.txt").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_folder_among_the_commands_goes_but_not_what_its_links_lead_to(tmp_path: Path) -> None:
    files = listening(tmp_path)
    own = tmp_path / "own.txt"
    own.write_text("mine")
    (tmp_path / "commands" / "0.json").mkdir()
    os.symlink(own, tmp_path / "commands" / "0.json" / "link")
    os.symlink(tmp_path, tmp_path / "commands" / "1.json")
    drop(tmp_path, m.Pause())
    assert files.poll() == [m.Pause()]
    assert own.exists() and os.listdir(tmp_path / "commands") == ["writer.json"]


def test_a_new_live_file_can_be_told_from_the_former_one(tmp_path: Path) -> None:
    ids = []
    for writer in ("one", "two", "three"):
        LiveFile(tmp_path, m.WriterBegan(step=0, writer=writer, log_bytes=0)).close()
        ids.append((tmp_path / LIVE).stat().st_ino)
    assert ids[0] != ids[1] != ids[2]
    assert os.listdir(tmp_path) == [LIVE]


def test_the_end_of_a_run_can_be_read_where_its_live_file_is_at_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_file, "MOST_LIVE", 500)
    live = LiveFile(tmp_path, m.WriterBegan(step=0, writer="one", log_bytes=0))
    for step in range(100):
        live.tell(m.Paused(step=step))
    live.tell(m.Finished(step=100, seconds=1.0, steps_per_second=100.0, reason="stopped"))
    lines = (tmp_path / LIVE).read_bytes().splitlines()
    assert len(lines) < 50 and isinstance(m.decode_event(lines[-1]), m.Finished)
    assert live_file.MOST_READ >= 16 * 2**20 + 2**16


def test_a_line_that_a_full_disk_cut_does_not_take_the_next_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveFile(tmp_path, m.WriterBegan(step=0, writer="one", log_bytes=0))
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    live.tell(m.Paused(step=1))
    monkeypatch.undo()
    live.tell(m.Unpaused(step=2))
    assert m.decode_event((tmp_path / LIVE).read_bytes().splitlines()[-1]) == m.Unpaused(step=2)


def test_a_knob_that_cannot_be_sent_is_refused(tmp_path: Path) -> None:
    host = ElsewhereHost(create(tmp_path, read_experiment("tmaze")))
    host.start()
    host.send(m.SetKnob(field="learn.lr", value=1e-4))
    events, end = list[m.Event](), time.monotonic() + 20.0
    while host.alive and time.monotonic() < end:
        events += host.drain()
        time.sleep(0.02)
    assert host.join(5.0)
    (answer,) = [each for each in events if isinstance(each, m.KnobRefused)]
    assert answer.field == "learn.lr" and "nothing was sent" in answer.words


def test_a_run_that_has_begun_opens_once_and_with_what_its_writer_says(tmp_path: Path) -> None:
    folder = create(tmp_path, read_experiment("tmaze"))
    opened = m.Opened(step=0, folder=None, experiment=read_experiment("tmaze"), device="cpu", parameters=7)
    with claim(folder):
        live = LiveFile(folder, m.WriterBegan(step=0, writer="one", log_bytes=0))
        host = ElsewhereHost(folder)
        host.start()
        time.sleep(0.5)  # the agent is being made
        live.tell(opened)
        events, end = list[m.Event](), time.monotonic() + 20.0
        while not any(isinstance(each, m.Opened) for each in events) and time.monotonic() < end:
            events += host.drain()
            time.sleep(0.02)
        host.kill()
        assert host.join(5.0)
    assert [each.parameters for each in events if isinstance(each, m.Opened)] == [7]
