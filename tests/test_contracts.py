"""Contracts of several parts together: the same run in every host, kill and resume, every name in the catalog."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dqngui import catalog, presets
from dqngui.__main__ import main
from dqngui.config import ConfigError, Experiment
from dqngui.hosts import events_of, open_host, run_inline
from dqngui.jobs.branching import branch_point
from dqngui.messages import (
    BeginEpisode,
    EpisodeBegan,
    Evaluated,
    Event,
    Failed,
    Finished,
    Forked,
    Frame,
    KnobChanged,
    KnobRefused,
    Learned,
    Look,
    OpenAgent,
    Opened,
    Pause,
    Request,
    Resume,
    SendWeights,
    SetKnob,
    Stop,
    UseWeights,
    Weights,
    without_clock,
)
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import create, read_events, summary_of
from dqngui.settings import experiment_from, with_settings

TINY: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "num_envs": 4},
    "net": {"width": 16},
    "learn": {
        "window": 6, "burn_in": 2, "n_step": 2, "batch_size": 4, "warmup": 80, "update_every": 16,
        "replay_capacity": 400, "epsilon": {"start": 1.0, "end": 0.1, "steps": 300},
    },
    "run": {"total_steps": 400, "eval_every": 200, "eval_episodes": 2, "checkpoint_every": 100, "log_every": 50,
            "device": "cpu"},
}  # fmt: skip
TINY_PPO: dict[str, Any] = {
    **TINY,
    "learn": {"algorithm": "ppo", "rollout": 20, "window": 6, "batch_size": 4, "epochs": 2},
}
BOTH = pytest.mark.parametrize("tiny", [TINY, TINY_PPO], ids=["dqn", "ppo"])
PPO_SLOWLY = pytest.mark.parametrize(
    "tiny", [pytest.param(TINY, id="dqn"), pytest.param(TINY_PPO, id="ppo", marks=pytest.mark.slow)]
)
SCHEDULE = (
    SetKnob(field="learn.lr", value=3e-4, at=120),
    SetKnob(field="net.width", value=8, at=140),
    SendWeights(at=160),
    SetKnob(field="learn.epsilon", value=0.4, at=200),
)


def log(events: list[Event]) -> list[dict[str, Any]]:
    return [without_clock(event) for event in events if event.logged]


def hosted(kind: str, experiment: Experiment, folder: Path) -> list[Event]:
    request = Request(job="train", experiment=experiment, folder=str(folder), schedule=SCHEDULE)
    return list(events_of(open_host(kind, request)))


@PPO_SLOWLY
def test_inline_thread_and_process_give_identical_logs(tiny: dict[str, Any], tmp_path: Path) -> None:
    experiment = experiment_from(tiny)
    streams = {}
    for kind in ("inline", "thread", "process"):
        folder = create(tmp_path, experiment)
        streams[kind] = hosted(kind, experiment, folder)
        assert log(streams[kind]) == log(list(read_events(folder))), kind
        assert isinstance(streams[kind][-1], Finished)
        (weights,) = [event for event in streams[kind] if isinstance(event, Weights)]
        assert weights.step == 160
    changed = [event for event in streams["inline"] if isinstance(event, (KnobChanged, KnobRefused))]
    assert [type(event).__name__ for event in changed] == ["KnobChanged", "KnobRefused", "KnobChanged"]
    assert log(streams["thread"]) == log(streams["inline"])
    assert log(streams["process"]) == log(streams["inline"])


def test_a_run_that_is_watched_while_a_player_plays_its_weights_gives_the_log_of_one_that_is_not(
    tmp_path: Path,
) -> None:
    experiment = with_settings(experiment_from(TINY), {"run.total_steps": 1200})
    alone = create(tmp_path, experiment)
    list(run_inline(Request(job="train", experiment=experiment, folder=str(alone))))

    watched = create(tmp_path, experiment)
    training = open_host("process", Request(job="train", experiment=experiment, folder=str(watched)))
    player = open_host("thread", Request(job="play"))
    player.start()
    player.send(OpenAgent(experiment=experiment))
    training.start()
    steps, number = [], 0
    while training.alive:
        training.send(SendWeights())
        for event in training.drain():
            if isinstance(event, Weights):
                steps.append(event.step)
                number += 1
                player.send(UseWeights(step=event.step, tensors=event.tensors))
                player.send(BeginEpisode(number=number, seed=number))
                player.send(Look(number=number, until=20, t=10))
        time.sleep(0.02)
    training.join()
    player.send(Stop())
    player_events: list[Event] = []
    while player.alive:
        player_events += player.drain()
        time.sleep(0.01)
    assert player.join(10)
    assert len(set(steps)) > 1
    assert not [event for event in player_events if isinstance(event, Failed)]
    assert {event.step for event in player_events if isinstance(event, EpisodeBegan)} <= set(steps)
    assert any(isinstance(event, Frame) for event in player_events)
    assert log(list(read_events(watched))) == log(list(read_events(alone)))


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_commands_sent_by_hand_reach_a_running_job(kind: str) -> None:
    experiment = with_settings(experiment_from(TINY), {"run.total_steps": 100_000, "run.eval_every": 0})
    host = open_host(kind, Request(job="train", experiment=experiment))
    host.start()
    seen: list[Event] = []

    def until(wanted: type[Event]) -> Event:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for event in host.drain():
                seen.append(event)
            found = next((event for event in reversed(seen) if isinstance(event, wanted)), None)
            if found is not None:
                return found
            time.sleep(0.01)
        raise AssertionError(f"no {wanted.__name__}")

    until(Learned)
    host.send(Pause())
    from dqngui.messages import Paused, Stop, Unpaused

    paused = until(Paused)
    host.send(SetKnob(field="learn.gamma", value=0.5))
    changed = until(KnobChanged)
    assert (changed.step, changed.new) == (paused.step, 0.5)  # type: ignore[attr-defined]
    host.send(Resume())
    until(Unpaused)
    host.send(Stop())
    assert until(Finished).reason == "stopped"  # type: ignore[attr-defined]
    assert host.join(30)
    while host.alive:
        host.drain()


def command(*arguments: str, runs: Path) -> list[str]:
    return [sys.executable, "-m", "dqngui", "train", *arguments, "--runs", str(runs), "--json"]


def killed(arguments: list[str], runs: Path) -> Path:
    """The folder of a run of the command line that was ended by SIGKILL at about step 800."""
    with subprocess.Popen(command(*arguments, runs=runs), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            row = json.loads(line)
            if row["type"] == "Learned" and row["step"] >= 800:
                os.kill(process.pid, signal.SIGKILL)
                break
    (folder,) = runs.iterdir()
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@PPO_SLOWLY
def test_killed_training_resumes_to_the_log_of_a_run_never_killed(
    tiny: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tiny.toml"
    asked = with_settings(experiment_from(tiny), {"run.total_steps": 2000, "run.checkpoint_every": 300})
    file.write_text(presets.to_toml(asked))
    whole = create(tmp_path / "whole", asked)
    list(run_inline(Request(job="train", experiment=asked, folder=str(whole))))
    folder = killed([str(file)], tmp_path / "cut")
    capsys.readouterr()
    assert main(["train", "--resume", str(folder), "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["type"], last["step"], last["reason"]) == ("Finished", 2000, "completed")
    assert log(list(read_events(folder))) == log(list(read_events(whole)))


@PPO_SLOWLY
def test_a_fork_gives_the_same_log_in_every_host_and_continues_like_its_parent(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    experiment = experiment_from(tiny)
    parent = create(tmp_path, experiment)
    schedule = (*SCHEDULE, Stop(at=240), SetKnob(field="learn.gamma", value=0.9, at=300))
    request = Request(job="train", experiment=experiment, folder=str(parent), schedule=schedule)
    list(run_inline(request))
    step, present = branch_point(parent)
    logs, weights = {}, {}
    for kind in ("inline", "thread", "process"):
        folder = create(tmp_path, present)
        forked = replace(request, experiment=present, folder=str(folder), fork=str(parent))
        events = list(events_of(open_host(kind, forked)))
        assert isinstance(events[0], Opened) and isinstance(events[1], Forked) and events[1].step == step == 240
        logs[kind], weights[kind] = log(list(read_events(folder))), load_weights(folder, "last")
        assert log(events) == logs[kind]
    list(run_inline(replace(request, resume=True, experiment=None)))
    whole, trained = log(list(read_events(parent))), load_weights(parent, "last")
    for kind, rows in logs.items():
        assert rows[1:] == whole[-len(rows[1:]) :] and rows[1]["step"] > 240, kind
        assert whole[-len(rows)]["step"] <= 240
        assert weights[kind][0] == trained[0] == 400
        assert all((weights[kind][1][name] == value).all() for name, value in trained[1].items())


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param("learn.lr=1e-3", id="nothing changed"),
        pytest.param("net.memory=lstm", id="another memory", marks=pytest.mark.slow),
    ],
)
def test_a_killed_fork_resumes_to_the_log_of_one_never_killed(change: str, tmp_path: Path) -> None:
    asked = with_settings(experiment_from(TINY), {"run.total_steps": 2000, "run.checkpoint_every": 300})
    parent = create(tmp_path, asked)
    list(run_inline(Request(job="train", experiment=asked, folder=str(parent), schedule=(Stop(at=500),))))
    name, value = change.split("=")
    forked = with_settings(branch_point(parent)[1], {name: float(value) if name == "learn.lr" else value})
    whole = create(tmp_path / "whole", forked)
    list(run_inline(Request(job="train", experiment=forked, folder=str(whole), fork=str(parent))))
    folder = killed(["--fork", str(parent), "--set", change], tmp_path / "cut")
    list(run_inline(Request(job="train", folder=str(folder), resume=True)))
    rows = log(list(read_events(folder)))
    assert rows == log(list(read_events(whole)))
    assert (rows[0]["type"], rows[0]["step"], rows[0]["parent"]) == ("Forked", 500, parent.name)
    assert rows[-1]["step"] == 2000
    if change == "learn.lr=1e-3":
        list(run_inline(Request(job="train", folder=str(parent), resume=True)))
        assert rows[1:] == log(list(read_events(parent)))[-len(rows[1:]) :]
    summary = summary_of(folder)
    assert summary is not None and (summary.parent, summary.state) == (parent.name, "finished")


@pytest.mark.parametrize("kind", ["inline", "thread", pytest.param("process", marks=pytest.mark.slow)])
def test_the_schedule_of_a_resumed_run_goes_on_where_it_was(kind: str, tmp_path: Path) -> None:
    experiment = experiment_from(TINY)
    folder = create(tmp_path, experiment)
    schedule = (
        SetKnob(field="learn.lr", value=3e-4, at=120),
        Stop(at=200),
        SetKnob(field="learn.lr", value=2e-4, at=300),
    )
    request = Request(job="train", experiment=experiment, folder=str(folder), schedule=schedule)
    ends = []
    for again in (False, True):
        (end,) = [e for e in events_of(open_host(kind, replace(request, resume=again))) if isinstance(e, Finished)]
        ends.append((end.step, end.reason))
    assert ends == [(200, "stopped"), (400, "completed")]
    changes = [(event.step, event.new) for event in read_events(folder) if isinstance(event, KnobChanged)]
    assert changes == [(120, 3e-4), (300, 2e-4)]


def agents() -> Iterator[Any]:
    """Every attention with every memory, by one algorithm in turn: each pair of the three is met. The rest is slow."""
    for number, attention in enumerate(sorted(catalog.ATTENTIONS)):
        for other, memory in enumerate(sorted(catalog.MEMORIES)):
            for algorithm, tiny in enumerate((TINY, TINY_PPO)):
                # The attention that asks the memory keeps its last output, which each algorithm stores in its way.
                quick = attention == "recurrent" or (number + other) % 2 == algorithm
                name = f"{('dqn', 'ppo')[algorithm]}-{attention}-{memory}"
                yield pytest.param(tiny, attention, memory, id=name, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize(("tiny", "attention", "memory"), list(agents()))
def test_every_agent_trains_saves_loads_and_plays(
    tiny: dict[str, Any], attention: str, memory: str, tmp_path: Path
) -> None:
    changes = {"net.attention": attention, "net.memory": memory, "run.total_steps": 200, "run.eval_episodes": 1}
    folder, events = trained(with_settings(experiment_from(tiny), changes), tmp_path)
    assert any(isinstance(event, Learned) and event.updates for event in events)
    played(folder, "best", 1)


@BOTH
def test_every_checkpoint_of_a_run_is_loaded_and_played(tiny: dict[str, Any], tmp_path: Path) -> None:
    folder, _ = trained(experiment_from(tiny), tmp_path)
    for checkpoint in ("best", "last", 400):
        played(folder, checkpoint, 3)


def trained(experiment: Experiment, runs: Path) -> tuple[Path, list[Event]]:
    folder = create(runs, experiment)
    events = list(run_inline(Request(job="train", experiment=experiment, folder=str(folder))))
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "completed"
    return folder, events


def played(folder: Path, checkpoint: str | int, episodes: int) -> None:
    """Test a checkpoint of the run, which must give a return for each episode."""
    options = {"checkpoint": checkpoint, "episodes": episodes, "seed": 2_000_000}
    events = list(run_inline(Request(job="test", folder=str(folder), options=options)))
    (result,) = [event for event in events if isinstance(event, Evaluated)]
    assert len(result.returns) == episodes
    assert events[-1].reason == "completed"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", presets.preset_names())
def test_every_preset_trains(name: str) -> None:
    steps = 40 if presets.read_experiment(name).env.id.startswith("highway_env:") else 400  # 20 to 50 a second
    experiment = with_settings(
        presets.read_experiment(name),
        {"run.total_steps": steps, "learn.warmup": steps // 2, "run.eval_every": 0, "run.log_every": steps // 4},
    )
    try:
        events = list(events_of(open_host("inline", Request(job="train", experiment=experiment))))
    except ConfigError as error:
        events = [Failed(step=0, text=str(error))]
    failure = next((event.words for event in events if isinstance(event, Failed)), "")
    if "pip install" in failure:
        pytest.skip(failure)
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "completed", [event for event in events if not isinstance(event, Learned)]


@pytest.mark.parametrize("table", ["TASKS", "WRAPPERS", "ATTENTIONS", "MEMORIES", "ALGORITHMS", "JOBS"])
def test_every_name_resolves(table: str) -> None:
    for name, entry in getattr(catalog, table).items():
        assert callable(catalog.load(entry)), name
        assert entry.summary, name
