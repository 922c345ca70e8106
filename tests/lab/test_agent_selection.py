"""Which agent the player plays, as the session goes from a demo through a run to what the run has stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from dqngui import config, presets
from dqngui import messages as m
from dqngui.lab.playback.agent_selection import AgentSelection
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.runs import zoo
from dqngui.runs.zoo import zoo_folder
from dqngui.settings import with_settings
from dqngui.texts import words
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import Watched, weights

EXPERIMENT = config.Experiment()


def test_the_player_follows_the_session(player: Watched, folder: Path, tmp_path: Path) -> None:
    session = Session(EXPERIMENT, open_host=ScriptedHost)
    session.torch_loaded = True
    agent_selection = AgentSelection(session, player, demo=tmp_path / "demo")
    player.start()
    player.advance(times=4)
    assert player.client.source == "demo"
    session.start()
    host = ScriptedHost.opened[-1]
    session.tick(0.0)
    assert session.state is State.RUNNING
    assert player.loading
    player.advance(times=3)
    assert m.SendWeights() in host.sent
    host.emit(weights(300))
    session.tick(0.0)
    player.advance(times=3)
    assert (player.client.source, player.playing.weights_step) == ("newest weights", 300)  # type: ignore[union-attr]
    session.do(Action.PAUSE)
    session.tick(0.0)
    session.do(Action.UNPAUSE)
    session.tick(0.0)
    assert len(player.host.all_of(m.OpenAgent)) == 2
    session.run.folder = folder
    session.stop()
    session.tick(0.0)
    assert session.state is State.STOPPED
    player.advance(0.0, times=2)
    assert player.playing.source == "newest weights"  # until this episode's end  # type: ignore[union-attr]
    player.advance(0.25, times=20)
    assert player.client.source == "best checkpoint"
    assert player.client.choices[0] == "best"
    session.new_run()
    assert player.client.source == "demo"
    del agent_selection


def test_without_a_demo_a_ready_window_plays_nothing(player: Watched) -> None:
    session = Session(EXPERIMENT, open_host=ScriptedHost)
    agent_selection = AgentSelection(session, player, demo=None)
    player.start()
    player.advance(times=3)
    assert player.client.agent is None
    assert (player.loading, player.problem, player.client.choices) == ("", "", [])
    del agent_selection


def test_a_run_that_was_stopped_while_it_started_plays_what_it_saved(
    player: Watched, folder: Path, tmp_path: Path
) -> None:
    session = Session(EXPERIMENT, open_host=ScriptedHost)
    session.torch_loaded = True
    agent_selection = AgentSelection(session, player, demo=tmp_path / "demo")
    player.start()
    session.start()
    session.stop()
    session.tick(0.0)
    assert session.state is State.STOPPED
    assert player.client.source == "demo"  # it keeps no files
    session.new_run()
    session.start()
    session.stop()
    host = ScriptedHost.opened[-1]
    host.replace_first(m.Opened(step=0, folder=str(folder), experiment=EXPERIMENT, device="cpu", parameters=1))
    session.tick(0.0)
    player.advance(0.0, times=4)
    assert player.client.source == "best checkpoint"
    opened = len(player.host.all_of(m.OpenAgent))
    session.changed.emit()
    assert len(player.host.all_of(m.OpenAgent)) == opened
    del agent_selection


def test_a_preset_with_an_agent_in_the_zoo_plays_it_until_its_run_begins(player: Watched) -> None:
    session = Session(EXPERIMENT, open_host=ScriptedHost)
    session.torch_loaded = True
    agent_selection = AgentSelection(session, player, demo=None)
    session.load(presets.read_experiment("cartpole"))
    assert player.client.source == "trained zoo agent, test return 500"
    assert player.client.agent is not None and player.client.agent.folder == zoo_folder() / "cartpole"
    session.load(with_settings(session.run.experiment, {"learn.lr": 0.01}))
    assert player.client.agent is not None, "the agent stays while the settings of its preset are changed"
    session.load(with_settings(session.run.experiment, {"env.kwargs": {"sutton_barto_reward": True}}))
    assert player.client.agent is None, "another task is not this agent's"
    del agent_selection


def test_a_stale_agent_of_the_zoo_is_told_and_not_played(player: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "changed_settings", lambda trained, preset: ["net.width"])
    session = Session(EXPERIMENT, open_host=ScriptedHost)
    told: list[str] = []
    session.message.connect(lambda text, *_: told.append(words(text)))
    agent_selection = AgentSelection(session, player, demo=None)
    session.load(presets.read_experiment("cartpole"))
    assert player.client.agent is None
    assert len(told) == 1 and "net.width" in told[0]
    del agent_selection
