"""Resuming: a run that is killed at any moment, or whose files are torn, continues as if nothing had happened."""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dqngui.config import ConfigError
from dqngui.messages import CheckpointSaved, EpisodeEnded, Event, Failed, Finished, RunResumed, decode_event
from dqngui.runs import folder as folders
from dqngui.runs import persistent_write, segments
from dqngui.runs.folder import create, read_events, summary_of
from dqngui.runs.lock import WriterLock, take_lock
from dqngui.runs.recorder import record
from dqngui.runs.resume import LogMark, load_resume, save_resume
from dqngui.runs.rewinding import rewind
from tests.runs.comparing import Disk, Killed, contents
from tests.runs.walk import experiment, run, walk
from tests.thinned import thinned

ROOT = Path(__file__).parents[2]


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return create(tmp_path / "runs", experiment())


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip fsync: it matters only for power cuts, which no test simulates."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(segments, "MOST_BYTES", 70_000)  # of two saves
    monkeypatch.setattr(persistent_write, "PATIENCE_SECONDS", 0.0)  # the simulated disk stays full


SHORT = 120
"""Steps of the runs that are stopped at every operation: two saves with a better best checkpoint, then one without."""


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return whole_run(tmp_path_factory.mktemp("whole"), 200)


@pytest.fixture(scope="module")
def short_never_stopped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return whole_run(tmp_path_factory.mktemp("short"), SHORT)


def whole_run(runs: Path, total: int) -> dict[str, Any]:
    folder = create(runs, experiment())
    events = list(run(folder, total))
    assert isinstance(events[-1], Finished)
    return contents(folder)


_LOCKS: list[WriterLock] = []


@pytest.fixture(autouse=True)
def locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note the locks that are taken, for `lose_locks`."""

    def noted(*arguments: Any) -> WriterLock:
        _LOCKS.append(take_lock(*arguments))
        return _LOCKS[-1]

    monkeypatch.setattr(folders, "take_lock", noted)


def lose_locks() -> None:
    """Lose all locks, as a process that is killed."""
    while _LOCKS:
        _LOCKS.pop().release()


def go_on(folder: Path, total: int = 200) -> Event:
    lose_locks()
    return list(run(folder, total))[-1]


def test_closing_and_resuming_gives_the_log_of_a_run_never_stopped(new: Path, never_stopped: dict[str, Any]) -> None:
    for steps in (55, 30, 100):
        events = run(new)
        for event in events:
            if isinstance(event, EpisodeEnded):
                steps -= 1
            if not steps:
                break
        events.close()  # type: ignore[attr-defined]
        summary = summary_of(new)
        assert summary is not None
        assert summary.state == "interrupted"
    assert go_on(new).step == 200
    assert contents(new) == never_stopped


@pytest.mark.timeout(300)
@pytest.mark.slow  # some hundred runs; the next test fills the disk at each operation
def test_killed_at_any_operation_on_the_disk(tmp_path: Path, short_never_stopped: dict[str, Any]) -> None:
    at, operations = 0, []
    while True:
        at += 1
        folder = create(tmp_path / "runs", experiment())
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, at)
            with contextlib.suppress(Killed):
                list(run(folder, SHORT))
            operations = disk.names
            struck = disk.struck
        if not struck:
            break
        if not (folder / "resume").exists() and not (folder / "resume.new" / "meta.json").exists():
            lose_locks()
            with pytest.raises(ConfigError, match="never saved"):
                load_resume(folder)
            continue
        # The resumed run is killed too, at every third operation, before it may end.
        with pytest.MonkeyPatch.context() as patch:
            lose_locks()
            Disk(patch, 1 + at % 40)
            with contextlib.suppress(Killed):
                list(run(folder, SHORT))
        assert go_on(folder, SHORT).step == SHORT, f"{at}: {operations[-3:]}"
        assert contents(folder) == short_never_stopped, f"{at}: {operations[-3:]}"
    assert at > 60
    assert {"rename", "replace", "fsync", "write", "link"} <= set(operations)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stride", thinned([2, 1], quick=[2]))
def test_a_full_disk_at_any_moment_fails_with_a_sentence_and_spoils_nothing(
    tmp_path: Path, short_never_stopped: dict[str, Any], stride: int
) -> None:
    at, seen = 1 - stride, set()
    while True:
        at += stride
        folder = create(tmp_path / "runs", experiment())
        events: list[Event] = []
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, at, full=True)
            events = list(run(folder, SHORT))
            struck = disk.struck
        if not struck:
            break
        failure, last = events[-2:]
        if isinstance(last, Finished) and last.reason == "completed":  # what tells those who watch could not be written
            assert contents(folder) == short_never_stopped
            continue
        assert isinstance(failure, Failed)
        assert isinstance(last, Finished)
        assert last.reason == "failed"
        assert failure.words.startswith("cannot write `")
        assert failure.words.endswith(": the disk is full")
        seen.add(Path(failure.words.split("`")[1]).name)
        saved = [event.step for event in events if isinstance(event, CheckpointSaved)]
        if saved:
            assert load_resume(folder).mark.step >= saved[-1]
            assert go_on(folder, SHORT).step == SHORT
            assert contents(folder) == short_never_stopped
    assert {"events.jsonl", "40.pt.new", "meta.json", "tensors.pt"} <= seen


@pytest.mark.slow  # `make torture` kills many more
@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
def test_killed_for_real_again_and_again(new: Path, tmp_path: Path) -> None:
    whole = create(tmp_path / "whole", experiment())
    list(run(whole, 1500))
    generator = random.Random(1)
    command = [sys.executable, "-m", "tests.runs.walk"]
    kills = 0
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        while True:
            log = new / "events.jsonl"
            before = log.stat().st_mtime_ns if log.exists() else 0
            print(new, 1500, file=parent.stdin, flush=True)
            process = int(parent.stdout.readline())
            if kills < 4:
                while not (new / "resume" / "meta.json").exists() or log.stat().st_mtime_ns == before:
                    time.sleep(0.005)  # until it writes
                time.sleep(generator.uniform(0.0, 0.5))
                os.kill(process, signal.SIGKILL)
                kills += 1
                assert int(parent.stdout.readline()) == -signal.SIGKILL
            else:
                assert int(parent.stdout.readline()) == 0
                break
        parent.stdin.close()
    assert contents(new) == contents(whole)


def test_rewinding_returns_what_was_lost_and_keeps_the_lines(new: Path) -> None:
    events = run(new)
    for event in events:
        if isinstance(event, EpisodeEnded) and event.step == 75:
            break
    events.close()  # type: ignore[attr-defined]
    logged = list(read_events(new))
    mark = load_resume(new).mark
    assert mark.step == 40
    info = rewind(new, mark)
    assert isinstance(info, RunResumed)
    assert (info.step, info.lost_steps) == (40, 35)
    assert len(info.lost_changes) == 5  # at 42, 49, 56, 63, 70
    assert info.lost_changes_in_words[0].startswith("learn.lr to ")
    assert info.lost_changes_in_words[0].endswith(" at step 42")
    kept = list(read_events(new))
    discarded = [decode_event(line) for line in (new / "events.discarded.jsonl").read_bytes().splitlines()]
    assert kept + discarded == logged
    assert all(event.step > 40 for event in discarded)
    assert rewind(new, mark).lost_changes == ()  # rewinding twice loses nothing more


def test_rewinding_removes_later_checkpoints(new: Path) -> None:
    list(run(new, total=80))
    first = load_resume(new)
    list(run(new, total=200))
    assert (new / "checkpoints" / "120.pt").exists()
    save_resume(new, first.arrays, first.meta, first.mark)
    (new / "resume" / "best.pt").unlink()
    torch.save({"step": 40, "weights": {"w": torch.ones(5)}}, new / "resume" / "best.pt")
    rewind(new, first.mark)
    assert folders.read_experiment(new)
    assert not (new / "checkpoints" / "120.pt").exists()
    assert (new / "checkpoints" / "80.pt").exists()
    assert torch.load(new / "checkpoints" / "best.pt", weights_only=True)["step"] == 40


def test_what_is_stored_comes_back(new: Path) -> None:
    arrays = {
        "file": np.arange(6, dtype=np.int16).reshape(2, 3),
        "replay/obs": np.zeros((0, 4), np.float32),
        "scalar": np.array(2.5),
        "t": torch.arange(10.0)[3:5],
        "half": torch.ones(2, dtype=torch.bfloat16),
        "flags": torch.tensor([True, False]),
    }
    meta = {"best": float("-inf"), "nan": float("nan"), "big": 2**100, "np": np.int64(3), "list": (1, [None, "x"])}
    mark = LogMark(step=3, events=10, best=1.5)
    save_resume(new, arrays, meta, mark)
    stored = load_resume(new)
    assert stored.mark == mark
    assert stored.meta.pop("nan") != 0
    assert stored.meta == {"best": float("-inf"), "big": 2**100, "np": 3, "list": [1, [None, "x"]]}
    assert stored.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert type(stored.arrays[name]) is type(array)
        assert stored.arrays[name].dtype == array.dtype
        assert stored.arrays[name].tolist() == array.tolist()
    assert (new / "resume" / "tensors.pt").stat().st_size < 5000


def test_arrays_of_objects_are_refused(new: Path) -> None:
    save_resume(new, {"a": np.ones(1)}, {}, LogMark(step=1))
    with pytest.raises(ValueError, match="Object arrays"):
        save_resume(new, {"a": np.array([object()])}, {}, LogMark(step=2))
    assert load_resume(new).mark.step == 1


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path(os.environ["BOMB"]),))


@pytest.mark.parametrize("name", ["tensors.pt", "arrays.npz", "meta.json"])
@pytest.mark.parametrize("damage", ["empty", "half", "garbage", "missing", "pickle"])
def test_a_damaged_state_is_one_sentence_and_runs_no_code(
    new: Path, name: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    list(run(new, total=80))
    path = new / "resume" / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        bomb = {"a": np.array([Bomb()], dtype=object)}
        broken = {"empty": b"", "half": data[: len(data) // 2], "garbage": b"\x80\x00PK" * 50}
        path.write_bytes(pickle.dumps(bomb) if damage == "pickle" else broken[damage])
    with pytest.raises(ConfigError) as caught:
        load_resume(new)
    assert "\n" not in str(caught.value)
    assert str(new) in str(caught.value)
    assert not (tmp_path / "exploded").exists()


def test_what_is_not_a_run_is_refused(new: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run"):
        load_resume(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="is not a run's folder"):
        load_resume(tmp_path)
    with pytest.raises(ConfigError, match="never saved"):
        load_resume(new)
    list(run(new, total=80))
    mark = load_resume(new).mark
    os.truncate(new / "events.jsonl", mark.events - 1)
    before = (new / "events.jsonl").read_bytes()
    with pytest.raises(ConfigError, match=r"events\.jsonl` is shorter .* `dqngui train --fork .*` starts a new run"):
        rewind(new, mark)
    assert (new / "events.jsonl").read_bytes() == before


def test_a_run_has_one_writer(new: Path) -> None:
    events = run(new)
    for event in events:
        if isinstance(event, EpisodeEnded) and event.step == 50:
            break
    with pytest.raises(ConfigError, match="being trained here already"):
        rewind(new, load_resume(new).mark)
    failure, _ = list(record(walk(10, None, {}, 0.0), new, experiment()))
    assert isinstance(failure, Failed)
    assert "being trained" in failure.words
    events.close()  # type: ignore[attr-defined]
    failure, _ = list(record(walk(10, None, {}, 0.0), new, experiment()))
    assert isinstance(failure, Failed)
    assert "already holds a run" in failure.words
    assert go_on(new).step == 200
