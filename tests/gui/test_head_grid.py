"""All heads of all layers in one grid, and one of them alone."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.gui.charts.canvas import color_table
from dqngui.gui.charts.layout.color_range import indices
from dqngui.gui.panels.internals.attention_panel import AttentionPanel
from dqngui.gui.panels.internals.head_choice import HeadChoice
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.shares import AttentionSummary
from dqngui.lab.analysis.views import Maps, entropy, layered
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from dqngui.messages import View
from tests.doubles.made_playing import HIDDEN, LAGS, POOL, SELF, began, episode, extend, rows_of

LAYERS = tuple(View(f"attention/self/{n}", SELF.axes, SELF.shape) for n in range(3))
PAST = tuple(View(f"memory/attention/{n}", LAGS.axes, LAGS.shape) for n in range(2))


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def shown(qtbot: QtBot, playing: PlayedEpisode, size: tuple[int, int] = (430, 320)) -> AttentionPanel:
    panel = AttentionPanel()
    qtbot.addWidget(panel)
    panel.resize(*size)
    panel.show()
    qtbot.waitExposed(panel)
    panel.take_views(playing)
    panel.show(History())
    QApplication.processEvents()
    return panel


def middle(panel: AttentionPanel, layer: int, head: int) -> QPoint:
    grid = panel.grid if panel.grid.isVisible() else panel.times
    return grid.place(layer, head).center().toPoint()


def test_views_of_several_layers_are_one_kind() -> None:
    other = View("attention/self/9", SELF.axes, (4, 3, 3))
    kinds = layered([*LAYERS, other, POOL, *PAST, HIDDEN])
    assert [(kind.key, len(kind.views)) for kind in kinds] == [("attention/self/*", 3), ("memory/attention/*", 2)]
    assert [kind.words for kind in kinds] == ["self-attention, all layers", "memory, all layers"]
    assert layered([SELF, POOL]) == []


def test_all_layers_come_first_and_every_cell_has_its_colour(qtbot: QtBot) -> None:
    playing = episode((*LAYERS, POOL), t=7)
    panel = shown(qtbot, playing)
    assert list(panel.choice.offered) == ["attention/self/*", *(view.name for view in LAYERS), POOL.name]
    assert panel.grid.isVisible() and not panel.now.isVisible() and not panel.alone.isVisible()
    panel.follow(33)
    for layer, view in enumerate(LAYERS):
        np.testing.assert_array_equal(panel.grid.values[layer], playing.view(view.name)[33])
    picture, table = panel.grid.grab().toImage(), color_table(False)
    for layer, head, row, column in np.ndindex(3, 4, 2, 2):
        place = panel.grid.place(layer, head)
        at = QPoint(
            round(place.left() + (column + 0.5) * place.width() / 2),
            round(place.top() + (row + 0.5) * place.height() / 2),
        )
        value = panel.grid.values[layer, head, row, column]
        expected = table[int(indices(value, 0.0, panel.bar.limits[1]))]
        assert picture.pixel(at) == expected, (layer, head, row, column)
    told = panel.grid.words_at(2, 1, 0.75, 0.25)
    assert told == f"layer 3 · head 2 · cart position · pole angle · {panel.grid.values[2, 1, 0, 1]:.2f}"


def test_below_stands_the_mean_of_all_and_then_that_of_the_one_alone(qtbot: QtBot) -> None:
    playing = episode(LAYERS)
    panel = shown(qtbot, playing)
    values = np.stack([playing.view(view.name) for view in LAYERS], axis=1)  # steps, layers, heads, queries, keys
    np.testing.assert_allclose(panel.over.values, values.mean(axis=(1, 2, 3)), rtol=1e-5)
    assert panel.over.caption == "mean of all layers and heads"
    QTest.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=middle(panel, 1, 2))
    assert (panel.layer, panel.head) == (1, 2)
    assert panel.alone.isVisible() and panel.alone.name.text() == "layer 2 · head 3"
    assert panel.now.isVisible() and not panel.grid.isVisible()
    np.testing.assert_array_equal(panel.now.values, values[0, 1, 2:3])
    np.testing.assert_allclose(panel.over.values, values[:, 1, 2].mean(axis=1), rtol=1e-5)
    assert panel.view == LAYERS[1], "what is exported and measured is the layer that is looked at"
    panel.follow(5)
    nats = entropy(values[5, 1, 2])[0].mean()
    assert panel.key_figure.text().removeprefix("entropy ").startswith(f"{nats:.2f} nats")


@pytest.mark.parametrize("way", ["click", "escape", "button", "menu"])
def test_many_ways_lead_back(qtbot: QtBot, way: str) -> None:
    panel = shown(qtbot, episode(LAYERS))
    QTest.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=middle(panel, 0, 3))
    assert (panel.layer, panel.head) == (0, 3)
    match way:
        case "click":
            QTest.mouseClick(panel.now, Qt.MouseButton.LeftButton, pos=panel.now.drawn.places[0].center().toPoint())
        case "escape":
            QTest.keyClick(panel, Qt.Key.Key_Escape)
        case "button":
            panel.alone.left.emit()
        case "menu":
            next(action for action in panel.menu_actions if action.text() == "All heads").trigger()
    QApplication.processEvents()
    assert panel.heads.shows_all and panel.grid.isVisible() and not panel.alone.isVisible()
    key = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    key.ignore()
    panel.event(key)
    assert not key.isAccepted(), "from now on the key means what it means elsewhere"


def test_one_goes_from_head_to_head_and_from_layer_to_layer() -> None:
    heads = HeadChoice()
    assert not heads.step(1)
    heads.set_counts(2, 3)
    seen = []
    for _ in range(7):
        assert heads.step(1)
        seen.append((heads.layer, heads.head))
    assert seen == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 0)]
    assert heads.step(-1) and (heads.layer, heads.head) == (1, 2)
    assert heads.step_layer(1) and (heads.layer, heads.head) == (0, 2)
    heads.set_counts(1, 2)  # another view
    assert heads.shows_all
    heads.choose(None, 1)
    assert heads.step(1) and heads.head == 0 and not heads.step_layer(1)
    heads.set_counts(4, 0)
    assert heads.step(-1) and (heads.layer, heads.head) == (3, None)
    heads.set_counts(1, 1)
    assert not heads.step(1)


def test_keys_go_from_head_to_head(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode(LAYERS))
    keys = {action.text(): action.shortcut().toString() for action in panel.menu_actions}
    assert keys["Next head"] == "H" and keys["Previous layer"] == "Shift+L"
    for action in panel.menu_actions[:3]:
        assert action.shortcutContext() == Qt.ShortcutContext.WidgetWithChildrenShortcut
        assert action in panel.actions()
    panel.alone.step_requested.emit(1)
    panel.alone.step_requested.emit(1)
    assert (panel.layer, panel.head) == (0, 1)


def test_past_steps_are_drawn_over_the_episode_for_every_head(qtbot: QtBot) -> None:
    playing = episode(PAST, steps=60, t=40)
    panel = shown(qtbot, playing, (1400, 420))
    assert panel.times.isVisible() and not panel.now.isVisible() and not panel.over.isVisible()
    panel.follow(41)
    assert panel.times.t == 41
    values = playing.view(PAST[1].name)
    np.testing.assert_array_equal(panel.times.values[1], values[..., ::-1])
    high, table = panel.bar.limits[1], color_table(False)
    place = panel.times.place(1, 3)
    picture = panel.times.grab().toImage()
    for t, lag in ((5, 15), (20, 0), (50, 7)):
        at = QPointF(place.left() + (t + 0.5) / 64 * place.width(), place.bottom() - (lag + 0.5) / 16 * place.height())
        assert picture.pixel(at.toPoint()) == table[int(indices(values[t, 3, lag], 0.0, high))]
    assert (
        panel.times.words_at(1, 3, 50.5 / 64, 8.5 / 16)
        == f"layer 2 · head 4 · t 50 reads t 43, 7 back · {values[50, 3, 7]:.2f}"
    )
    assert panel.times.words_at(0, 0, 3.5 / 64, 0.5 / 16).startswith("layer 1 · head 1 · t 3 · nothing 15 steps back")


def test_one_head_over_past_steps_takes_clicks_to_their_step(qtbot: QtBot) -> None:
    playing = episode(PAST, steps=60)
    panel = shown(qtbot, playing)
    QTest.mouseClick(panel.times, Qt.MouseButton.LeftButton, pos=middle(panel, 1, 2))
    QApplication.processEvents()
    assert panel.over.isVisible() and panel.now.isVisible() and not panel.times.isVisible()
    np.testing.assert_allclose(panel.over.values, playing.view(PAST[1].name)[:, 2, ::-1], rtol=1e-6)
    place = panel.over.place
    told = panel.over.words_at(30, place.bottom() - 2.5 / 16 * place.height())
    assert told.startswith("t 30 reads t 28, 2 back · ")
    asked: list[int] = []
    panel.seek_step = asked.append  # type: ignore[method-assign]
    at = QPoint(round(panel.over.x_of(30)), round(place.center().y()))
    QTest.mouseClick(panel.over, Qt.MouseButton.LeftButton, pos=at)
    assert asked == [30]
    panel.now.clicked.emit(0, 0, 3)  # heads are its rows
    assert (panel.layer, panel.head) == (1, 0)


def test_all_layers_are_exported_or_the_one_alone(qtbot: QtBot, tmp_path: Path) -> None:
    playing = episode(LAYERS, steps=3)
    panel = shown(qtbot, playing)
    for layer, expected in ((None, 3 * 3 * 16), (2, 3 * 16)):
        panel.choose(layer, None)
        panel.export_csv(tmp_path / "maps.csv")
        with (tmp_path / "maps.csv").open(newline="", encoding="utf-8") as file:
            head, *rows = csv.reader(file)
        assert head == [*(["view"] if layer is None else []), "t", "head", "query", "key", "value"]
        assert len(rows) == expected
    assert float(rows[5][-1]) == pytest.approx(float(playing.view(LAYERS[2].name)[0].ravel()[5]))


def test_a_single_head_has_no_grid(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode((View(LAGS.name, LAGS.axes, (1, 16)),)))
    assert panel.now.isVisible() and panel.over.isVisible() and not panel.times.isVisible()
    panel.take_views(episode((View("attention/rollout", ("query", "key"), (2, 2)),)))
    panel.refresh()
    QApplication.processEvents()
    assert panel.now.isVisible() and not panel.grid.isVisible() and not panel.alone.isVisible()
    panel.now.clicked.emit(0, 1, 1)
    assert panel.heads.shows_all


def test_layers_without_heads_stand_below_each_other(qtbot: QtBot) -> None:
    views = tuple(View(f"attention/pool/{n}", POOL.axes, POOL.shape) for n in range(2))
    panel = shown(qtbot, episode(views))
    assert panel.grid.values.shape == (2, 1, 4, 2) and panel.grid.heads == ("",)
    QTest.mouseClick(panel.grid, Qt.MouseButton.LeftButton, pos=middle(panel, 1, 0))
    QApplication.processEvents()
    assert (panel.layer, panel.head) == (1, None) and panel.now.names.rows[2] == "head 3"
    panel.now.clicked.emit(0, 2, 0)
    assert (panel.layer, panel.head) == (1, 2) and panel.now.chosen == 2


@pytest.mark.parametrize("size", [(220, 150), (300, 200), (430, 300), (900, 700)])
def test_maps_stay_inside_and_apart(qtbot: QtBot, size: tuple[int, int]) -> None:
    for views in (LAYERS, PAST):
        panel = shown(qtbot, episode(views), size)
        grid = panel.grid if views is LAYERS else panel.times
        assert grid.isVisible()
        places = [grid.place(layer, head) for layer, head in np.ndindex(len(grid.layers), len(grid.heads))]
        assert all(grid.rect().contains(place.toRect()) and place.height() > 4 for place in places)
        assert not any(one.intersects(other) for i, one in enumerate(places) for other in places[i + 1 :])


def test_shares_are_added_up_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    playing = episode(LAYERS, steps=90)
    maps = [Maps.of(playing, view) for view in LAYERS]
    values = [playing.view(view.name) for view in LAYERS]
    whole = AttentionSummary(maps, 1)
    assert not whole.take(values)
    monkeypatch.setattr("dqngui.lab.analysis.shares.CHUNK_VALUES", 48 * 40)
    parts = AttentionSummary(maps, 1)
    assert [parts.take(values), parts.take(values), parts.take(values)] == [True, True, False]
    for name in ("keys", "entropies", "maximum"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    nothing = AttentionSummary(maps, None)
    assert not nothing.take([each[:0] for each in values]) and nothing.known == 0


def test_a_long_episode_is_added_up_while_the_window_goes_on(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dqngui.lab.analysis.shares.CHUNK_VALUES", 500)
    tensors = rows_of(LAYERS, 100)
    panel = shown(qtbot, extend(began(LAYERS), tensors, 100))
    assert panel.over.length < 100
    qtbot.waitUntil(lambda: panel.over.length == 100)
