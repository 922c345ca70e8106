"""A damaged run, or a stranger's, is refused in a sentence; nothing is cut, broadcast or written through a link."""

from __future__ import annotations

import json
import os
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from dqngui.config import ConfigError, Experiment
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.messages import Request
from dqngui.runs.arrays_file import read_arrays, write_arrays
from dqngui.runs.checkpoints import load_tensors, load_weights
from dqngui.runs.episodes import read_episode, read_index
from dqngui.runs.folder import create, list_runs, read_experiment, summary_of
from dqngui.runs.resume import load_resume
from dqngui.runs.trash import discard
from tests.commanded import Here, here
from tests.fuzz.hostile import STORED
from tests.fuzz.run import in_process, in_readers
from tests.fuzz.watch import Count, make_outside, print_of

__all__ = ["here"]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORED / "tmaze-lstm", tmp_path / "runs" / "run"))


def resume(run: Path) -> None:
    train(Request(job="train", folder=str(run), resume=True, options={"total_steps": 520}), Inbox(None))


def refused(run: Path) -> str:
    """Why a run is not resumed; its files stay as they were."""
    before = print_of(run)
    with pytest.raises(ConfigError) as caught:
        resume(run)
    assert print_of(run) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- bulk -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [in_readers, in_process])
def test_hostile_runs_give_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[..., None]) -> None:
    outside, count = make_outside(tmp_path), Count()
    monkeypatch.chdir(tmp_path)
    for seed in range(12):
        (tmp_path / f"{seed}").mkdir()
        way(count, tmp_path / f"{seed}", outside, 90_000 + seed)
    assert not count.faults, count.examples


# -- links ------------------------------------------------------------------------------------------

PLACES = (
    "events.jsonl", "episodes.dat", "episodes.idx", "summary.json", "summary.json.new", "events.discarded.jsonl",
    "resume", "resume.new", "resume.old", "resume/meta.json", "resume/x", "checkpoints", "checkpoints/best.pt",
    "checkpoints/513.pt", "notes",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["link", "pipe"])
@pytest.mark.parametrize("place", PLACES)
def test_a_run_that_holds_a_link_or_a_pipe_is_not_written(stored: Path, tmp_path: Path, place: str, kind: str) -> None:
    outside = make_outside(tmp_path)
    target = outside / "run" / place if (outside / "run" / place).exists() else outside / "file"
    path = stored / place
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(target) if kind == "link" else os.mkfifo(path)
    before = print_of(outside)
    with pytest.raises(ConfigError, match=r"link|regular|neither|not a folder"):
        resume(stored)
    assert print_of(outside) == before


@pytest.mark.parametrize("name", ["events.jsonl", "episodes.dat", "episodes.idx"])
def test_a_second_name_of_a_file_that_is_appended_to_is_refused(stored: Path, tmp_path: Path, name: str) -> None:
    os.link(stored / name, tmp_path / "backup")
    assert "hard link" in refused(stored)


def test_the_trash_is_no_link(stored: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (stored.parent / ".trash").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        discard(stored)
    assert list((tmp_path / "elsewhere").iterdir()) == []


# -- the saved state ----------------------------------------------------------------------------------


def change_arrays(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = run / "resume" / "arrays.npz"
    arrays = read_arrays(path)
    change(arrays)
    path.unlink()
    write_arrays(path, arrays)


def change_tensors(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    tensors = load_tensors(run / "resume" / "tensors.pt")
    change(tensors)
    torch.save(tensors, run / "resume" / "tensors.pt")


def change_meta(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = run / "resume" / "meta.json"
    data = json.loads(path.read_bytes())
    change(data)
    path.write_text(json.dumps(data))


ARRAYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "one row for all": lambda a: a.update({"replay/reward": a["replay/reward"][:1]}),
    "a scalar for all": lambda a: a.update({"replay/taken": np.int64(0).reshape(())}),
    "another axis": lambda a: a.update({"replay/start": a["replay/start"][None]}),
    "floats for actions": lambda a: a.update({"replay/taken": a["replay/taken"].astype(np.float64)}),
    "an action that is none": lambda a: a["replay/taken"].__setitem__(3, 99),
    "a negative head": lambda a: a["replay/head"].__setitem__(0, -5),
    "a start after its step": lambda a: a["replay/start"].__setitem__(0, 10**9),
    "a slot outside": lambda a: a["replay/slot"].__setitem__(0, 10**8),
    "lengths that do not add up": lambda a: a["actor/lengths"].__setitem__(0, 10**12),
    "a negative length": lambda a: a["actor/lengths"].__setitem__(0, -1),
    "no running episodes": lambda a: a.pop("actor/taken"),
    "no rewards": lambda a: a.pop("replay/reward"),
}
TENSORS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "nan": lambda t: t["learner/online"].fill_(float("nan")),
    "one number for all": lambda t: t.update({"learner/target": t["learner/target"][:1]}),
    "none": lambda t: t.pop("learner/average"),
    "a negative square": lambda t: t["learner/adam.second"].fill_(-1.0),
    "a negative count": lambda t: t.update({"learner/adam.count": torch.tensor(-3)}),
    "complex": lambda t: t.update({"learner/online": t["learner/online"].to(torch.complex64)}),
    "few numbers repeated": lambda t: t.update({"learner/online": torch.zeros(1).expand(10**10)}),
}
META: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a negative counter": lambda d: d["meta"]["counters"].update(updates=-1),
    "a counter in words": lambda d: d["meta"]["counters"].update(next_update="x"),
    "an unknown counter": lambda d: d["meta"]["counters"].pop("sums"),
    "updates due for ever": lambda d: d["meta"]["counters"].update(next_update=0),
    "another step": lambda d: d["mark"].update(step=400),
    "a mark in a line": lambda d: d["mark"].update(events=d["mark"]["events"] - 7),
    "a mark in a record": lambda d: d["mark"].update(episodes_index=d["mark"]["episodes_index"] - 1),
    "a negative mark": lambda d: d["mark"].update(events=-1),
    "a mark beyond the log": lambda d: d["mark"].update(events=10**9),
    "no knobs": lambda d: d["meta"].pop("knobs"),
    "a knob out of range": lambda d: d["meta"]["knobs"]["learn"].update(lr=-1.0),
    "a knob by hand that is none": lambda d: d["meta"]["knobs"].update(manual={"run.seed": 3}),
    "no generator": lambda d: d["meta"].pop("exploration"),
    "a generator of another kind": lambda d: d["meta"]["sampling"].update(bit_generator="MT19937"),
    "returns in words": lambda d: d["meta"].update(returns=["x"]),
    "another network": lambda d: d["meta"]["layout"].pop(),
    "no mark": lambda d: d.pop("mark"),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_that_no_training_saved_are_refused(stored: Path, kind: str) -> None:
    change_arrays(stored, ARRAYS[kind])
    assert "damaged" in refused(stored)


@pytest.mark.parametrize("kind", TENSORS)
def test_tensors_that_no_training_saved_are_refused(stored: Path, kind: str) -> None:
    change_tensors(stored, TENSORS[kind])
    assert "damaged" in refused(stored)


@pytest.mark.parametrize("kind", META)
def test_plain_data_that_no_training_saved_is_refused(stored: Path, kind: str) -> None:
    change_meta(stored, META[kind])
    assert refused(stored)


def test_a_state_is_never_unpacked(stored: Path) -> None:
    path = stored / "resume" / "arrays.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("replay/reward.npy", bytes(50_000_000))
    assert path.stat().st_size < 100_000
    assert "damaged" in refused(stored)


def test_an_array_is_as_large_as_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    wanted = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.zeros(0),
        "c": np.array(True),
        "f": np.asfortranarray(np.eye(3)[:2]),
    }
    write_arrays(path, wanted)
    found = read_arrays(path)
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], wanted[name]) and found[name].dtype == wanted[name].dtype for name in wanted)
    path.write_bytes(path.read_bytes().replace(b"(2, 3)", b"(9999,)"[:6]))
    with pytest.raises(ConfigError, match="damaged"):
        read_arrays(path)


@pytest.mark.parametrize(
    "data", [b"[" * 200_000, b'{"mark":' + b"9" * 6000 + b"}", b"\xff\xfe", b"\0" * 99, b"NaN", b"null"]
)
def test_plain_data_that_is_no_data_is_refused(stored: Path, data: bytes) -> None:
    (stored / "resume" / "meta.json").write_bytes(data)
    assert "damaged" in refused(stored)


@pytest.mark.parametrize("name", ["-1.pt", "9" * 150 + ".pt", "²³.pt", "٣.pt", "007.pt"])
def test_files_that_are_no_checkpoints_are_passed_over(stored: Path, name: str) -> None:
    shutil.copy(stored / "checkpoints" / "0.pt", stored / "checkpoints" / name)
    assert load_weights(stored, "last")[0] == 512


# -- the list ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "toml",
    [
        "", "[env]\n", "\0" * 500, "a = " + "9" * 6000, "a = " + "[" * 200_000, ".".join(["a"] * 20_000) + " = 1",
        "title = '" + "x" * 2_000_000 + "'", "[net]\nwidth = nan\n",
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_a_run_that_cannot_be_read_is_a_line_with_its_reason(tmp_path: Path, here: Here, toml: str) -> None:
    create(tmp_path, Experiment(title="good"))
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "experiment.toml").write_text(toml)
    with pytest.raises(ConfigError):
        read_experiment(bad)
    listed = {Path(run.folder).name: run for run in list_runs(tmp_path)}
    assert listed["bad"].state == "unreadable" and str(listed["bad"].problem)
    assert len(listed) == 2
    status, out, err = here("runs", str(tmp_path))
    assert (status, err) == (0, "")
    assert f"bad cannot be read: {listed['bad'].problem}" in out


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "socketless device"])
def test_a_special_file_in_place_of_an_experiment_is_named(tmp_path: Path, kind: str) -> None:
    good, bad = create(tmp_path, Experiment(title="good")), tmp_path / "bad"
    bad.mkdir()
    path = bad / "experiment.toml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(good / "experiment.toml")
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to("/dev/zero")
    assert [(run.title, run.state) for run in list_runs(tmp_path)] in (
        [("", "unreadable"), ("good", "ready")],
        [("good", "ready"), ("", "unreadable")],
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"pid": -5},
        {"step": 10**30},
        {"seconds": 1e308},
        {"step": -1},
        {"state": "x"},
        {"title": 5},
        {"best": "x"},
        {"tested": 1},
    ],
    ids=str,
)
def test_a_summary_that_no_run_has_is_made_from_the_experiment(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = create(tmp_path, Experiment(title="good"))
    data = json.loads((folder / "summary.json").read_bytes()) | {"state": "running"} | changes
    (folder / "summary.json").write_text(json.dumps(data))
    summary = summary_of(folder)
    assert summary is not None
    assert (summary.title, summary.state, summary.step) == ("good", "interrupted", 0)


def test_names_never_reach_the_terminal_as_commands(tmp_path: Path, here: Here) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202etxt\r\nx"
    folder = create(tmp_path, Experiment(title="a"))
    summary = summary_of(folder)
    assert summary is not None
    data = msgspec.to_builtins(msgspec.structs.replace(summary, title=hostile, env=hostile, parent=hostile, problem=""))
    (folder / "summary.json").write_text(json.dumps(data))
    folder.rename(tmp_path / hostile.replace("\n", ""))
    for arguments in (("runs", str(tmp_path)), ("runs", str(tmp_path), "--json"), ("play", str(tmp_path / hostile))):
        _, out, err = here(*arguments)
        assert not set(out + err) & set("\x1b\x07\x9b\u202e\r")
    _, out, _ = here("runs", str(tmp_path), "--json")
    assert json.loads(out)["env"].startswith("\\x1b[2J")


HOLES = 2**33
"""Bytes of a file that takes no room on the disk: its zeros would fill the memory, and take half a minute to read."""


@pytest.mark.parametrize("name", ["episodes.idx", "resume/best.pt", "resume/tensors.pt", "resume/arrays.npz"])
def test_a_file_of_holes_is_not_read_whole(stored: Path, name: str) -> None:
    episodes_before = read_index(stored)
    with open(stored / name, "r+b" if (stored / name).exists() else "w+b") as file:
        file.truncate(HOLES)
    tracemalloc.start()
    if name == "episodes.idx":
        assert read_index(stored).tolist() == episodes_before.tolist()
    else:
        with pytest.raises(ConfigError):
            load_resume(stored, best=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < HOLES / 50


def test_an_episode_that_is_longer_than_any_is_refused(stored: Path) -> None:
    record = read_index(stored)[0].copy()
    os.truncate(stored / "episodes.dat", HOLES)
    record["length"] = HOLES
    with pytest.raises(ConfigError):
        read_episode(stored, record)
