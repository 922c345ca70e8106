"""Every panel survives whatever a run may tell, and draws the same whether or not it was hidden."""

from __future__ import annotations

import csv
import importlib
import time
from pathlib import Path

import numpy as np
import pytest
from made_panels import drawn, feed, made, pixels, plots, run_events
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import catalog
from dqngui.gui.cards.panel import Panel
from dqngui.gui.charts.plot import Plot
from dqngui.gui.charts.value_ranges import rounded_range, training_span
from dqngui.gui.panels.curves.learning_panel import LearningPanel
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.session.history import History
from dqngui.messages import EpisodeEnded, Evaluated, Event, KnobChanged, Learned, Paused
from dqngui.texts.numbers import short

ALL: list[type[Panel]] = [
    getattr(importlib.import_module(entry.target.split(":")[0]), entry.target.split(":")[1])
    for entry in catalog.PANELS.values()
]
PANELS = [kind for kind in ALL if kind.wants]  # those that draw a history; test_inner_panels.py has the others


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


@pytest.fixture(scope="module")
def million() -> History:
    """A million rows of each kind, put into the columns at once; no test changes it."""
    generator = np.random.default_rng(0)
    history, steps = History(), np.arange(1_000_000) * 20.0
    for curve in (history.returns, history.lengths, *history.learned.values()):
        curve.extend(steps, generator.gamma(3, 20, size=len(steps)))
    history.last_step, history.version = int(steps[-1]), 1
    return history


# -- the contract, for every panel ------------------------------------------------------------------


@pytest.mark.parametrize("kind", PANELS)
def test_a_panel_names_itself_and_says_what_it_will_show(qtbot: QtBot, kind: type[Panel]) -> None:
    panel = made(qtbot, kind)
    assert panel.title
    assert panel.wants
    assert panel.promise.endswith(".")
    panel.show(History())
    assert panel.empty_text
    assert panel.empty_text == panel.promise


@pytest.mark.parametrize("kind", PANELS)
def test_empty_nan_a_million_then_clear(qtbot: QtBot, million: History, kind: type[Panel]) -> None:
    panel = made(qtbot, kind)
    panel.show(History())
    nothing: list[Event] = [
        EpisodeEnded(step=1, ret=float("nan"), length=1),
        Learned(step=2, updates=0, loss=float("nan"), q_mean=float("inf")),
        Evaluated(step=3, returns=(), lengths=(), mean=float("nan"), best=True),
    ]
    history = History.of(nothing)
    panel.show(history)
    panel.grab()
    feed(panel, history, [EpisodeEnded(step=10, ret=5.0, length=5), Learned(step=11, updates=1, loss=3.0)], 2)
    panel.grab()
    panel.show(million)
    panel.grab()
    assert max(len(each) for each in drawn(panel)) < 10_000
    panel.clear("The run was closed.")
    assert panel.empty_text
    assert panel.empty_text == "The run was closed."
    assert panel.history.empty
    panel.grab()


@pytest.mark.parametrize("kind", PANELS)
def test_hidden_then_shown_equals_always_visible(qtbot: QtBot, kind: type[Panel]) -> None:
    events = run_events(3_000)
    watched, history = made(qtbot, kind), History()
    watched.show(history)
    feed(watched, history, events, 97)
    hidden = made(qtbot, kind)
    hidden.hide()
    hidden.show(History())
    hidden.show()
    hidden.show(history)
    assert len(drawn(watched)) > 2 or not plots(watched)
    for one, other in zip(drawn(watched), drawn(hidden), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", PANELS)
def test_hidden_for_a_million_points_then_shown(qtbot: QtBot, million: History, kind: type[Panel]) -> None:
    events = run_events(300)
    history = History()
    watched, hidden = made(qtbot, kind), made(qtbot, kind)
    watched.show(history)
    hidden.show(history)
    feed(watched, history, events, 50)
    hidden.hide()
    curves = (history.returns, history.lengths, *history.learned.values())
    given = (million.returns, million.lengths, *million.learned.values())
    for part in np.array_split(np.arange(len(million.returns)), 7):
        for curve, more in zip(curves, given, strict=True):
            curve.extend(more.x.values[part] + 15_000, more.y.values[part])
        history.last_step = int(history.returns.x.values[-1])
        watched.take(events[-4:])
        watched.refresh()
    hidden.show()
    hidden.show(history)
    for one, other in zip(drawn(watched), drawn(hidden), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", PANELS)
def test_only_wanted_events_cause_a_redraw(qtbot: QtBot, kind: type[Panel]) -> None:
    panel = made(qtbot, kind)
    panel.show(History.of(run_events(20)))
    assert not panel.refresh()
    panel.take([Paused(step=1)])
    assert not panel.refresh()
    if KnobChanged not in panel.wants:
        return
    panel.take([KnobChanged(step=1, field="learn.lr", old=1, new=2)])
    assert panel.refresh()
    assert not panel.refresh()


@pytest.mark.parametrize("kind", PANELS)
def test_seek_moves_the_cursor_and_rescales_nothing(qtbot: QtBot, kind: type[Panel]) -> None:
    panel = made(qtbot, kind)
    panel.show(History.of(run_events()))
    before = [plot.box.viewRange() for plot in plots(panel)]
    panel.seek(Cursor(step=7_000))
    assert all(plot.cursor_line.steps == [7_000] for plot in plots(panel))
    panel.seek(None)
    assert all(plot.cursor_line.steps == [] for plot in plots(panel))
    assert before == [plot.box.viewRange() for plot in plots(panel)]


@pytest.mark.parametrize("kind", PANELS)
def test_a_theme_can_be_switched_with_data_on_the_screen(qapp: QApplication, qtbot: QtBot, kind: type[Panel]) -> None:
    panel = made(qtbot, kind)
    panel.show(History.of(run_events()))
    before = drawn(panel)
    theme = themes.apply(qapp, "light")
    panel.restyle(theme)
    if not plots(panel):
        assert (pixels(panel) != before[0]).any()
        return
    corner = plots(panel)[0].grab().toImage().pixelColor(1, 1)
    assert corner == theme.color("surface")
    for one, other in zip(before, drawn(panel), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", PANELS)
def test_a_million_points_draw_nearly_as_fast_as_a_thousand(qtbot: QtBot, million: History, kind: type[Panel]) -> None:
    def cost(history: History) -> float:
        panel = made(qtbot, kind)
        panel.show(history)
        times = []
        for _ in range(10):
            panel.take([KnobChanged(step=1, field="learn.lr", old=1, new=2), *run_events(4)])
            start = time.thread_time()
            panel.refresh()
            for plot in plots(panel):
                plot.viewport().repaint()
            times.append(time.thread_time() - start)
        return min(times)

    assert cost(million) < 5 * cost(History.of(run_events(1_000))) + 0.005


@pytest.mark.parametrize("kind", PANELS)
@pytest.mark.parametrize("size", [(180, 120), (330, 200), (520, 330), (1600, 900)])
def test_any_size(qtbot: QtBot, kind: type[Panel], size: tuple[int, int]) -> None:
    panel = made(qtbot, kind, *size)
    panel.show(History.of(run_events()))
    assert not panel.grab().isNull()
    assert all(plot.pixels >= 50 for plot in plots(panel))


@pytest.mark.parametrize("kind", PANELS)
def test_pictures_and_tables_are_exported(qtbot: QtBot, kind: type[Panel], tmp_path: Path) -> None:
    panel = made(qtbot, kind, 400, 300)
    events = run_events()
    panel.show(History.of(events))
    panel.export_png(tmp_path / "a.png")
    size = QImage(str(tmp_path / "a.png")).size()
    assert size.width() >= 2 * panel.drawing().width() and size.height() > 2 * panel.drawing().height()  # and a title
    panel.export_svg(tmp_path / "a.svg")
    assert f">{panel.title}</text>" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    panel.export_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= (400 if plots(panel) else 5)
    assert [int(row["step"]) for row in rows] == sorted(int(row["step"]) for row in rows)
    with pytest.raises(OSError):
        panel.export_png(tmp_path / "missing" / "a.png")
    with pytest.raises(OSError):
        panel.export_csv(tmp_path / "missing" / "a.csv")


# -- zoom and pan -------------------------------------------------------------------------------------


def wheel(plot: Plot, notches: int) -> None:
    at = QPointF(plot.box.sceneBoundingRect().center())
    event = QWheelEvent(
        at, plot.viewport().mapToGlobal(at), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(plot.viewport(), event)


def test_the_wheel_zooms_new_data_leaves_the_zoom_alone_and_a_double_click_fits(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    history, plot = History.of(run_events()), panel.plot
    panel.show(history)
    whole = plot.span
    assert whole == (0.0, training_span(20_000))
    wheel(plot, 4)
    zoomed = plot.span
    assert not plot.fitted
    assert zoomed[1] - zoomed[0] < 0.9 * (whole[1] - whole[0])
    more: list[Event] = [EpisodeEnded(step=90_000, ret=900.0, length=3)]
    feed(panel, history, more, 1)
    assert plot.span == zoomed
    middle = plot.mapFromScene(plot.box.sceneBoundingRect().center())
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseDClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert plot.fitted
    assert plot.span == (0.0, training_span(90_000))
    feed(panel, history, [EpisodeEnded(step=200_000, ret=1.0, length=3)], 1)
    assert plot.span == (0.0, training_span(200_000))


def test_zooming_out_stops_at_the_data(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(run_events()))
    whole = panel.plot.span
    wheel(panel.plot, -10)
    assert panel.plot.span == whole


def test_the_learning_plots_move_together(qtbot: QtBot) -> None:
    panel = made(qtbot, LearningPanel)
    panel.show(History.of(run_events()))
    first, *others = plots(panel)
    whole = first.span
    wheel(first, 5)
    assert first.span[1] - first.span[0] < whole[1] - whole[0]
    assert all(plot.span == pytest.approx(first.span) for plot in others)
    assert not any(plot.fitted for plot in others)
    next(action for action in panel.menu_actions if action.text() == "Show all").trigger()
    assert all(plot.span == first.span and plot.fitted for plot in others)


def test_another_run_is_shown_whole(qtbot: QtBot) -> None:
    panel = made(qtbot, ReturnPanel)
    panel.show(History.of(run_events()))
    wheel(panel.plot, 5)
    panel.show(History.of(run_events(100)))
    assert panel.plot.span == (0.0, training_span(5_000))


def test_ranges_hold_the_data_and_seldom_move() -> None:
    assert training_span(1) == 1000.0
    assert all(training_span(step) >= step > training_span(step) / 1.2501 for step in range(1_001, 300_000, 777))
    seen = set()
    for high in np.linspace(100, 500, 400):
        low, top = rounded_range(9.0, float(high))
        assert low <= 0
        assert top >= high
        seen.add((low, top))
    assert len(seen) < 16
    assert rounded_range(5.0, 5.0)[0] < 5.0 < rounded_range(5.0, 5.0)[1]
    assert rounded_range(0.0, 0.0)[0] < 0.0 < rounded_range(0.0, 0.0)[1]
    assert rounded_range(-200.0, -80.0)[0] <= -200.0


def test_ticks_are_short() -> None:
    assert [short(n) for n in (0, 20_000, 1_500_000, 0.05, -200, 2.5)] == ["0", "20k", "1.5M", "0.05", "−200", "2.5"]
