"""What the panels of curves say: values, marks, legends and readouts."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from driving import hover
from made_panels import AskedCursor, made, plots, run_events
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from dqngui.comparison.setting_words import short_name, value_text
from dqngui.gui.cards.card import Card
from dqngui.gui.charts.event_strip import EventStrip
from dqngui.gui.charts.painted_text import FontLetters
from dqngui.gui.charts.trace import Trace
from dqngui.gui.charts.value_ranges import training_span, typical_range
from dqngui.gui.panels.curves.exploration_panel import ExplorationPanel
from dqngui.gui.panels.curves.learning_panel import LearningPanel
from dqngui.gui.panels.curves.return_drawn import return_drawn
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.lab.session.event_words import mark_text
from dqngui.lab.session.history import History
from dqngui.messages import CheckpointTest, EpisodeEnded, Evaluated, Forked, KnobChanged, Learned
from dqngui.texts import words
from dqngui.texts.numbers import measured


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def test_the_best_evaluation_is_named_and_ringed(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(run_events()))
    assert panel.drawn.best_in_words == "highest evaluation 400 at 20,000"
    assert [each.step for each in panel.drawn.evaluations] == [5_000, 10_000, 15_000, 20_000]
    assert [each is panel.drawn.best for each in panel.drawn.evaluations] == [False, False, False, True]
    assert "highest evaluation 400 at 20,000" in [
        each.text() for each in panel.header_widgets if isinstance(each, ElidedLabel)
    ]


def test_the_best_of_an_earlier_version_is_the_mean_of_both_evaluations_that_chose_it(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    second = Evaluated(
        step=25_000, returns=(430.0,), lengths=(430,), mean=430.0, role="confirmation", best=True, score=420.0
    )
    panel.show(History.of([*run_events(), second]))
    assert panel.drawn.best_in_words == "highest evaluation 420 at 25,000"


def test_the_test_of_the_kept_checkpoint_comes_first_and_what_chose_it_is_told(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    returns = (390.0, 400.0, 410.0, 420.0, 430.0)
    kept = Evaluated(
        step=25_000,
        returns=(440.0, *returns),
        lengths=(1,) * 6,
        mean=415.0,
        role="confirmation",
        best=True,
        score=410.0,
        reported=5,
        tested=CheckpointTest.of(returns, chosen_at=436.0),
    )
    panel.show(History.of([*run_events(), kept]))
    (label,) = [each for each in panel.header_widgets if isinstance(each, ElidedLabel)]
    assert label.text() == "test 410 [390, 430] at 25,000"
    assert label.toolTip().replace("\n", " ") == (
        "Kept checkpoint, step 25,000: test 410 on 5 fresh episodes, 95\u00a0% interval 390.4 to 429.6; chosen at 436, "
        "the highest mean of repeated evaluations. "
        "With 5 episodes, an outcome of up to 45\u00a0% of all episodes may not have been seen."
    )


def test_learning_begins_where_a_fork_left_its_parent(qtbot: QtBot) -> None:
    panel = made(qtbot, LearningPanel)
    fork = Forked(step=60_000, parent="a")
    panel.show(History.of([fork, *(msgspec.structs.replace(e, step=60_000 + e.step) for e in run_events(100))]))
    assert {plot.span for plot in plots(panel)} == {(60_000.0, 60_000.0 + training_span(5_000))}
    panel.show(History.of(run_events(100)))
    assert {plot.span for plot in plots(panel)} == {(0.0, training_span(5_000))}


def test_smoothing_changes_the_line(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(run_events()))
    panel.smooth(1)
    rough = panel.drawn.line[1]
    panel.smooth(100)
    assert panel.drawn.line[1].std() < 0.6 * rough.std()


def test_a_legend_entry_hides_its_series(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(run_events()))
    assert len(panel.drawn.dots[0])
    next(chip for chip in panel.header_widgets if chip.text() == "episodes").click()
    assert not len(panel.drawn.dots[0])


def test_the_readout_tells_what_is_at_a_step(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(run_events()))
    text = panel.readout(20_000.0)
    for part in ("<b>20,000</b>", "episode 400", "evaluation 400", "(kept)", "Learning rate 1e-3 → 5e-4"):
        assert part in text
    plot = panel.plot
    hover(plot.viewport(), plot.mapFromScene(plot.box.mapViewToScene(QPointF(19_990.0, 0.0))))
    assert panel.plot.readout.isVisible()
    assert panel.rect().contains(panel.plot.readout.geometry().translated(panel.plot.pos()))
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    assert not panel.plot.readout.isVisible()


def test_of_episodes_that_ended_together_the_hand_tells_the_one_whose_dot_is_under_it(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    ends = [(1_000, 0.0), (2_000, 1.0), (2_000, -1.0), (2_000, 1.0), (3_000, 0.0)]
    panel.show(History.of([EpisodeEnded(step=step, env=0, ret=ret, length=10) for step, ret in ends]))
    plot = panel.plot
    for value, episode in ((-1.0, 3), (1.0, 2)):
        hover(plot.viewport(), plot.mapFromScene(plot.box.mapViewToScene(QPointF(2_000, value))))
        assert f"episode {episode}<br>return {measured(value)}" in plot.readout.text()


def test_a_click_asks_for_the_cursor(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(run_events()))
    middle = panel.plot.mapFromScene(panel.plot.box.sceneBoundingRect().center())
    cursor = panel.cursor_control = AskedCursor()
    QTest.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert cursor.asked[0].step == pytest.approx(sum(panel.plot.span) / 2, rel=0.02)
    panel.seek(cursor.asked[0])
    QTest.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert cursor.asked[1:] == [None]


def test_tweak_labels_never_overlap_and_the_tooltip_tells_all(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    knobs = [KnobChanged(step=s, field="learn.batch_size", old=32, new=s) for s in range(9_000, 12_000, 100)]
    panel.show(History.of([*run_events(), *knobs]))
    strip = panel.findChild(EventStrip)
    places = [place for place, _, _ in strip.placed()]
    assert len(places) >= 2
    assert not any(a.intersects(b) for i, a in enumerate(places) for b in places[i + 1 :])
    assert all(place.left() >= 0 and place.right() <= strip.width() for place in places)
    assert strip.geometry().bottom() <= panel.plot.geometry().top()
    said = strip.near(panel.plot.x_of(10_500))
    assert "10,500: Batch size 32 → 10,500" in said


def test_tweaks_in_words() -> None:
    assert [words(value_text(v)) for v in (1e-3, 5e-4, 0.03, 64, None, "huber", True)] == [
        "1e-3", "5e-4", "0.03", "64", "schedule", "huber", "True",
    ]  # fmt: skip
    assert short_name("learn.tau") == "τ"
    assert short_name("learn.lr") == "lr"
    assert short_name("learn.gone_away") == "gone away"
    assert words(mark_text(KnobChanged(step=5, field="learn.gone", old=1, new=2))) == "5: learn.gone 1 → 2"


def test_present_values_stand_beside_their_names(qtbot: QtBot) -> None:
    panel = made(qtbot, LearningPanel)
    panel.show(History.of([Learned(step=5, updates=1, loss=0.12345, epsilon=0.5, steps_per_second=12345.6)]))
    assert panel.plots["loss"].value.text() == "0.123"
    assert panel.plots["td_error"].value.text() == "–"
    assert "no update yet" in panel.readout("td_error", 5.0)
    other = made(qtbot, ExplorationPanel)
    other.show(panel.history)
    assert other.plots["steps_per_second"].value.text() == "12,346"


def test_small_plots_rearrange(qtbot: QtBot) -> None:
    panel = made(qtbot, LearningPanel, 1200, 240)
    assert panel.columns == 4
    panel.resize(500, 600)
    assert panel.columns == 2
    panel.resize(220, 900)
    assert panel.columns == 1


def test_a_card_carries_a_panel_and_deletes_all_of_it(qtbot: QtBot) -> None:
    before = set(QApplication.topLevelWidgets())
    panel = ReturnPanel()
    card = Card(panel.title, panel)
    for widget in panel.header_widgets:
        card.add_to_header(widget)
    for action in panel.menu_actions:
        card.add_action(action)
    card.show()
    panel.show(History.of(run_events()))
    card.grab()
    card.close()
    card.deleteLater()
    QTest.qWait(20)
    left = [w for w in set(QApplication.topLevelWidgets()) - before if isinstance(w, QWidget)]
    assert not left


def test_a_rare_spike_does_not_flatten_a_curve() -> None:
    usual = np.linspace(1.0, 2.0, 200)
    assert typical_range(usual) == (1.0, 2.0)
    low, high = typical_range(np.append(usual, 500.0))
    assert low == 1.0
    assert 2.0 < high < 4.0
    assert typical_range(np.append(usual, -500.0))[0] > -2.0
    constant = np.append(np.full(200, 0.1), 1.0)
    assert typical_range(constant) == (0.1, 1.0)


def test_the_band_ends_where_the_episodes_do(qtbot: QtBot) -> None:
    panel = ReturnPanel()
    qtbot.addWidget(panel)
    history = History()
    returns = [500.0, 500.0, 500.0, 10.0] * 30
    history.take([EpisodeEnded(step=10 * i, ret=ret, length=5) for i, ret in enumerate(returns)])
    panel.show(history)
    _, low, high = panel.drawn.band
    assert low.min() >= 10.0
    assert high.max() <= 500.0
    assert high.max() - low.min() > 100.0


@pytest.mark.parametrize("window", [10, 30])
def test_the_band_starts_with_its_width_where_many_episodes_end_at_one_step(window: int) -> None:
    returns = np.random.default_rng(0).normal(size=16 * 20)
    history = History.of([EpisodeEnded(step=100 * (1 + i // 16), ret=ret, length=5) for i, ret in enumerate(returns)])
    drawn = return_drawn(history, (0, 3_000), 800, window, episodes=True, mean=True, evaluations=True)
    x, low, high = drawn.band
    assert x[0] == drawn.line[0][0] == 100
    assert high[0] - low[0] == pytest.approx(2 * returns[:16].std())
    assert np.isfinite(low).all()
    assert np.isfinite(high).all()
    assert x[-1] == 2_000


def test_the_band_starts_at_the_second_of_single_episodes_and_there_is_none_without_smoothing() -> None:
    history = History.of([EpisodeEnded(step=10 * i, ret=float(i % 7), length=5) for i in range(1, 9)])
    for window, begins in ((30, [20]), (1, [])):
        drawn = return_drawn(history, (0, 100), 800, window, episodes=True, mean=True, evaluations=True)
        assert drawn.band[0][:1].tolist() == begins
        assert drawn.line[0][0] == 10
    single = History.of([EpisodeEnded(step=10, ret=1.0, length=5)])
    assert not len(return_drawn(single, (0, 100), 800, 30, episodes=True, mean=True, evaluations=True).band[0])


def test_the_numbers_of_plots_and_the_labels_of_marks_follow_the_size_of_text(qapp: QApplication, qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(run_events()))
    trace = Trace(panel)
    strip = panel.findChild(EventStrip)
    try:
        for zoom, px, width in ((120, 13, 55), (80, 9, 37), (100, 11, 46)):
            theme = themes.apply(qapp, "dark", zoom)
            panel.restyle(theme)
            trace.restyle(theme)
            fonts = [axis.style["tickFont"] for axis in (panel.plot.left, panel.plot.bottom)]
            assert [font.pixelSize() for font in (*fonts, strip.font(), trace.type)] == [px] * 4
            assert panel.plot.left.fixedWidth == width
            assert trace.letters.line == FontLetters(themes.font(px)).line
    finally:
        themes.apply(qapp, "dark")


def test_small_plots_name_their_quantity_whole_or_by_its_sign(qtbot: QtBot) -> None:
    panel = made(qtbot, ExplorationPanel, 370, 190)
    panel.show(History.of(run_events()))
    for width, expected in ((370, "ε"), (900, "Exploration ε")):
        panel.resize(width, 190)
        qtbot.waitUntil(lambda expected=expected: panel.plots["epsilon"].label.text() == expected)
        labels = [small.label for small in panel.plots.values()]
        qtbot.waitUntil(lambda labels=labels: all(each.shown() == each.text() for each in labels))  # none is cut
