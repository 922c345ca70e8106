"""The JSON lines of the commands: scripts that read them get finished sentences, and the log keeps the keys."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dqngui.commands.experiments import chosen_experiment
from dqngui.commands.output import JsonLines
from dqngui.config import ConfigError
from dqngui.jobs.training import Training
from dqngui.messages import (
    Event,
    Failed,
    Forked,
    KnobChanged,
    KnobRefused,
    PlayerReady,
    Progress,
    Unanswered,
    Warned,
    decode_event,
    encode,
)
from dqngui.runs.folder import create, read_events
from dqngui.texts import Text, say, words
from tests.commanded import SMALL, Here, events, here, trained

__all__ = ["here", "trained"]


def test_json_of_a_fork_lists_its_changes_as_sentences(trained: tuple[Path, str], tmp_path: Path, here: Here) -> None:
    shutil.copytree(next(trained[0].iterdir()), tmp_path / "parent")
    options = ["--fork", "parent", "--runs", str(tmp_path), "--set", "net.memory=lstm", "--steps", "1400"]
    status, out, err = here("train", *options, "--json")
    assert status == 0, err
    (forked,) = [line for line in events(out) if line["type"] == "Forked"]
    assert forked["changes"] == ["net.memory: none → lstm", "run.total_steps: 1,200 → 1,400"]
    (child,) = [path for path in tmp_path.iterdir() if path.name != "parent"]
    (logged,) = [event for event in read_events(child) if isinstance(event, Forked)]
    assert [change.key for change in logged.changes if isinstance(change, Text)] == ["fork.change"] * 2


def test_json_of_a_resumed_run_lists_lost_changes_as_sentences(
    trained: tuple[Path, str], tmp_path: Path, here: Here
) -> None:
    folder = shutil.copytree(next(trained[0].iterdir()), tmp_path / "run")
    with (folder / "events.jsonl").open("ab") as log:
        log.write(encode(KnobChanged(step=1_300, field="learn.lr", old=1e-3, new=1e-4)) + b"\n")
    status, out, err = here("train", "--resume", str(folder), "--steps", "1400", "--json")
    assert status == 0, err
    (resumed,) = [line for line in events(out) if line["type"] == "RunResumed"]
    assert resumed["lost_tweaks"] == ["learn.lr to 1e-4 at step 1,300"]


@pytest.mark.parametrize(
    ("event", "field", "printed"),
    [
        (
            KnobRefused(step=1, field="net.width", value=3, kept=16, reason=say("setting.not_live", path="net.width")),
            "reason",
            "`net.width` cannot be changed while the run trains; fork the run to change it",
        ),
        (
            Failed(step=1, text=say("failure.file", file="a", problem=say("disk.full")), mistake=True),
            "text",
            "`a`: the disk is full",
        ),
        (
            Warned(step=1, text=say("play.other_device", device="cuda")),
            "text",
            "This machine has no cuda, so the agent",
        ),
        (Warned(step=1, text="The disk is slow."), "text", "The disk is slow."),
        (Unanswered(step=1, number=2, text=say("question.no_agent")), "text", words(say("question.no_agent"))),
        (Progress(step=1, number=2, share=0.5, text=say("study.reading")), "text", words(say("study.reading"))),
        (
            PlayerReady(step=1, environment="A", no_picture=say("env.draws_nothing", env="A")),
            "no_picture",
            "A draws no",
        ),
        (Forked(step=1, parent="p", changes=()), "parent", "p"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_json_lines_print_sentences_in_place_of_keys(
    event: Event, field: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    JsonLines().take(event)
    (line,) = events(capsys.readouterr().out)
    assert isinstance(line[field], str) and line[field].startswith(printed)
    assert list(line) == list(json.loads(encode(event)))
    again = decode_event(json.dumps(line).encode())
    assert (type(again), again.step) == (type(event), event.step)


def test_json_of_a_refused_setting_has_a_sentence(tmp_path: Path, here: Here) -> None:
    small_replay = {"run.total_steps": 600, "learn.replay_capacity": 800, "learn.n_step": 1}
    folder = create(tmp_path, chosen_experiment("cartpole", None, SMALL[2:], small_replay))
    with (folder / "events.jsonl").open("ab") as log:
        log.write(encode(KnobChanged(step=300, field="learn.n_step", old=1, new=100)) + b"\n")
    status, out, err = here("train", "--replay-knobs", str(folder), "--json", "--runs", str(tmp_path))
    assert status == 0, err
    (refused,) = [line for line in events(out) if line["type"] == "KnobRefused"]
    assert refused["reason"].startswith("`learn.replay_capacity`: 800 steps over ")


def test_json_of_a_failed_job_has_a_sentence(
    trained: tuple[Path, str], tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Training, budget: float) -> None:
        raise ConfigError("fork.old_version", folder="a")

    monkeypatch.setattr(Training, "evaluation", refused)
    status, out, _ = here("train", *SMALL, "--steps", "600", "--runs", str(tmp_path), "--json")
    assert status == 2
    (failed,) = [line for line in events(out) if line["type"] == "Failed"]
    assert failed["text"].startswith("`a` was saved by an earlier version")


def test_json_of_several_seeds_has_sentences(tmp_path: Path, here: Here) -> None:
    parent = create(tmp_path, chosen_experiment("cartpole", None, SMALL[2:], {"run.total_steps": 300}))
    with (parent / "events.jsonl").open("ab") as log:
        log.write(encode(KnobChanged(step=200, field="learn.n_step", old=1, new=100)) + b"\n")
    options = ["--seeds", "0", "--test-episodes", "0", "--replay-knobs", str(parent), "--runs", str(tmp_path)]
    small_replay = ["learn.replay_capacity=800", "learn.n_step=1"]
    status, out, err = here("train", *SMALL, *small_replay, "--steps", "300", *options, "--json")
    assert status == 0, err
    (refused,) = [line for line in events(out) if line["type"] == "KnobRefused"]
    assert refused["reason"].startswith("`learn.replay_capacity`: 800 steps over ") and refused["seed"] == 0


def test_json_of_playing_has_sentences(tmp_path: Path, here: Here) -> None:
    folder = create(tmp_path, chosen_experiment("cartpole", None, SMALL[2:], {}))
    status, out, _ = here("play", str(folder), "--json")
    assert status == 2
    (failed,) = [line for line in events(out) if line["type"] == "Failed"]
    assert "has no checkpoint yet" in failed["text"]
