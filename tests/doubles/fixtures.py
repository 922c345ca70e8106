"""Fixtures that tests of the lab and of the window share: a session, a player moved by hand, a stored run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from dqngui import presets
from dqngui.lab.session.session import Session
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import ScriptedPlayer, Watched
from tests.doubles.scripted_trial import ScriptedTrial


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    """With the first preset of the window, ready to start scripted jobs."""
    ScriptedHost.opened.clear()
    ScriptedTrial.opened.clear()
    session = Session(presets.read_experiment("cartpole-positions"), open_host=ScriptedHost)
    session.on_torch_loaded()
    yield session
    session.deleteLater()


@pytest.fixture
def player(qtbot: QtBot) -> Iterator[Watched]:
    """It plays nothing yet; its clock stands still until the test moves it."""
    ScriptedPlayer.opened.clear()
    made = Watched()
    yield made
    made.stop()
    made.deleteLater()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run with stored weights: the best, and those of two steps."""
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    for name in ("best", "20000", "60000"):
        (run / "checkpoints" / f"{name}.pt").write_bytes(b"")
    return run
