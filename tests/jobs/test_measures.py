"""Measures that a task names: from its `info` to the log, the test of the kept checkpoint, and what is printed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tests.doubles.measuring  # noqa: F401
from dqngui.__main__ import main
from dqngui.comparison.results import read_result
from dqngui.comparison.scores import score_named
from dqngui.config import Experiment
from dqngui.envs.measures import MeasureReader
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.messages import EpisodeEnded, Evaluated, Noted, Request, decode_event, encode
from dqngui.messages.measures import MOST
from dqngui.runs.folder import EVENTS, create, summary_of
from dqngui.settings import experiment_from
from tests.event_logs import run, stored_log


def asked(**kwargs: Any) -> Experiment:
    return experiment_from(
        {
            "env": {"id": "tests/Measuring-v0", "num_envs": 2, "kwargs": kwargs},
            "net": {"memory": "none", "attention": "none", "width": 8, "hidden": [8]},
            "learn": {"warmup": 16, "batch_size": 4, "window": 1, "burn_in": 0, "update_every": 8},
            "run": {"total_steps": 64, "eval_every": 32, "eval_episodes": 6, "device": "cpu", "seed": 1},
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the task."""
    folder = create(tmp_path_factory.mktemp("runs"), asked())
    list(train(Request(job="train", experiment=asked(), folder=str(folder)), Inbox(None)))
    return folder


def test_training_and_evaluation_log_the_measures_of_each_episode(folder: Path) -> None:
    events = stored_log(folder)
    ended = [event for event in events if event["type"] == "EpisodeEnded"]
    assert len(ended) == 16 and all(set(event["measures"]) == {"success", "speed"} for event in ended)
    assert all(event["measures"]["speed"] == pytest.approx(event["ret"] / 4) for event in ended)
    evaluated = [event for event in events if event["type"] == "Evaluated"]
    for event in evaluated:
        assert event["measures"]["speed"] == pytest.approx(np.array(event["returns"]) / 4)


def test_the_kept_checkpoints_test_has_the_measures_with_their_number(folder: Path) -> None:
    summary = summary_of(folder)
    assert summary is not None and summary.tested is not None
    speed = summary.tested.known_measures["speed"]
    assert speed.mean == pytest.approx(summary.tested.mean / 4) and speed.episodes == summary.tested.episodes
    assert "speed" in str(summary.tested.text()) and f"(n = {speed.episodes})" in str(summary.tested.text())
    assert score_named("best", "speed")(read_result(folder)) == pytest.approx(speed.mean)


def test_a_task_without_measures_writes_the_log_that_it_wrote_before() -> None:
    before = b'{"type":"EpisodeEnded","ret":1.0,"length":4,"truncated":false,"env":1,"episode":0,"step":8}'
    assert encode(EpisodeEnded(step=8, ret=1.0, length=4, env=1)) == before
    assert encode(decode_event(before)) == before
    assert b"measures" not in encode(Evaluated(step=8, returns=(1.0,), lengths=(4,), mean=1.0))


def test_an_episode_that_lacks_a_measure_counts_in_none_of_its_means() -> None:
    line = b'{"type":"Evaluated","step":8,"returns":[1,2],"lengths":[1,1],"mean":1.5,"measures":{"success":[1.0,null]}}'
    event = decode_event(line)
    assert isinstance(event, Evaluated) and event.measures == {"success": (1.0, None)}


@pytest.mark.parametrize(
    "more",
    [
        {"bad": "inf"},
        {"bad": "fast"},
        {"x" * 10_000: 1.0},
        {f"m{index}": 1.0 for index in range(1000)},
        {"<b>bad</b>": 1.0},
        "all of them",
    ],
)
def test_hostile_measures_are_left_out_and_told_once(more: Any) -> None:
    events = run(asked(more=more))
    told = [event.words for event in events if isinstance(event, Noted) and "measures" in event.words]
    assert len(told) == 1 and "tests/Measuring-v0" in told[0]
    for event in events:
        if isinstance(event, EpisodeEnded):
            kept = event.measures or {}
            assert len(kept) <= MOST and all(len(name) <= 40 and math.isfinite(value) for name, value in kept.items())
            assert isinstance(more, str) or {"success", "speed"} <= set(kept)


def test_an_object_that_raises_harms_nobody() -> None:
    class Odd(dict[str, float]):
        def items(self) -> Any:
            raise OSError("gone")

    reader = MeasureReader()
    assert reader.read({"measures": Odd(a=1.0)}) == {} and reader.left_out


def test_the_command_line_shows_measures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(folder.parent), "--columns", "success,measure.speed"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["run", "success", "speed"]
    assert main(["runs", str(folder.parent), "--filter", "speed>=0", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["tested"]["measures"]) == {"success", "speed"}
    assert main(["play", str(folder), "--episodes", "3", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(event["measures"]["success"]) for event in events if event["type"] == "Evaluated"] == [3]
    assert main(["play", str(folder), "--episodes", "3"]) == 0
    assert "speed " in capsys.readouterr().out
    assert main(["compare", str(folder.parent), "--measure", "success", "--lower"]) == 0
    assert "best success" in capsys.readouterr().out
    assert main(["compare", str(folder.parent), "--measure", "falls"]) == 2
    assert "these runs have: success, speed" in capsys.readouterr().err


def test_exported_scalars_have_the_measures(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.csv"
    assert main(["export", "--to", "csv", str(folder), "--out", str(out)]) == 0
    text = "".join(path.read_text() for path in tmp_path.rglob("*.csv"))
    assert "rollout/success" in text and "eval/speed" in text
    assert EVENTS not in text
