"""A whole window with scripted jobs, and a player that a test moves by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import end, make_app, show
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot
from scripted_host import ScriptedHost
from scripted_player import ScriptedPlayer, Watched

from dqngui.gui.app.app import App


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def app(qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A whole window with scripted jobs; torch counts as loaded and is not imported."""
    ScriptedHost.opened.clear()
    made = make_app(settings, monkeypatch)
    show(qtbot, made)
    yield made
    for host in ScriptedHost.opened:
        host.kill()
    end(qtbot, made)


@pytest.fixture
def player(qtbot: QtBot) -> Iterator[Watched]:
    """It plays nothing yet; its clock stands until the test moves it."""
    ScriptedPlayer.opened.clear()
    made = Watched()
    yield made
    made.stop()
    made.deleteLater()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run with stored weights, by their names."""
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    for name in ("best", "20000", "60000"):
        (run / "checkpoints" / f"{name}.pt").write_bytes(b"")
    return run
