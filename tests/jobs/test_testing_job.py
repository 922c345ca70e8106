"""The testing job: what it refuses, and where it plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dqngui.config import ConfigError
from dqngui.jobs import test as job
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.messages import Evaluated, Event, Request, Warned
from dqngui.runs.folder import create
from dqngui.settings import experiment_from


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    experiment = experiment_from({"net": {"width": 8}, "run": {"total_steps": 32, "eval_every": 0, "device": "cpu"}})
    folder = create(tmp_path_factory.mktemp("runs"), experiment)
    list(train(Request(job="train", experiment=experiment, folder=str(folder)), Inbox(None)))
    return folder


def played(folder: Path, **options: Any) -> list[Event]:
    return list(job.test(Request(job="test", folder=str(folder), options=options), Inbox(None)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"episodes": 0}, ">= 1"),
        ({"episodes": 2.5}, "int"),
        ({"seed": -1}, ">= 0"),
        ({"checkpoint": "worst"}, "checkpoint"),
        ({"checkpoint": 77}, "no checkpoint of step 77"),
        ({"pictures": True}, "pictures"),
        ({"video": "film.avi"}, "must end in .mp4"),
        ({"video": "/no/such/folder/film.mp4"}, "there is no folder"),
    ],
)
def test_what_cannot_be_played_is_refused_in_a_sentence(folder: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        played(folder, **options)


def test_a_run_of_another_machine_plays_on_the_cpu_and_says_so(folder: Path) -> None:
    there = [event for event in played(folder, episodes=2) if isinstance(event, Evaluated)]
    file = folder / "experiment.toml"
    text = file.read_text()
    file.write_text(text.replace('device = "cpu"', 'device = "cuda:31"'))
    try:
        events = played(folder, episodes=2)
    finally:
        file.write_text(text)
    assert [event.words for event in events if isinstance(event, Warned)] == [
        "This machine has no cuda:31, so the agent plays on the CPU"
    ]
    assert [event for event in events if isinstance(event, Evaluated)] == there
