"""Every panel that draws announced views survives whatever an episode may bring, hidden or not."""

from __future__ import annotations

import csv
import importlib
import re
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import catalog
from dqngui.gui.cards.panel import Sources
from dqngui.gui.cards.panel_card import card_of
from dqngui.gui.cards.svg_pictures import SIDE
from dqngui.gui.charts.canvas import Canvas
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.panels.internals.view_panel import ViewPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.history import History
from tests.doubles.made_playing import (
    ACTIONS,
    CELL,
    GATE,
    HIDDEN,
    LAGS,
    POOL,
    RECURRENT,
    SELF,
    SLOTS,
    began,
    episode,
    extend,
    rows_of,
)  # fmt: skip

KINDS: list[type[ViewPanel]] = [
    kind
    for kind in (
        getattr(importlib.import_module(entry.target.split(":")[0]), entry.target.split(":")[1])
        for entry in catalog.PANELS.values()
    )
    if issubclass(kind, ViewPanel)
]
ANY = (SELF, POOL, ACTIONS, LAGS, HIDDEN, CELL, GATE, SLOTS)


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


class FakePlayer(QObject):
    """What a panel asks of the player."""

    changed = Signal()
    problem = loading = ""

    def __init__(self) -> None:
        super().__init__()
        self.sought: list[int] = []

    def seek(self, t: int) -> None:
        self.sought.append(t)


def made(qtbot: QtBot, kind: type[ViewPanel], width: int = 430, height: int = 300) -> Any:
    panel = kind()
    qtbot.addWidget(panel)
    panel.resize(width, height)
    panel.show()
    qtbot.waitExposed(panel)
    panel.show(History())
    return panel


def attached(panel: ViewPanel) -> FakePlayer:
    player = FakePlayer()
    panel.attach(Sources(session=None, player=player, library=None, chosen={}, study=None))  # type: ignore[arg-type]
    return player


def draw(panel: ViewPanel, playing: PlayedEpisode | None) -> QImage:
    panel.take_views(playing)
    panel.refresh()
    QApplication.processEvents()
    return drawn(panel)


def drawn(panel: ViewPanel) -> QImage:
    """The panel without its header's widgets, which stand in a card."""
    return panel.content.grab().toImage()


def test_there_are_such_panels() -> None:
    assert {kind.title for kind in KINDS} >= {"Attention", "Memory"}


@pytest.mark.parametrize("kind", KINDS)
def test_empty_nan_a_long_episode_then_clear(qtbot: QtBot, kind: type[ViewPanel]) -> None:
    panel = made(qtbot, kind)
    draw(panel, None)
    tensors = rows_of(RECURRENT, 20_000)
    for name in tensors:
        if name.startswith("view/"):
            tensors[name][50:100] = np.nan
            tensors[name][0] = np.inf
    playing = began()
    for until in (1, 2, 60, 90, 101, 5_000, 20_000):
        draw(panel, extend(playing, tensors, until, ended=until == 20_000))
        for t in (0, 55, until - 1, until, until + 5):
            panel.follow(t)
        panel.grab()
    nothing = began()
    for name in tensors:
        tensors[name] = np.full_like(tensors[name][:40], np.nan if tensors[name].dtype == np.float32 else 0)
    draw(panel, extend(nothing, tensors, 40))
    panel.clear("The run was closed.")
    assert panel.empty_text
    assert panel.empty_text == "The run was closed."
    draw(panel, None)
    assert panel.empty_text == panel.promise


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("index", range(len(ANY)))
def test_hidden_then_shown_equals_always_visible(qtbot: QtBot, kind: type[ViewPanel], index: int) -> None:
    views, steps = (ANY[index],), 3_000
    tensors = rows_of(views, steps)
    watched, playing = made(qtbot, kind), began(views)
    seen = [
        draw(watched, extend(playing, tensors, until, until == steps)) for until in (1, 7, 64, 65, 400, 2_999, steps)
    ]
    playing.t = 1_234
    watched.follow(1_234)
    hidden = made(qtbot, kind)
    hidden.hide()
    hidden.take_views(playing)
    hidden.show()
    qtbot.waitExposed(hidden)
    hidden.show(History())
    QApplication.processEvents()
    assert drawn(watched) == drawn(hidden)
    if watched.view is not None:
        assert seen[0] != seen[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_another_episode_leaves_nothing_of_the_last(qtbot: QtBot, kind: type[ViewPanel]) -> None:
    panel, fresh = made(qtbot, kind), made(qtbot, kind)
    draw(panel, episode(steps=700, ended=True))
    short = episode(steps=30)
    assert draw(panel, short) == draw(fresh, short)
    draw(panel, episode((LAGS, POOL), 40))
    assert draw(panel, short) == draw(fresh, short)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(180, 90), (240, 160), (300, 220), (430, 300), (900, 600)])
@pytest.mark.parametrize("name", ["dark", "light"])
def test_any_size_and_theme(
    qapp: QApplication, qtbot: QtBot, kind: type[ViewPanel], size: tuple[int, int], name: Any
) -> None:
    panel = made(qtbot, kind, *size)
    draw(panel, episode(ANY))
    panel.restyle(themes.apply(qapp, name))
    QApplication.processEvents()
    assert panel.size().toTuple() == size
    for canvas in panel.findChildren(Canvas):
        if canvas.isVisible():
            assert panel.rect().contains(canvas.geometry().translated(panel.content.pos()))
            assert canvas.grab().toImage().pixelColor(1, 1) == themes.current().color("surface")


@pytest.mark.parametrize("kind", KINDS)
def test_following_moves_the_cursor_and_rescales_nothing(qtbot: QtBot, kind: type[ViewPanel]) -> None:
    panel = made(qtbot, kind)
    draw(panel, episode())
    canvases = [each for each in panel.findChildren(StepCanvas) if each.isVisible()]
    assert canvases
    before = [(each.span, each.place, each.length) for each in canvases]
    panel.follow(77)
    assert all(each.t == 77 for each in canvases)
    panel.follow(100)  # behind the last step, where only a picture is
    assert all(each.t == 99 for each in canvases)
    assert before == [(each.span, each.place, each.length) for each in canvases]
    assert not panel.refresh()


@pytest.mark.parametrize("kind", KINDS)
def test_curves_stand_below_their_map(qtbot: QtBot, kind: type[ViewPanel]) -> None:
    panel = made(qtbot, kind)
    draw(panel, episode())
    canvases = [each for each in panel.findChildren(StepCanvas) if each.isVisible()]
    assert len({(each.place.left(), each.place.width(), each.span) for each in canvases}) == 1
    assert [each.axis_shown for each in sorted(canvases, key=lambda each: each.y())] == [False] * (
        len(canvases) - 1
    ) + [True]


@pytest.mark.parametrize("kind", KINDS)
def test_a_click_asks_the_player_for_the_step_and_alone_a_panel_survives_it(
    qtbot: QtBot, kind: type[ViewPanel]
) -> None:
    panel = made(qtbot, kind)
    draw(panel, episode())
    canvases = [each for each in panel.findChildren(StepCanvas) if each.isVisible()]
    for canvas in canvases:
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=canvas.place.center().toPoint())
    player = attached(panel)
    for canvas in canvases:
        at = canvas.place.center()
        at.setX(canvas.x_of(42))
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert player.sought == [42] * len(canvases)


@pytest.mark.parametrize("kind", KINDS)
def test_reasons_for_emptiness(qtbot: QtBot, kind: type[ViewPanel]) -> None:
    panel = made(qtbot, kind)
    player = attached(panel)

    def said(playing: PlayedEpisode | None) -> str:
        draw(panel, playing)
        assert panel.empty_text
        assert not any(widget.isVisible() for widget in panel.header_widgets)
        return str(panel.empty_text)

    assert said(None) == panel.promise
    player.loading = "Loading the agent…"
    player.changed.emit()
    assert said(None) == "Loading the agent…"
    player.problem = "The player stopped."
    assert said(None) == "The player stopped."
    assert said(episode(())) == panel.lacking
    assert "Choose" in panel.lacking
    assert "about to begin" in said(began())
    assert "next one will be recorded" in said(began(recorded=False))
    draw(panel, episode())
    assert not panel.empty_text
    assert panel.choice.isVisible()


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_drawings_tables_and_arrays_are_exported(qtbot: QtBot, kind: type[ViewPanel], tmp_path: Path) -> None:
    panel = made(qtbot, kind)
    playing = episode(RECURRENT, 20)
    draw(panel, playing)
    panel.export_png(tmp_path / "a.png")
    size = QImage(str(tmp_path / "a.png")).size()
    assert size.width() >= 2 * panel.width() and size.height() > 2 * panel.height()  # and a title
    panel.export_svg(tmp_path / "a.svg")
    drawing = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert len(re.findall(r"<text[ >]", drawing)) >= 5
    assert ">step</text>" in drawing.replace("\n", "")
    maps = [
        QImage.fromData(b64decode(data)) for data in re.findall('optimizeSpeed" xlink:href="[^,]*,([^"]*)"', drawing)
    ]
    assert maps and max(min(each.width(), each.height()) for each in maps) >= SIDE  # no viewer blurs their squares
    panel.export_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    view = panel.view
    values = playing.view(view.name)
    assert len(rows) == values.size
    assert list(rows[0]) == ["t", *view.axes, "value"]
    np.testing.assert_allclose([float(row["value"]) for row in rows], values.ravel())
    panel.export_npz(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        told = {"q", "action", "reward", "observation", *(f"view/{each.name}" for each in RECURRENT)}
        assert {name for name in arrays if not name.startswith(("axes/", "labels/", "about"))} == told
        assert {f"axes/{name}" for name in told} <= set(arrays)
        np.testing.assert_array_equal(arrays["view/memory/hidden"], playing.view("memory/hidden"))
    for suffix in ("png", "svg", "csv", "npz"):
        with pytest.raises(OSError):
            getattr(panel, f"export_{suffix}")(tmp_path / "missing" / f"a.{suffix}")
    names = [action.text() for action in panel.menu_actions]
    assert [name for name in names if name.startswith("Export")] == [
        "Export picture (PNG)…", "Export drawing (SVG)…", "Export data (CSV)…", "Export episode arrays…",
    ]  # fmt: skip
    panel.clear()
    for suffix in ("csv", "npz"):
        getattr(panel, f"export_{suffix}")(tmp_path / f"b.{suffix}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [240, 300, 430, 600])
def test_the_header_shows_what_fits(qtbot: QtBot, kind: type[ViewPanel], width: int) -> None:
    panel = kind()
    card = card_of(panel)
    qtbot.addWidget(card)
    card.resize(width, 300)
    card.show()
    qtbot.waitExposed(card)
    draw(panel, episode())
    shown = [widget for widget in panel.header_widgets if widget.isVisible()]
    assert panel.choice in shown
    assert len(shown) > 1 or width < 400
    assert all(widget.geometry().right() < card.menu_button.x() for widget in shown)
    for widget in shown:
        if widget is not panel.choice:
            assert widget.width() >= widget.sizeHint().width() - 1
    assert panel.choice.fontMetrics().horizontalAdvance(panel.choice.text()) < panel.choice.width()


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_episode_draws_nearly_as_fast_as_a_short_one(qtbot: QtBot, kind: type[ViewPanel]) -> None:
    def cost(steps: int) -> float:
        panel, playing, tensors = made(qtbot, kind), began(), rows_of(RECURRENT, steps)
        draw(panel, extend(playing, tensors, steps - 40))
        times = []
        for until in range(steps - 30, steps + 1, 5):
            extend(playing, tensors, until)
            start = time.thread_time()
            panel.take_views(playing)
            panel.refresh()
            QApplication.processEvents()
            times.append(time.thread_time() - start)
        return min(times)

    assert cost(20_000) < 3 * cost(500) + 0.003
