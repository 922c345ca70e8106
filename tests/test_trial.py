"""The command line tries a task before it trains it; one that ends or holds up its process only costs a sentence."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from dqngui import hosts
from dqngui.__main__ import main
from dqngui.commands import trial
from dqngui.config import ConfigError, EnvConfig, Experiment
from dqngui.envs.foreign import is_foreign

TASK = """
import os, time, gymnasium, numpy as np

class Task(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (3,))
    action_space = gymnasium.spaces.Discrete(2)
    def reset(self, *, seed=None, options=None):
        return np.zeros(3, np.float32), {}
    def step(self, action):
        return np.zeros(3, np.float32), 1.0, True, False, {}

class Exits(Task):
    def step(self, action):
        os._exit(0)

class Hangs(Task):
    def close(self):
        print("closing", flush=True)
        while True:
            time.sleep(1)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "tried_task.py").write_text(TASK)
    monkeypatch.syspath_prepend(tmp_path)
    return "tried_task"


def test_an_environment_that_ends_its_process_ends_the_trial_with_a_sentence(
    module: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    assert main(["train", "--env", f"{module}:Exits", "--runs", str(runs)]) == 2
    assert "tried_task:Exits ended its process while it was tried" in capfd.readouterr().err
    assert not runs.exists()


def test_an_environment_that_does_not_return_is_waited_for_told_and_given_up(
    module: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trial, "PATIENCE_S", 1.5)
    monkeypatch.setattr(trial, "TOLD_S", 0.0)
    hanging = Experiment(env=EnvConfig(id=f"{module}:Hangs", num_envs=1))
    with pytest.raises(ConfigError, match=r"did not return within 1\.5 s"):
        trial.check_task(hanging)
    assert capfd.readouterr().err.count("waiting for tried_task:Hangs") == 1


class Silent:
    """A host whose job never tells anything."""

    alive = killed = False

    def start(self) -> None:
        self.alive = True

    def drain(self) -> list[object]:
        return []

    def kill(self) -> None:
        self.alive, self.killed = False, True

    def join(self, timeout: float) -> bool:
        return True


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_trial_is_ended_at_once_when_asked(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Silent()
    monkeypatch.setattr(hosts, "open_host", lambda kind, request: host)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), number))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        trial.check_task(Experiment(env=EnvConfig(id="no_such_module:Hangs")))
    timer.join()
    assert host.killed


def test_a_known_environment_is_tried_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "open_host", None)
    for env_id in ("CartPole-v1", "dqngui/TMaze-v0"):
        env = EnvConfig(id=env_id, num_envs=2)
        assert not is_foreign(env)
        trial.check_task(Experiment(env=env))
