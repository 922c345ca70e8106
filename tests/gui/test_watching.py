"""The real window watches and steers a run that a real process trains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import end
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from test_live_run import click, turn, wait, wait_state

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.gui.app.app import App
from dqngui.lab.session.states import Action, State
from dqngui.runs.folder import read_events
from tests.doubles.scripted_player import ScriptedPlayer
from tests.trained_elsewhere import Trained


@pytest.fixture
def trained(tmp_path: Path) -> Iterator[Trained]:
    trained = Trained(tmp_path)
    trained.wait_for_writer()
    yield trained
    trained.kill()


def opened(qtbot: QtBot, trained: Trained, place: Path) -> App:
    kept = QSettings(str(place), QSettings.Format.IniFormat)
    app = App(Experiment(), runs=trained.folder.parent, settings=kept, theme="dark", open_play_host=ScriptedPlayer)
    app.window.resize(1600, 1000)
    app.window.show()
    qtbot.waitExposed(app.window)
    assert app.session.open_stored(trained.folder)
    wait_state(qtbot, app, State.RUNNING)
    return app


@pytest.mark.timeout(300)  # it starts several processes
def test_two_windows_watch_and_steer_a_run_of_another_process(
    qtbot: QtBot, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QApplication, "quit", lambda: None)
    first, second = (opened(qtbot, trained, tmp_path / f"{name}.ini") for name in ("one", "two"))
    assert first.window.header.word.text() == "Training elsewhere"
    wait(qtbot, first, lambda: first.session.run.learned is not None)
    turn(qtbot, first, "learn.lr", "5e-4")
    for app in (first, second):  # acknowledged and drawn in both
        wait(qtbot, app, lambda app=app: app.session.value("learn.lr") == 5e-4)
        assert [mark.new for mark in app.session.history.marks if isinstance(mark, m.KnobChanged)] == [5e-4]
    click(second, Action.PAUSE)
    wait_state(qtbot, first, State.PAUSED)
    wait_state(qtbot, second, State.PAUSED)
    step = first.session.run.step
    click(first, Action.STEP)
    wait(qtbot, second, lambda: second.session.run.step == step + 16)
    end(qtbot, first, timeout=20_000)
    assert trained.process.poll() is None  # closing a window ends no run of others
    click(second, Action.UNPAUSE)
    wait_state(qtbot, second, State.RUNNING)
    third = opened(qtbot, trained, tmp_path / "three.ini")
    wait(qtbot, third, lambda: third.session.run.step > step + 500)
    assert [mark.new for mark in third.session.history.marks if isinstance(mark, m.KnobChanged)] == [5e-4]
    click(third, Action.STOP)
    for app in (second, third):
        wait_state(qtbot, app, State.STOPPED)
        assert Action.RESUME_RUN in app.session.allowed
    trained.process.wait(20)
    changes = [event for event in read_events(trained.folder) if isinstance(event, m.KnobChanged)]
    assert [(change.field, change.new) for change in changes] == [("learn.lr", 5e-4)]
    trained.resume()
    trained.wait_for_writer()
    wait_state(qtbot, third, State.RUNNING)  # by itself
    QTest.qWait(100)
    for app in (second, third):
        end(qtbot, app, timeout=20_000)
