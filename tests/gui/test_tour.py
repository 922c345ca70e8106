"""The tour: in every state and arrangement every button is pressed and every menu entry chosen.

Nothing may raise (an exception in a slot fails the test), the state stays one of the table, and what can be pressed
does something, or its name is in `IDLE` with the reason why it may do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from controls import Control, Key, controls
from driving import end, make_app, reach, show, until
from PySide6.QtCore import QSettings, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QMenu
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.app.app import App
from dqngui.gui.docking.arrangements import ARRANGEMENTS
from dqngui.lab.session.states import ALLOWED, Action, State
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import ScriptedPlayer

IDLE = {
    "As the system": "the system's colours may be those in use",
    "Train": "in use",
    "Watch": "in use",
    "Arrangement: Train": "in use",
    "Arrangement: Watch": "in use",
    "Inspect": "in use",
    "Arrangement: Inspect": "in use",
    "Reset layout": "every card is in its place",
    "Show all": "everything is shown",
    "Usual text size": "the text has that size",
    "Undo knob change": "a later answer may undo it",
    "Open": "the run is open already",
    "Next head": "nothing is played yet",
    "Previous head": "nothing is played yet",
    "Next layer": "nothing is played yet",
    "Previous layer": "nothing is played yet",
    "All heads": "nothing is played yet",
    "Each key, or sums over each part": "nothing is played yet",
    "Next row": "nothing is played yet",
    "Previous row": "nothing is played yet",
    "Start": "it waits for torch or a valid experiment",
    "Resume in the queue": "the queue is written in the background",
    "Fork in the queue": "the queue is written in the background",
}
EVERYWHERE_ALIKE = {"As the system", "Dark", "Light", "Larger text", "Smaller text", "Usual text size"}
"""Entries that do the same in every state, in seconds: chosen in the first case only."""
ALIKE = {State.STARTING, State.PAUSED, State.STOPPING, State.STOPPED, State.FINISHED, State.FAILED}
"""States that allow most of what the others allow: their tours are slow tests."""
QUICK = ((State.READY, ("train",)), (State.RUNNING, (*ARRANGEMENTS,)))
"""States and arrangements of `make test`: each control is pressed in the first arrangement that shows it."""
FIRST = (State.READY, "train")
CASES = [
    *(pytest.param(state, arrangements, id=state.value) for state, arrangements in QUICK),
    *(
        pytest.param(state, (arrangement,), id=f"{state.value}-{arrangement}", marks=pytest.mark.slow)
        for state in State
        for arrangement in ARRANGEMENTS
        if (state, (arrangement,)) not in QUICK
    ),
]


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was handed to other programs; file dialogs are Qt's own."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    handed: list[str] = []

    def open_url(url: QUrl) -> bool:
        handed.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    yield handed
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, False)


class Tour:
    """One window in one state, put back into it whenever a control leaves it."""

    def __init__(self, app: App, state: State, handed: list[str]) -> None:
        self.app, self.state, self.handed = app, state, handed
        self.quits = 0
        self.arrangement = ""
        self.arranged: tuple[object, ...] = ()
        app.window.resize(1600, 1000)  # every card in sight
        app.window.close_asked.disconnect()
        app.window.close_asked.connect(self._on_quit)

    def arrange(self, arrangement: str) -> None:
        """Into the state with this arrangement of the cards."""
        self.arrangement = arrangement
        self.arranged = ()
        self.back()

    def _on_quit(self) -> None:
        self.quits += 1

    def back(self) -> None:
        """Into the state again, from wherever a control led."""
        session = self.app.session
        if session.job.active:
            ScriptedHost.opened[-1].kill()
            until(lambda: not session.job.active)
        session.new_run()
        reach(self.app, State.RUNNING if self.state not in (State.READY, State.STARTING) else self.state)
        if self.state is State.STARTING:
            ScriptedHost.opened[-1].silent = True
        if session.state is State.RUNNING:
            fill(ScriptedHost.opened[-1])
            until(lambda: session.run.step >= 4_000)
            self._onwards()
        if self.arranged != self._arranged():
            self.app.window.arrange(self.arrangement)
            self.app.window.layouts.reset()
            self.arranged = self._arranged()
        QApplication.processEvents()

    def _arranged(self) -> tuple[object, ...]:
        docks = self.app.window.docks.values()
        return self.app.window.layouts.name, *((dock.isHidden(), dock.isFloating()) for dock in docks)

    @staticmethod
    def settle() -> None:
        """Let the session tick and widgets follow."""
        for _ in range(4):
            QApplication.processEvents()

    def _onwards(self) -> None:
        """From running to the state of this tour."""
        session, host = self.app.session, ScriptedHost.opened[-1]
        match self.state:
            case State.PAUSED:
                session.do(Action.PAUSE)
            case State.STOPPING:
                host.stops = False
                session.do(Action.STOP)
            case State.STOPPED | State.STORED:
                session.do(Action.STOP)
            case State.FINISHED:
                host.end()
            case State.FAILED:
                host.fail("The loss is not a number.")
        if self.state is State.STORED:
            until(lambda: session.state is State.STOPPED)
            folder = session.run.folder
            assert folder is not None
            session.open_stored(folder)
        until(lambda: session.state is self.state)

    # -- what there is to press -----------------------------------------------------------------------

    def controls(self) -> dict[Key, Control]:
        """Everything that can be pressed now, by a name that stays the same."""
        first = (self.state, self.arrangement) == FIRST
        found = controls(self.app.window, self._choices)
        return {key: control for key, control in found.items() if first or key[1] not in EVERYWHERE_ALIKE}

    def _choices(self, combo: QComboBox) -> Sequence[int]:
        """All entries of a list; in states like others the first and the last one stand for them."""
        every = range(combo.count())
        return sorted({*every[:1], *every[-1:]}) if self.state in ALIKE else every

    # -- what pressing did ----------------------------------------------------------------------------

    def traces(self) -> tuple[object, ...]:
        """What a control may change, without a look at the pixels."""
        session, window = self.app.session, self.app.window
        return (
            session.state,
            len(ScriptedHost.opened),
            sum(len(host.sent) for host in ScriptedHost.opened),
            sum(len(host.sent) for host in ScriptedPlayer.opened),
            session.run.experiment,
            session.run.folder,
            session.run.notice,
            window.banner.text.text() if window.banner.isVisible() else "",
            QGuiApplication.clipboard().text(),
            len(self.handed),
            self.quits,
            len(self.dialogs()),
            window.layouts.name,
            tuple(dock.isHidden() for dock in window.docks.values()),
            tuple(action.isChecked() for action in window.findChildren(QAction)),
            tuple(button.isChecked() for button in window.findChildren(QAbstractButton)),
        )

    def picture(self) -> QImage:
        """The window as it stands on the screen, without painting it anew."""
        window = self.app.window
        return window.screen().grabWindow(window.winId()).toImage()

    @staticmethod
    def dialogs() -> list[QDialog]:
        return [each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible()]

    def press(self, key: Key, press: Callable[[], object]) -> bool:
        """Press it and put everything back; True if it had an effect."""
        QGuiApplication.clipboard().clear()
        before, picture = self.traces(), self.picture()
        press()
        self.settle()
        effect = before != self.traces() or picture != self.picture()
        for dialog in self.dialogs():
            dialog.reject()
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QMenu) and widget.isVisible():
                widget.close()
        QApplication.processEvents()
        session = self.app.session
        assert session.state in State, key
        assert session.allowed <= ALLOWED[session.state], key
        if session.state is not self.state:
            self.back()
        elif self.arranged != self._arranged():
            self.app.window.arrange(self.arrangement)
            self.app.window.layouts.reset()
        return effect


def fill(host: ScriptedHost) -> None:
    """Something of everything that a run tells."""
    for step in range(100, 4_001, 100):
        host.emit(m.EpisodeEnded(step=step, ret=float(step % 700), length=50))
        host.emit(m.Learned(step=step, updates=step // 64, loss=0.1, td_error=0.2, q_mean=1.0, grad_norm=0.5))
    host.emit(m.Evaluated(step=2_000, returns=(200.0,), lengths=(200,), mean=200.0, best=True))
    host.emit(m.KnobChanged(step=2_500, field="learn.lr", old=1e-3, new=5e-4))
    host.emit(m.Warned(step=3_000, text="The environment is slow."))


@pytest.fixture
def place(qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[App]:
    ScriptedHost.opened.clear()
    monkeypatch.setattr("dqngui.lab.session.session.TICK_MS", 0)  # a tick with every turn of the loop
    monkeypatch.setattr("dqngui.lab.session.session.READ_MS", 0)
    made = make_app(settings, monkeypatch, runs=tmp_path / "runs")
    show(qtbot, made)
    yield made
    for host in ScriptedHost.opened:
        host.kill()
    made.closing.begin(ask=False)
    end(qtbot, made)


@pytest.mark.parametrize(("state", "arrangements"), CASES)
def test_every_control_can_be_pressed_and_does_something(
    place: App, outside: list[str], state: State, arrangements: tuple[str, ...]
) -> None:
    tour = Tour(place, state, outside)
    seen: set[Key] = set()
    idle, pressed = [], 0
    for arrangement in arrangements:
        tour.arrange(arrangement)
        found = tour.controls()
        assert len(found) > 30
        keys = [key for key in found if key not in seen]
        seen.update(keys)
        for key in keys:
            if key not in found or not found[key].possible:
                found = tour.controls()
            if key not in found:  # it went with what an earlier control changed
                continue
            pressed += 1
            if not tour.press(key, found[key].press) and key[1] not in IDLE and not key[0].startswith("choice"):
                idle.append(key)
    assert pressed > 0.8 * len(seen)
    assert not idle
    assert tour.quits
