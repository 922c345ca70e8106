"""Runs whose replay is saved in segments: resumed, forked, given away, copied to another machine, and damaged."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import FrameStackObservation

from dqngui.config import ConfigError, Experiment
from dqngui.envs import spaces
from dqngui.jobs import room
from dqngui.jobs.branching import branch_point
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.learning import replay
from dqngui.messages import Finished, Request, Stop
from dqngui.runs import segments
from dqngui.runs.archive import export_run, import_run
from dqngui.runs.arrays_file import read_arrays, write_arrays
from dqngui.runs.folder import create
from dqngui.runs.mirror import Mirror, whole_folder
from dqngui.runs.parent_state import keep_parent
from dqngui.runs.pieces import FolderCopy
from dqngui.runs.resume import load_resume, segments_of
from dqngui.settings import experiment_from
from tests.event_logs import stored_log
from tests.evidence.same_logs import differences

TOTAL = 480
SETTINGS: dict[str, Any] = {
    "env": {"id": "Pictures-v0", "num_envs": 2},
    "net": {"attention": "none", "memory": "gru", "width": 8},
    "learn": {"window": 4, "burn_in": 2, "n_step": 2, "batch_size": 4, "warmup": 60, "update_every": 40,
              "replay_capacity": 200, "prioritized": True},
    "run": {"total_steps": TOTAL, "eval_every": 0, "checkpoint_every": 60, "device": "cpu"},
}  # fmt: skip


class Pictures(gymnasium.Env[np.ndarray, int]):
    """Pictures of 16 by 16 random bytes; now and then nothing is to be learned beyond a step, or the episode ends."""

    observation_space = gymnasium.spaces.Box(0, 255, (16, 16), np.uint8)
    action_space = gymnasium.spaces.Discrete(3)

    def seen(self) -> np.ndarray:
        return self.np_random.integers(0, 256, (16, 16)).astype(np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        return self.seen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        ends, cut = self.np_random.random(2) < 0.05
        return self.seen(), float(action), bool(ends), False, {"end_of_learning": bool(cut)}


@pytest.fixture(autouse=True, scope="module")
def _large() -> Iterator[None]:
    gymnasium.register("Pictures-v0", lambda: FrameStackObservation(Pictures(), 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "LARGE", 0)
        patch.setattr(segments, "MOST_BYTES", 30_000)  # of two saves
        patch.setattr(os, "fsync", lambda fd: None)
        yield
    del gymnasium.registry["Pictures-v0"]


def experiment() -> Experiment:
    return experiment_from(SETTINGS)


def trained(runs: Path, stop: int | None = None) -> Path:
    folder = create(runs, experiment())
    schedule = () if stop is None else (Stop(at=stop),)
    ended(train(Request(job="train", experiment=experiment(), folder=str(folder)), Inbox(None, schedule)))
    return folder


def resumed(folder: Path) -> Path:
    ended(train(Request(job="train", folder=str(folder), resume=True), Inbox(None)))
    return folder


def ended(events: Any) -> None:
    last = list(events)[-1]
    assert isinstance(last, Finished) and last.reason in ("completed", "stopped")


def named(folder: Path) -> set[str]:
    """The segments that a run's state names; there are no others."""
    names = {each.name for each in segments_of(folder / "resume")}
    assert {path.name for path in (folder / "replay").iterdir()} == names
    return names


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped after its ring was overwritten more than once."""
    return trained(tmp_path_factory.mktemp("half"), stop=330)


@pytest.fixture
def stopped(half: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(half, tmp_path / "runs" / half.name))


def test_frames_kept_once_train_as_whole_stacks(
    never_stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "LEAST_STACK", 10**9)
    monkeypatch.setattr(replay, "LARGE", 10**9)
    whole = trained(tmp_path)
    assert differences(never_stopped, whole) == []
    assert not (whole / "replay").exists()
    resumed_here = trained(tmp_path / "stopped", stop=330)
    monkeypatch.undo()  # from here on as if an earlier version had saved it
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    assert differences(never_stopped, resumed(resumed_here)) == []


def test_a_resumed_run_goes_on_bit_for_bit_and_writes_only_what_is_new(stopped: Path, never_stopped: Path) -> None:
    before = {path.name: path.read_bytes() for path in (stopped / "replay").iterdir()}
    assert 2 <= len(before) <= 6
    assert differences(never_stopped, resumed(stopped)) == []
    kept = named(stopped) & before.keys()
    assert all((stopped / "replay" / name).read_bytes() == before[name] for name in kept)
    assert len(named(never_stopped)) <= 6


def test_a_fork_links_its_parents_segments_and_goes_on_like_it(stopped: Path, never_stopped: Path) -> None:
    asked = branch_point(stopped)[1]
    folder = create(stopped.parent, asked)
    assert keep_parent(folder, stopped) == load_resume(stopped).mark.step
    kept = folder / "parent" / stopped.name
    first, *events = train(Request(job="train", experiment=asked, folder=str(folder), fork=str(kept)), Inbox(None))
    inodes = {path.name: path.stat().st_ino for path in (stopped / "replay").iterdir()}
    assert {path.name: path.stat().st_ino for path in (kept / "replay").iterdir()} == inodes
    resumed(stopped)
    mark = load_resume(stopped).mark.step
    assert mark == load_resume(folder).mark.step == TOTAL
    assert stored_log(folder)[1:] == stored_log(never_stopped)[-len(stored_log(folder)) + 1 :]
    assert first is not None and events and named(folder)


def test_a_run_given_away_and_one_copied_elsewhere_go_on(stopped: Path, never_stopped: Path, tmp_path: Path) -> None:
    export_run(stopped, tmp_path / "run.zip")
    taken = import_run(tmp_path / "run.zip", tmp_path / "to")
    copy = tmp_path / "copy" / stopped.name
    copy.mkdir(parents=True)
    receiver = FolderCopy(copy)
    for piece in whole_folder(stopped):
        receiver.apply(piece)
    assert named(copy) == named(taken) == named(stopped)
    mirror = Mirror(copy)
    far = FolderCopy(Path(shutil.copytree(copy, tmp_path / "far")))
    for _ in train(Request(job="train", folder=str(copy), resume=True), Inbox(None)):
        for piece in mirror.scan():
            far.apply(piece)
            for each in segments_of(far.folder / "resume"):
                assert (far.folder / "replay" / each.name).stat().st_size == each.bytes
    for piece in mirror.scan():
        far.apply(piece)
    assert named(far.folder) == named(copy)
    assert differences(never_stopped, far.folder) == []
    assert differences(never_stopped, resumed(taken)) == []


def test_much_room_is_told_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MUCH_ROOM", 10_000)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: SimpleNamespace(free=0))
    folder = trained(tmp_path, stop=60)
    keys = [event["text"]["key"] for event in stored_log(folder) if event["type"] in ("Noted", "Warned")]
    assert {"train.room", "train.disk_room"} <= set(keys)


# -- damage -----------------------------------------------------------------------------------------


def first_segment(run: Path) -> Path:
    return run / "replay" / segments_of(run / "resume")[0].name


def cut_off(run: Path) -> None:
    os.truncate(first_segment(run), first_segment(run).stat().st_size - 10)


def changed(run: Path) -> None:
    path, data = first_segment(run), bytearray(first_segment(run).read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)


def linked(run: Path) -> None:
    moved = first_segment(run).rename(run.parent / "elsewhere.npz")
    first_segment(run).symlink_to(moved)


def exchanged(run: Path) -> None:
    path = first_segment(run)
    arrays = read_arrays(path)
    path.unlink()
    write_arrays(path, arrays | {"reward": arrays["reward"] + 1})


def lying(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Path], None]:
    def lie(run: Path) -> None:
        path = run / "resume" / "meta.json"
        data = json.loads(path.read_bytes())
        change(data["segments"])
        path.write_text(json.dumps(data))

    return lie


def truthful(column: str, change: Callable[[np.ndarray], Any]) -> Callable[[Path], None]:
    """Change a column of the newest segment, and what the state says of the file."""

    def lie(run: Path) -> None:
        path = run / "replay" / segments_of(run / "resume")[-1].name
        arrays = read_arrays(path)
        arrays[column] = change(arrays[column])
        path.unlink()
        write_arrays(path, arrays)
        with open(path, "rb") as file:
            size, tail = segments.size_and_tail(file)
        lying(lambda s: s[-1].update(bytes=size, tail=tail))(run)

    return lie


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "too short": (cut_off, "not the file that the saved state names"),
    "a changed byte": (changed, "damaged"),
    "missing": (lambda run: first_segment(run).unlink(), "cannot be read"),
    "a link": (linked, "link"),
    "another file": (exchanged, "not the file that the saved state names"),
    "rows beyond all memory": (lying(lambda s: s[-1].update(stop=[2**52, 2**52])), "damaged"),
    "a hole": (lying(lambda s: s.pop(1)), "damaged"),
    "no oldest steps": (lying(lambda s: s.pop(0)), "damaged"),
    "too few": (lying(lambda s: s.pop()), "damaged"),
    "one environment": (lying(lambda s: [each.update(first=[0], stop=[9]) for each in s]), "damaged"),
    "twice": (lying(lambda s: s.append(s[-1])), "damaged"),
    "a name outside": (lying(lambda s: s[0].update(name="../../secret.npz")), "damaged"),
    "no list": (lying(lambda s: s.insert(0, 3)), "damaged"),
    "an action that is none": (truthful("taken", lambda a: a + 90), "damaged"),
    "fewer actions": (truthful("taken", lambda a: a[:-1]), "damaged"),
    "floats for pictures": (truthful("frames.observation", lambda a: a.astype(np.float32)), "damaged"),
    "a stack too many": (truthful("whole_rows.observation", lambda a: np.zeros(1, np.int64)), "damaged"),
    "an unknown start": (truthful("before.observation", lambda a: a + 7), "damaged"),
    "a slot outside": (truthful("slot", lambda a: a + 10**6), "damaged"),
    "an episode from the future": (truthful("start", lambda a: a + 10**9), "damaged"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_segments_are_one_sentence(stopped: Path, kind: str) -> None:
    damage, sentence = DAMAGE[kind]
    damage(stopped)
    names = {path.name for path in stopped.rglob("*")}
    with pytest.raises(ConfigError) as error:
        train(Request(job="train", folder=str(stopped), resume=True), Inbox(None))
    assert sentence in str(error.value) and "\n" not in str(error.value)
    assert {path.name for path in stopped.rglob("*")} == names
