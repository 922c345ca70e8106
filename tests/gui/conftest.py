"""A whole window with scripted jobs, and a player that a test moves by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import end, make_app, renew, show, until
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
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


@pytest.fixture(scope="module")
def module_app(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A whole window with scripted jobs for many tests: making one takes half a second."""
    ini = tmp_path_factory.mktemp("window") / "settings.ini"
    with pytest.MonkeyPatch.context() as patch:
        made = make_app(QSettings(str(ini), QSettings.Format.IniFormat), patch)
        made.window.show()
        until(lambda: made.shown_at > 0)
        made.session.on_torch_loaded()
        yield made
        made.closing.begin(ask=False)
        until(lambda: made.closing.done)
        made.deleteLater()
        made.window.deleteLater()


@pytest.fixture
def used_app(module_app: App) -> Iterator[App]:
    """The module's window, in the state in which `app` is; a test may do with it what `renew` undoes."""
    ScriptedHost.opened.clear()
    yield module_app
    renew(module_app)
