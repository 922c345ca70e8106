"""Names, listings, checkpoints and episodes on disk."""

from __future__ import annotations

import errno
import pickle
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from dqngui.config import ConfigError, EnvConfig, Experiment, NetConfig
from dqngui.messages import EpisodeEnded, encode
from dqngui.runs import folder as folders
from dqngui.runs.checkpoints import checkpoints, load_weights, save_weights
from dqngui.runs.episodes import EpisodeFiles, EpisodeTrace, read_episode, read_index
from dqngui.runs.files import write_file
from dqngui.runs.folder import create, list_runs, read_events, read_experiment, slug, write_summary
from dqngui.settings import checked


@pytest.mark.parametrize(
    ("title", "env", "memory", "expected"),
    [
        ("", "CartPole-v1", "gru", "cartpole-gru"),
        ("", "CartPole-v1", "none", "cartpole"),
        ("", "dqngui/TMaze-v0", "lstm", "tmaze-lstm"),
        ("", "my.envs:Thing/Maze-v3", "none", "maze"),
        ("My éxperiment / №1 ..", "CartPole-v1", "gru", "my-experiment-no1"),
        ("../../etc/passwd", "CartPole-v1", "gru", "etc-passwd"),
        ("試し", "CartPole-v1", "gru", "run"),
        ("x" * 300, "CartPole-v1", "gru", "x" * 40),
    ],
)
def test_slug(title: str, env: str, memory: str, expected: str) -> None:
    assert slug(Experiment(title=title, env=EnvConfig(id=env), net=NetConfig(memory=memory))) == expected


def test_new_folders_never_collide_and_hold_the_experiment(tmp_path: Path) -> None:
    runs = tmp_path / "deep" / "runs"
    made = {create(runs, Experiment(title="a")) for _ in range(5)}
    assert len(made) == 5
    for folder in made:
        assert read_experiment(folder) == checked(Experiment(title="a"))
        about = tomllib.loads((folder / "experiment.toml").read_text())["about"]
        assert set(about) == {"schema", "dqngui", "torch", "gymnasium", "numpy", "python", "platform"}


def test_a_place_that_cannot_hold_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot make a run's folder in"):
        create(tmp_path / "file" / "runs", Experiment())
    with pytest.raises(ConfigError, match="cannot list"):
        list_runs(tmp_path / "file")
    assert list_runs(tmp_path / "nowhere") == []


@pytest.mark.parametrize("file", ["experiment.toml", "summary.json"])
def test_a_run_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    def full(path: Path, data: bytes, **options: bool) -> None:
        if path.name == file:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_file(path, data)

    monkeypatch.setattr(folders, "write_file", full)
    monkeypatch.setattr(folders, "replace_file", full)
    (tmp_path / "kept").mkdir()
    for runs in (tmp_path / "kept", tmp_path / "new" / "runs"):
        with pytest.raises(ConfigError, match="No space left"):
            create(runs, Experiment())
    assert [path.name for path in tmp_path.iterdir()] == ["kept"] and not [*(tmp_path / "kept").iterdir()]


def test_listing_shows_every_run_newest_first_and_passes_over_the_rest(tmp_path: Path) -> None:
    first, second, third = (create(tmp_path, Experiment(title=title)) for title in ("c", "b", "a"))
    for name, folder in (("2020-01-01", first), ("2021-01-01", second), ("2022-01-01", third)):
        folder.rename(tmp_path / name)
    (tmp_path / "other").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "2021-01-01" / "summary.json").write_text('{"title":')
    running = msgspec.structs.replace(folders.new_summary(Experiment(title="a")), state="running", pid=2**22 + 1)
    write_summary(tmp_path / "2022-01-01", running)
    listed = list_runs(tmp_path)
    assert [(run.title, run.state) for run in listed] == [("a", "interrupted"), ("b", "interrupted"), ("c", "ready")]
    assert listed[0].folder == str(tmp_path / "2022-01-01")
    assert listed[0].updated


def test_a_torn_last_line_is_ignored_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    folder = create(tmp_path, Experiment())
    assert list(read_events(folder)) == []
    line = encode(EpisodeEnded(step=1, ret=1.0, length=1)) + b"\n"
    (folder / "events.jsonl").write_bytes(line * 3 + line[:-1])
    assert len(list(read_events(folder))) == 3
    for broken in (b"{}\n", b"\xff\xfe\n", b'{"type":"EpisodeEnded","step":"x"}\n', b"\n"):
        (folder / "events.jsonl").write_bytes(line + broken + line)
        with pytest.raises(ConfigError, match="line 2 is damaged"):
            list(read_events(folder))
    with pytest.raises(ConfigError, match="there is no run"):
        list(read_events(tmp_path / "nowhere"))


def test_checkpoints_are_thinned_evenly_and_keep_both_ends(tmp_path: Path) -> None:
    for number in range(1, 201):
        save_weights(tmp_path, number * 10, {"w": torch.ones(1) * number}, best=number == 33)
        if number <= 50:
            assert len(checkpoints(tmp_path)) == number
    steps = checkpoints(tmp_path)
    assert len(steps) == 50
    assert (steps[0], steps[-1]) == (10, 2000)
    gaps = np.diff(steps)
    assert gaps.max() <= 4 * 2000 / 50
    assert gaps.max() / np.median(gaps) <= 4
    assert load_weights(tmp_path)[0] == 330
    assert load_weights(tmp_path, "last")[1]["w"].item() == 200
    assert load_weights(tmp_path, 10)[0] == 10
    with pytest.raises(ConfigError, match="no checkpoint of step 11; there are: 10, "):
        load_weights(tmp_path, 11)


def test_a_run_without_checkpoints(tmp_path: Path) -> None:
    for which in ("best", "last"):
        with pytest.raises(ConfigError, match="has no checkpoint yet"):
            load_weights(tmp_path, which)
    save_weights(tmp_path, 5, {"w": torch.ones(1)}, best=False)
    assert load_weights(tmp_path, "best")[0] == 5


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_foreign_checkpoints_run_no_code(tmp_path: Path) -> None:
    save_weights(tmp_path, 5, {"w": torch.ones(100)}, best=True)
    path, trap = tmp_path / "checkpoints" / "best.pt", tmp_path / "exploded"
    whole = path.read_bytes()
    torch.save({"step": 5, "weights": {"w": Bomb(trap)}}, path)
    with pytest.raises(ConfigError, match="could run code"):
        load_weights(tmp_path)
    path.write_bytes(pickle.dumps({"step": 5, "weights": Bomb(trap)}))
    with pytest.raises(ConfigError, match="was not opened"):
        load_weights(tmp_path)
    assert not trap.exists()
    for broken in (b"", whole[:-30], whole[: len(whole) // 2], b"PK\x03\x04" * 20):
        path.write_bytes(broken)
        with pytest.raises(ConfigError) as caught:
            load_weights(tmp_path)
        assert str(path) in str(caught.value)
    for content in ([1, 2], {"step": 5}, {"step": "5", "weights": {}}, {"step": 5, "weights": {"w": 1}}):
        torch.save(content, path)
        with pytest.raises(ConfigError):
            load_weights(tmp_path)


def test_views_are_stored_without_what_they_look_into(tmp_path: Path) -> None:
    large = torch.zeros(1_000_000)
    save_weights(tmp_path, 1, {"w": large[:10]}, best=False)
    assert (tmp_path / "checkpoints" / "1.pt").stat().st_size < 10_000


def test_episodes_come_back_about_a_byte_a_step(tmp_path: Path) -> None:
    files = EpisodeFiles(tmp_path)
    wanted = [
        np.array([0, 1, 2]),
        np.array([], np.int64),
        np.array([300, 5]),
        np.zeros(1000, np.int32),
        np.array([70_000]),
    ]
    for number, actions in enumerate(wanted):
        files.append(EpisodeTrace(number * 10, 3, number, 10_000_000 + number, actions))
    assert len(read_index(tmp_path)) == 0  # still in the buffer
    files.close()
    index = read_index(tmp_path)
    assert index["step"].tolist() == [0, 10, 20, 30, 40]
    for record, actions in zip(index, wanted, strict=True):
        trace = read_episode(tmp_path, record)
        assert trace.actions.tolist() == actions.tolist()
        assert (trace.env, trace.seed - 10_000_000) == (3, trace.episode)
    assert (tmp_path / "episodes.dat").stat().st_size == 3 + 4 + 1000 + 4


def test_torn_episode_files_give_the_whole_ones(tmp_path: Path) -> None:
    files = EpisodeFiles(tmp_path)
    for number in range(3):
        files.append(EpisodeTrace(number, 0, number, 1, np.ones(10, np.int64)))
    files.close()
    data, index = (tmp_path / "episodes.dat").read_bytes(), (tmp_path / "episodes.idx").read_bytes()
    (tmp_path / "episodes.idx").write_bytes(index[:-1])
    assert len(read_index(tmp_path)) == 2
    (tmp_path / "episodes.dat").write_bytes(data[:15])
    assert len(read_index(tmp_path)) == 1
    (tmp_path / "episodes.dat").unlink()
    assert len(read_index(tmp_path)) == 0
