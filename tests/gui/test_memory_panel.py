"""What the Memory panel shows of announced views: units over time, sorted, and one unit's curves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.ordering import by_variance
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from tests.doubles.made_playing import CELL, GATE, HIDDEN, LAGS, RECURRENT, SLOTS, began, episode, extend, rows_of


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def shown(qtbot: QtBot, playing: PlayedEpisode, height: int = 300) -> MemoryPanel:
    panel = MemoryPanel()
    qtbot.addWidget(panel)
    panel.resize(430, height)
    panel.show()
    qtbot.waitExposed(panel)
    feed(panel, playing)
    panel.show(History())
    QApplication.processEvents()
    return panel


def feed(panel: MemoryPanel, playing: PlayedEpisode) -> None:
    panel.take_views(playing)
    panel.refresh()


def test_signed_views_are_symmetric_about_zero_and_gates_are_shares(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode())
    low, high = panel.bar.limits
    assert low == -high < 0
    panel.choice.trigger(GATE.name)
    assert panel.bar.limits[0] == 0.0
    assert panel.bar.limits[1] <= 1.0
    assert panel.choice.offered == {HIDDEN.name: "hidden state", CELL.name: "cell state", GATE.name: "forget gate"}


def test_a_click_chooses_the_unit_and_draws_its_curves(qtbot: QtBot) -> None:
    playing = episode()
    panel = shown(qtbot, playing)
    place = panel.map.place
    at = QPoint(round(panel.map.x_of(30)), round(place.top() + 20.5 * place.height() / 64))
    QTest.mouseClick(panel.map, Qt.MouseButton.LeftButton, pos=at)
    assert panel.row == panel.map.chosen == 20
    assert [(each.name, panel.states.caption) for each in panel.states.series] == [
        ("hidden", "unit 21"), ("cell", "unit 21"),
    ]  # fmt: skip
    np.testing.assert_array_equal(panel.states.series[1].values, playing.view(CELL.name)[:, 20])
    assert [each.name for each in panel.shares.series] == ["forget"]
    assert panel.states.words_at(5, 0).startswith("t 5 · hidden ")


def test_rows_can_be_walked_through_in_the_order_drawn(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode())
    panel.sort_by("variance")
    order = panel.map.order.tolist()
    entries = {action.text(): action for action in panel.menu_actions}
    panel.choose_row(order[3])
    entries["Next row"].trigger()
    assert panel.row == order[4]
    entries["Previous row"].trigger()
    entries["Previous row"].trigger()
    assert panel.row == order[2]


def test_rows_are_sorted_at_an_episodes_start_its_end_and_when_asked(qtbot: QtBot) -> None:
    tensors = rows_of((HIDDEN,), 400)
    values = tensors[f"view/{HIDDEN.name}"]
    values *= np.linspace(0.1, 3.0, 400)[:, None] ** np.linspace(-1, 1, 64)  # who varies most changes with time
    playing = began((HIDDEN,))
    panel = shown(qtbot, extend(playing, tensors, 100))
    assert panel.map.order.tolist() == list(range(64))
    panel.sorting.trigger("variance")
    np.testing.assert_array_equal(panel.map.order, by_variance(values[:100]))
    for until in (150, 300):
        feed(panel, extend(playing, tensors, until))
        np.testing.assert_array_equal(panel.map.order, by_variance(values[:100]))
    panel.sort_by("variance")  # asked again
    np.testing.assert_array_equal(panel.map.order, by_variance(values[:300]))
    feed(panel, extend(playing, tensors, 400, ended=True))
    np.testing.assert_array_equal(panel.map.order, by_variance(values))
    assert not np.array_equal(by_variance(values[:100]), by_variance(values))
    again = began((HIDDEN,))
    feed(panel, extend(again, tensors, 10))
    assert panel.map.order.tolist() == list(range(64))
    feed(panel, extend(again, tensors, 60))
    np.testing.assert_array_equal(panel.map.order, by_variance(values[:32]))
    panel.sorting.trigger("index")
    assert panel.map.order.tolist() == list(range(64))


def test_attention_over_past_steps_is_the_mean_of_the_heads(qtbot: QtBot) -> None:
    tensors = rows_of((LAGS,), 60)
    playing = began((LAGS,))
    panel = shown(qtbot, extend(playing, tensors, 30))
    feed(panel, extend(playing, tensors, 60))
    expected = playing.view(LAGS.name).mean(axis=1)[:, ::-1]
    np.testing.assert_allclose(panel.map.values, expected, rtol=1e-6)
    assert panel.map.rows[-1] == "past step 0"
    assert panel.map.title == "past step"
    assert panel.row == 15  # the present step
    assert panel.shares.isVisible()
    assert not panel.states.isVisible()


def test_other_axes_are_flattened_to_rows(qtbot: QtBot) -> None:
    playing = episode((SLOTS,))
    panel = shown(qtbot, playing)
    assert panel.map.rows == tuple(f"slot {slot} · unit {unit}" for slot in (1, 2, 3) for unit in (1, 2, 3, 4, 5))
    assert panel.map.title == "slot · unit"
    np.testing.assert_array_equal(panel.map.values, playing.view(SLOTS.name).reshape(100, 15))


def test_a_view_with_fewer_rows_keeps_the_choice_within_them(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode((HIDDEN, SLOTS)))
    panel.choose_row(50)
    panel.choose_view(SLOTS.name)
    assert panel.row == 0
    panel.choose_view(HIDDEN.name)
    assert panel.map.chosen == 0


def test_colours_change_in_steps(qtbot: QtBot) -> None:
    tensors = rows_of((HIDDEN,), 500)
    tensors[f"view/{HIDDEN.name}"] *= np.linspace(0.01, 1.0, 500)[:, None]
    playing = began((HIDDEN,))
    panel = shown(qtbot, extend(playing, tensors, 1))
    limits = []
    for until in range(2, 501):
        feed(panel, extend(playing, tensors, until))
        limits.append(panel.bar.limits[1])
    assert limits[-1] > 10 * limits[0]
    assert sum(before != after for before, after in itertools.pairwise(limits)) <= 12


def test_a_low_card_leaves_out_gates_first(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode(RECURRENT), 300)
    assert panel.states.isVisible()
    assert panel.shares.isVisible()
    panel.resize(430, 200)
    assert panel.states.isVisible()
    assert not panel.shares.isVisible()
    panel.resize(430, 150)
    assert not panel.states.isVisible()
    assert panel.map.axis_shown


def test_a_matrix_is_drawn_at_the_shown_step_and_a_click_on_a_cell_draws_its_curve(qtbot: QtBot) -> None:
    playing = episode((SLOTS, HIDDEN), t=7)
    panel = shown(qtbot, playing, height=320)
    panel.choose_view(SLOTS.name)
    assert panel.now.isVisible() and panel.now.names.axes == ("slot", "unit")
    np.testing.assert_array_equal(panel.now.values[0], playing.view(SLOTS.name)[7])
    panel.follow(8)
    np.testing.assert_array_equal(panel.now.values[0], playing.view(SLOTS.name)[8])
    panel.now.clicked.emit(0, 2, 3)
    assert panel.states.caption == "slot 3 · unit 4"
    np.testing.assert_array_equal(panel.states.series[0].values, playing.view(SLOTS.name)[:, 2, 3])
    panel.choose_view(HIDDEN.name)
    assert panel.now.isHidden()


def test_a_path_is_followed_into_an_agent_without_the_matrix(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode((SLOTS,)), height=320)
    panel.show_as_path(True)
    feed(panel, episode((HIDDEN,)))
    panel.follow(8)
    panel.show_as_path(False)
    panel.refresh()
    assert panel.now.isHidden() and panel.map.isVisible()


def test_a_low_card_draws_a_matrix_over_the_episode_only(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode((SLOTS,)), height=180)
    assert panel.now.isHidden() and panel.map.isVisible()
