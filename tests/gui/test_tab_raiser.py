"""Of the cards in one place the one that has something to show of the agent comes to the front."""

from __future__ import annotations

import pytest
from driving import until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTabBar

from dqngui.gui.app.app import App
from dqngui.messages import View
from tests.doubles.made_playing import HIDDEN, SELF, episode


@pytest.fixture
def window(app: App) -> App:
    """The player says nothing by itself, and Attention and Memory share a place."""
    app.player.stop()
    app.window.resize(1280, 800)
    app.window.layouts.reset()
    until(lambda: in_front(app) == ["attention"])
    return app


def in_front(app: App) -> list[str]:
    return [name for name in app.window.panel_docks.in_sight if name in ("attention", "memory")]


def open_agent(app: App, *views: View) -> None:
    playing = episode(views)
    app.window.panel_docks.take_views(playing)
    app.window.paint_budget.request()
    app.window.tab_raiser.take_views(playing)


def test_a_memory_without_attention_comes_to_the_front_and_goes_back(window: App) -> None:
    open_agent(window, HIDDEN)
    until(lambda: in_front(window) == ["memory"])
    open_agent(window, SELF)
    until(lambda: in_front(window) == ["attention"])


def test_a_card_with_something_to_show_stays_in_front(window: App) -> None:
    open_agent(window, HIDDEN)
    until(lambda: in_front(window) == ["memory"])
    open_agent(window, SELF, HIDDEN)
    until(lambda: window.window.panel_docks.playing is not None)
    assert in_front(window) == ["memory"]
    open_agent(window)  # nothing to show anywhere
    assert in_front(window) == ["memory"]


def test_it_stays_so_when_the_cards_are_laid_out_again(window: App) -> None:
    open_agent(window, HIDDEN)
    until(lambda: in_front(window) == ["memory"])
    window.window.layouts.reset()
    until(lambda: in_front(window) == ["memory"])


def test_a_tab_that_the_user_chose_stays(window: App) -> None:
    open_agent(window, HIDDEN)
    until(lambda: in_front(window) == ["memory"])
    bar, index = next(
        (bar, index)
        for bar in window.window.findChildren(QTabBar)
        for index in range(bar.count())
        if bar.isVisible() and bar.tabText(index) == "Attention"
    )
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())
    until(lambda: in_front(window) == ["attention"])
    open_agent(window, View("memory/cell", ("unit",), (8,), signed=True))
    assert window.window.tab_raiser.chosen
    window.window.tab_raiser.raise_tab()
    assert in_front(window) == ["attention"]
