"""`dqngui queue`, `work` and `sweep`, in this process and with real training processes of a few steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from dqngui.__main__ import main
from dqngui.messages import Forked, without_clock
from dqngui.runs.folder import read_events, summary_of
from dqngui.sweeps.queue import Queue

SETTINGS = {"run.total_steps": 400, "run.eval_every": 200, "run.eval_episodes": 2, "env.kwargs.length": 5,
            "net.horizon": 5, "learn.window": 6, "net.width": 16, "net.memory": "none", "learn.warmup": 64}  # fmt: skip


def run(*arguments: str, runs: Path) -> int:
    return main([*arguments, "--runs", str(runs)])


def settings() -> list[str]:
    return ["--set", *(f"{path}={value}" for path, value in SETTINGS.items())]


@pytest.mark.timeout(300)  # it starts several processes
def test_a_queue_is_filled_ordered_trained_and_emptied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    assert run("queue", "add", "tmaze", "--seeds", "0-1", *settings(), runs=runs) == 0
    assert run("queue", "move", "2", "--to", "1", runs=runs) == 0
    assert run("queue", "cancel", "2", runs=runs) == 0
    assert run("work", "--at-once", "2", runs=runs) == 0
    capsys.readouterr()
    assert run("queue", "list", "--json", runs=runs) == 0
    *entries, whole = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(each["id"], each["state"]) for each in entries] == [(2, "cancelled"), (1, "finished")]
    assert whole["at_once"] == 2 and whole["workers"] == [] and whole["seconds_left"] == 0
    first = Queue(runs).path_of(Queue(runs).entry(1))
    assert run("train", str(first / "experiment.toml"), runs=tmp_path / "alone") == 0
    (alone,) = (tmp_path / "alone").iterdir()
    assert [without_clock(each) for each in read_events(first)] == [without_clock(each) for each in read_events(alone)]
    assert run("queue", "add", "--resume", str(first), "--steps", "600", runs=runs) == 0
    assert run("queue", "add", "--fork", str(first), "--steps", "600", "--set", "learn.lr=1e-4", runs=runs) == 0
    fork = Queue(runs).path_of(Queue(runs).entry(3))
    assert (fork / "parent" / first.name / "resume" / "meta.json").exists()
    assert run("train", "--resume", str(first), "--steps", "600", runs=runs) == 0  # before the fork begins
    assert run("work", runs=runs) == 0
    (forked,) = [each for each in read_events(fork) if isinstance(each, Forked)]
    assert (forked.step, forked.parent) == (400, first.name)  # as it was when the fork was queued
    assert {summary_of(Queue(runs).path_of(each)).step for each in Queue(runs).entries() if each.id != 2} == {608}
    assert not (fork / "parent").exists()
    assert run("queue", "remove", "all", runs=runs) == 0
    assert Queue(runs).entries() == []


@pytest.mark.slow
@pytest.mark.timeout(300)  # it starts several processes
def test_a_sweep_is_planned_trained_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep: dict[str, Any] = {
        "name": "widths", "base": {"file": "tmaze", "settings": SETTINGS}, "seeds": "0-1",
        "axes": [{"setting": "net.width", "values": [8, 16]}], "pruning": {"first": 200, "factor": 2},
    }  # fmt: skip
    file, runs = tmp_path / "sweep.toml", tmp_path / "runs"
    file.write_text(tomli_w.dumps(sweep))
    assert run("sweep", str(file), "--dry-run", runs=runs) == 0
    assert "2 trials × 2 seeds = 4 runs" in capsys.readouterr().out and not runs.exists()
    assert run("sweep", str(file), "--queue", runs=runs) == 0
    (stored,) = [path for path in runs.iterdir() if (path / "sweep.toml").exists()]
    assert len(Queue(runs).entries()) == 4
    capsys.readouterr()
    assert run("sweep", str(stored), "--at-once", "2", "--json", runs=runs) == 0  # goes on with the stored one
    results = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sorted(row["state"] for row in results["rows"]) == ["finished", "pruned"]
    assert results["steps_saved"] == 2 * (400 - 208 - 8) or results["steps_saved"] > 0


def test_a_run_that_fails_gives_status_1_and_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    run("queue", "add", "tmaze", *settings(), runs=runs)
    (entry,) = Queue(runs).entries()
    (Queue(runs).path_of(entry) / "experiment.toml").write_text("[env")
    assert run("work", runs=runs) == 1
    assert "experiment.toml" in capsys.readouterr().out
    assert Queue(runs).entry(entry.id).state == "failed"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["queue", "move", "1"], "--to"),
        (["queue", "move", "7", "--to", "1"], "no entry 7"),
        (["queue", "pause", "7"], "no entry 7"),
        (["queue", "cancel"], "numbers"),
        (["queue", "set"], "--at-once"),
        (["queue", "set", "--at-once", "0"], "at once"),
        (["queue", "list", "--first"], "--first"),
        (["queue", "dance"], "dance|choose"),
        (["queue", "add", "tmaze", "cartpole"], "one FILE"),
        (["queue", "add", "tmaze", "--seeds", "0-2", "--seed", "1"], "--seed"),
        (["queue", "add", "nothing"], "nothing"),
        (["queue", "add", "--resume", "nothing"], "nothing"),
        (["queue", "add", "tmaze", "--set", "learn.lr=-1"], "learn.lr"),
        (["sweep", "nothing"], "nothing"),
        (["sweep"], "FILE"),
        (["work", "--at-once", "0"], "at once"),
        (["steer", "nothing", "--pause"], "nothing"),
        (["steer", "last"], "--pause"),
        (["steer", "last", "--pause", "--resume"], "exclude"),
    ],
)
def test_a_mistake_is_one_sentence_and_changes_nothing(
    arguments: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert run(*arguments, runs=tmp_path / "runs") == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and re.search(named, captured.err), captured.err
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "queue.sqlite"]
    assert left == [] and Queue(tmp_path / "runs").entries() == []
