"""Recording a run: what is written to disk, in which order, and what happens when a write fails."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
import torch

from dqngui.config import ConfigError, Experiment
from dqngui.messages import (
    CheckpointSaved,
    EpisodeEnded,
    Evaluated,
    Event,
    Failed,
    Finished,
    KnobChanged,
    Learned,
    Opened,
    Paused,
    Unpaused,
    Weights,
)
from dqngui.runs import persistent_write, recorder
from dqngui.runs.checkpoints import checkpoints, load_weights
from dqngui.runs.folder import create, read_events, summary_of
from dqngui.runs.recorder import EpisodeTrace, Snapshot, record
from dqngui.runs.resume import load_resume
from tests.runs.walk import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return create(tmp_path / "runs", Experiment())


def finished(step: int, reason: Any = "completed") -> Finished:
    return Finished(step=step, seconds=2.0, steps_per_second=1.0, reason=reason)


def test_only_logged_events_reach_the_log_and_all_others_are_passed_on(folder: Path) -> None:
    events: list[Event] = [
        Opened(step=0, folder=str(folder), experiment=Experiment(), device="cpu", parameters=1),
        EpisodeEnded(step=1, ret=1.0, length=1),
        Paused(step=1),
        KnobChanged(step=1, field="learn.lr", old=0.1, new=0.2),
        Unpaused(step=1),
        Weights(step=1, tensors={"w": torch.ones(1)}),
        Evaluated(step=2, returns=(3.0,), lengths=(1,), mean=3.0, best=True),
        Learned(step=2, updates=1, loss=float("nan"), seconds=1.5),
        finished(2),
    ]
    assert list(record(iter(events), folder, Experiment())) == events
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["EpisodeEnded", "KnobChanged", "Evaluated", "Learned"]
    assert json.loads(lines[-1])["loss"] is None  # not NaN, which JSON does not have
    assert [event.step for event in read_events(folder)] == [1, 1, 2, 2]
    summary = summary_of(folder)
    assert summary is not None
    assert (summary.state, summary.step, summary.best, summary.seconds) == ("finished", 2, 3.0, 1.5)


def test_a_nan_return_is_read_back_as_nan(folder: Path) -> None:
    list(record(iter([EpisodeEnded(step=1, ret=float("nan"), length=1), finished(1)]), folder, Experiment()))
    (event,) = read_events(folder)
    assert isinstance(event, EpisodeEnded)
    assert event.ret != event.ret


def test_a_snapshot_is_answered_when_it_is_on_the_disk(folder: Path) -> None:
    def job() -> Iterator[Any]:
        yield EpisodeEnded(step=5, ret=1.0, length=5)
        yield EpisodeTrace(5, 0, 0, 7, np.zeros(5, np.int64))
        yield Snapshot(5, {"w": torch.ones(2)}, best=True)
        yield Snapshot(6, {"w": torch.zeros(2)}, state=lambda: ({"a": np.ones(1)}, {"x": 1}))
        yield finished(6)

    for event in record(job(), folder, Experiment()):
        if isinstance(event, CheckpointSaved) and event.step == 5:
            assert event.best
            assert event.seconds > 0
            assert len(list(read_events(folder))) == 1  # the log was there first
            assert load_weights(folder, "best")[0] == 5
            assert checkpoints(folder) == [5]  # a pin may choose the best checkpoint too
            assert not (folder / "resume").exists()
        elif isinstance(event, CheckpointSaved):
            assert not event.best
            assert load_weights(folder, "last")[0] == 6
            assert load_weights(folder, "best")[0] == 5
            stored = load_resume(folder)
            assert (stored.mark.step, stored.mark.events, stored.mark.episodes_data) == (
                6, (folder / "events.jsonl").stat().st_size, 5
            )  # fmt: skip


def test_flushed_each_second_and_whenever_the_job_may_wait(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(recorder.time, "monotonic", lambda: now[0])
    job = [EpisodeEnded(step=step, ret=1.0, length=1) for step in range(1, 5)]
    events = record(iter([*job, Paused(step=4)]), folder, Experiment())
    lengths = []
    for moment in (100.1, 100.9, 101.2, 101.3, 101.3):
        now[0] = moment
        next(events)
        lengths.append(len(list(read_events(folder))))
    assert lengths == [0, 0, 3, 3, 4]
    events.close()  # type: ignore[attr-defined]


class Broken(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Discrete(2)

    def reset(self, **_: Any) -> Any:
        return 0, {}

    def step(self, action: Any) -> Any:
        raise ValueError("the pole\nbroke")


def failing(error: str) -> Iterator[Any]:
    yield Learned(step=4, updates=1, seconds=2.0)
    if error == "environment":
        env = gymnasium.wrappers.TimeLimit(Broken(), 5)
        env.reset()
        env.step(0)
    if error == "config":
        raise ConfigError("`env.id`: no")
    if error == "nan":
        raise FloatingPointError("the loss is not a number at step 4")
    if error == "memory":
        raise MemoryError
    if error == "exit":
        raise SystemExit(2)
    raise RuntimeError("mat1 and mat2 do not fit")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("environment", "CartPole-v1 raised ValueError: the pole broke"),
        ("config", "`env.id`: no"),
        ("nan", "the loss is not a number at step 4"),
        ("memory", "memory ran out"),
        ("exit", "the job raised SystemExit: 2"),
        ("other", "the job raised RuntimeError: mat1 and mat2 do not fit"),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
def test_an_error_of_the_job_becomes_one_sentence(folder: Path, error: str, text: str, kept: bool) -> None:
    _, failure, last = record(failing(error), folder if kept else None, Experiment())
    assert isinstance(failure, Failed)
    assert (failure.words, failure.step) == (text, 4)
    assert ("Traceback" in failure.details) == (error != "config")
    assert last == Finished(step=4, seconds=2.0, steps_per_second=2.0, reason="failed")
    if kept:
        summary = summary_of(folder)
        assert summary is not None
        assert summary.state == "failed"
        assert len(list(read_events(folder))) == 1


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    job = [Snapshot(1, {"w": torch.ones(1)}), EpisodeTrace(1, 0, 0, 1, np.zeros(1)), finished(1)]
    kinds = [type(event) for event in record(iter(job), None, Experiment())]
    assert kinds == [CheckpointSaved, Finished]
    assert list(tmp_path.iterdir()) == []


def test_the_job_cleans_up_when_it_is_closed_or_the_disk_fails(folder: Path) -> None:
    closed = []

    def job() -> Iterator[Any]:
        try:
            for step in itertools.count(1):
                yield EpisodeEnded(step=step, ret=1.0, length=1)
        finally:
            closed.append(True)

    events = record(job(), folder, Experiment())
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_a_file_system_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistent_write, "PATIENCE_SECONDS", 0.0)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        folder = create(disk, Experiment())
        *_, saved, failure, last = run_until_full(folder)
        assert isinstance(failure, Failed)
        assert failure.words.endswith("the disk is full")
        assert isinstance(last, Finished)
        assert load_resume(folder).mark.step >= saved
        assert len(load_resume(folder).arrays["past"]) == load_resume(folder).mark.step
        assert load_weights(folder, "last")[0] >= saved
        assert len(list(read_events(folder))) > saved
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def run_until_full(folder: Path) -> list[Any]:
    events = list(run(folder, 100_000))
    saved = [event.step for event in events if isinstance(event, CheckpointSaved)]
    return [max(saved), *events[-2:]]


LIMITED = """
import resource, sys
from pathlib import Path
from dqngui.messages import Failed
from dqngui.runs import persistent_write
from tests.runs.walk import run
persistent_write.PATIENCE_SECONDS = 0.0
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
for event in run(Path(sys.argv[1]), 100_000):
    if isinstance(event, Failed):
        print(event.words)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")
def test_a_file_that_may_not_grow(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "events.jsonl`: the file would become larger than the system allows" in done.stdout
    assert load_resume(folder).mark.step > 100
    *_, last = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    assert last.endswith(b"\n")


def test_what_the_recorder_costs(folder: Path) -> None:
    """Limits far above the measured times (about 2 µs per event, 1 ms per checkpoint): only a gross slowdown fails."""
    count = 20_000
    events = [EpisodeEnded(step=step, ret=1.0, length=1) for step in range(count)]
    began = time.perf_counter()
    for _ in record(iter(events), folder, Experiment()):
        pass
    assert (time.perf_counter() - began) / count < 100e-6
    assert len(list(read_events(folder))) == count


def test_the_best_of_a_confirmed_evaluation_is_its_score(folder: Path) -> None:
    both = Evaluated(step=3, returns=(9.0,), lengths=(1,), mean=9.0, best=True, role="confirmation", score=7.0)
    list(record(iter([both, Snapshot(3, {"w": torch.ones(1)}, state=lambda: ({}, {}))]), folder, Experiment()))
    summary = summary_of(folder)
    assert summary is not None and summary.best == 7.0
    assert load_resume(folder).mark.best == 7.0


def test_a_resumed_summary_goes_on(folder: Path) -> None:
    experiment = msgspec.structs.replace(Experiment(), title="x")
    job = [
        Evaluated(step=3, returns=(9.0,), lengths=(1,), mean=9.0, best=True),
        Learned(step=3, updates=1, seconds=7.0),
        Snapshot(3, {"w": torch.ones(1)}, state=lambda: ({}, {})),
    ]
    list(record(iter(job), folder, experiment))
    mark = load_resume(folder).mark
    assert (mark.best, mark.seconds) == (9.0, 7.0)
    events = record(iter([Paused(step=3)]), folder, experiment, mark)
    next(events)
    summary = summary_of(folder)
    assert summary is not None
    assert (summary.best, summary.seconds, summary.step, summary.state) == (9.0, 7.0, 3, "running")
    events.close()  # type: ignore[attr-defined]
