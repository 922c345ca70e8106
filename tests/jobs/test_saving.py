"""What a run saves where only the environment or time ended it, and what environments change in the whole process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import psutil
import pytest
import torch

from dqngui.bounded import memory_of_process
from dqngui.config import ConfigError, Experiment
from dqngui.jobs import saving
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.learning import off_policy
from dqngui.messages import CheckpointSaved, Command, Evaluated, Event, Failed, Finished, Noted, Request, SetKnob, Stop
from dqngui.runs.checkpoints import checkpoints, load_weights
from dqngui.runs.folder import create
from dqngui.runs.resume import load_resume
from dqngui.settings import experiment_from, with_settings
from tests.event_logs import log, stored_log

SMALL: dict[str, Any] = {
    "env": {"id": "Troubled-v0", "num_envs": 3},
    "net": {"attention": "none", "memory": "gru", "width": 8},
    "learn": {
        "window": 6, "burn_in": 2, "n_step": 2, "batch_size": 4, "warmup": 60, "update_every": 12,
        "replay_capacity": 300, "epsilon": {"start": 1.0, "end": 0.3, "steps": 100},
    },
    "run": {"total_steps": 240, "eval_every": 90, "eval_episodes": 2, "checkpoint_every": 10_000, "log_every": 30,
            "device": "cpu"},
}  # fmt: skip
AGENTS: dict[str, dict[str, Any]] = {
    "dqn, gru, priorities, repeated random actions": {"learn.prioritized": True, "learn.epsilon_repeat": 4},
    "dqn, no memory": {"net.memory": "none", "learn.window": 1, "learn.burn_in": 0},
    "ppo, lstm": {"net.memory": "lstm", "learn.algorithm": "ppo", "learn.rollout": 8, "learn.epochs": 2},
}


class Trouble:
    """What the environments do: at the call with this number, counted over all of them, they raise an error."""

    calls = 0
    at = -1
    inbox: Inbox | None = None
    error: type[BaseException] = ConnectionResetError

    @classmethod
    def call(cls) -> None:
        cls.calls += 1
        if cls.calls != cls.at:
            return
        if cls.error is KeyboardInterrupt:
            assert cls.inbox is not None
            cls.inbox.interrupt()  # as a signal handler does it
            raise AssertionError("a call of an environment can be interrupted")
        raise cls.error("the simulator closed the connection")


class Troubled(gymnasium.Wrapper):  # type: ignore[type-arg]
    def reset(self, **options: Any) -> Any:
        Trouble.call()
        return super().reset(**options)

    def step(self, action: Any) -> Any:
        Trouble.call()
        return super().step(action)


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    gymnasium.register("Troubled-v0", lambda: Troubled(gymnasium.make("CartPole-v1")))
    yield
    del gymnasium.registry["Troubled-v0"]


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # it matters only for power cuts


def experiment(**changes: Any) -> Experiment:
    return with_settings(experiment_from(SMALL), {name.replace("__", "."): value for name, value in changes.items()})


def recorded(folder: Path, asked: Experiment | None, schedule: tuple[Command, ...] = ()) -> list[Event]:
    Trouble.calls, Trouble.inbox = 0, Inbox(None, schedule)
    request = Request(job="train", experiment=asked, folder=str(folder), resume=asked is None)
    return list(train(request, Trouble.inbox))


@pytest.fixture(params=AGENTS.values(), ids=AGENTS.keys(), scope="module")
def agent(request: pytest.FixtureRequest) -> Experiment:
    return with_settings(experiment_from(SMALL), request.param)


@pytest.fixture(scope="module")
def untroubled(agent: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    Trouble.at = -1
    folder = create(tmp_path_factory.mktemp("whole"), agent)
    recorded(folder, agent)
    return folder


def test_an_environment_that_fails_loses_nothing(agent: Experiment, untroubled: Path, tmp_path: Path) -> None:
    """It fails in steps, in resets and in evaluations, in the second or third environment of the vector, and again."""
    folder = create(tmp_path, agent)
    generator, kinds = np.random.default_rng(0), (ConnectionResetError, KeyboardInterrupt, SystemExit, ConfigError)
    ends, asked, before = [], agent, -1
    for attempt in range(40):
        Trouble.error = kinds[attempt % len(kinds)]
        # A resumed run first plays its running episodes again, which takes at most this many calls.
        Trouble.at = int(generator.integers(15, 110)) + (0 if asked is not None else replayed(folder))
        events = recorded(folder, asked)
        asked, end = None, events[-1]
        assert isinstance(end, Finished)
        ends.append(end.reason)
        if end.reason == "completed":
            break
        assert load_resume(folder).mark.step == end.step >= before
        before = end.step
        if end.reason == "failed":
            assert isinstance(events[-2], Failed) and isinstance(events[-3], CheckpointSaved)
    assert ends[-1] == "completed" and {"failed", "stopped"} <= set(ends)
    assert stored_log(folder) == stored_log(untroubled)
    (step, mine), (other, theirs) = load_weights(folder, "last"), load_weights(untroubled, "last")
    assert step == other and all(torch.equal(mine[name], theirs[name]) for name in theirs)


def replayed(folder: Path) -> int:
    """Calls with which a resumed run brings its environments to where they were."""
    lengths = load_resume(folder).arrays["actor/lengths"]
    return int(lengths.sum()) + len(lengths)


def test_saves_by_time_change_nothing_and_are_whole(
    agent: Experiment, untroubled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved before each step; the run is left somewhere as after kill -9, and goes on from its last save."""
    monkeypatch.setattr(saving, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(saving, "LEAST_WORK", 0.0)
    Trouble.at = -1
    folder = create(tmp_path, agent)
    request = Request(job="train", experiment=agent, folder=str(folder))
    job = train(request, Inbox(None))
    saved = []
    for event in job:
        saved += [event.step] if isinstance(event, CheckpointSaved) and not event.best else []
        if event.step >= 150:
            break
    job.close()  # type: ignore[attr-defined]
    assert saved == [0] and load_resume(folder).mark.step > 140  # only the first save told an event
    steps = set(checkpoints(folder))
    monkeypatch.undo()
    recorded(folder, None)
    assert stored_log(folder) == stored_log(untroubled)
    assert steps <= set(checkpoints(folder))


def test_a_save_by_time_is_due_after_a_minute_and_not_again_where_nothing_was_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(saving.time, "monotonic", lambda: now[0])
    clock = saving.SaveClock()
    assert not clock.due(4)
    now[0] += 61
    assert clock.due(4)
    clock.note(4, began=now[0] - 10)  # the save took 10 s: the next one comes after 200 s
    now[0] += 199
    assert not clock.due(8)
    now[0] += 2
    assert clock.due(8) and not clock.due(4)


def test_a_knob_set_before_the_environment_failed_keeps_its_value(tmp_path: Path) -> None:
    asked = experiment(run__eval_every=0)
    folder, whole = create(tmp_path, asked), create(tmp_path, asked)
    turns = (SetKnob(field="learn.lr", value=3e-4, at=120),)
    Trouble.at = -1
    recorded(whole, asked, turns)
    Trouble.at, Trouble.error = 150, OSError
    assert recorded(folder, asked, turns)[-1].step >= 120
    Trouble.at = -1
    recorded(folder, None, turns)
    assert stored_log(folder) == stored_log(whole)


def test_a_job_that_is_not_in_an_environment_is_not_interrupted() -> None:
    class Idle:
        running = False

    inbox = Inbox(None)
    with pytest.raises(KeyboardInterrupt):
        inbox.interrupt()  # before the job has begun there is nothing to lose
    inbox.outside = Idle()
    inbox.interrupt()


def test_a_replay_larger_than_memory_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*arguments: Any, **options: Any) -> None:
        raise AssertionError("a replay was made")

    monkeypatch.setattr(off_policy, "Replay", made)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=2**30))
    asked = experiment(learn__replay_capacity=20_000_000)
    with pytest.raises(ConfigError, match=r"a full replay would take .* GiB of steps"):
        train(Request(job="train", experiment=asked), Inbox(None))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_limit_of_the_process_counts_as_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    assert memory_of_process() <= psutil.virtual_memory().total
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2**10, 2**10))
    assert memory_of_process() == 2**10
    with pytest.raises(ConfigError, match=r"a full replay would take .* and this process may use 0.0 GiB: lower"):
        train(Request(job="train", experiment=experiment(net__memory="none")), Inbox(None))


def test_a_replay_for_which_there_is_no_room_is_refused_with_what_to_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*arguments: Any, **options: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(off_policy, "Replay", made)
    with pytest.raises(ConfigError, match=r"no room in memory for a full replay .*: lower learn.replay_capacity"):
        train(Request(job="train", experiment=experiment()), Inbox(None))


class Careless(gymnasium.Wrapper):  # type: ignore[type-arg]
    """Changes the process in its constructor and at each call, and needs the process as it has changed it."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.change()
        self.network = torch.nn.Linear(4, 1)

    def change(self) -> None:
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        os.chdir(os.environ["ELSEWHERE"])

    def step(self, action: Any) -> Any:
        observation, *rest = super().step(action)
        assert not torch.is_grad_enabled() and torch.get_num_threads() == 2
        assert self.network(torch.tensor(observation.tolist())).dtype is torch.float64
        self.change()
        return observation, *rest


@pytest.mark.parametrize("algorithm", ["dqn", "ppo"])
def test_what_an_environment_changes_in_the_process_changes_no_training(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("ELSEWHERE", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    gymnasium.register("Careless-v0", lambda: Careless(gymnasium.make("CartPole-v1")))
    changes = {"learn.algorithm": algorithm, "learn.rollout": 8, "run.total_steps": 150}
    logs = []
    try:
        for name in ("Troubled-v0", "Careless-v0"):
            monkeypatch.chdir(tmp_path)
            asked = with_settings(experiment(env__id=name), changes)
            folder = create(Path("runs"), asked)
            Trouble.at = -1
            logs.append(log(recorded(folder, asked)))
            if name == "Careless-v0":
                assert Path.cwd() == tmp_path / "elsewhere" and not list(Path.cwd().iterdir())
                assert load_resume(tmp_path / folder).mark.step >= 150
    finally:
        del gymnasium.registry["Careless-v0"]
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        torch.set_num_threads(1)
    assert logs[0] == logs[1]


class Poisoned(gymnasium.Wrapper):  # type: ignore[type-arg]
    """Pays `worth` once in some evaluations, which are told by their seeds."""

    worth, evaluations, every = np.nan, range(1), False

    def reset(self, *, seed: int | None = None, **options: Any) -> Any:
        block = (seed or 0) - 1_000_000
        self.poisoned = block >= 0 and block // 2 in self.evaluations
        return super().reset(seed=seed, **options)

    def step(self, action: Any) -> Any:
        observation, reward, *rest = super().step(action)
        return observation, self.worth if self.poisoned else reward, *rest


@pytest.mark.parametrize("worth", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("blocks", [range(1), range(1, 2), range(2, 3), range(3, 6), range(100)])
def test_an_evaluation_that_is_no_number_is_told_and_never_the_best(
    worth: float, blocks: range, tmp_path: Path
) -> None:
    """In the first evaluation, in its confirmation, in its report, in a later one, and in all of them."""
    Poisoned.worth, Poisoned.evaluations = worth, blocks
    gymnasium.register("Poisoned-v0", lambda: Poisoned(gymnasium.make("CartPole-v1")))
    changes = {"run.eval_every": 30, "run.total_steps": 120, "net.memory": "none", "learn.warmup": 20}
    asked = with_settings(experiment(env__id="Poisoned-v0"), changes | {"learn.window": 1, "learn.burn_in": 0})
    folder = create(tmp_path, asked)
    try:
        events = recorded(folder, asked, (Stop(at=75),))
        events += recorded(folder, None)
    finally:
        del gymnasium.registry["Poisoned-v0"]
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    for event in evaluated:
        if event.best:
            assert np.isfinite(event.ranking_score) and np.isfinite(event.returns).all()
    assert any(event.best for event in evaluated) == (blocks != range(100))
    told = [event for event in events if isinstance(event, Noted) and event.text.key == "train.evaluation_not_finite"]
    strange = [event for event in evaluated if event.role == "selection" and not np.isfinite(event.mean)]
    assert len(told) == len(strange) and (strange or blocks not in (range(1), range(100)))
    assert events[-1].best is None or np.isfinite(events[-1].best)
