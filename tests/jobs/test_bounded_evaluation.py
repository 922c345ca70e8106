"""Evaluations have a bound, come after the first update, and commands interrupt them within a step."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dqngui.config import Experiment
from dqngui.hosts import KINDS, Host, open_host, run_inline
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.learning.evaluation import CUT_AFTER, FEWEST_EPISODES, SHORTEST_CUT, longest_greedy
from dqngui.messages import (
    Advanced,
    CheckpointSaved,
    Command,
    EpisodeEnded,
    Evaluated,
    Event,
    Finished,
    Learned,
    Noted,
    Pause,
    Paused,
    Request,
    Resume,
    Stop,
)
from dqngui.runs.folder import create, summary_of
from dqngui.settings import experiment_from, with_settings
from tests.doubles.endless import NAME
from tests.event_logs import run, stored_log

SMALL: dict[str, Any] = {
    "env": {"id": NAME, "num_envs": 4},
    "net": {"attention": "none", "memory": "none", "tokens": "one", "width": 8},
    "learn": {"window": 1, "burn_in": 0, "batch_size": 8, "warmup": 150, "update_every": 16, "replay_capacity": 400},
    "run": {"total_steps": 400, "eval_every": 100, "eval_episodes": 32, "checkpoint_every": 160, "log_every": 50,
            "device": "cpu"},
}  # fmt: skip
STEP_S = 0.05
ANSWER_S = 1.5
"""A command is answered in less: a step of 32 environments takes 1.6 s."""


def experiment(**changes: Any) -> Experiment:
    return with_settings(experiment_from(SMALL), {name.replace("__", "."): value for name, value in changes.items()})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that was never interrupted."""
    folder = create(tmp_path_factory.mktemp("whole"), experiment())
    list(train(Request(job="train", experiment=experiment(), folder=str(folder)), Inbox(None)))
    return folder


def evaluated(events: list[Event]) -> list[Evaluated]:
    return [event for event in events if isinstance(event, Evaluated)]


# -- bounds -----------------------------------------------------------------------------------------


def test_a_network_that_has_learned_nothing_is_not_evaluated() -> None:
    events = run(experiment(env__id="CartPole-v1", run__eval_episodes=2, run__eval_share=1.0))
    first_update = next(event.step for event in events if isinstance(event, Learned) and event.loss is not None)
    assert min(event.step for event in evaluated(events)) == 200 >= first_update


def test_a_run_without_updates_still_ends_with_an_evaluated_checkpoint() -> None:
    events = run(experiment(env__id="CartPole-v1", run__eval_episodes=2, learn__warmup=9_000))
    assert {event.step for event in evaluated(events)} == {400}
    assert isinstance(events[-1], Finished) and events[-1].best is not None


@pytest.mark.parametrize("total", [400, 4_000])
def test_the_evaluations_of_a_policy_that_never_ends_its_episode_are_bounded(total: int) -> None:
    events = run(experiment(run__total_steps=total, run__eval_share=0.5))
    found = evaluated(events)
    lengths = [length for event in found for length in event.lengths]
    trained = max(event.length for event in events if isinstance(event, EpisodeEnded))
    longest = max(SHORTEST_CUT, CUT_AFTER * trained)
    assert max(lengths) == longest, "the policy does not repeat itself: the test needs one that does"
    stuck = [event for event in found if min(event.lengths) >= SHORTEST_CUT]
    assert stuck and all(len(event.lengths) == FEWEST_EPISODES for event in stuck if event.role == "selection")
    smallest = 2 * (FEWEST_EPISODES + 1) * longest  # of an evaluation and of its report
    assert sum(lengths) <= total + 2 * smallest  # without the bound: 32 episodes of 20,000 steps each
    notes = [event.words for event in events if isinstance(event, Noted) and "is cut" in event.words]
    assert notes == [
        f"{NAME} sets no time limit, so a greedy episode is cut, this time after {SHORTEST_CUT:,} steps; its return "
        "counts the rewards up to there"
    ]


def test_the_cut_follows_the_longest_episode_of_training() -> None:
    assert longest_greedy(10, None, 20_000) == SHORTEST_CUT
    assert longest_greedy(2_000, None, 20_000) == CUT_AFTER * 2_000
    assert longest_greedy(9_000, None, 20_000) == 20_000
    assert longest_greedy(10, 27_000, 20_000) == 27_000, "the task's own limit stays"


def test_episodes_as_short_as_those_of_training_are_all_played() -> None:
    events = run(experiment(env__id="dqngui/TMaze-v0", env__kwargs={"length": 5}, run__eval_share=0.5))
    assert {len(event.lengths) for event in evaluated(events) if event.role == "selection"} == {32}


# -- commands ---------------------------------------------------------------------------------------


def until(host: Host, wanted: type[Event], seconds: float = 60.0) -> list[Event]:
    """What a host gives up to the first event of this kind."""
    events: list[Event] = []
    end = time.monotonic() + seconds
    while not any(isinstance(event, wanted) for event in events):
        assert host.alive and time.monotonic() < end, events[-3:]
        events += host.drain(20.0)
        time.sleep(0.002)
    return events


def until_evaluation(host: Host) -> None:
    """Wait until an evaluation has made a step."""
    while not any(
        isinstance(event, Advanced) and event.evaluation_steps is not None for event in until(host, Advanced)
    ):
        pass


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("ENDLESS_STEP_S", str(STEP_S))
    return monkeypatch


@pytest.mark.parametrize("kind", KINDS)
def test_stop_interrupts_a_slow_evaluation_at_once_and_it_is_repeated(
    kind: str, tmp_path: Path, whole: Path, slow: pytest.MonkeyPatch
) -> None:
    folder = create(tmp_path, experiment())
    host = open_host(kind, Request(job="train", experiment=experiment(), folder=str(folder)))
    host.start()
    until_evaluation(host)
    sent = time.monotonic()
    host.send(Stop())
    events = until(host, CheckpointSaved)
    assert time.monotonic() - sent < ANSWER_S
    while host.alive:  # an inline job runs only here
        events += host.drain()
    assert isinstance(events[-1], Finished) and events[-1].reason == "stopped"
    assert host.join(20.0) and summary_of(folder) is not None
    slow.delenv("ENDLESS_STEP_S")
    list(train(Request(job="train", folder=str(folder), resume=True), Inbox(None)))
    assert stored_log(folder) == stored_log(whole)


@pytest.mark.parametrize(
    "kind", ["thread", pytest.param("process", marks=pytest.mark.slow)]
)  # an inline job is never paused: nobody could continue it
def test_pause_interrupts_a_slow_evaluation_at_once(kind: str, tmp_path: Path, slow: pytest.MonkeyPatch) -> None:
    folder = create(tmp_path, experiment())
    host = open_host(kind, Request(job="train", experiment=experiment(), folder=str(folder)))
    host.start()
    for command, answer in ((Pause(), Paused), (Resume(), Advanced), (Stop(), Finished)):
        if not isinstance(command, Resume):
            until_evaluation(host)
        sent = time.monotonic()
        host.send(command)
        until(host, answer)
        assert time.monotonic() - sent < ANSWER_S, command
    assert host.join(20.0)


@pytest.mark.parametrize("block", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_command_in_a_confirmation_leaves_no_trace(block: int, tmp_path: Path) -> None:
    """The command arrives in the middle of the second or third block of the first evaluation."""
    asked = experiment(run__eval_share=1.0, run__eval_episodes=4, run__total_steps=200)
    whole, folder = create(tmp_path, asked), create(tmp_path, asked)
    list(train(Request(job="train", experiment=asked, folder=str(whole)), Inbox(None)))
    rows = [row for row in stored_log(whole) if row["type"] == "Evaluated"]
    first, second = rows[0], rows[1]
    assert second["role"] == "confirmation" and second["best"]
    assert len(second["lengths"]) == 2 * 4
    before = max(first["lengths"]) + (max(second["lengths"][:4]) if block == 2 else 0)
    inbox = Inbox(None)
    honest, polls = inbox.poll, 0

    def poll(step: int) -> list[Command]:
        nonlocal polls
        polls += step == first["step"]
        if polls == before + 10:
            polls += 1
            inbox.send(Stop())
        return honest(step)

    inbox.poll = poll  # type: ignore[method-assign]
    events = list(train(Request(job="train", experiment=asked, folder=str(folder)), inbox))
    assert isinstance(events[-1], Finished) and events[-1].reason == "stopped" and not evaluated(events)
    list(train(Request(job="train", folder=str(folder), resume=True), Inbox(None)))
    assert stored_log(folder) == stored_log(whole)


@pytest.mark.parametrize("kind", KINDS)
def test_stop_interrupts_a_slow_test_at_once(kind: str, whole: Path, slow: pytest.MonkeyPatch) -> None:
    host = open_host(kind, Request(job="test", folder=str(whole), options={"episodes": 32}))
    host.start()
    until_evaluation(host)
    sent = time.monotonic()
    host.send(Stop())
    events = until(host, Finished)
    assert time.monotonic() - sent < ANSWER_S
    assert isinstance(events[-1], Finished) and events[-1].reason == "stopped"
    while host.alive:
        host.drain()
    assert host.join(20.0)


def test_a_test_cuts_episodes_as_the_evaluations_did(whole: Path) -> None:
    events = list(run_inline(Request(job="test", folder=str(whole), options={"episodes": 4})))
    (result,) = evaluated(events)
    assert max(result.lengths) == SHORTEST_CUT
    assert len([event for event in events if isinstance(event, Noted)]) == 1
