"""Arrangements fit every window, stay as their user left them, and fall back where they cannot."""

from __future__ import annotations

import pytest
from driving import end, make_app, show
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabBar
from pytestqt.qtbot import QtBot

from dqngui import config
from dqngui.gui.app.app import App
from dqngui.gui.docking import layout as layouts
from dqngui.gui.docking.arrangements import ARRANGEMENTS, BEHIND, LISTS, STUDY_CARDS
from dqngui.gui.main_window.window import SMALLEST
from dqngui.gui.style import theme as themes

TRAIN = [
    "experiment",
    "knobs",
    "return",
    "learning",
    "exploration",
    "attention",
    "memory",
    "agent",
    "runs",
    "queue",
    "log",
]
WATCH = ["agent", "attention", "memory", "return", "runs"]
INSPECT = ["agent", "attention", "memory", "return", "whatif"]


def in_sight(app: App) -> set[str]:
    return {name for name, dock in app.window.docks.items() if dock.isVisible() and not dock.visibleRegion().isEmpty()}


def at(qtbot: QtBot, app: App, width: int, height: int, arrangement: str = "train") -> None:
    app.window.resize(width, height)
    app.window.arrange(arrangement)
    qtbot.wait(50)


@pytest.mark.parametrize("size", [SMALLEST, (1280, 800), (1440, 900), (1600, 1000), (2560, 1440)])
def test_no_card_is_smaller_than_it_may_be(qtbot: QtBot, app: App, size: tuple[int, int]) -> None:
    for arrangement in ARRANGEMENTS:
        at(qtbot, app, *size, arrangement)
        window = app.window
        assert (window.width(), window.height()) == size, arrangement
        assert window.layouts.fits(), arrangement
        for name in in_sight(app):
            dock, where = window.docks[name], (arrangement, name)
            left, bottom = dock.mapTo(window, QPoint(0, 0)), dock.mapTo(window, QPoint(dock.width(), dock.height()))
            assert left.x() >= 0, where
            assert left.y() >= window.header.height(), where
            assert bottom.x() <= size[0], where
            assert bottom.y() <= size[1] - window.status.height(), where


def test_with_room_every_card_is_in_sight_and_none_in_a_tab(qtbot: QtBot, app: App) -> None:
    known, docks = set(app.window.docks), app.window.docks
    for size, behind in (((1600, 1000), {"queue"}), ((2560, 1440), set[str]())):
        at(qtbot, app, *size)
        assert in_sight(app) == known & set(TRAIN) - behind == known - set(BEHIND) - behind
        tabs = {name for name, dock in docks.items() if app.window.tabifiedDockWidgets(dock)}
        assert tabs == (set(LISTS) if behind else set())
        at(qtbot, app, *size, "watch")
        assert in_sight(app) == known & set(WATCH)
        app.window.arrange("train")


def test_watch_makes_the_agent_the_largest(qtbot: QtBot, app: App) -> None:
    at(qtbot, app, 1600, 1000, "watch")
    area = {name: app.window.docks[name].width() * app.window.docks[name].height() for name in in_sight(app)}
    assert max(area, key=lambda name: area[name]) == "agent"
    assert not {"experiment", "knobs"} & set(area)


def test_inspect_shows_an_episode_in_every_card_beside_the_curve(qtbot: QtBot, app: App) -> None:
    for size in ((1280, 800), (1600, 1000), (2560, 1440)):
        at(qtbot, app, *size, "inspect")
        assert set(INSPECT) <= in_sight(app)
        assert not {"experiment", "knobs"} & in_sight(app)
        assert app.window.docks["return"].height() < app.window.docks["agent"].height()
        assert app.window.docks["whatif"].width() >= 300
        app.window.arrange("train")
        assert not set(STUDY_CARDS) & in_sight(app)


def test_a_small_window_uses_tabs_and_a_card_in_a_tab_leaves_its_title_to_it(qtbot: QtBot, app: App) -> None:
    at(qtbot, app, 1600, 1000)
    assert app.window.docks["learning"].card.titled
    at(qtbot, app, 1280, 800)
    pair = [app.window.docks["learning"], app.window.docks["exploration"]]
    assert pair[1] in app.window.tabifiedDockWidgets(pair[0])
    qtbot.waitUntil(lambda: not pair[0].card.titled)
    (bar,) = [
        bar for bar in app.window.findChildren(QTabBar) if bar.isVisible() and bar.tabText(0) == pair[0].windowTitle()
    ]
    assert all(bar.tabRect(i).width() > bar.fontMetrics().horizontalAdvance(bar.tabText(i)) for i in range(bar.count()))
    app.window.resize(1600, 1000)
    qtbot.waitUntil(lambda: not app.window.tabifiedDockWidgets(pair[0]))
    assert in_sight(app) == set(app.window.docks) - set(BEHIND) - {"queue"}
    qtbot.waitUntil(lambda: pair[0].card.titled)


def test_the_form_keeps_its_width_and_plots_get_the_room(qtbot: QtBot, app: App) -> None:
    at(qtbot, app, 1600, 1000)
    before = app.window.docks["experiment"].width(), app.window.docks["return"].width()
    app.window.resize(2000, 1000)
    qtbot.wait(50)
    assert app.window.docks["experiment"].width() - before[0] <= 10
    assert app.window.docks["return"].width() - before[1] >= 250


def drag_separator(qtbot: QtBot, app: App, start: QPoint, by: QPoint) -> None:
    """As a hand does it; `start` lies in the gap between two cards."""
    window = app.window
    QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=start)
    for part in (1, 2, 3):
        QTest.mouseMove(window, start + by * part / 3)
        qtbot.wait(20)
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, pos=start + by)
    qtbot.wait(50)


def right_of(app: App, name: str) -> QPoint:
    dock = app.window.docks[name]
    return dock.mapTo(app.window, QPoint(dock.width() + 5, dock.height() // 2))


def below(app: App, name: str) -> QPoint:
    dock = app.window.docks[name]
    return dock.mapTo(app.window, QPoint(dock.width() // 2, dock.height() + 5))


def test_a_dragged_column_keeps_its_width_in_every_window_and_after_a_restart(
    qtbot: QtBot, app: App, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(qtbot, app, 1600, 1000)
    form = app.window.docks["experiment"]
    wanted = form.width() + 50
    drag_separator(qtbot, app, right_of(app, "experiment"), QPoint(50, 0))
    assert abs(form.width() - wanted) <= 2
    wanted = form.width()
    for size in ((2200, 1200), (1600, 1000), (1400, 880)):
        app.window.resize(*size)
        qtbot.wait(50)
        assert form.width() == wanted
    app.closing.begin(ask=False)
    qtbot.waitUntil(lambda: app.closing.done)
    again = make_app(settings, monkeypatch)
    again.window.restore_layout(geometry=False)
    again.window.resize(2000, 1100)
    show(qtbot, again)
    qtbot.wait(50)
    assert again.window.docks["experiment"].width() == wanted
    end(qtbot, again)


def test_heights_that_were_dragged_stay(qtbot: QtBot, app: App) -> None:
    at(qtbot, app, 1600, 1000)
    plot = app.window.docks["return"]
    before = plot.height()
    drag_separator(qtbot, app, below(app, "return"), QPoint(0, -60))
    assert abs(plot.height() - (before - 60)) <= 2
    changed = plot.height()
    app.window.resize(1700, 1000)
    qtbot.wait(50)
    assert plot.height() == changed
    app.window.arrange("watch")
    app.window.arrange("train")
    qtbot.wait(50)
    assert abs(plot.height() - changed) <= 2
    app.window.reset_layout()
    qtbot.wait(50)
    assert abs(plot.height() - before) <= 2


def test_each_arrangement_comes_back_as_it_was_left(
    qtbot: QtBot, app: App, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.window.set_theme("light")
    at(qtbot, app, 1600, 1000)
    app.window.docks["learning"].hide()
    app.window.arrange("watch")
    app.window.docks["log"].show()
    app.window.arrange("train")
    assert app.window.docks["learning"].isHidden()
    app.window.arrange("watch")
    assert not app.window.docks["log"].isHidden()
    app.closing.begin(ask=False)
    qtbot.waitUntil(lambda: app.closing.done)

    again = make_app(settings, monkeypatch)
    again.window.restore_layout()
    show(qtbot, again)
    assert again.window.layouts.name == "watch"
    assert again.window.switch.buttons["watch"].isChecked()
    assert not again.window.docks["log"].isHidden()
    assert again.window.docks["experiment"].isHidden()
    again.window.arrange("train")
    assert again.window.docks["learning"].isHidden()
    assert not again.window.docks["return"].isHidden()
    again.window.reset_layout()
    assert not again.window.docks["learning"].isHidden()
    again.window.arrange("watch")
    assert not again.window.docks["log"].isHidden()  # only the present one was reset
    end(qtbot, again)


def test_the_theme_comes_back(qtbot: QtBot, app: App, settings: QSettings) -> None:
    app.window.set_theme("light")
    themes.apply(QApplication.instance(), "dark")
    again = App(config.Experiment(), runs=None, settings=settings)
    assert themes.current().name == "light"
    end(qtbot, again)


@pytest.mark.slow  # makes six windows
def test_a_layout_that_is_not_ours_falls_back_to_the_default(
    qtbot: QtBot, app: App, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(qtbot, app, 1600, 1000)
    app.window.docks["return"].hide()
    app.closing.begin(ask=False)
    qtbot.waitUntil(lambda: app.closing.done)
    saved = {name: settings.value(name) for name in settings.allKeys()}
    for spoiled in ("version", "cards", "bytes", "size", "name"):
        settings.clear()
        for name, value in saved.items():
            settings.setValue(name, value)
        with monkeypatch.context() as patch:
            size = (1600, 1000)
            if spoiled == "version":
                patch.setattr(layouts, "VERSION", layouts.VERSION + 1)
            elif spoiled == "cards":
                settings.setValue("layout/cards", ["return", "gone"])
            elif spoiled == "bytes":
                settings.setValue("layout/train/state", b"no layout at all")
            elif spoiled == "size":
                size = SMALLEST  # nine cards side by side have no room here
            else:
                settings.setValue("layout/arrangement", "unheard of")
            again = make_app(settings, monkeypatch)
            if spoiled == "size":
                again.window.docks["experiment"].card.setMinimumWidth(420)
            again.window.restore_layout(geometry=False)
            again.window.resize(*size)
            show(qtbot, again)
            qtbot.wait(50)
            assert again.window.layouts.name == "train", spoiled
            assert again.window.docks["return"].isHidden() == (spoiled == "name"), spoiled
            assert again.window.layouts.fits(), spoiled
            end(qtbot, again)


def test_a_hidden_card_comes_back_from_the_menu_in_its_place(qtbot: QtBot, app: App) -> None:
    at(qtbot, app, 1600, 1000, "watch")
    form = app.window.docks["experiment"]
    assert form.isHidden()
    form.toggleViewAction().trigger()
    qtbot.wait(50)
    assert form.isVisible()
    assert not form.isFloating()
    assert form.x() < app.window.docks["agent"].x() if "agent" in app.window.docks else True


def test_the_switch_and_its_shortcuts_choose(qtbot: QtBot, app: App) -> None:
    at(qtbot, app, 1600, 1000)
    app.window.switch.buttons["watch"].click()
    assert app.window.layouts.name == "watch"
    QTest.keyClick(app.window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert app.window.layouts.name == "inspect"
    assert app.window.switch.buttons["inspect"].isChecked()
    QTest.keyClick(app.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert app.window.layouts.name == "train"
    assert app.window.switch.buttons["train"].isChecked()


def test_a_window_too_small_for_the_users_own_layout_shows_the_default_until_it_is_larger(
    qtbot: QtBot, app: App
) -> None:
    at(qtbot, app, 2000, 1200)
    app.window.docks["log"].hide()
    app.window.resize(1990, 1200)
    qtbot.wait(50)
    app.window.resize(*SMALLEST)
    qtbot.wait(50)
    assert app.window.layouts.fits()
    app.window.resize(2000, 1200)
    qtbot.wait(50)
    assert app.window.docks["log"].isHidden()
    assert app.window.layouts.fits()
    assert not app.window.tabifiedDockWidgets(app.window.docks["learning"])


def test_tabs_are_looked_at_once_for_all_cards_that_move(qtbot: QtBot, app: App) -> None:
    at(qtbot, app, 1600, 1000)
    dressed: list[str] = []
    app.window.layouts.tabs_changed.connect(lambda: dressed.append(app.window.layouts.name))
    at(qtbot, app, 1600, 1000, "inspect")
    assert 1 <= len(dressed) <= 4  # each card tells twice or more that it moved
