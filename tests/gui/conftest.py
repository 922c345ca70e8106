"""A whole window with scripted jobs, and a player that a test moves by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import end, make_app, show
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from dqngui.gui.app.app import App
from tests.doubles.fixtures import folder, player, session
from tests.doubles.scripted_host import ScriptedHost

__all__ = ["app", "folder", "player", "session", "settings"]


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
