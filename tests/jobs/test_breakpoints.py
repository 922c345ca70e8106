"""Breakpoints: they pause at the right step, once, the same in every host, and also when numbers are not finite."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest

from dqngui.__main__ import main
from dqngui.commands.experiments import knobs_of
from dqngui.config import ConfigError, Experiment
from dqngui.hosts import open_host
from dqngui.jobs.breakpoints import EPISODES, LEARNED_QUANTITIES, Breakpoints, holds, parse
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.jobs.training import Training
from dqngui.messages import (
    Breakpoint,
    BreakpointHit,
    BreakpointsSet,
    Command,
    EpisodeEnded,
    Evaluated,
    Event,
    Failed,
    Finished,
    Learned,
    Paused,
    Request,
    Resume,
    SaveCheckpoint,
    SetBreakpoints,
    Step,
    Stop,
    Unpaused,
    Warned,
    decode_event,
    encode,
)
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import create, read_events
from dqngui.settings import experiment_from, with_settings
from tests.event_logs import log, run

SMALL: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "num_envs": 4},
    "net": {"width": 16},
    "learn": {"window": 4, "batch_size": 4, "warmup": 80, "update_every": 16, "replay_capacity": 400},
    "run": {
        "total_steps": 800, "eval_every": 200, "eval_episodes": 2, "checkpoint_every": 200, "log_every": 40,
        "device": "cpu",
    },
}  # fmt: skip
RETURN = Breakpoint("return", "above", 1.0)
LOSS = Breakpoint("loss", "above", 0.0)
SETS = (SetBreakpoints(points=(RETURN, LOSS), at=100),)


@pytest.fixture
def experiment() -> Experiment:
    return experiment_from(SMALL)


def recorded(folder: Path, asked: Experiment | None, schedule: tuple[Command, ...] = (), **options: Any) -> list[Event]:
    request = Request(job="train", experiment=asked, folder=str(folder), resume=asked is None, options=options)
    return list(train(request, Inbox(None, schedule)))


def hits(events: list[Event]) -> list[tuple[int, str]]:
    return [(event.step, event.point.quantity) for event in events if isinstance(event, BreakpointHit)]


# -- the rule ---------------------------------------------------------------------------------------


def hit_values(points: Breakpoints, loss: float | None) -> list[float]:
    points.note(Learned(step=1, updates=1, loss=loss))
    return [value for _, value in points.hits()]


def test_a_condition_that_stays_true_hits_once_until_it_was_false_or_is_set_anew() -> None:
    over = Breakpoint("loss", "above", 10.0)
    points = Breakpoints()
    points.set((over,))
    assert [hit_values(points, loss) for loss in (9.0, 11.0, 12.0, None, 13.0, 10.0, 14.0)] == [
        [], [11.0], [], [], [], [], [14.0],
    ]  # fmt: skip
    assert points.set((over, RETURN)), "another one beside it"
    assert hit_values(points, 15.0) == []
    assert points.set(()) and points.set((over,))
    assert hit_values(points, 16.0) == [16.0]
    assert not points.set((over,))


@pytest.mark.parametrize(
    ("point", "met", "not_met"),
    [
        (Breakpoint("loss", "above", 2.0), [2.1, math.inf], [2.0, math.nan]),
        (Breakpoint("loss", "below", 2.0), [1.9, -math.inf], [2.0, math.nan]),
        (Breakpoint("loss", "nan"), [math.nan, math.inf, -math.inf], [0.0]),
    ],
)
def test_above_and_below_are_strict_and_nan_means_not_finite(
    point: Breakpoint, met: list[float], not_met: list[float]
) -> None:
    assert all(holds(point, value) for value in met)
    assert not any(holds(point, value) for value in not_met)


def test_the_return_is_a_mean_of_twenty_episodes_and_unknown_before() -> None:
    points = Breakpoints()
    points.set((Breakpoint("return", "above", 5.0),))
    for _ in range(EPISODES - 1):
        points.note(EpisodeEnded(step=1, ret=100.0, length=1))
        assert points.hits() == []
    points.note(EpisodeEnded(step=1, ret=0.0, length=1))
    assert [value for _, value in points.hits()] == [95.0]
    for _ in range(EPISODES):
        points.note(EpisodeEnded(step=1, ret=0.0, length=1))
    assert points.hits() == [] and points.returns == [0.0] * EPISODES


def test_every_quantity_is_a_field_of_learned() -> None:
    assert set(LEARNED_QUANTITIES) <= set(Learned.__struct_fields__)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("loss > 10", Breakpoint("loss", "above", 10.0)),
        ("return<-2.5e1", Breakpoint("return", "below", -25.0)),
        ("loss nan", Breakpoint("loss", "nan")),
        ("grad_norm is NaN", Breakpoint("grad_norm", "nan")),
    ],
)
def test_what_can_be_written(text: str, point: Breakpoint) -> None:
    assert parse(text) == point


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("loss", "write it as"), ("loss = 3", "write it as"), ("speed > 3", "not on `speed`"),
        ("loss > inf", "a number"), ("loss > much", "a number"), ("attention_entropy < 1", "not on"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_with_what_can(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse(text)


# -- in a run ---------------------------------------------------------------------------------------


def test_a_hit_pauses_after_its_step_and_changes_nothing_else(experiment: Experiment) -> None:
    events = run(experiment, SETS)
    (loss_at, _), (return_at, _) = sorted(hits(events), key=lambda hit: hit[1])
    first_loss = next(event.step for event in events if isinstance(event, Learned) and event.loss and event.step > 100)
    assert loss_at == first_loss
    ends = [event.step for event in events if isinstance(event, EpisodeEnded)]
    assert return_at == next(step for step in ends[EPISODES - 1 :] if step > 100)
    for place, event in enumerate(events):
        if isinstance(event, BreakpointHit):
            pause = next(other for other in events[place:] if not isinstance(other, BreakpointHit))
            assert isinstance(pause, Paused) and pause.step == event.step
    assert len([event for event in events if isinstance(event, Unpaused)]) == len({loss_at, return_at})
    quiet = [row for row in log(events) if row["type"] not in ("BreakpointHit", "BreakpointsSet")]
    assert quiet == log(run(experiment))


def test_an_evaluation_pauses_before_the_next_step(experiment: Experiment) -> None:
    events = run(experiment, (SetBreakpoints(points=(Breakpoint("evaluation", "above", 0.0),)),))
    assert hits(events) == [(200, "evaluation")], "it stays true"
    place = next(index for index, event in enumerate(events) if isinstance(event, BreakpointHit))
    assert isinstance(events[place - 1], Evaluated) and isinstance(events[place + 1], Paused)


def test_a_step_ends_where_a_breakpoint_hits(experiment: Experiment) -> None:
    schedule = (SetBreakpoints(points=(LOSS,)), Step(until="episode", at=9001), Resume(at=9002))
    events = run(experiment, schedule)
    pauses = [event.step for event in events if isinstance(event, Paused)]
    assert pauses[0] == hits(events)[0][0] and len(pauses) == 2


def followed(kind: str, experiment: Experiment, folder: Path) -> list[Event]:
    """A run that somebody continues whenever it pauses; an inline one continues by itself."""
    request = Request(job="train", experiment=experiment, folder=str(folder), schedule=SETS)
    host = open_host(kind, request)
    events: list[Event] = []
    host.start()
    while host.alive:
        for event in host.drain():
            events.append(event)
            if isinstance(event, Paused) and kind != "inline":
                host.send(Resume())
        time.sleep(0.002)
    host.join(10)
    return events


def test_every_host_gives_the_same_log(experiment: Experiment, tmp_path: Path) -> None:
    streams = {
        kind: followed(kind, experiment, create(tmp_path, experiment)) for kind in ("inline", "thread", "process")
    }
    assert {quantity for _, quantity in hits(streams["inline"])} == {"loss", "return"}
    for kind in ("thread", "process"):
        assert log(streams[kind]) == log(streams["inline"]), kind
        assert sum(isinstance(event, Paused) for event in streams[kind]) == 2, kind


def test_replaying_a_ledger_gives_its_log_again_without_waiting(experiment: Experiment, tmp_path: Path) -> None:
    folder = create(tmp_path, experiment)
    changes = (*SETS, SetBreakpoints(points=(RETURN,), at=300), SetBreakpoints(points=(LOSS,), at=600))
    first = recorded(folder, experiment, changes, at_breakpoint="go on")
    assert [quantity for _, quantity in hits(first)] == ["loss", "return", "loss"], "set anew, it hits again"
    again = run(experiment, knobs_of(str(folder), ""), at_breakpoint="go on")
    assert log(again) == log(first) == log(list(read_events(folder)))
    assert not any(isinstance(event, Paused) for event in again)


@pytest.mark.slow  # five runs; the next test resumes after a hit too
def test_a_resumed_run_has_no_breakpoints_but_remembers_the_last_returns(
    experiment: Experiment, tmp_path: Path
) -> None:
    folder, whole = create(tmp_path, experiment), create(tmp_path, experiment)
    recorded(folder, experiment, (*SETS, Stop(at=600)))
    assert hits(recorded(folder, None)) == []
    low = SetBreakpoints(points=(Breakpoint("return", "above", 1.0),), at=620)
    expected = hits(recorded(whole, experiment, (low,)))
    folder = create(tmp_path, experiment)
    recorded(folder, experiment, (Stop(at=600),))
    assert hits(recorded(folder, None, (low,))) == expected != []


def test_a_hit_may_end_the_run_instead(experiment: Experiment, tmp_path: Path) -> None:
    folder = create(tmp_path, experiment)
    events = recorded(folder, experiment, SETS, at_breakpoint="stop")
    (step, _), *_ = hits(events)
    assert isinstance(events[-1], Finished) and events[-1].reason == "stopped" and events[-1].step == step
    assert not any(isinstance(event, Paused) for event in events)
    assert isinstance(recorded(folder, None)[-1], Finished), "and can be resumed"


# -- numbers that are not finite --------------------------------------------------------------------


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twentieth update leaves nothing but NaN."""
    calls = 0
    honest = Training.count_update

    def count(self: Training, stats: Any) -> None:
        nonlocal calls
        calls += 1
        honest(self, stats)
        if calls == 20:
            self.learner.flat.values.data[:] = float("nan")

    monkeypatch.setattr(Training, "count_update", count)


@pytest.mark.usefixtures("poisoned")
@pytest.mark.parametrize("then", [Resume(), Step(), Stop()], ids=["resume", "step", "stop"])
def test_nan_pauses_before_the_failure_and_nothing_is_saved(
    experiment: Experiment, tmp_path: Path, then: Command
) -> None:
    folder = create(tmp_path, experiment)
    watch = SetBreakpoints(points=(Breakpoint("loss", "nan"),))
    # These commands are for steps after the end: a paused job that cannot wait for anybody takes the next at once.
    events = recorded(folder, experiment, (watch, SaveCheckpoint(at=9001), type(then)(at=9002)))
    place = next(index for index, event in enumerate(events) if isinstance(event, BreakpointHit))
    hit, pause, warned, *rest = events[place:]
    assert isinstance(hit, BreakpointHit) and math.isnan(hit.value)
    assert isinstance(pause, Paused) and isinstance(warned, Warned) and "Nothing was saved" in warned.words
    *_, failure, finished = rest
    assert isinstance(failure, Failed) and "the loss became nan at step" in failure.words
    assert isinstance(finished, Finished) and finished.reason == "failed"
    _, weights = load_weights(folder, "last")
    assert all(value.isfinite().all() for value in weights.values())


@pytest.mark.usefixtures("poisoned")
def test_nan_fails_at_once_without_a_breakpoint_on_nan(experiment: Experiment) -> None:
    with pytest.raises(FloatingPointError, match="the loss became nan"):
        run(with_settings(experiment, {"run.eval_every": 0}), (SetBreakpoints(points=(RETURN,), at=500),))


def test_breakpoint_messages_are_sent_to_a_process_and_back() -> None:
    for event in (
        BreakpointHit(step=3, point=Breakpoint("loss", "above", 1.5), value=2.5),
        BreakpointsSet(step=3, points=(RETURN, LOSS)),
    ):
        assert decode_event(encode(event)) == event
    nan = decode_event(encode(BreakpointHit(step=3, point=Breakpoint("loss", "nan"), value=math.nan)))
    assert isinstance(nan, BreakpointHit) and math.isnan(nan.value) and nan.point == Breakpoint("loss", "nan")


# -- on the command line ----------------------------------------------------------------------------


def test_the_command_line_stops_with_a_sentence_and_a_status_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [f"--set={name}" for name in ("learn.warmup=100", "net.hidden=[]", "net.width=16", "run.eval_every=0")]
    asked = ["train", "cartpole", "--steps", "2000", "--runs", str(tmp_path), *small]
    assert main([*asked, "--break", "loss > 0", "--break", "return < -1"]) == 3
    said = capsys.readouterr()
    assert "loss rose above 0 (" in said.err and "return" not in said.err
    assert "Resume: dqngui train --resume" in said.out
    assert main(["train", "--resume", "last", "--runs", str(tmp_path)]) == 0, "a resumed run has none"
    assert main([*asked, "--break", "loss >"]) == 2
    assert main([*asked, "--break", "loss > 0", "--seeds", "0-1"]) == 2
