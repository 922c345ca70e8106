"""Nothing in the window is clipped, lacks a glyph or has no name, in any state, theme and arrangement."""

from __future__ import annotations

import pytest
from driving import reach, texts
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFontMetricsF, QRawFont, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollBar,
    QTabBar,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.app.app import App
from dqngui.gui.cards.card import Card
from dqngui.gui.docking.arrangements import ARRANGEMENTS
from dqngui.gui.main_window.shortcuts import ShortcutDialog
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.lab.session.states import State
from tests.doubles.scripted_host import ScriptedHost
from tests.thinned import thinned

INTERACTIVE = (QAbstractButton, QComboBox, QLineEdit, QAbstractSlider, QAbstractSpinBox, QAbstractItemView, QTabBar)
SIZES: list[tuple[themes.Setting, tuple[int, int]]] = [("light", (1600, 1000)), ("dark", (1280, 800))]


@pytest.fixture
def app(used_app: App) -> App:
    return used_app


def fill(host: ScriptedHost) -> None:
    for step in range(1_000, 60_000, 1_000):
        host.emit(m.EpisodeEnded(step=step, ret=123.4, length=50))
        host.emit(m.Learned(step=step, updates=step, loss=0.1, steps_per_second=12_345.6, updates_per_second=234.5))
    host.emit(m.Evaluated(step=50_000, returns=(-1234.5,), lengths=(200,), mean=-1234.5, best=True))
    host.emit(m.KnobChanged(step=52_000, field="learn.epsilon", old=None, new=0.123456))
    host.emit(m.KnobRefused(step=52_000, field="learn.lr", value=2.0, kept=1e-3, reason="must be at most 1"))


@pytest.mark.parametrize("state", thinned(State, quick=[State.STARTING, State.PAUSED, State.STORED]))
def test_every_string_is_whole(qtbot: QtBot, app: App, state: State) -> None:
    window = app.window
    reach(app, state)
    if state is State.STARTING:
        ScriptedHost.opened[-1].silent = True
    if state in (State.RUNNING, State.PAUSED):
        fill(ScriptedHost.opened[-1])
        qtbot.waitUntil(lambda: app.session.run.step >= 52_000)
    for theme, size in SIZES:
        window.set_theme(theme)
        window.resize(*size)
        for arrangement in ARRANGEMENTS:
            window.arrange(arrangement)
            qtbot.wait(60)
            window.panel_docks.refresh()
            QApplication.processEvents()
            for _ in range(3):  # layouts follow texts with posted events; no timer may change a text between
                QApplication.sendPostedEvents()
            assert app.session.state is state
            check(window)


def check(window: QWidget) -> None:
    raw = QRawFont.fromFont(themes.font())
    for widget, text in texts(window):
        for letter in text:
            assert letter.isspace() or raw.supportsCharacter(ord(letter)), (widget, text, letter)
    for button in window.findChildren(QAbstractButton):
        if not button.isVisible() or not button.text() or not isinstance(button, (QPushButton, QToolButton)):
            continue
        if isinstance(button, QToolButton) and button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly:
            continue
        assert QFontMetricsF(button.font()).horizontalAdvance(button.text()) <= button.width(), button.text()
        assert button.width() >= min(button.sizeHint().width(), button.minimumSizeHint().width()), button.text()
    for label in window.findChildren(QLabel):
        if not label.isVisible() or label.visibleRegion().isEmpty() or isinstance(label, ElidedLabel):
            continue
        if label.wordWrap():
            assert label.heightForWidth(label.width()) <= label.height(), label.text()
        elif label.text():
            assert label.sizeHint().width() <= label.width() + 1, (label.text(), label.parent())
            assert label.fontMetrics().height() <= label.height() + 2, label.text()


def told(widget: QWidget) -> bool:
    """It has a tooltip, or what it stands in has: Qt shows that one then."""
    at: QWidget | None = widget
    while at is not None and not isinstance(at, Card):
        if at.toolTip():
            return True
        at = at.parentWidget()
    return False


@pytest.mark.parametrize("state", [State.READY, State.PAUSED])
def test_every_interactive_widget_has_a_name_and_says_what_it_does(qtbot: QtBot, app: App, state: State) -> None:
    reach(app, state)
    nameless, untold = [], []
    for arrangement in ARRANGEMENTS:
        app.window.arrange(arrangement)
        qtbot.wait(30)
        for kind in INTERACTIVE:
            for widget in app.window.findChildren(kind):
                inner = isinstance(widget.parent(), (QComboBox, QAbstractSpinBox, QTabBar, QLineEdit))
                if widget.window() is not app.window:  # the list of a choice
                    continue
                if inner or isinstance(widget, (QScrollBar, QHeaderView)) or widget.objectName().startswith("qt_"):
                    continue
                words = widget.text() if isinstance(widget, QAbstractButton) else ""
                if not (widget.accessibleName() or words):
                    nameless.append((arrangement, type(widget), widget.toolTip(), type(widget.parent())))
                if not isinstance(widget, QTabBar) and widget.isVisible() and not told(widget):
                    untold.append((arrangement, type(widget), words or widget.accessibleName()))
    assert not nameless
    assert not untold


def test_the_dialog_of_shortcuts_lists_every_one(qtbot: QtBot, app: App) -> None:
    app.window.show_shortcuts()
    (dialog,) = app.window.findChildren(ShortcutDialog)
    shown = dialog.shown_text()
    dialog.close()
    actions = [action for action in app.window.findChildren(QAction) if not action.shortcut().isEmpty()]
    assert len(actions) > 15
    for action in actions:
        assert action.text().rstrip("…") in shown
        assert action.shortcut().toString() in shown, action.text()
    keys = app.window.findChildren(QShortcut)
    assert len(keys) > 8
    for each in keys:
        assert each.whatsThis() and each.whatsThis() in shown, each.key().toString()


def test_no_two_actions_that_can_be_enabled_together_share_keys(app: App) -> None:
    seen: dict[str, str] = {}
    for action in app.window.actions():
        for keys in action.shortcuts():
            other = seen.setdefault(keys.toString(), action.text())
            assert other == action.text() or {other, action.text()} == {"Pause", "Continue"}, keys.toString()


def test_tab_goes_round_the_whole_window(app: App) -> None:
    """Each widget that takes focus is visited once, the header's before the cards', and it ends where it began."""
    window = app.window
    order: list[QWidget] = []
    at = window.nextInFocusChain()
    while at is not window and len(order) < 5_000:
        order.append(at)
        at = at.nextInFocusChain()
    assert at is window
    takes = [
        widget
        for widget in order
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None
    ]
    assert len({id(widget) for widget in takes}) == len(takes) > 30
    header = [number for number, widget in enumerate(takes) if window.header.isAncestorOf(widget)]
    cards = [
        number for number, widget in enumerate(takes) if any(d.isAncestorOf(widget) for d in window.docks.values())
    ]
    assert max(header) < min(cards)
