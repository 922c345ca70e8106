"""The worker that the window starts is a process of its own: it trains on without the window, and ends when asked."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from dqngui import presets
from dqngui.config import ConfigError
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.queue.worker_process import StartedWorker
from dqngui.lab.session.session import Session
from dqngui.runs.folder import create
from dqngui.runs.lock import Writer, writer_of
from dqngui.settings import with_settings
from dqngui.sweeps.queue import Queue
from dqngui.texts import words
from tests.doubles.scripted_host import ScriptedHost

LONG = {"run.total_steps": 2_000_000, "run.eval_every": 0, "env.num_envs": 2, "learn.warmup": 2_000_000}


def wait(reached: Callable[[], bool], seconds: float = 60.0) -> None:
    latest = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < latest, "waited too long"
        time.sleep(0.02)


def idle(runs: Path) -> tuple[Queue, StartedWorker]:
    """A worker of a queue that is paused, so that it trains nothing."""
    queue = Queue(runs)
    queue.add([{"folder": str(create(runs, presets.read_experiment("tmaze")))}])
    queue.set(paused=True)
    worker = StartedWorker(runs)
    wait(lambda: bool(queue.workers()))
    return queue, worker


def test_it_lives_in_a_session_of_its_own_and_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    queue, worker = idle(tmp_path / "runs")
    assert worker.alive and os.getsid(worker.pid) == worker.pid  # Ctrl+C of a terminal does not reach it
    wait(lambda: b"paused" in worker.log.read_bytes())  # it answers signals
    worker.end()
    wait(lambda: not worker.alive)
    assert worker.problem == ""
    assert (queue.workers(), [entry.state for entry in queue.entries()]) == ([], ["waiting"])


def test_why_it_ended_is_told(tmp_path: Path) -> None:
    _, worker = idle(tmp_path / "runs")
    os.kill(worker.pid, signal.SIGKILL)
    wait(lambda: not worker.alive)
    assert words(worker.problem) == "it was ended by SIGKILL"
    runs = tmp_path / "other"
    (runs / ".queue").mkdir(parents=True)
    (runs / ".queue" / "workers").touch()  # not a folder
    failed = StartedWorker(runs)
    wait(lambda: not failed.alive)
    assert "cannot be written" in words(failed.problem)


def test_its_output_is_not_written_through_a_link(tmp_path: Path) -> None:
    runs, elsewhere = tmp_path / "runs", tmp_path / "elsewhere"
    (runs / ".queue").mkdir(parents=True)
    elsewhere.mkdir()
    (runs / ".queue" / "logs").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="is a link"):
        StartedWorker(runs)
    assert list(elsewhere.iterdir()) == []


def test_it_trains_on_without_the_window_and_another_window_steers_it(qtbot: QtBot, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    session = Session(with_settings(presets.read_experiment("tmaze"), LONG), runs=runs, open_host=ScriptedHost)
    first, second = RunQueue(session), RunQueue(session)
    first.start()
    first.add_draft([1])
    qtbot.waitUntil(lambda: [row.entry.state for row in first.rows] == ["running"], timeout=60_000)
    first.stop()
    first.join()
    assert not first.alive
    stored = Queue(runs)
    (worker,) = stored.workers()
    folder = stored.path_of(stored.entries()[0])
    wait(lambda: writer_of(folder) is Writer.ELSEWHERE)
    second.start()
    second.set_watched(True)
    qtbot.waitUntil(lambda: second.view is not None and second.view.overview.workers == [worker], timeout=10_000)
    assert not second.trains  # it is not its own, so closing does not ask
    second.pause([row.entry.id for row in second.rows])
    qtbot.waitUntil(lambda: [row.entry.state for row in second.rows] == ["paused"], timeout=60_000)
    wait(lambda: stored.workers() == [])  # nothing waits any more, so it has ended
    assert writer_of(folder) is not Writer.ELSEWHERE
    second.stop()
    second.join()
