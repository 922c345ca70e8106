"""The memory's state as a path: its axes, colours, clicks, and episodes side by side."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.gui.charts.value_ranges import tenths_range
from dqngui.gui.panels.internals.memory_panel import MemoryPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.analysis.pca import Projection, fit_axes, milestone
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from tests.doubles.made_playing import HIDDEN, SLOTS, began, extend, rows_of


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def turning(steps: int, width: int, seed: int = 0, noise: float = 0.02) -> np.ndarray:
    """A circle, stretched and laid into a space of so many units."""
    generator = np.random.default_rng(seed)
    plane = np.linalg.qr(generator.standard_normal((width, 2)))[0]
    angle = 2 * np.pi * np.arange(steps) / 100
    circle = np.stack([3 * np.cos(angle), np.sin(angle)], axis=1)
    states = circle @ plane.T + 5.0 + noise * generator.standard_normal((steps, width))
    return states.astype(np.float32)


def held(states: np.ndarray, until: int, *, ended: bool = False, seed: int = 1) -> PlayedEpisode:
    """An episode whose memory holds these states."""
    tensors: dict[str, Any] = rows_of((HIDDEN,), len(states))
    tensors[f"view/{HIDDEN.name}"] = states
    tensors["action"] = np.arange(len(states)) % 2
    tensors["reward"] = np.where(np.arange(len(states)) == 7, -2.0, 0.5)
    playing = began((HIDDEN,))
    playing.seed = seed
    return extend(playing, tensors, until, ended)


def shown(qtbot: QtBot, playing: PlayedEpisode) -> MemoryPanel:
    panel = MemoryPanel()
    qtbot.addWidget(panel)
    panel.resize(430, 300)
    panel.show()
    qtbot.waitExposed(panel)
    panel.take_views(playing)
    panel.show(History())
    panel.show_as_path(True)
    QApplication.processEvents()
    return panel


@pytest.mark.parametrize(("steps", "width"), [(300, 5), (300, 64), (400, 3_000)])
def test_axes_are_the_principal_components(steps: int, width: int) -> None:
    states = turning(steps, width)
    axes = fit_axes(states)
    assert axes is not None
    np.testing.assert_allclose(axes.directions @ axes.directions.T, np.eye(2), atol=1e-4)
    x = states.astype(np.float64) - states.mean(axis=0)
    _, sizes, rows = np.linalg.svd(x, full_matrices=False)
    shares = sizes**2 / (sizes**2).sum()
    assert axes.shares == pytest.approx(shares[:2], abs=0.02)
    assert abs(float(axes.directions[0] @ rows[0])) > 0.99 and abs(float(axes.directions[1] @ rows[1])) > 0.97
    places = axes.project(states)
    assert np.ptp(places[:, 0]) == pytest.approx(6.0, rel=0.1) and np.ptp(places[:, 1]) == pytest.approx(2.0, rel=0.3)


def test_axes_survive_what_does_not_vary_and_what_is_missing() -> None:
    assert fit_axes(np.full((50, 8), 0.3, np.float32)) is None
    assert fit_axes(np.zeros((50, 8), np.float32)) is None
    assert fit_axes(np.ones((2, 8), np.float32)) is None
    states = turning(100, 8)
    states[3] = np.nan
    axes = fit_axes(states)
    assert axes is not None and np.isfinite(axes.directions).all()
    single = fit_axes(turning(100, 2)[:, :1])
    assert single is not None and single.shares == pytest.approx((1.0, 0.0))
    assert (single.directions[1] == 0).all()


def test_an_axis_holds_its_values_and_grows_seldom() -> None:
    assert tenths_range(np.array([-0.93, 2.0], np.float32)) == pytest.approx((-1.0, 2.0))
    low, high = tenths_range(np.zeros(5, np.float32))
    assert low < 0 < high, "a state of one unit has no second axis"
    low, high = tenths_range(np.full(5, 3.7, np.float32))
    assert low <= np.float32(3.7) <= high and high - low > 1e-5
    assert tenths_range(np.array([np.nan, 0.0, 1.0], np.float32)) == pytest.approx((0.0, 1.0))
    walk = np.cumsum(np.random.default_rng(0).standard_normal(2_000)).astype(np.float32)
    ends = {tenths_range(walk[:n]) for n in range(50, 2_000)}
    assert len(ends) < 60


def test_a_path_depends_on_the_states_alone_not_on_when_it_was_looked_at() -> None:
    states = turning(500, 16)
    grown = Projection()
    for until in (3, 8, 9, 31, 200, 333, 500):
        grown.take(states[:until], False)
    at_once = Projection()
    at_once.take(states, False)
    np.testing.assert_array_equal(grown.places, at_once.places)
    assert [milestone(n) for n in (7, 8, 9, 10, 14, 15)] == [0, 8, 8, 10, 12, 15]


def test_a_large_state_is_projected_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    states = turning(120, 50)
    whole = Projection()
    assert not whole.take(states, True)
    monkeypatch.setattr("dqngui.lab.analysis.pca.CHUNK_VALUES", 1_000)
    parts, more = Projection(), True
    seen = []
    while more:
        more = parts.take(states, True)
        seen.append(len(parts.places))
    assert seen == [20, 40, 60, 80, 100, 120]
    np.testing.assert_allclose(parts.places, whole.places, atol=1e-5)


def test_the_path_takes_the_maps_place_and_the_map_comes_back(qtbot: QtBot) -> None:
    panel = shown(qtbot, held(turning(200, 64), 120))
    assert panel.trajectory.isVisible() and not panel.map.isVisible() and not panel.states.isVisible()
    assert len(panel.trajectory.places) == 120
    assert panel.trajectory.path.titles[0].startswith("PC 1 · 8") and panel.trajectory.path.titles[1].endswith(" %")
    assert panel.bar.isHidden() and panel.sorting.isHidden()
    panel.as_path.click()
    QApplication.processEvents()
    assert panel.map.isVisible() and not panel.trajectory.isVisible() and panel.map.length == 120


def test_the_dot_follows_the_cursor_and_a_click_asks_for_its_step(qtbot: QtBot) -> None:
    panel = shown(qtbot, held(turning(60, 64), 60))
    path = panel.trajectory.path
    panel.follow(33)
    assert path.t == 33
    at = path.pixels(path.places[41][None])[0]
    with qtbot.waitSignal(path.stepped) as stepped:
        QTest.mouseClick(path, Qt.MouseButton.LeftButton, pos=QPoint(round(at[0]), round(at[1])))
    assert abs(stepped.args[0] - 41) <= 1
    corner = path.place.topLeft().toPoint()
    assert path.step_at(corner) is None
    assert path.step_words(7) == "t 7 · action 2 · reward −2"


def test_colours_are_of_time_rewards_or_actions(qtbot: QtBot) -> None:
    playing = held(turning(60, 64), 60, ended=True)
    playing.ready = msgspec.structs.replace(playing.ready, actions=("left", "right"))
    panel = shown(qtbot, playing)
    path = panel.trajectory.path
    assert (np.diff(path.colouring.index) >= 0).all() and path.colouring.names == ("step 0", "59")
    panel.trajectory.colours.trigger("action")
    assert path.colouring.names == ("left", "right") and path.colouring.index.tolist() == [0, 1] * 30
    panel.trajectory.colours.trigger("reward")
    assert path.colouring.names == ("−2", "2")
    middle = len(path.colouring.colors) // 2
    assert path.colouring.index[7] == 0 and path.colouring.index[8] == middle + 2
    assert path.colouring.colors[middle] == themes.current().muted


def test_kept_axes_stay_and_earlier_episodes_are_drawn_in_them(qtbot: QtBot) -> None:
    first = held(turning(100, 64, seed=0), 100, ended=True, seed=11)
    panel = shown(qtbot, first)
    trajectory = panel.trajectory
    trajectory.keep.click()
    axes, places = trajectory.projection.axes, trajectory.places.copy()
    for number in range(7):
        panel.take_views(held(turning(100, 64, seed=0) + number, 100, ended=True, seed=12 + number))
        panel.refresh()
    assert trajectory.projection.axes is axes and axes is not None
    assert len(trajectory.path.past) == 5
    assert trajectory.note.text() == "axes of seed 11; 5 earlier episodes faint"
    np.testing.assert_allclose(
        trajectory.places, axes.project(turning(100, 64, seed=0) + 6), atol=1e-4
    )  # not centred anew: that it lies elsewhere is what one wants to see
    panel.take_views(held(turning(100, 64, seed=0), 100, ended=True, seed=18))
    panel.refresh()
    assert len(trajectory.path.past) == 5, "the same episode again stands beside others, not beside itself"
    np.testing.assert_allclose(trajectory.places, places, atol=1e-4)
    trajectory.keep.click()
    assert trajectory.path.past == [] and trajectory.note.text() == ""
    assert trajectory.projection.axes is not axes


def test_without_kept_axes_every_episode_has_its_own(qtbot: QtBot) -> None:
    panel = shown(qtbot, held(turning(100, 64, seed=0), 100, ended=True))
    before = panel.trajectory.projection.axes
    panel.take_views(held(turning(100, 64, seed=5), 100, ended=True, seed=2))
    panel.refresh()
    assert panel.trajectory.projection.axes is not before and panel.trajectory.path.past == []


def test_a_young_or_unmoved_memory_says_why_there_is_no_path(qtbot: QtBot) -> None:
    panel = shown(qtbot, held(turning(60, 64), 4))
    assert panel.trajectory.path.empty == "A path appears after a few steps."
    panel.take_views(held(np.zeros((60, 64), np.float32), 60))
    panel.refresh()
    assert "did not change" in panel.trajectory.path.empty and not len(panel.trajectory.places)
    assert not panel.grab().isNull()


def test_a_matrix_is_a_state_too(qtbot: QtBot) -> None:
    panel = shown(qtbot, extend(began((SLOTS,)), rows_of((SLOTS,), 50), 50))
    axes = panel.trajectory.projection.axes
    assert axes is not None and axes.directions.shape == (2, 15)


def test_the_path_is_exported(qtbot: QtBot, tmp_path: Path) -> None:
    panel = shown(qtbot, held(turning(60, 64), 60))
    panel.export_csv(tmp_path / "path.csv")
    with (tmp_path / "path.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["t", "pc1", "pc2", "action", "reward"] and len(rows) == 61
    assert float(rows[8][1]) == pytest.approx(float(panel.trajectory.places[7, 0])) and rows[8][3:] == ["1", "-2.0"]
    panel.export_png(tmp_path / "path.png")
    panel.export_svg(tmp_path / "path.svg")
    assert "PC 1" in (tmp_path / "path.svg").read_text()
