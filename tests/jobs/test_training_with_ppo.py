"""The training job with PPO: resuming inside a rollout, knobs, forks to and from DQN, and rows of the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from dqngui.config import ConfigError, Experiment
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.jobs.training import Training
from dqngui.learning.on_policy import OnPolicy
from dqngui.messages import (
    Command,
    Evaluated,
    Event,
    Finished,
    Forked,
    KnobChanged,
    Learned,
    Request,
    SendWeights,
    SetKnob,
    Stop,
    Warned,
    decode_event,
    encode,
)
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import create
from dqngui.runs.resume import load_resume
from dqngui.settings import experiment_from, with_settings
from tests.event_logs import log, run, stored_log

SMALL: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "num_envs": 4},
    "net": {"attention": "self", "memory": "gru", "width": 16},
    "learn": {"algorithm": "ppo", "rollout": 16, "window": 7, "batch_size": 4, "epochs": 2},
    "run": {"total_steps": 500, "eval_every": 200, "eval_episodes": 2, "checkpoint_every": 160, "log_every": 50,
            "device": "cpu"},
}  # fmt: skip
AGENTS: dict[str, dict[str, Any]] = {
    "self + gru": {},
    "action + transformer": {
        "net.attention": "action",
        "net.memory": "transformer",
        "net.memory_options.length": 6,
        "learn.value_clip": True,
    },
    "no memory": {"net.attention": "none", "net.memory": "none", "learn.window": 1},
}


def experiment(**changes: Any) -> Experiment:
    return with_settings(experiment_from(SMALL), {name.replace("__", "."): value for name, value in changes.items()})


@pytest.fixture(params=AGENTS.values(), ids=AGENTS.keys(), scope="module")
def agent(request: pytest.FixtureRequest) -> Experiment:
    return with_settings(experiment_from(SMALL), request.param)


@pytest.fixture(scope="module")
def never_stopped(agent: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the agent's whole run, which no test changes."""
    folder = create(tmp_path_factory.mktemp("whole"), agent)
    recorded(folder, agent)
    return folder


def recorded(folder: Path, asked: Experiment | None, *schedule: Command, fork: Path | None = None) -> list[Event]:
    request = Request(
        job="train",
        experiment=asked,
        folder=str(folder),
        resume=asked is None,
        fork=None if fork is None else str(fork),
    )
    return list(train(request, Inbox(None, schedule)))


def test_rows_contain_actor_and_critic_and_no_exploration_rate(agent: Experiment) -> None:
    events = run(agent)
    rows = [event for event in events if isinstance(event, Learned)]
    assert [row.step for row in rows] == list(range(128, 500, 64)), (
        "one row after every rollout but the first, which only measures"
    )
    last = rows[-1]
    assert last.updates > 0 and last.epsilon is None and last.td_error is None and last.q_mean is None
    values = (last.loss, last.policy_loss, last.value_error, last.entropy, last.kl, last.clip_share, last.grad_norm)
    assert all(value is not None and np.isfinite(value) for value in values)
    assert 0 < last.entropy <= np.log(2) + 1e-6  # type: ignore[operator]
    assert decode_event(encode(last)) == last
    assert sum(isinstance(event, Evaluated) for event in events) >= 2
    assert log(run(agent)) == log(events)


def test_updates_come_with_every_whole_rollout() -> None:
    rows = {event.step: event.updates for event in run(experiment(run__log_every=4)) if isinstance(event, Learned)}
    assert sorted(rows) == list(range(128, 500, 64))  # 16 steps of 4 environments; the first rollout only measures
    counts = [rows[step] for step in sorted(rows)]
    assert all(later >= earlier + 2 for earlier, later in zip([0, *counts], counts, strict=False)), "two epochs each"


@pytest.mark.parametrize("stops", [(0, 161), (128, 333)])
def test_stop_and_resume_inside_a_rollout_gives_the_log_of_a_run_never_stopped(
    agent: Experiment, never_stopped: Path, tmp_path: Path, stops: tuple[int, ...]
) -> None:
    """Stopped as a new run, and again as a resumed one."""
    folder, whole = create(tmp_path, agent), never_stopped
    for stop, asked in zip(stops, (agent, None), strict=True):
        events = recorded(folder, asked, Stop(at=stop))
        assert isinstance(events[-1], Finished) and events[-1].reason == "stopped"
        assert stop <= events[-1].step < stop + 4
    events = recorded(folder, None)
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"
    assert stored_log(folder) == stored_log(whole)
    (step, a), (other, b) = load_weights(folder, "last"), load_weights(whole, "last")
    assert step == other and all((a[name] == b[name]).all() for name in b)


def test_knobs_can_be_set_and_watching_changes_nothing() -> None:
    turns = (
        SetKnob(field="learn.clip", value=0.1, at=100),
        SetKnob(field="learn.rollout", value=8, at=140),
        SetKnob(field="learn.window", value=3, at=150),
        SetKnob(field="learn.entropy_weight", value=0.1, at=200),
        SetKnob(field="learn.epochs", value=1, at=300),
    )
    first = run(experiment(), turns)
    changes = [event for event in first if isinstance(event, KnobChanged)]
    assert [change.field.split(".")[1] for change in changes] == [
        "clip",
        "rollout",
        "window",
        "entropy_weight",
        "epochs",
    ]
    assert log(first) != log(run(experiment()))
    watched = run(experiment(), (*turns, *(SendWeights(at=step) for step in range(0, 500, 60))))
    assert log(watched) == log(first)


def test_an_environment_that_does_not_repeat_itself_still_resumes(tmp_path: Path) -> None:
    class Fickle(gymnasium.Wrapper):  # type: ignore[type-arg]
        def step(self, action: Any) -> Any:
            observation, *rest = super().step(action)
            return observation + np.random.default_rng().normal(size=4).astype(np.float32) * 1e-3, *rest

    gymnasium.register("FicklePPO-v0", lambda: Fickle(gymnasium.make("CartPole-v1")))
    try:
        asked = experiment(env__id="FicklePPO-v0")
        folder = create(tmp_path, asked)
        recorded(folder, asked, Stop(at=300))
        resumed = Training(asked)
        stored = load_resume(folder)
        assert len(list(resumed.restore(stored.arrays, stored.meta))) == 1
        assert isinstance(resumed.algorithm, OnPolicy)
        last = resumed.algorithm.store.rows[-1]
        running = stored.arrays["actor/lengths"] > 0
        assert last.ended.all() and (last.bootstrap_value[running] != 0).all(), "they count as truncated"
        resumed.close()
        events = recorded(folder, None)
    finally:
        del gymnasium.registry["FicklePPO-v0"]
    assert "is not reproducible" in next(event.words for event in events if isinstance(event, Warned))
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"


@pytest.mark.parametrize(("old", "new"), [("ppo", "dqn"), ("dqn", "ppo")])
def test_a_fork_to_the_other_algorithm_keeps_the_trunk(old: str, new: str, tmp_path: Path) -> None:
    learn = {"learn.warmup": 100, "learn.burn_in": 2, "learn.n_step": 2, "learn.update_every": 16}
    began = with_settings(experiment(), {**learn, "learn.algorithm": old, "run.total_steps": 200})
    parent = create(tmp_path, began)
    recorded(parent, began)
    asked = with_settings(began, {"learn.algorithm": new, "run.total_steps": 400})
    folder = create(tmp_path, asked)
    events = recorded(folder, asked, fork=parent)
    (forked,) = [event for event in events if isinstance(event, Forked)]
    store = {"ppo": "rollout", "dqn": "replay"}[new]
    heads = {"ppo": {"policy", "value"}, "dqn": {"head"}}[new]
    assert forked.fresh[:3] == ("optimizer", store, "random generators")
    assert {name.split(".")[0] for name in forked.fresh[3:]} == heads
    assert {name.split(".")[0] for name in forked.kept} == {"encoder", "attention", "join", "memory", "shortcut"}
    assert isinstance(events[-1], Finished) and events[-1].step == 400


@pytest.mark.parametrize("what", ["reward", "observation"])
def test_an_environment_that_sends_nan_is_named(what: str) -> None:
    class Broken(gymnasium.Wrapper):  # type: ignore[type-arg]
        def step(self, action: Any) -> Any:
            observation, reward, *rest = super().step(action)
            if what == "reward":
                return observation, float("nan"), *rest
            return observation * np.nan, reward, *rest

    gymnasium.register("BrokenPPO-v0", lambda: Broken(gymnasium.make("CartPole-v1")))
    try:
        told = "gave the reward nan" if what == "reward" else "observed nan"
        with pytest.raises(ConfigError, match=f"BrokenPPO-v0 {told}"):
            run(experiment(env__id="BrokenPPO-v0"))
    finally:
        del gymnasium.registry["BrokenPPO-v0"]
