"""How jobs and processes end although an environment hangs, leaves threads behind, or signals come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dqngui.commands import interruption as module
from dqngui.commands.interruption import Interruption, interruption
from dqngui.config import EnvConfig, Experiment, Wrapper
from dqngui.envs.foreign import is_foreign
from dqngui.hosts import open_host
from dqngui.hosts.signals import ending_signals
from dqngui.lab.session.job import kind_of_host
from dqngui.messages import Event, Finished, Opened, Request, Stop
from dqngui.runs.folder import create
from dqngui.runs.resume import load_resume
from dqngui.settings import with_settings
from dqngui.texts import say

ROOT = Path(__file__).parents[2]
HANGING = """
import os
import threading
import gymnasium
class Hangs(gymnasium.Wrapper):
    steps = 0
    def step(self, action):
        Hangs.steps += 1
        if Hangs.steps > 1600:
            open(os.environ["HANGING"], "w").close()
            threading.Event().wait()
        return super().step(action)
gymnasium.register("Hangs-v0", lambda: Hangs(gymnasium.make("CartPole-v1")))
threading.Thread(target=threading.Event().wait).start()
"""
pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")


@pytest.mark.timeout(120)
def test_a_step_that_hangs_in_a_process_is_undone_and_the_run_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the process ends although its environment left a thread behind that is no daemon."""
    (tmp_path / "hanging_task.py").write_text(HANGING)
    monkeypatch.setenv("HANGING", str(tmp_path / "hangs"))
    monkeypatch.syspath_prepend(str(tmp_path))
    changes = {"env.id": "hanging_task:Hangs-v0", "env.num_envs": 2, "net.memory": "none", "run.device": "cpu"}
    asked = with_settings(Experiment(), changes | {"run.eval_every": 0, "learn.warmup": 10_000})
    folder = create(tmp_path / "runs", asked)
    host = open_host("process", Request(job="train", experiment=asked, folder=str(folder)))
    host.start()
    events: list[Event] = []
    wait(lambda: events.extend(host.drain()) or (tmp_path / "hangs").exists())
    assert any(isinstance(event, Opened) for event in events + host.drain())
    host.send(Stop())
    time.sleep(0.3)
    assert host.alive
    host.interrupt()
    wait(lambda: events.extend(host.drain()) or not host.alive)
    assert isinstance(events[-1], Finished) and events[-1].reason == "stopped"
    assert load_resume(folder).mark.step == events[-1].step >= 600
    assert host.join(20.0)


def wait(until: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


LEAVES = """
import atexit, multiprocessing, os, sys, threading, time
from dqngui.hosts import leaving
leaving.PATIENCE_SECONDS = 0.3
atexit.register(print, "the simulator's server was ended", flush=True)
if sys.argv[1] == "thread":
    threading.Thread(target=threading.Event().wait).start()
elif sys.argv[1] == "function":
    atexit.register(threading.Event().wait)
elif sys.argv[1] == "process":
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    child.start()
    print(child.pid, file=sys.stderr)
leaving.leave(7)
"""


@pytest.mark.parametrize("left", ["thread", "nothing", "function", "process"])
def test_a_process_leaves_with_its_status_and_cleans_up(left: str) -> None:
    done = subprocess.run([sys.executable, "-c", LEAVES, left], cwd=ROOT, capture_output=True, text=True, timeout=60)
    cleaned = "" if left == "function" else "the simulator's server was ended\n"  # registered before the one that hangs
    assert (done.returncode, done.stdout) == (7, cleaned), done.stderr
    if left == "process":
        wait(lambda: not psutil.pid_exists(int(done.stderr)))


class Recorded:
    """Jobs that note what they are asked; `interrupt` raises KeyboardInterrupt if an environment runs."""

    def __init__(self, in_environment: bool = False) -> None:
        self.asked: list[str] = []
        self.in_environment = in_environment

    def stop(self) -> None:
        self.asked.append("stop")

    def interrupt(self) -> None:
        self.asked.append("interrupt")
        if self.in_environment:
            raise KeyboardInterrupt


def test_the_first_signal_stops_the_second_interrupts_and_only_the_third_loses_anything(
    capfd: pytest.CaptureFixture[str],
) -> None:
    jobs = Recorded()
    with interruption(jobs, say("shown.stopping")) as (request, _):
        os.kill(os.getpid(), signal.SIGINT)
        assert request.requested and jobs.asked == ["stop"]
        os.kill(os.getpid(), signal.SIGINT)
        assert jobs.asked == ["stop", "interrupt"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    said = capfd.readouterr().err
    assert said.count("Stopping: the run is saved") == 1 and "Still saving" in said


def test_a_step_is_interrupted_by_itself_after_sigterm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can press anything then; the step waits for something without an end."""
    monkeypatch.setattr(module, "NUDGE_SECONDS", 0.05)
    jobs = Recorded(in_environment=True)
    with interruption(jobs, say("shown.stopping")):
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            threading.Event().wait(30.0)
    assert jobs.asked == ["stop", "interrupt"]


def test_hanging_up_counts_unless_it_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        assert ending_signals() == (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        jobs = Recorded()
        with interruption(jobs, say("shown.stopping")):
            os.kill(os.getpid(), signal.SIGHUP)
        assert jobs.asked == ["stop"] and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        assert ending_signals() == (signal.SIGINT, signal.SIGTERM)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_that_an_environment_sets_are_replaced() -> None:
    with interruption(Recorded(), say("shown.stopping")) as (request, hold):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        hold()
        assert isinstance(signal.getsignal(signal.SIGTERM), Interruption)
        os.kill(os.getpid(), signal.SIGTERM)
        assert request.requested


@pytest.mark.parametrize(
    ("name", "wrappers", "foreign"),
    [
        ("CartPole-v1", (), False),
        ("dqngui/TMaze-v0", (), False),
        ("MinAtar/Breakout-v1", (), False),
        ("dqngui.envs.catch:Catch-v0", (), False),
        ("highway_env:highway-v0", (), False),
        ("mine:Game-v0", (), True),
        ("highway_envious.own:Game-v0", (), True),
        ("CartPole-v1", ("mine.wrappers:Shaped",), True),
        ("OfSomebody-v0", (), True),
    ],
)
def test_tasks_of_unknown_packages_are_foreign(name: str, wrappers: tuple[str, ...], foreign: bool) -> None:
    import gymnasium

    gymnasium.register("OfSomebody-v0", entry_point="somebody.games:Game")
    try:
        config = EnvConfig(id=name, wrappers=tuple(Wrapper(name=wrapper) for wrapper in wrappers))
        assert is_foreign(config) is foreign
    finally:
        del gymnasium.registry["OfSomebody-v0"]
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("name", "asked", "kind"),
    [
        ("mine:Game-v0", "thread", "process"),
        ("mine:Game-v0", "process", "process"),
        ("mine:Game-v0", "inline", "inline"),  # the user's choice: in the window's own process
        ("CartPole-v1", "thread", "thread"),
    ],
)
def test_the_window_trains_foreign_tasks_in_a_process(name: str, asked: str, kind: str) -> None:
    assert kind_of_host(with_settings(Experiment(), {"env.id": name, "run.host": asked}, check=False)) == kind
