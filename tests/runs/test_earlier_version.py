"""Runs' folders that an earlier version wrote, stopped in the middle, still open, resume, play on and fork."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dqngui.config import EnvConfig
from dqngui.envs.make import make_vector
from dqngui.jobs.branching import branch_point
from dqngui.messages import BreakpointHit, EpisodeEnded
from dqngui.runs.checkpoints import checkpoints
from dqngui.runs.episodes import recorded_episode
from dqngui.runs.folder import read_events, read_experiment, summary_of
from dqngui.runs.trust import trust
from tests.commanded import Here, here
from tests.commanded import events as events_of
from tests.doubles.panel import Panel

__all__ = ["here"]

STORED = Path(__file__).parent / "stored" / "tmaze-lstm"


SET = STORED.parent / "find-set"
"""Stopped at step 256; its agent looks at a set of entities, without standardised numbers."""
PANEL = STORED.parent / "panel-boxes"
"""Stopped at step 128; its agent sees bytes divided by 255, and a small window of numbers as a picture."""


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A copy of the stored run, which a test may change."""
    return Path(shutil.copytree(STORED, tmp_path / "runs" / STORED.name))


def command(here: Here, *arguments: str) -> list[dict[str, Any]]:
    """The events that a command prints, as plain data."""
    status, out, err = here(*arguments, "--json")
    assert status == 0, err
    return events_of(out)


def test_it_is_read(stored: Path) -> None:
    events = list(read_events(stored))
    assert sum(isinstance(event, EpisodeEnded) for event in events) == 16
    assert isinstance(events[-1], BreakpointHit)
    assert read_experiment(stored).net.memory == "lstm"
    summary = summary_of(stored)
    assert summary is not None
    assert summary.step == 512
    assert checkpoints(stored) == [0, 512]
    trace = recorded_episode(stored, 15, 496)
    assert trace is not None
    assert len(trace.actions) == 31


def test_it_resumes_to_its_end(stored: Path, here: Here) -> None:
    before = (stored / "events.jsonl").read_text(encoding="utf-8")
    events = command(here, "train", "--resume", str(stored))
    assert events[-1]["type"] == "Finished"
    assert events[-1]["reason"] == "completed"
    assert (stored / "events.jsonl").read_text(encoding="utf-8").startswith(before)
    assert checkpoints(stored)[-1] == 2000


def test_it_forks_with_all_that_it_had(stored: Path, here: Here) -> None:
    step, _ = branch_point(stored)
    assert step == 512
    events = command(here, "train", "--fork", str(stored), "--steps", "1024", "--runs", str(stored.parent))
    (forked,) = [event for event in events if event["type"] == "Forked"]
    assert forked["step"] == 512
    assert not forked["fresh"]
    assert events[-1]["reason"] == "completed"


def test_it_plays(stored: Path, here: Here) -> None:
    events = command(here, "play", str(stored), "--checkpoint", "512", "--episodes", "2")
    assert events


# -- a set of entities ------------------------------------------------------------------------------


def test_a_set_is_still_a_set_and_learns_what_it_would_have_learned(tmp_path: Path, here: Here) -> None:
    """The numbers were written by the earlier version, which was not stopped."""
    folder = Path(shutil.copytree(SET, tmp_path / "runs" / SET.name))
    experiment = read_experiment(folder)
    assert (experiment.env.rows, experiment.net.standardise) == ("set", False)
    events = command(here, "train", "--resume", str(folder))
    learned = [event for event in events if event["type"] == "Learned"]
    assert [event["loss"] for event in learned] == pytest.approx([0.02269235101994127, 0.017013653530739248], rel=1e-5)
    assert [event["grad_norm"] for event in learned] == pytest.approx(
        [0.13001046422868967, 0.10353645216673613], rel=1e-5
    )
    (last,) = [event for event in events if event["type"] == "Evaluated" and event["role"] == "selection"]
    assert last["returns"] == [2.0, 2.0, 4.0, 1.0]


def test_a_set_plays_as_it_did(here: Here) -> None:
    events = command(here, "play", str(SET), "--checkpoint", "256", "--episodes", "3")
    (played,) = [event for event in events if event["type"] == "Evaluated"]
    assert played["returns"] == [2.0, 3.0, 0.0]


# -- boxes ------------------------------------------------------------------------------------------


def test_boxes_are_still_read_as_they_were_and_learning_goes_on_as_it_would_have(tmp_path: Path, here: Here) -> None:
    """The numbers were written by the earlier version, which was not stopped."""
    folder = Path(shutil.copytree(PANEL, tmp_path / "runs" / PANEL.name))
    trust(folder)
    experiment = read_experiment(folder)
    assert (experiment.env.boxes, experiment.net.standardise) == ("size", True)
    envs = make_vector(experiment.env, 1)
    assert [(part.name, part.kind, part.has_units) for part in envs.spaces.parts] == [
        ("bytes", "vector", False), ("window", "image", False)
    ]  # fmt: skip
    envs.close()
    events = command(here, "train", "--resume", str(folder))
    learned = [event for event in events if event["type"] == "Learned" and event["step"] > 128]
    losses = [1.3423212170600891, 1.5979859232902527, 1.196012206375599]
    assert [event["loss"] for event in learned] == pytest.approx(losses, rel=1e-5)
    (last,) = [event for event in events if event["type"] == "Evaluated" and event["step"] == 512]
    assert last["returns"] == [6.0, 6.0, 4.0, 3.0]
    assert read_experiment(folder).env.boxes == "size"


def test_a_run_that_reads_boxes_as_it_did_plays_and_forks(tmp_path: Path, here: Here) -> None:
    folder = Path(shutil.copytree(PANEL, tmp_path / "runs" / PANEL.name))
    trust(folder)
    assert command(here, "play", str(folder), "--checkpoint", "0", "--episodes", "2")
    events = command(here, "train", "--fork", str(folder), "--steps", "256", "--runs", str(folder.parent))
    (forked,) = [event for event in events if event["type"] == "Forked"]
    assert forked["step"] == 128 and not forked["fresh"]
    assert events[-1]["reason"] == "completed"
    (fork,) = [run for run in folder.parent.iterdir() if run != folder]
    assert read_experiment(fork).env.boxes == "size"


def test_the_same_task_in_a_new_run_is_read_by_its_bounds() -> None:
    envs = make_vector(EnvConfig(id="tests/Panel-v0"), 1)
    assert [(part.name, part.kind, part.has_units) for part in envs.spaces.parts] == [
        ("bytes", "vector", True), ("window", "vector", True)
    ]  # fmt: skip
    assert envs.envs[0].unwrapped.__class__ is Panel
    envs.close()
