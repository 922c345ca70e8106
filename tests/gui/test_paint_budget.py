"""What the window measures about itself, and how it keeps painting cheap."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.docking.paint_budget import PaintBudget
from dqngui.gui.docking.panel_docks import PanelDocks
from dqngui.gui.docking.timings import Durations, Lateness
from dqngui.lab.session.history import History


def test_the_age_of_a_process_is_counted_from_its_start() -> None:
    code = "import time; time.sleep(0.3); from dqngui.gui.docking.timings import process_age; print(process_age())"
    before = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 0.3 <= float(done.stdout) <= time.perf_counter() - before + 0.02


def test_durations_of_any_number_have_the_quantiles_of_the_whole() -> None:
    durations, values = Durations(), np.random.default_rng(0).gamma(2.0, 10.0, 5000)
    for value in values:
        durations.add(float(value), weight=float(value))
    order = np.sort(values)
    cumulative = np.cumsum(order)
    for share in (0.5, 0.9, 0.99):
        exact = order[np.searchsorted(cumulative, share * cumulative[-1])]
        assert durations.quantile(share) == pytest.approx(exact, abs=0.25)
    assert durations.worst == values.max()
    assert durations.total == pytest.approx(values.sum())
    durations.add(1e6)  # beyond the last bin
    assert durations.quantile(1.0) <= durations.worst == 1e6


def test_durations_of_nothing_are_no_error() -> None:
    assert Durations().figures() == {"p50": 0.0, "p99": 0.0, "worst": 0.0}


def test_lateness_sees_a_blocked_event_loop_and_forgets_what_was_before(qtbot: QtBot) -> None:
    lateness = Lateness()
    lateness.start()
    qtbot.wait(200)
    time.sleep(0.3)
    qtbot.wait(60)
    figures = lateness.figures()
    assert figures["worst"] >= 250
    assert figures["p50"] <= figures["p99"] <= figures["worst"]
    lateness.start()
    assert lateness.figures()["worst"] == 0.0
    lateness.stop()


# -- the painting budget ------------------------------------------------------------------------------------


class Drawing:
    """Things that are always new, each with a cost in seconds of this thread."""

    def __init__(self, **costs: float) -> None:
        self.costs, self.drawn, self.times = costs, [], dict.fromkeys(costs, 0)
        self.names: list[str] = list(costs)

    def __call__(self) -> str | None:
        if not self.names:
            return None
        self.names.append(name := self.names.pop(0))
        until = time.thread_time() + self.costs[name]
        while time.thread_time() < until:
            pass
        self.times[name] += 1
        return name


def kept_for(qtbot: QtBot, drawing: Drawing, seconds: float) -> PaintBudget:
    budget = PaintBudget(drawing)
    budget.request()
    qtbot.wait(round(1000 * seconds))
    drawing.names.clear()
    qtbot.waitUntil(lambda: budget.idle)  # the last is counted
    return budget


def test_cheap_things_are_drawn_often_but_not_more_than_anyone_sees(qtbot: QtBot) -> None:
    budget = kept_for(qtbot, drawing := Drawing(a=0.0, b=0.0), 1.5)
    assert all(4 <= count <= 16 for count in drawing.times.values())
    assert budget.counts == drawing.times
    assert abs(drawing.times["a"] - drawing.times["b"]) <= 1  # in turn


def test_dear_things_keep_to_a_tenth_of_the_time(qtbot: QtBot) -> None:
    budget = kept_for(qtbot, Drawing(a=0.02, b=0.01), 2.0)
    assert budget.costs.total / 1000 / 2.0 <= 0.13  # the first of each is drawn before its cost is known
    assert all(count >= 4 for count in budget.counts.values())


def test_however_dear_everything_is_drawn_about_twice_a_second(qtbot: QtBot) -> None:
    drawing = Drawing(a=0.1, b=0.1)
    kept_for(qtbot, drawing, 3.0)
    assert all(count >= 4 for count in drawing.times.values())


def test_a_budget_sleeps_while_nothing_is_new(qtbot: QtBot) -> None:
    calls = []

    def draw() -> None:
        calls.append(1)

    budget = PaintBudget(draw)
    for _ in range(3):
        budget.request()
    qtbot.wait(300)
    assert len(calls) == 1
    assert budget.idle


def test_an_error_while_drawing_does_not_end_drawing(qtbot: QtBot) -> None:
    wrong: list[Callable[[], str]] = [lambda: str(1 / 0), lambda: "a"]
    budget = PaintBudget(lambda: wrong.pop(0)() if wrong else None)
    with qtbot.capture_exceptions() as errors:
        budget.request()
        qtbot.waitUntil(lambda: len(errors) == 1)
    budget.request()
    qtbot.waitUntil(lambda: budget.counts["a"] == 1)


class Paints(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_the_board_draws_one_changed_panel_a_turn_and_its_paint_belongs_to_the_cost(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    panel_docks = PanelDocks(window)
    names = [name for name in ("return", "learning") if name in panel_docks.docks]
    for name in names:
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, panel_docks.docks[name])
    window.resize(1200, 800)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: set(names) <= set(panel_docks.in_sight))
    events = [m.EpisodeEnded(step=10, ret=1.0, length=9), m.Learned(step=500, updates=1, loss=0.1, epsilon=0.5)]
    panel_docks.history.take(events)
    panel_docks.take(events)
    drawn = [panel_docks.refresh_next() for _ in range(len(panel_docks.in_sight) + 1)]
    assert drawn[-1] is None
    assert sorted(filter(None, drawn)) == sorted(set(filter(None, drawn)))  # each once
    assert set(names) <= set(drawn)

    qtbot.wait(100)
    plot = panel_docks.panels["return"].plot.viewport()  # type: ignore[attr-defined]
    paints = Paints()
    plot.installEventFilter(paints)
    budget = PaintBudget(panel_docks.refresh_next)
    seen: list[int] = []
    add = budget.costs.add
    budget.costs.add = lambda ms, weight=1.0: (seen.append(paints.count), add(ms, weight))  # type: ignore
    panel_docks.history.take([m.EpisodeEnded(step=700, ret=30.0, length=9)])
    panel_docks.take([m.EpisodeEnded(step=700, ret=30.0, length=9)])
    budget.request()
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0] >= 1  # painted before the cost was taken
    panel_docks.clear(History())
    plot.removeEventFilter(paints)


def test_maps_follow_the_player_a_few_times_a_second_and_the_picture_at_once(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    panel_docks = PanelDocks(window)
    map_, other = panel_docks.panels["memory"], panel_docks.panels["return"]
    for name in ("memory", "return"):
        panel_docks.set_in_sight(name, True)
    shown: dict[str, list[int]] = {"memory": [], "return": []}
    monkeypatch.setattr(map_, "follow", shown["memory"].append)
    monkeypatch.setattr(other, "follow", shown["return"].append)
    for t in range(50):
        panel_docks.follow(t)
        qtbot.wait(8)
    assert shown["return"] == list(range(50))
    assert shown["memory"][0] == 0
    assert 3 <= len(shown["memory"]) <= 10
    qtbot.waitUntil(lambda: shown["memory"][-1] == 49)  # the last one is not forgotten
    panel_docks.follow(3)
    qtbot.waitUntil(lambda: shown["memory"][-1] == 3)
