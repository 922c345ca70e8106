"""Makes a whole window with scripted jobs, and brings it into any state through its public actions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from dqngui import presets
from dqngui.config import Experiment
from dqngui.gui.app.app import App
from dqngui.gui.style import theme as themes
from dqngui.hosts import OpenHost
from dqngui.lab.queue.worker_process import StartedWorker, StartWorker
from dqngui.lab.session.states import Action, State
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import ScriptedPlayer


def make_app(
    settings: QSettings,
    monkeypatch: pytest.MonkeyPatch,
    runs: Path | None = None,
    open_play_host: OpenHost = ScriptedPlayer,
    start_worker: StartWorker = StartedWorker,
) -> App:
    """Make a window without torch and processes: torch counts as loaded, training and playing are scripted."""
    monkeypatch.setattr("dqngui.gui.app.torch_loader.find_devices", lambda: [("cpu", "Processor")])
    monkeypatch.setattr(QApplication, "quit", lambda: None)
    made = App(
        presets.read_experiment("cartpole-positions"),
        runs=runs,
        settings=settings,
        theme="dark",
        open_train_host=ScriptedHost,
        open_play_host=open_play_host,
        start_worker=start_worker,
    )
    made.window.resize(1280, 800)
    return made


def show(qtbot: QtBot, app: App) -> None:
    app.window.show()
    qtbot.waitExposed(app.window)
    qtbot.waitUntil(lambda: app.shown_at > 0)
    app.session.on_torch_loaded()


def renew(app: App) -> None:
    """Bring a used window to what it was when it was new: no run, the first experiment, theme, size and layout."""
    window, session = app.window, app.session
    for host in ScriptedHost.opened:
        host.kill()
    until(lambda: not session.job.active)
    for dialog in QApplication.topLevelWidgets():
        if isinstance(dialog, QDialog) and dialog.isVisible():
            dialog.reject()
    app.pinning.live()
    session.new_run()  # of a stored run nothing can be set
    for _ in window.breakpoints.entries:
        window.breakpoints.remove(0)
    session.runs = None
    session.load(presets.read_experiment("cartpole-positions"))
    session.new_run()
    if themes.current().name != "dark":
        window.set_theme("dark")
    window.resize(1280, 800)
    window.arrange("train")
    window.layouts.reset()
    until(lambda: session.state is State.READY)
    QApplication.processEvents()


def live_app(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, experiment: Experiment, folder: Path) -> Iterator[App]:
    """A shown window in which nothing is scripted, with its settings and runs in a folder; closed afterwards."""
    monkeypatch.setattr(QApplication, "quit", lambda: None)
    settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    app = App(experiment, runs=folder / "runs", settings=settings, theme="dark")
    app.window.resize(1600, 1000)
    app.window.show()
    qtbot.waitExposed(app.window)
    yield app
    end(qtbot, app, timeout=60_000)


def end(qtbot: QtBot, app: App, timeout: int = 5_000) -> None:
    app.closing.begin(ask=False)
    qtbot.waitUntil(lambda: app.closing.done, timeout=timeout)
    app.deleteLater()
    app.window.deleteLater()


def until(reached: Callable[[], bool], seconds: float = 5.0) -> None:
    """Process events until a condition is true. It checks more often than `qtbot.waitUntil`."""
    latest = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < latest, "waited too long"
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        time.sleep(0.001)


def hover(widget: QWidget, at: QPoint) -> None:
    """Move the mouse without a button. QTest would keep the button of an earlier double click pressed."""
    none = Qt.MouseButton.NoButton
    where, anywhere = QPointF(at), QPointF(widget.mapToGlobal(at))
    move = QMouseEvent(QEvent.Type.MouseMove, where, anywhere, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, move)


def reach(app: App, state: State) -> None:
    """Bring the session into a state as a user would; runs are stored in the folder of the settings file."""
    session = app.session
    if state is State.STORED:
        session.runs = Path(app.window.settings.fileName()).parent / "runs"
    if state is State.READY:
        return
    session.do(Action.START)
    if state is State.STARTING:
        return
    until(lambda: session.state is State.RUNNING)
    host = ScriptedHost.opened[-1]
    if state is State.PAUSED:
        session.do(Action.PAUSE)
    elif state is State.STOPPING:
        host.stops = False
        session.do(Action.STOP)
    elif state in (State.STOPPED, State.STORED):
        session.do(Action.STOP)
    elif state is State.FINISHED:
        host.end()
    elif state is State.FAILED:
        host.fail("The loss is not a number.")
    if state is State.STORED:
        until(lambda: session.state is State.STOPPED)
        folder = session.run.folder
        assert folder is not None
        session.open_stored(folder)
    until(lambda: session.state is state)


def texts(window: QWidget) -> Iterator[tuple[QWidget, str]]:
    """Every visible text, with its widget."""
    for widget in window.findChildren(QWidget):
        if isinstance(widget, (QLabel, QAbstractButton, QLineEdit)):
            yield widget, widget.text()
        if isinstance(widget, QComboBox):
            yield from ((widget, widget.itemText(index)) for index in range(widget.count()))
        if widget.toolTip():
            yield widget, widget.toolTip()
        for action in widget.actions():
            yield widget, action.text()
            yield widget, action.toolTip()
