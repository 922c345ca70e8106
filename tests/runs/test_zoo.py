"""The zoo: each agent loads, plays, and belongs to the present settings of its preset; a stale one is not played."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dqngui import presets
from dqngui.__main__ import main
from dqngui.config import ConfigError
from dqngui.envs.seeds import TEST_SEEDS
from dqngui.hosts import run_inline
from dqngui.messages import Evaluated, Failed, Request
from dqngui.runs import zoo
from dqngui.runs.folder import EXPERIMENT, read_experiment
from dqngui.settings import with_settings
from tests.thinned import thinned

MOST_BYTES = 20_000_000


def test_the_zoo_is_small_and_says_how_it_was_made() -> None:
    files = [file for file in zoo.zoo_folder().rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    assert {"cartpole", "catch"} <= set(zoo.zoo_names()) <= set(presets.preset_names())
    for name in zoo.zoo_names():
        agent = zoo.zoo_agent(name)
        assert agent is not None and agent.preset == name
        assert agent.command.startswith(f"dqngui train {name} --set run.seed=")
        assert agent.tested.episodes >= 100 and agent.version
    assert not [file for file in files if "platform" in file.read_bytes().decode("latin-1").split("[env]")[0]]


@pytest.mark.parametrize("name", thinned(zoo.zoo_names(), one_of=4))
def test_an_agent_of_the_zoo_belongs_to_its_preset_and_plays(name: str) -> None:
    agent = zoo.playable(name)
    options = {"episodes": 1, "seed": TEST_SEEDS + 100_000}
    try:
        events = list(run_inline(Request(job="test", folder=agent.folder, options=options)))
    except ConfigError as error:
        if "pip install" not in str(error):
            raise
        pytest.skip(str(error))
    assert not [event for event in events if isinstance(event, Failed)]
    assert [len(event.returns) for event in events if isinstance(event, Evaluated)] == [1]


def test_play_takes_the_name_of_a_preset(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["play", "catch", "--episodes", "1", "--runs", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "episode 1: return 1" in printed.out
    assert "dqngui train catch --set run.seed=" in printed.err and "fresh episodes" in printed.err
    assert main(["play", "bench-cartpole", "--runs", str(tmp_path)]) == 2
    assert "no trained agent of `bench-cartpole`" in capsys.readouterr().err
    assert main(["play", "nobody", "--runs", str(tmp_path)]) == 2
    assert "no run `nobody`" in capsys.readouterr().err


@pytest.fixture
def own_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A zoo with one agent, that of `cartpole`."""
    shutil.copytree(zoo.zoo_folder() / "cartpole", tmp_path / "zoo" / "cartpole")
    monkeypatch.setattr(zoo, "zoo_folder", lambda: tmp_path / "zoo")
    return tmp_path / "zoo"


def test_a_stale_agent_is_not_played_and_a_change_of_the_run_does_not_make_it_stale(own_zoo: Path) -> None:
    file = own_zoo / "cartpole" / EXPERIMENT
    trained = read_experiment(file.parent)
    file.write_text(presets.to_toml(with_settings(trained, {"run.seed": 99, "run.total_steps": 1234})))
    assert zoo.playable("cartpole").preset == "cartpole"
    file.write_text(
        presets.to_toml(with_settings(trained, {"net.width": 64, "env.kwargs": {"sutton_barto_reward": True}}))
    )
    with pytest.raises(ConfigError, match=r"env\.kwargs.*net\.width.*dqngui train cartpole"):
        zoo.playable("cartpole")


def test_an_agent_that_is_missing_or_damaged_is_a_sentence(own_zoo: Path) -> None:
    with pytest.raises(ConfigError, match="no trained agent of `tmaze`; it has: cartpole"):
        zoo.playable("tmaze")
    (own_zoo / "cartpole" / zoo.FILE).write_text("{")
    with pytest.raises(ConfigError, match="`cartpole` in the zoo cannot be read"):
        zoo.playable("cartpole")
