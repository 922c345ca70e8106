"""A stranger's run imports nothing before the user trusts it: every kind of name, and every way to make its task."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dqngui import safe_path
from dqngui.__main__ import main
from dqngui.config import ConfigError, EnvConfig, Experiment
from dqngui.envs.foreign import foreign_names
from dqngui.envs.make import make_env
from dqngui.jobs.agent import experiment_of
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.test import test as play
from dqngui.jobs.train import train
from dqngui.messages import OpenAgent, Request
from dqngui.runs import folder as folders
from dqngui.runs.trust import Untrusted, check_trusted, foreign_code, trust, untrusted_names

EVIL = "evil_of_a_stranger"
TASK = """
import gymnasium, pathlib
pathlib.Path({trace!r}).touch()
from gymnasium.envs.classic_control import CartPoleEnv
gymnasium.register("Evil-v0", entry_point=CartPoleEnv, max_episode_steps=20)
"""


def env(id: str = f"{EVIL}:Evil-v0", **kwargs: Any) -> EnvConfig:
    return EnvConfig(id=id, kwargs=kwargs, num_envs=2)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed module with a task; it leaves a trace when it is imported."""
    place = tmp_path / "installed"
    place.mkdir()
    (place / f"{EVIL}.py").write_text(TASK.format(trace=str(tmp_path / "imported")))
    monkeypatch.syspath_prepend(place)
    yield tmp_path / "imported"
    sys.modules.pop(EVIL, None)
    import gymnasium

    gymnasium.registry.pop("Evil-v0", None)


def stranger(runs: Path, config: EnvConfig) -> Path:
    """A run as it comes from somebody else: its settings, and nothing that this user ever answered."""
    known = folders.create(runs, Experiment())
    text = folders.presets.to_toml(msgspec.structs.replace(Experiment(), env=config), folders.versions())
    (known / "experiment.toml").write_text(text)
    return known


# -- what is asked --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        (env("CartPole-v1"), ()),
        (env("dqngui/TMaze-v0", length=4), ()),
        (env("gymnasium.envs.classic_control:CartPole-v1"), ()),
        (env("minigrid:MiniGrid-Empty-5x5-v0"), ()),
        (env("CliffWalking-v1", render_mode="rgb_array"), ()),
        (env("FrozenLake-v1", desc=["SFFF", "FHFH"], map_name="4x4", is_slippery=False), ()),
        (env("evil:X-v0"), ("evil",)),
        (env("runs.gift.evil:X-v0"), ("runs.gift.evil",)),
        (env("gymnasium/evil.py:X-v0"), ("gymnasium/evil.py",)),
        (env("gymnasium.py:X-v0"), ("gymnasium.py",)),
        (env("gymnasiums:X-v0"), ("gymnasiums",)),
        (env(":X-v0"), ("",)),
        (env("dqngui.runs.files:write_file", path="elsewhere"), ("dqngui.runs.files:write_file",)),
        (env("highway_env:highway-v0", config={"other_vehicles_type": "evil.Vehicle"}), ("evil.Vehicle",)),
        (env("highway_env:highway-v0", config=[{"a": [{"evil:Key": 1}]}]), ("evil:Key",)),
        (env("GymV21Environment-v0", env_id="evil:X-v0"), ("evil:X-v0",)),
        (env("Ant-v5", xml_file="../evil.xml"), ("../evil.xml",)),
        (env("highway_env:highway-v0", v="highway_env.vehicle.behavior.IDMVehicle"), ()),
    ],
)
def test_unknown_code_is_named(config: EnvConfig, asked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert foreign_names(config) == asked


def test_a_known_package_that_lies_in_the_present_folder_only_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = env("panda_gym:PandaReach-v3")
    assert foreign_names(config) == ()
    monkeypatch.setattr(safe_path, "_started_in", str(tmp_path))
    (tmp_path / "panda_gym.py").touch()
    assert foreign_names(config) == ("panda_gym",)


@pytest.mark.parametrize("id", ["antigravity:X-v0", "this:X-v0", "os.path:X-v0", "subprocess:run"])
def test_modules_of_python_itself_are_never_environments(id: str, tmp_path: Path) -> None:
    before = set(sys.modules)
    with pytest.raises(ConfigError, match="part of Python itself"):
        make_env(env(id))
    folder = stranger(tmp_path / "runs", env(id))
    trust(folder)
    with pytest.raises(ConfigError, match="part of Python itself"):
        check_trusted(folder, env(id))
    assert {"antigravity", "this"}.isdisjoint(set(sys.modules) - before)


def test_what_is_shown_of_a_name_is_one_short_line(tmp_path: Path) -> None:
    hostile = env("evil\x1b[2J\n\u202e" + "x" * 5000 + ":X-v0", **{f"k{i}": f"a.b{i}" for i in range(50)})
    names = untrusted_names(stranger(tmp_path / "runs", Experiment().env), hostile)
    assert len(names) == 6
    assert all(name.isprintable() and len(name) < 90 for name in names)


# -- whose answer counts --------------------------------------------------------------------------


def test_an_answer_holds_for_the_folder_as_it_is(tmp_path: Path) -> None:
    folder = stranger(tmp_path / "runs", env())
    other = stranger(tmp_path / "runs", env())
    with pytest.raises(Untrusted, match=EVIL):
        check_trusted(folder, env())
    trust(folder)
    check_trusted(folder, env())
    (folder / "summary.json").unlink()  # what training changes does not matter
    (folder / "events.jsonl").touch()
    os.utime(folder / "experiment.toml", (1, 1))  # asked again: the system saw a change
    for each in (folder, other):
        with pytest.raises(Untrusted):
            check_trusted(each, env())


@pytest.mark.parametrize("tool", ["edit", "copy", "copy with times", "rename", "link"])
def test_a_folder_that_comes_to_the_same_place_is_asked_about(tmp_path: Path, tool: str) -> None:
    folder = stranger(tmp_path / "runs", env())
    trust(folder)
    settings = folder / "experiment.toml"
    status, aside = settings.stat(), tmp_path / "aside"
    if tool == "edit":
        settings.write_text(settings.read_text().replace("num_envs = 2", "num_envs = 3"))
    elif tool.startswith("copy"):
        copy = shutil.copy2 if tool == "copy with times" else shutil.copyfile
        shutil.copytree(folder, aside, copy_function=copy)
        shutil.rmtree(folder)
        shutil.copytree(aside, folder, copy_function=copy)
    elif tool == "rename":
        other = stranger(tmp_path / "elsewhere", env())
        shutil.rmtree(folder)
        other.rename(folder)
    else:
        folder.rename(aside)
        folder.symlink_to(aside)
    os.utime(settings, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(Untrusted):
        check_trusted(folder, env())


def test_ones_own_runs_are_trusted_also_after_the_trash(tmp_path: Path) -> None:
    from dqngui.runs.trash import discard, restore

    folder = folders.create(tmp_path / "runs", msgspec.structs.replace(Experiment(), env=env()))
    check_trusted(folder, env())
    check_trusted(restore(discard(folder)), env())
    folders.write_experiment(folder, msgspec.structs.replace(Experiment(), env=env(gravity=2.0)))
    check_trusted(folder, env(gravity=2.0))


def test_answers_need_a_place_of_the_user_alone(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "nowhere" / "nothing"))
    place = state / "dqngui" / "trusted"
    place.mkdir(parents=True)
    place.chmod(0o777)  # anybody could put an answer there
    folder = stranger(tmp_path / "runs", env())
    trust(folder)
    assert list(place.iterdir()) == []
    check_trusted(folder, env())  # this process remembers it
    place.chmod(0o700)
    trust(folder)
    assert len(list(place.iterdir())) == 1


@pytest.mark.parametrize("where", ["runs/gift/evil.py", "runs/evil.py", "runs/gift/sub/evil/__init__.py"])
def test_code_inside_a_folder_of_runs_is_never_imported(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_path, "_started_in", str(tmp_path))
    file = tmp_path / where
    file.parent.mkdir(parents=True)
    file.touch()
    name = where.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for module in (name, where) if where.endswith("evil.py") else (name,):
        folder = stranger(tmp_path / "runs", env(f"{module}:X-v0"))
        trust(folder)
        with pytest.raises(ConfigError, match="never imported"):
            check_trusted(folder, env(f"{module}:X-v0"))
    monkeypatch.syspath_prepend(file.parent if file.stem == "evil" else file.parent.parent)
    with pytest.raises(ConfigError, match="never imported"):
        check_trusted(folder, env("evil:X-v0"))


def test_ones_own_module_beside_the_folder_of_runs_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_path, "_started_in", str(tmp_path))
    (tmp_path / "mine.py").touch()
    for runs in (tmp_path / "runs", tmp_path):
        folder = folders.create(runs, msgspec.structs.replace(Experiment(), env=env("mine:X-v0")))
        check_trusted(folder, env("mine:X-v0"))


# -- every way to make the task of a stored run ---------------------------------------------------


def test_no_job_imports_it(tmp_path: Path, module: Path) -> None:
    folder = stranger(tmp_path / "runs", env())
    own = folders.create(tmp_path / "runs", Experiment())
    experiment = folders.read_experiment(folder)
    fork = Request(job="train", experiment=experiment, folder=str(own), fork=str(folder))
    for ask in (
        lambda: list(train(Request(job="train", folder=str(folder), resume=True), Inbox(None))),
        lambda: list(train(fork, Inbox(None))),
        lambda: list(play(Request(job="test", folder=str(folder)), Inbox(None))),
        lambda: experiment_of(OpenAgent(folder=str(folder))),
    ):
        with pytest.raises(Untrusted, match=EVIL):
            ask()
    assert not module.exists()
    assert not (folder / "writer.lock").exists()


SMALL = ["--set", "env.num_envs=2", "run.eval_every=0", "learn.warmup=1000", "net.width=8", "net.memory=none"]


def test_the_command_line_imports_it_once_the_user_says_so(
    tmp_path: Path, module: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--env", f"{EVIL}:Evil-v0", "--steps", "40", *SMALL]) == 0  # named by the user
    module.unlink()
    sys.modules.pop(EVIL)
    [own] = Path("runs").iterdir()
    assert main(["play", str(own), "--episodes", "1"]) == 0  # one's own run
    assert module.exists()
    module.unlink()
    sys.modules.pop(EVIL)
    gift = Path(shutil.copytree(own, "gift"))
    uses = [
        ["play", "gift", "--episodes", "1"],
        ["train", "--resume", "gift", "--steps", "60"],
        ["train", "--fork", "gift", "--steps", "80"],
        ["train", "--replay-knobs", "gift", "--steps", "20"],
        ["train", "gift/experiment.toml", "--steps", "20"],
    ]
    before = sorted(Path("runs").iterdir())
    for command in uses:
        capsys.readouterr()
        assert main(command) == 2, command
        said = capsys.readouterr().err
        assert EVIL in said and "--trust" in said, command
    assert main(["runs", "."]) == 0
    assert not module.exists()
    assert sorted(Path("runs").iterdir()) == before
    assert main([*uses[0], "--trust"]) == 0
    assert module.exists()
    assert main(uses[-1]) == 0
    assert gift.exists()
    assert main(["train", "cartpole", "--trust"]) == 2


def test_an_environment_that_the_user_chose_instead_needs_no_trust(tmp_path: Path) -> None:
    from dqngui.runs.trust import check_branch_trusted

    folder = stranger(tmp_path / "runs", env())
    check_branch_trusted(folder, env(), env("CartPole-v1"))
    check_branch_trusted(folder, env(), env("mine:X-v0"))
    with pytest.raises(Untrusted):
        check_branch_trusted(folder, env(), env(gravity=3.0))
    assert foreign_code(env("CartPole-v1")) == ()
