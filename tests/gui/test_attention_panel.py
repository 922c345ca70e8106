"""What the Attention panel shows of announced views, and says of them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.gui.cards.panel_card import card_of
from dqngui.gui.panels.internals.attention_panel import AttentionPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.views import Maps, combined, entropy, in_words, matching
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from dqngui.messages import View
from tests.doubles.made_playing import ACTIONS, LAGS, POOL, RECURRENT, SELF, TOKENS, began, episode, extend, rows_of


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def shown(qtbot: QtBot, playing: PlayedEpisode, height: int = 300) -> AttentionPanel:
    panel = AttentionPanel()
    qtbot.addWidget(panel)
    panel.resize(430, height)
    panel.show()
    qtbot.waitExposed(panel)
    panel.take_views(playing)
    panel.show(History())
    QApplication.processEvents()
    return panel


def test_names_of_views_in_words() -> None:
    words = {
        "attention/self/0": "self-attention, layer 1",
        "attention/pool": "pooling",
        "attention/action/1": "action attention, layer 2",
        "memory/attention/0": "memory, layer 1",
        "memory/hidden": "hidden state",
        "memory/cell": "cell state",
        "memory/gate/forget": "forget gate",
        "memory/read_weights": "read weights",
        "memory/slots/2": "slots, layer 3",
    }
    assert {name: in_words(name) for name in words} == words


def test_views_are_found_by_pattern_in_the_order_announced() -> None:
    playing = began((POOL, *RECURRENT[2:], LAGS, SELF))
    assert [view.name for view in matching(playing, AttentionPanel.views)] == [POOL.name, SELF.name, LAGS.name]


def test_every_pair_of_axes_becomes_maps() -> None:
    playing = episode((SELF, POOL, LAGS, ACTIONS), 3)
    own = Maps.of(playing, SELF)
    assert (own.titles, own.rows, own.columns, own.axes) == (
        ["head 1", "head 2", "head 3", "head 4"], list(TOKENS), list(TOKENS), ("query", "key"),
    )  # fmt: skip
    pooled = Maps.of(playing, POOL)
    assert (pooled.titles, pooled.rows, pooled.axes) == ([""], own.titles, ("", "key"))
    lags = Maps.of(playing, LAGS)
    assert lags.columns == [*(f"−{n}" for n in range(15, 0, -1)), "0"]
    assert lags.axes == ("", "past step")
    actions = Maps.of(playing, ACTIONS)
    assert (actions.titles, actions.rows) == (["head 1", "head 2"], ["1", "2", "3"])
    for view, maps in ((SELF, own), (POOL, pooled), (LAGS, lags), (ACTIONS, actions)):
        values = playing.view(view.name)[1]
        drawn = maps.at(values)
        assert drawn.shape == (len(maps.titles), len(maps.rows), len(maps.columns))
        np.testing.assert_array_equal(drawn.ravel(), (values[..., ::-1] if view is LAGS else values).ravel())
    assert combined([["a", "b"], ["1", "2"]]) == ["a · 1", "a · 2", "b · 1", "b · 2"]


def test_weights_of_cells_are_a_picture_a_head() -> None:
    view = View("attention/pool", ("head", "key"), (2, 8))
    playing = episode((view, SELF), 3)
    playing.ready = msgspec.structs.replace(playing.ready, cells=(1, 2, 3))  # a token before the six cells, one behind
    maps = Maps.of(playing, view)
    assert (maps.titles, maps.rows, maps.columns) == (["head 1", "head 2"], ["0", "1"], ["0", "1", "2"])
    assert maps.axes == ("row", "column") and len(maps.keys[0]) == 8
    values = playing.view(view.name)[1]
    np.testing.assert_array_equal(maps.at(values), values[:, 1:7].reshape(2, 2, 3))
    assert Maps.of(playing, SELF).cells is None  # queries stand between
    playing.ready = msgspec.structs.replace(playing.ready, transposed=True)  # the observation has x before y
    maps = Maps.of(playing, view)
    assert (maps.rows, maps.columns) == (["0", "1", "2"], ["0", "1"])
    np.testing.assert_array_equal(maps.at(values), values[:, 1:7].reshape(2, 2, 3).swapaxes(1, 2))


def test_the_picture_and_the_share_of_every_token_are_drawn(qtbot: QtBot) -> None:
    view = View("attention/pool", ("head", "key"), (2, 8))
    playing = episode((view,), 3)
    playing.ready = msgspec.structs.replace(playing.ready, cells=(1, 2, 3))
    panel = shown(qtbot, playing)
    assert panel.now.values.shape == (2, 2, 3)
    assert len(panel.over.rows) == 8
    assert panel.now.words_at(0, 1, 2).startswith("head 1 · row 1 · column 2 · ")
    panel.now.clicked.emit(1, 0, 0)
    assert panel.head == 1


def test_axes_that_nobody_has_announced_yet_are_rows() -> None:
    view = View("attention/strange", ("layer", "head", "slot", "key"), (2, 3, 4, 5))
    maps = Maps.of(episode((view,), 2), view)
    assert len(maps.titles) == 3
    assert maps.rows[:2] == ["1 · 1", "1 · 2"]
    assert maps.axes == ("layer · slot", "key")
    values = np.arange(120.0).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(maps.at(values)[1], values[:, 1].reshape(8, 5))


def test_entropy_of_shares() -> None:
    nats, most = entropy(np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]]))
    np.testing.assert_allclose(nats, [np.log(2), 0.0, 0.5623351446])
    np.testing.assert_allclose(most, [np.log(2), 0.0, np.log(2)])
    assert np.isnan(entropy(np.array([np.nan, 1.0]))[0])


def test_the_shown_step_is_drawn_and_its_entropy_told(qtbot: QtBot) -> None:
    playing = episode()
    panel = shown(qtbot, playing)
    panel.follow(33)
    np.testing.assert_array_equal(panel.now.values, playing.view(SELF.name)[33])
    nats = entropy(playing.view(SELF.name)[33])[0].mean()
    full = f"entropy {nats:.2f} nats ({100 * nats / np.log(2):.0f} % of the maximum)"
    assert panel.key_figure.text() in (full, f"{nats:.2f} nats"), "in a narrow header without the share"
    assert panel.curve.caption(33).endswith("of the maximum, log 2)")


@pytest.mark.parametrize("height", [200, 232, 260, 320, 420])
@pytest.mark.parametrize("width", [300, 372, 420, 560])
def test_the_entropy_is_written_once_in_every_size(qtbot: QtBot, width: int, height: int) -> None:
    panel = AttentionPanel()
    card = card_of(panel)
    qtbot.addWidget(card)
    card.resize(420, 420)
    card.show()
    qtbot.waitExposed(card)
    panel.take_views(episode())
    panel.show(History())
    QApplication.processEvents()
    for size in ((width, height), (560, 420), (width, height)):
        card.resize(*size)
        QApplication.processEvents()
        seen = [panel.key_figure.isVisible() and panel.key_figure.text(), panel.over.figure]
        curve = panel.curve.isVisible()
        assert bool(panel.over.figure) is (not curve and not panel.key_figure.isVisible()), (size, seen, curve)


def test_the_first_steps_of_a_transformer_can_choose_among_few(qtbot: QtBot) -> None:
    tensors = rows_of((LAGS,), 40)
    shares = tensors[f"view/{LAGS.name}"]
    for t in range(15):
        shares[t, :, t + 1 :] = 0.0
        shares[t] /= shares[t].sum(-1, keepdims=True)
    panel = shown(qtbot, extend(began((LAGS,)), tensors, 40))
    panel.follow(0)
    assert panel.key_figure.text() in ("entropy 0.00 nats", "0.00 nats")
    panel.follow(3)
    assert panel.curve.caption(3).endswith("of the maximum, log 4)")
    panel.follow(39)
    assert panel.curve.caption(39).endswith("of the maximum, log 16)")


def test_over_the_episode_stands_the_mean_of_the_heads_or_a_chosen_one(qtbot: QtBot) -> None:
    playing = episode()
    panel = shown(qtbot, playing)
    values = playing.view(SELF.name)
    np.testing.assert_allclose(panel.over.values, values.mean(axis=(1, 2)), rtol=1e-6)
    assert panel.over.caption == "mean of the heads"
    QTest.mouseClick(panel.now, Qt.MouseButton.LeftButton, pos=panel.now.drawn.places[2].center().toPoint())
    assert panel.head == 2
    np.testing.assert_allclose(panel.over.values, values[:, 2].mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(panel.now.values, values[0, 2:3])
    assert panel.alone.isVisible() and panel.alone.name.text() == "head 3"
    assert panel.now.words_at(0, 1, 0).startswith("head 3 · pole angle · cart position · ")
    QTest.mouseClick(panel.now, Qt.MouseButton.LeftButton, pos=panel.now.drawn.places[0].center().toPoint())
    assert panel.head is None and not panel.alone.isVisible()
    np.testing.assert_allclose(panel.over.values, values.mean(axis=(1, 2)), rtol=1e-6)


def test_where_heads_are_rows_a_click_on_a_row_chooses_one(qtbot: QtBot) -> None:
    playing = episode((POOL,))
    panel = shown(qtbot, playing)
    place = panel.now.drawn.places[0]
    at = QPoint(round(place.center().x()), round(place.top() + 1.5 * place.height() / 4))
    QTest.mouseClick(panel.now, Qt.MouseButton.LeftButton, pos=at)
    assert panel.head == 1
    np.testing.assert_allclose(panel.over.values, playing.view(POOL.name)[:, 1], rtol=1e-6)


def test_heads_can_be_walked_through_from_the_menu(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode())
    entries = {action.text(): action for action in panel.menu_actions}
    seen = []
    for _ in range(5):
        entries["Next head"].trigger()
        seen.append(panel.head)
    assert seen == [0, 1, 2, 3, 0]
    entries["Previous head"].trigger()
    assert panel.head == 3
    entries["All heads"].trigger()
    assert panel.head is None


def test_the_choice_offers_what_the_agent_announced_and_keeps_it(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode())
    assert panel.choice.offered == {SELF.name: "self-attention, layer 1", POOL.name: "pooling"}
    panel.choice.trigger(POOL.name)
    assert panel.view == POOL
    panel.take_views(episode(steps=50))
    panel.refresh()
    assert panel.view == POOL  # in the next episode too
    panel.take_views(episode((LAGS,)))
    panel.refresh()
    assert panel.view == LAGS
    assert panel.choice.offered == {LAGS.name: "memory, layer 1"}
    assert panel.choice.toolTip() == "Attention: what is drawn: memory, layer 1"


def test_a_head_that_the_next_view_has_not_is_let_go(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode((SELF, ACTIONS)))
    panel.choose_head(3)
    panel.choose_view(ACTIONS.name)
    assert panel.head is None
    assert panel.over.caption.endswith("mean of the heads")


def test_many_keys_have_colours_too(qtbot: QtBot) -> None:
    """Even attention over sixteen steps is 0.06 each: the colours span what there is."""
    tensors = rows_of((LAGS,), 60)
    tensors[f"view/{LAGS.name}"][:] = 1 / 16
    panel = shown(qtbot, extend(began((LAGS,)), tensors, 60))
    assert panel.bar.limits == (0.0, 0.1)


def test_a_low_card_leaves_out_what_matters_least(qtbot: QtBot) -> None:
    panel = shown(qtbot, episode())
    assert panel.over.isVisible()
    assert panel.curve.isVisible()
    panel.resize(430, 200)
    assert panel.over.isVisible()
    assert not panel.curve.isVisible()
    assert panel.over.axis_shown
    panel.resize(430, 120)
    assert not panel.over.isVisible()
    panel.resize(430, 300)
    assert panel.over.isVisible()
    assert not panel.over.axis_shown
