"""The training job: equal logs for equal runs, resuming bit for bit, knobs, pausing, faults."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import psutil
import pytest

from dqngui.config import ConfigError, Experiment
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.jobs.training import Training
from dqngui.learning.dqn import QStats
from dqngui.learning.evaluation import Evaluation
from dqngui.learning.off_policy import OffPolicy
from dqngui.learning.replay import Replay
from dqngui.messages import (
    CheckpointTest,
    Command,
    EpisodeEnded,
    Evaluated,
    Event,
    Failed,
    Finished,
    KnobChanged,
    KnobRefused,
    Learned,
    Opened,
    Pause,
    Paused,
    Request,
    Resume,
    SaveCheckpoint,
    SendWeights,
    SetKnob,
    Step,
    Stop,
    Unpaused,
    Warned,
    Weights,
)
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import create, summary_of
from dqngui.settings import experiment_from, with_settings
from tests.event_logs import log, run, stored_log

SMALL: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "num_envs": 4},
    "net": {"attention": "self", "memory": "gru", "width": 16},
    "learn": {
        "window": 8, "burn_in": 3, "n_step": 2, "batch_size": 8, "warmup": 100, "update_every": 16,
        "replay_capacity": 400, "epsilon": {"start": 1.0, "end": 0.1, "steps": 300},
    },
    "run": {"total_steps": 600, "eval_every": 200, "eval_episodes": 2, "checkpoint_every": 160, "log_every": 50,
            "device": "cpu"},
}  # fmt: skip
AGENTS = {
    "self + gru": {},
    "lstm, prioritised": {"net.memory": "lstm", "learn.prioritized": True, "net.attention": "none"},
    "transformer": {"net.memory": "transformer", "net.memory_options.length": 6, "learn.target": "hard"},
    "no memory": {"net.memory": "none", "learn.window": 1, "learn.burn_in": 0, "learn.double": False},
}


def experiment(**changes: Any) -> Experiment:
    return with_settings(experiment_from(SMALL), {name.replace("__", "."): value for name, value in changes.items()})


def recorded(folder: Path, asked: Experiment | None = None, schedule: tuple[Command, ...] = ()) -> Iterator[Event]:
    request = Request(job="train", experiment=asked, folder=str(folder), resume=asked is None)
    return train(request, Inbox(None, schedule))


@pytest.fixture(params=AGENTS.values(), ids=AGENTS.keys(), scope="module")
def agent(request: pytest.FixtureRequest) -> Experiment:
    return with_settings(experiment_from(SMALL), request.param)


@pytest.fixture(scope="module")
def never_stopped(agent: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the agent's whole run, which no test changes."""
    folder = create(tmp_path_factory.mktemp("whole"), agent)
    list(recorded(folder, agent))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the whole run of `experiment()`, which no test changes."""
    folder = create(tmp_path_factory.mktemp("whole"), experiment())
    list(recorded(folder, experiment()))
    return folder


@cache
def undisturbed() -> list[dict[str, Any]]:
    """The log of `experiment()` without any command."""
    return log(run(experiment()))


@pytest.fixture(scope="module")
def events(agent: Experiment) -> list[Event]:
    """What the agent's whole run tells, without a folder; no test changes it."""
    return run(agent)


def test_the_stream_has_what_a_reader_needs(agent: Experiment, events: list[Event]) -> None:
    assert isinstance(events[0], Opened) and isinstance(events[-1], Finished)
    assert events[-1].step == 600 and events[-1].reason == "completed"
    assert events[0].experiment == agent and events[0].parameters > 0
    rows = [event for event in events if isinstance(event, Learned)]
    assert [row.step for row in rows] == [52, 100, 152, 200, 252, 300, 352, 400, 452, 500, 552, 600]
    assert rows[0].loss is None and all(row.loss is not None for row in rows[2:])
    assert rows[-1].updates == (600 - 100) // 16 + 1
    assert [event.step for event in events if isinstance(event, Evaluated) and event.role == "selection"] == [
        200,
        400,
        600,
    ]
    steps = [event.step for event in events]
    assert steps == sorted(steps)
    assert sum(isinstance(event, EpisodeEnded) for event in events) > 5


def test_equal_runs_have_equal_logs(agent: Experiment, events: list[Event]) -> None:
    assert log(run(agent)) == log(events)


def test_another_seed_gives_another_run() -> None:
    assert undisturbed() != log(run(experiment(run__seed=1)))


def test_global_generators_are_neither_read_nor_changed() -> None:
    import torch

    torch.manual_seed(1)
    np.random.seed(1)
    first = log(run(experiment()))
    torch.manual_seed(2)
    np.random.seed(2)
    expected, expected_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()
    assert log(run(experiment())) == first
    assert torch.equal(torch.get_rng_state(), expected)
    assert np.array_equal(np.random.get_state()[1], expected_numpy)


@pytest.mark.parametrize("stops", [(0, 333), (161, 590)])
def test_stop_and_resume_gives_the_log_of_a_run_never_stopped(
    agent: Experiment, never_stopped: Path, tmp_path: Path, stops: tuple[int, ...]
) -> None:
    """Stopped as a new run, and again as a resumed one."""
    folder, whole = create(tmp_path, agent), never_stopped
    for stop, asked in zip(stops, (agent, None), strict=True):
        events = list(recorded(folder, asked, (Stop(at=stop),)))
        assert isinstance(events[-1], Finished) and events[-1].reason == "stopped"
        assert stop <= events[-1].step < stop + 4
    events = list(recorded(folder))
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"
    assert stored_log(folder) == stored_log(whole)
    summary, other_summary = summary_of(folder), summary_of(whole)
    assert summary is not None and other_summary is not None
    assert events[-1].tested == summary.tested == other_summary.tested != None  # noqa: E711
    for which in ("best", "last"):
        (step, a), (other, b) = load_weights(folder, which), load_weights(whole, which)
        assert step == other and all((a[name] == b[name]).all() for name in b)


def test_resuming_twice_after_an_abandoned_run(tmp_path: Path, whole: Path) -> None:
    """As after kill -9: the log and the disk hold more than the resume state."""
    asked = experiment()
    folder = create(tmp_path, asked)
    for cut in (250, 430):
        job = recorded(folder, asked if cut == 250 else None)
        for event in job:
            if isinstance(event, Learned) and event.step >= cut:
                break
        job.close()
    list(recorded(folder))
    assert stored_log(folder) == stored_log(whole)
    assert (folder / "events.discarded.jsonl").exists()


def test_an_environment_that_does_not_repeat_itself_still_resumes(tmp_path: Path) -> None:
    class Fickle(gymnasium.Wrapper):  # type: ignore[type-arg]
        def step(self, action: Any) -> Any:
            observation, *rest = super().step(action)
            return observation + np.random.default_rng().normal(size=4).astype(np.float32) * 1e-3, *rest

    gymnasium.register("Fickle-v0", lambda: Fickle(gymnasium.make("CartPole-v1")))
    try:
        asked = experiment(env__id="Fickle-v0")
        folder = create(tmp_path, asked)
        list(recorded(folder, asked, (Stop(at=300),)))
        events = list(recorded(folder))
    finally:
        del gymnasium.registry["Fickle-v0"]
    warnings = [event.words for event in events if isinstance(event, Warned)]
    assert len(warnings) == 1 and "is not reproducible" in warnings[0]
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"


def test_an_environment_that_ends_earlier_when_repeated_still_resumes(tmp_path: Path) -> None:
    class Strict(gymnasium.Wrapper):  # type: ignore[type-arg]
        over = False

        def reset(self, **options: Any) -> Any:
            self.over = False
            return super().reset(**options)

        def step(self, action: Any) -> Any:
            assert not self.over, "a step after the end"
            observation, reward, self.over, cut, info = super().step(action)
            self.over = self.over or np.random.default_rng().random() < 0.1
            return observation, reward, self.over, cut, info

    gymnasium.register("Strict-v0", lambda: Strict(gymnasium.make("CartPole-v1")))
    try:
        asked = experiment(env__id="Strict-v0", env__num_envs=10, learn__replay_capacity=1000)
        folder = create(tmp_path, asked)
        list(recorded(folder, asked, (Stop(at=300),)))
        events = list(recorded(folder))
    finally:
        del gymnasium.registry["Strict-v0"]
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"


def test_an_evaluation_of_a_policy_that_never_ends_its_episode_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dqngui.jobs.training.LONGEST_GREEDY", 30)
    asked = experiment(env__id="CliffWalking-v1", run__total_steps=200, net__tokens="one", net__attention="none")
    lengths = [event.lengths for event in run(asked) if isinstance(event, Evaluated)]
    assert lengths and all(length <= 30 for some in lengths for length in some)


def test_replaying_the_ledger_gives_the_log_again() -> None:
    schedule = (
        SetKnob(field="learn.lr", value=3e-4, at=150),
        SetKnob(field="learn.epsilon", value=0.5, at=200),
        SetKnob(field="learn.batch_size", value=4, at=204),
        SetKnob(field="learn.window", value=5, at=300),
        SetKnob(field="learn.burn_in", value=1, at=300),
        SetKnob(field="learn.n_step", value=4, at=320),
        SetKnob(field="learn.epsilon", value=None, at=400),
    )
    first = run(experiment(), schedule)
    changes = [event for event in first if isinstance(event, KnobChanged)]
    assert [(change.step, change.field, change.new) for change in changes] == [
        (152, "learn.lr", 3e-4), (200, "learn.epsilon", 0.5), (204, "learn.batch_size", 4), (300, "learn.window", 5),
        (300, "learn.burn_in", 1), (320, "learn.n_step", 4), (400, "learn.epsilon", None),
    ]  # fmt: skip
    ledger = tuple(SetKnob(field=change.field, value=change.new, at=change.step) for change in changes)
    assert log(run(experiment(), ledger)) == log(first)
    assert log(first) != undisturbed()


def test_a_knob_set_before_stopping_keeps_its_value_after_resuming(tmp_path: Path) -> None:
    asked = experiment()
    folder, whole = create(tmp_path, asked), create(tmp_path, asked)
    turns = (SetKnob(field="learn.epsilon", value=0.7, at=200), SetKnob(field="learn.gamma", value=0.9, at=200))
    list(recorded(whole, asked, turns))
    list(recorded(folder, asked, (*turns, Stop(at=300))))
    list(recorded(folder))
    assert stored_log(folder) == stored_log(whole)


def test_epsilon_goes_back_to_its_schedule() -> None:
    turns = (SetKnob(field="learn.epsilon", value=0.9, at=200), SetKnob(field="learn.epsilon", value=None, at=400))
    rows = {event.step: event.epsilon for event in run(experiment(), turns) if isinstance(event, Learned)}
    assert rows[300] == 0.9 and rows[152] == pytest.approx(1 - 0.9 * 152 / 300) and rows[452] == pytest.approx(0.1)


REFUSED: list[tuple[str, Any, str]] = [
    ("learn.lr", 7.0, "<= 1.0"),
    ("learn.lr", float("nan"), "finite"),
    ("learn.batch_size", 1.5, "int"),
    ("net.width", 32, "fork"),
    ("learn.window", 400, "too few"),
    ("learn.epsilon", 1.5, "<= 1"),
    ("nonsense", 1, "unknown"),
]


def test_a_knob_that_is_refused_says_why_and_changes_nothing() -> None:
    events = run(experiment(), tuple(SetKnob(field=field, value=value, at=200) for field, value, _ in REFUSED))
    refused = [event for event in events if isinstance(event, KnobRefused)]
    for event, (field, _, says) in zip(refused, REFUSED, strict=True):
        assert says in event.words and event.field == field
    assert [row for row in log(events) if row["type"] != "KnobRefused"] == undisturbed()


def test_pause_waits_and_step_moves_by_one_vector_step_update_or_episode() -> None:
    # These commands are for steps after the end: a paused job that cannot wait for anybody takes the next at once.
    later = (Step(at=9001), Step(until="update", at=9002), Step(until="episode", at=9003), Resume(at=9004))
    schedule = (Pause(at=120), *later)
    events = run(experiment(), schedule)
    pauses = [event.step for event in events if isinstance(event, Paused)]
    assert pauses[:2] == [120, 124]
    assert pauses[2] == 132, "updates fall on 100, 116, 132, …"
    ends = [event.step for event in events if isinstance(event, EpisodeEnded) and event.env == 0 and event.step > 132]
    assert pauses[3] == ends[0]
    assert [event.step for event in events if isinstance(event, Unpaused)] == [pauses[3]]
    assert log(events) == undisturbed()


def test_weights_are_clones_of_the_moment() -> None:
    events = run(experiment(), (SendWeights(at=200), SendWeights(at=500)))
    first, second = [event for event in events if isinstance(event, Weights)]
    assert (first.step, second.step) == (200, 500)
    name = next(iter(first.tensors))
    assert not (first.tensors[name] == second.tensors[name]).all()


def test_watching_does_not_change_the_log() -> None:
    assert log(run(experiment(), tuple(SendWeights(at=step) for step in range(0, 600, 40)))) == undisturbed()


def test_a_nan_loss_fails_with_a_sentence_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dqngui.jobs import training

    calls = 0
    honest = training.Training.count_update

    def poisoned(self: training.Training, stats: Any) -> None:
        nonlocal calls
        calls += 1
        honest(self, stats)
        if calls == 20:
            self.learner.flat.values.data[:] = float("nan")

    monkeypatch.setattr(training.Training, "count_update", poisoned)
    asked = experiment()
    folder = create(tmp_path, asked)
    events = list(recorded(folder, asked))
    failure, finished = events[-2:]
    assert isinstance(failure, Failed) and "the loss became nan at step" in failure.words
    assert isinstance(finished, Finished) and finished.reason == "failed"
    step, weights = load_weights(folder, "last")
    assert step == 320 and all(value.isfinite().all() for value in weights.values())
    monkeypatch.undo()
    events = list(recorded(folder))
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed"


@pytest.mark.parametrize("what", ["reward", "observation"])
def test_an_environment_that_sends_nan_is_named(what: str) -> None:
    class Broken(gymnasium.Wrapper):  # type: ignore[type-arg]
        def step(self, action: Any) -> Any:
            observation, reward, *rest = super().step(action)
            if what == "reward":
                return observation, float("nan"), *rest
            return observation * np.nan, reward, *rest

    gymnasium.register("Broken-v0", lambda: Broken(gymnasium.make("CartPole-v1")))
    try:
        job = train(Request(job="train", experiment=experiment(env__id="Broken-v0")), Inbox(None))
        told = "gave the reward nan" if what == "reward" else "observed nan"
        with pytest.raises(ConfigError, match=f"Broken-v0 {told}"):
            list(job)
    finally:
        del gymnasium.registry["Broken-v0"]


def send_in_evaluation(inbox: Inbox, command: Command) -> None:
    """Let the command arrive while the evaluation of step 200 runs, long before its end."""
    honest, polls = inbox.poll, 0

    def poll(step: int) -> list[Command]:
        nonlocal polls
        polls += step == 200
        if polls == 4:  # the first is the loop's own, the next ones come from within the evaluation
            polls += 1
            inbox.send(command)
        return honest(step)

    inbox.poll = poll  # type: ignore[method-assign]


def test_an_evaluation_gives_weights_that_are_asked_for_and_goes_on(tmp_path: Path, whole: Path) -> None:
    folder = create(tmp_path, asked := experiment())
    inbox = Inbox(None, ())
    job = train(Request(job="train", experiment=asked, folder=str(folder)), inbox)
    send_in_evaluation(inbox, SendWeights())
    names_at_200 = [type(event).__name__ for event in job if event.step == 200]
    assert names_at_200.index("Weights") < names_at_200.index("Evaluated")
    assert stored_log(folder) == stored_log(whole)


@pytest.mark.parametrize("command", [Stop(), Pause()])
def test_stop_and_pause_interrupt_an_evaluation_which_is_repeated(
    command: Command, tmp_path: Path, whole: Path
) -> None:
    asked = experiment()
    folder = create(tmp_path, asked)
    inbox = Inbox(None, ())
    job = train(Request(job="train", experiment=asked, folder=str(folder)), inbox)
    send_in_evaluation(inbox, command)
    events = list(job)
    names_at_200 = [type(event).__name__ for event in events if event.step == 200]
    if isinstance(command, Stop):
        assert "Evaluated" not in names_at_200
        assert events[-1].reason == "stopped"  # type: ignore[attr-defined]
        list(recorded(folder))
    else:
        assert names_at_200.index("Paused") < names_at_200.index("Evaluated")
    assert stored_log(folder) == stored_log(whole)


def test_stops_when_solved_twice() -> None:
    events = run(experiment(run__stop_at=5.0))
    assert isinstance(events[-1], Finished) and events[-1].reason == "solved" and events[-1].step == 200
    both = [event for event in events if isinstance(event, Evaluated)]
    assert [event.role for event in both] == ["selection", "confirmation"] and both[1].best
    assert both[1].reported == len(both[0].returns)
    fresh = both[1].returns[-both[1].reported :]
    assert both[1].score == pytest.approx(np.mean(fresh))  # no choice used these
    chosen_by = [*both[0].returns, *both[1].returns[: -both[1].reported]]
    assert both[1].tested == CheckpointTest.of(fresh, pytest.approx(np.mean(chosen_by)))


def test_a_resumed_run_may_be_made_longer(tmp_path: Path) -> None:
    asked = experiment()
    folder = create(tmp_path, asked)
    list(recorded(folder, asked))
    request = Request(job="train", folder=str(folder), resume=True, options={"total_steps": 800})
    events = list(train(request, Inbox(None)))
    assert isinstance(events[-1], Finished) and events[-1].step == 800


@pytest.mark.parametrize("changes", [{"run__device": "cuda:7"}, {"env__id": "Pendulum-v1"}, {"env__id": "CartPole-v9"}])
def test_what_cannot_start_is_refused_before_anything_is_written(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        train(Request(job="train", experiment=experiment(**changes), folder=str(tmp_path)), Inbox(None))
    assert list(tmp_path.iterdir()) == []


def test_a_replay_larger_than_the_machine_is_refused_with_what_to_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = experiment(net__memory="lstm")
    training = Training(asked)
    assert isinstance(training.algorithm, OffPolicy)
    whole = training.algorithm.store.bytes_of_steps + training.algorithm.store.bytes_of_states
    training.close()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=whole))
    Training(asked).close()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=whole - 1))
    with pytest.raises(ConfigError, match=r"of the memory's states.* learn.replay_capacity, raise learn.state_stride"):
        Training(asked)


def test_resuming_needs_room_for_the_saved_replay_and_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before anything of the run is changed."""
    asked = experiment(net__memory="lstm")
    training = Training(asked)
    assert isinstance(training.algorithm, OffPolicy)
    whole = training.algorithm.store.bytes_of_steps + training.algorithm.store.bytes_of_states
    training.close()
    folder = create(tmp_path, asked)
    list(recorded(folder, asked))
    log_before = (folder / "events.jsonl").read_bytes()
    request = Request(job="train", folder=str(folder), resume=True, options={"total_steps": 800})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=2 * whole - 1))
    with pytest.raises(ConfigError, match=r"the saved replay .* and the new one .* must be in memory together"):
        train(request, Inbox(None))
    assert (folder / "events.jsonl").read_bytes() == log_before
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=2 * whole))
    assert list(train(request, Inbox(None)))[-1].step == 800


def test_commands_at_the_step_of_a_checkpoint_are_carried_out_again_after_a_kill(tmp_path: Path) -> None:
    asked = experiment()
    whole, folder = create(tmp_path, asked), create(tmp_path, asked)
    turns: tuple[Command, ...] = (
        SetKnob(field="learn.gamma", value=0.5, at=0),  # the first checkpoint comes before it
        SaveCheckpoint(at=200),
        SetKnob(field="learn.lr", value=3e-4, at=200),
        SetKnob(field="learn.gamma", value=0.9, at=320),
    )
    list(recorded(whole, asked, turns))
    for cut in (90, 250, 400, None):
        request = Request(job="train", experiment=asked, folder=str(folder), resume=cut != 90)
        job = train(request, Inbox(None, turns))
        for event in job:
            if cut is not None and isinstance(event, Learned) and event.step >= cut:
                break
        job.close()  # type: ignore[attr-defined]
    assert stored_log(folder) == stored_log(whole)
    assert sum(row["type"] == "KnobChanged" for row in stored_log(folder)) == 3


@pytest.mark.parametrize("field", ["update_every", "target_every"])
def test_a_shorter_period_counts_from_now(field: str) -> None:
    training = Training(experiment(learn__target="hard", **{f"learn__{field}": 100_000}))
    training.begin()
    copies: list[int] = []
    training.learner.copy_to_target = lambda: copies.append(training.counters.step)  # type: ignore[method-assign]
    while training.counters.step < 300:
        training.act()
        training.learn()
        if training.counters.step == 200:
            training.set_knob(SetKnob(field=f"learn.{field}", value=20))
    training.close()
    if field == "update_every":
        assert training.counters.updates == 1 + 5  # at 100, then at 220, 240, …, 300
    else:
        assert copies == [220, 240, 260, 280, 300]


def test_a_period_changed_during_warm_up_does_not_move_the_first_update() -> None:
    rows = [
        e for e in run(experiment(), (SetKnob(field="learn.update_every", value=4, at=20),)) if isinstance(e, Learned)
    ]
    assert [(row.step, row.updates) for row in rows[:3]] == [(52, 0), (100, 1), (152, 14)]


def test_step_commands_that_arrive_together_are_all_carried_out() -> None:
    sent: queue.SimpleQueue[Command] = queue.SimpleQueue()
    sent.put(Pause())
    pauses = []
    for event in train(Request(job="train", experiment=experiment()), Inbox(sent)):
        if isinstance(event, Paused):
            pauses.append(event.step)
            for command in ([Step(), Step(), Step()], [Step(until="update"), Step()], [Stop()])[len(pauses) - 1]:
                sent.put(command)
    assert pauses == [0, 12, 104]


def test_a_run_that_cannot_learn_says_so_once() -> None:
    maze = {"env__id": "dqngui/TMaze-v0", "env__kwargs": {"length": 300}, "learn__window_from": "start"}
    events = run(experiment(**maze))  # 100 steps are kept of each environment
    (warning,) = [event for event in events if isinstance(event, Warned)]
    assert warning.step == 404 and "`learn.replay_capacity`, or let windows start anywhere" in warning.words
    assert not any(isinstance(event, Warned) for event in run(experiment()))


def test_rows_contain_the_exploration_rate_in_use() -> None:
    asked = experiment(learn__epsilon={"start": 0.3, "end": 0.3, "steps": 0})
    rows = [event.epsilon for event in run(asked) if isinstance(event, Learned)]
    assert rows[0] == 1.0 and set(rows[1:]) == {0.3}, "every action is random for the first 100 steps"


def test_a_gradient_that_is_not_finite_fails_before_its_weights_are_saved() -> None:
    training = Training(experiment())
    with pytest.raises(FloatingPointError, match="the gradient became inf"):
        training.count_update(QStats(loss=1.0, td_error=1.0, q_mean=0.0, grad_norm=float("inf")))
    training.close()


def test_evaluations_never_use_the_seeds_of_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(experiment(run__eval_episodes=1000))
    used: list[range] = []

    def noted(network: Any, envs: Any, seeds: range, **_: Any) -> Iterator[int]:
        used.append(seeds)
        yield from ()
        return Evaluation((0.0,), (1,), 1, 0)

    monkeypatch.setattr("dqngui.jobs.training.evaluation", noted)
    training.counters.evaluations = 998
    for _ in range(4):
        list(training.evaluation(1e9))
    training.close()
    assert [seeds[0] for seeds in used] == [1_998_000, 1_999_000, 1_000_000, 1_001_000]
    assert max(seeds[-1] for seeds in used) < 2_000_000


def test_many_large_updates_are_drawn_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dqngui.learning.off_policy.MOST_TOGETHER", 16)
    sizes: list[int] = []
    honest = Replay.sample

    def noted(self: Replay, size: int, *rest: Any) -> Any:
        sizes.append(size)
        return honest(self, size, *rest)

    monkeypatch.setattr(Replay, "sample", noted)
    agent = {"net__memory": "none", "learn__window": 1, "learn__burn_in": 0}
    events = run(experiment(run__total_steps=120, learn__updates=5, **agent))
    assert sizes == [16, 16, 8] * 2  # batches of 8
    assert [event.updates for event in events if isinstance(event, Learned)][-1] == 5
