"""Every host sends the same events, also when a job fails, and leaves no thread, process or pipe."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from dqngui import catalog
from dqngui.config import ConfigError
from dqngui.hosts import KINDS, Host, events_of, open_host, run_inline
from dqngui.messages import (
    COMMANDS,
    EpisodeEnded,
    Event,
    Failed,
    Finished,
    KnobChanged,
    Pause,
    Paused,
    Request,
    Resume,
    SendWeights,
    SetKnob,
    Step,
    Stop,
    Unpaused,
    Weights,
    without_clock,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("counting", "raising", "early", "talkative", "flood", "heavy", "waiting"):
        monkeypatch.setitem(catalog.JOBS, name, catalog.Entry(name, f"tests.hosts.jobs:{name}"))
    monkeypatch.setitem(catalog.JOBS, "missing", catalog.Entry("missing", "tests.hosts.nowhere:job"))
    monkeypatch.syspath_prepend(str(ROOT))
    threads, children = set(threading.enumerate()), set(psutil.Process().children(recursive=True))
    yield
    left = [thread for thread in threading.enumerate() if thread not in threads and thread.is_alive()]
    assert left == []
    assert set(psutil.Process().children(recursive=True)) <= children


def request(job: str, *schedule: COMMANDS, **options: Any) -> Request:
    return Request(job=job, schedule=schedule, options=options)


def stream(kind: str, wanted: Request) -> list[Event]:
    host = open_host(kind, wanted)
    events = list(events_of(host))
    assert host.join(5.0)
    assert not host.alive
    assert host.drain() == []
    return events


def collect(host: Host, until: Callable[[list[Event]], bool], seconds: float = 20.0) -> list[Event]:
    events: list[Event] = []
    end = time.monotonic() + seconds
    while not until(events):
        assert time.monotonic() < end, f"not seen in {events[-5:]}"
        events += host.drain()
        time.sleep(0.005)
    return events


def plain(events: list[Event]) -> list[dict[str, Any]]:
    return [without_clock(event) for event in events if not isinstance(event, Weights)]


def test_every_host_gives_the_same_stream() -> None:
    wanted = request(
        "counting",
        SetKnob(field="learn.lr", value=0.5, at=20),
        SetKnob(field="net.width", value=8, at=20),
        Pause(at=30),
        Step(at=30),
        Resume(at=31),
        Stop(at=70),
    )
    streams = {kind: plain(stream(kind, wanted)) for kind in KINDS}
    assert streams["thread"] == streams["inline"]
    assert streams["process"] == streams["inline"]
    kinds = [row["type"] for row in streams["inline"]]
    assert kinds.count("EpisodeEnded") == 70
    assert {"KnobChanged", "KnobRefused", "Paused", "Unpaused"} <= set(kinds)
    assert streams["inline"][-1]["reason"] == "stopped"


def test_run_inline() -> None:
    events = list(run_inline(request("counting", total=3)))
    assert [type(event) for event in events] == [EpisodeEnded] * 3 + [Finished]


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_pause_step_resume_knob_and_stop_while_it_runs(kind: str) -> None:
    host = open_host(kind, request("counting", total=10**9, delay=0.001))
    assert not host.alive
    host.start()
    assert host.alive
    try:
        collect(host, lambda events: len(events) > 10)
        host.send(Pause())
        paused = collect(host, lambda events: any(isinstance(e, Paused) for e in events))[-1]
        time.sleep(0.3)
        assert host.drain() == []
        host.send(Step())
        (stepped,) = collect(host, lambda events: len(events) >= 1)[:1]
        assert stepped.step == paused.step + 1
        host.send(SetKnob(field="learn.lr", value=0.25))
        knob = collect(host, lambda events: any(isinstance(e, KnobChanged) for e in events))[-1]
        assert knob.step - paused.step == 1
        host.send(SendWeights())
        weights = collect(host, lambda events: any(isinstance(e, Weights) for e in events))[-1]
        assert isinstance(weights, Weights)
        assert np.array_equal(weights.tensors["w"], np.full((2, 3), knob.step))
        assert weights.tensors["n"].shape == ()
        host.send(Resume())
        collect(host, lambda events: any(isinstance(e, Unpaused) for e in events) and len(events) > 5)
        host.send(Stop())
        last = collect(host, lambda events: any(isinstance(e, Finished) for e in events))[-1]
        assert isinstance(last, Finished)
        assert last.reason == "stopped"
    finally:
        host.kill()
        assert host.join(10.0)
    host.send(Stop())  # after the end: nothing happens
    assert not host.alive


def test_an_inline_job_carries_out_commands_sent_between_drains() -> None:
    host = open_host("inline", request("counting", total=10**9))
    host.start()
    assert len(host.drain(1.0)) > 1
    host.send(Stop())
    events: list[Event] = []
    while host.alive:
        events += host.drain()
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("error", "text", "details"),
    [
        ("value", "the job raised ValueError: no such thing", True),
        ("config", "`env.id`: there is no environment `Nowhere-v0`", False),
        ("exit", "the job raised SystemExit: 3", True),
        ("silent", "the job ended without a result and without an error", False),
    ],
)
def test_a_failing_job_ends_with_failed_and_finished(kind: str, error: str, text: str, details: bool) -> None:
    first, failure, last = stream(kind, request("raising", error=error))
    assert first.step == 7
    assert isinstance(failure, Failed)
    assert (failure.words, bool(failure.details), failure.step) == (text, details, 7)
    assert isinstance(last, Finished)
    assert (last.reason, last.step) == ("failed", 7)


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_that_cannot_begin_fails_with_a_sentence(kind: str) -> None:
    failure, last = stream(kind, request("early"))
    assert isinstance(failure, Failed)
    assert failure.words == "`net.width` = 3 is too small"
    assert isinstance(last, Finished)
    failure, last = stream(kind, request("missing"))
    assert isinstance(failure, Failed)
    assert "nowhere" in failure.words


@pytest.mark.parametrize(("error", "text"), [("die", "status 5"), ("kill", "SIGKILL")])
def test_a_dead_child_is_a_failure(error: str, text: str) -> None:
    events = stream("process", request("raising", error=error))
    assert isinstance(events[-2], Failed)
    assert text in events[-2].words
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "failed"


def test_a_child_that_dies_after_a_failure_it_survived_is_a_failure_again() -> None:
    events = stream("process", request("raising", error="later"))
    assert [event.words for event in events if isinstance(event, Failed)] == [
        "cannot do this",
        "the job's process ended unexpectedly with status 5",
    ]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("kind", KINDS)
def test_killing_completes_the_stream_and_leaves_nothing(kind: str) -> None:
    host = open_host(kind, request("counting", total=10**9, delay=0.001))
    host.start()
    collect(host, lambda events: len(events) > 3)
    host.kill()
    events: list[Event] = []
    while host.alive:
        events += host.drain()
    assert host.join(10.0)
    assert isinstance(events[-2], Failed)
    assert "before it could save" in events[-2].words
    assert isinstance(events[-1], Finished)
    host.kill()  # again: nothing happens


def test_a_paused_job_can_be_killed() -> None:
    for kind in ("thread", "process"):
        host = open_host(kind, request("counting", Pause(at=5), total=10))
        host.start()
        collect(host, lambda events: any(isinstance(e, Paused) for e in events))
        host.kill()
        assert host.join(10.0)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_newest_weights_are_kept(kind: str) -> None:
    host = open_host(kind, request("heavy"))
    host.start()
    if kind != "inline":
        assert host.join(20.0)
    events: list[Event] = []
    while host.alive:
        events += host.drain()
    assert isinstance(events[-1], Finished)
    weights = [event for event in events if isinstance(event, Weights)]
    assert weights[-1].step == 20
    assert np.array_equal(weights[-1].tensors["w"], np.full(300_000, 20, np.float32))
    if kind != "inline":
        assert len(weights) == 1
    host.join()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_in_a_flood_that_nobody_drains(kind: str) -> None:
    host = open_host(kind, request("flood", count=30_000))
    host.start()
    if kind != "inline":
        assert host.join(60.0)  # the pipe must be drained first, or join would wait forever
    events: list[Event] = []
    longest = 0.0
    while host.alive:
        began = time.perf_counter()
        events += host.drain(8.0)
        longest = max(longest, time.perf_counter() - began)
    assert [event.step for event in events] == [*range(1, 30_001), 30_000]
    assert longest < 0.5
    host.join()


def test_a_child_imports_no_window_and_its_prints_do_not_spoil_the_pipe(capfd: pytest.CaptureFixture[str]) -> None:
    episode, last = stream("process", request("talkative"))
    assert isinstance(episode, EpisodeEnded)
    assert math.isnan(episode.ret)
    assert isinstance(last, Finished)
    out, err = capfd.readouterr()
    assert "hello" not in out
    assert "hello from the environment" in err
    assert "and from C" in err


def test_hosts_import_no_torch() -> None:
    code = (
        "import sys, dqngui.hosts.process, dqngui.hosts.thread, dqngui.hosts.inline, dqngui.runs.recorder;"
        "import dqngui.runs.folder; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


def test_unknown_jobs_and_hosts_are_refused() -> None:
    with pytest.raises(ConfigError, match="there is no job `dance`; there are: train"):
        open_host("inline", request("dance"))
    with pytest.raises(ConfigError, match="there is no host `cloud`; there are: inline, thread, process"):
        open_host("cloud", request("counting"))


PARENT = """
import sys, time
from dqngui import catalog
from dqngui.hosts import open_host
from dqngui.messages import Request
catalog.JOBS["waiting"] = catalog.Entry("", "tests.hosts.jobs:waiting")
host = open_host(sys.argv[1], Request(job="waiting", options={"pid": sys.argv[2], "paused": len(sys.argv) > 3}))
host.start()
"""


def parent(tmp_path: Path, kind: str, then: str, *more: str) -> tuple[subprocess.Popen[bytes], int]:
    pid = tmp_path / "pid"
    process = subprocess.Popen([sys.executable, "-c", PARENT + then, kind, str(pid), *more], cwd=ROOT)
    end = time.monotonic() + 30.0
    while not pid.exists() or not pid.read_text():
        assert time.monotonic() < end
        assert process.poll() is None or pid.exists()
        time.sleep(0.02)
    return process, int(pid.read_text())


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid):
            return True
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
@pytest.mark.parametrize("paused", [False, True])
def test_no_child_outlives_a_killed_parent(tmp_path: Path, paused: bool) -> None:
    process, child = parent(tmp_path, "process", "time.sleep(60)", *(["paused"] if paused else []))
    time.sleep(0.3)  # its first event is sent; a paused job does not notice that nobody reads
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert gone_within(child, 2.0)


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
def test_a_child_survives_ctrl_c(tmp_path: Path) -> None:
    process, child = parent(tmp_path, "process", "time.sleep(60)")
    os.kill(child, signal.SIGINT)
    time.sleep(0.3)
    assert psutil.pid_exists(child)
    process.kill()
    process.wait()
    assert gone_within(child, 2.0)


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_a_parent_that_exits_ends_its_jobs(tmp_path: Path, kind: str) -> None:
    process, child = parent(tmp_path, kind, "time.sleep(0.5)")
    assert process.wait(15.0) == 0
    assert gone_within(child, 2.0)
    if kind == "thread":
        assert (tmp_path / "pid").read_text() == "closed"  # the job ended cleanly
