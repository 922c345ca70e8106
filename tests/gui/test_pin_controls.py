"""Pinning in the window: a look is only a look, a click pins, the badge says what is so, and all ways lead back."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import hover, reach, until
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest

from dqngui.gui.app.app import App
from dqngui.gui.charts.plot import Plot
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.panels.agent.agent_panel import AgentPanel
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.lab.session.states import State
from tests.doubles.made_episodes import ended, store
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_player import ScriptedPlayer, weights

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def trained(app: App, tmp_path: Path) -> App:
    """A run that trains has ended twenty episodes, each with a return of its own."""
    app.session.runs = tmp_path / "runs"
    reach(app, State.RUNNING)
    events = [ended(number, ret=float(number)) for number in range(20)]
    ScriptedHost.opened[-1].emit(weights(5_000), *events)
    until(lambda: len(app.window.panel_docks.history.returns) == 20)
    assert app.session.run.folder is not None
    store(app.session.run.folder, events)
    until(lambda: app.player.playing is not None and app.player.playing.weights_step == 5_000)
    app.window.panel_docks.refresh()
    return app


def plot_of(app: App) -> Plot:
    panel = app.window.panel_docks.panels["return"]
    assert isinstance(panel, ReturnPanel)
    return panel.plot


def dot(app: App, number: int) -> QPoint:
    """Where an episode's dot is drawn."""
    curve, plot = app.window.panel_docks.history.returns, plot_of(app)
    at = QPointF(curve.x.values[number], curve.y.values[number])
    return plot.mapFromScene(plot.box.mapViewToScene(at))


def click(app: App, number: int) -> None:
    QTest.mouseClick(plot_of(app).viewport(), LEFT, NONE, dot(app, number))


def pinned(app: App) -> int | None:
    return None if app.pinning.pinned is None else app.pinning.pinned.number


def live_action(app: App) -> QAction:
    return app.pin_controls.live


def test_hovering_over_the_curve_tells_and_pins_nothing(trained: App) -> None:
    plot, before = plot_of(trained), len(ScriptedPlayer.opened[-1].sent)
    hover(plot.viewport(), dot(trained, 12))
    until(plot.readout.isVisible)
    for line in ("episode 13", "return 12", "length 100", "checkpoint"):
        assert line in plot.readout.text()
    assert pinned(trained) is None
    assert plot.cursor_line.steps == []
    assert not any(type(sent).__name__ == "OpenAgent" for sent in ScriptedPlayer.opened[-1].sent[before:])


def test_a_click_pins_its_dot_and_a_second_one_lets_go(trained: App) -> None:
    badge = trained.pin_controls.badges["return"]
    assert not badge.isVisible()
    assert not live_action(trained).isEnabled()
    click(trained, 7)
    assert pinned(trained) == 7
    assert badge.isVisible()
    until(lambda: "actions as recorded" in badge.text.text())
    assert badge.text.text().startswith("pinned · episode 8 · ")
    assert " · seen by the checkpoint of step " in badge.text.text()
    assert plot_of(trained).cursor_line.steps == [ended(7).step]
    assert live_action(trained).isEnabled()
    until(lambda: trained.player.playing.request.from_training)  # type: ignore[union-attr]
    click(trained, 7)
    assert pinned(trained) is None
    assert not badge.isVisible()
    until(lambda: trained.player.playing.weights_step == 5_000)  # type: ignore[union-attr]


def test_clicks_at_once_pin_the_last_and_escape_lets_go_of_it(trained: App) -> None:
    for number in (3, 16, 9):
        click(trained, number)
        until(lambda number=number: pinned(trained) == number)  # type: ignore[misc]
    QTest.keyClick(trained.window, Qt.Key.Key_Escape)
    assert pinned(trained) is None
    until(lambda: trained.player.playing.weights_step == 5_000 and trained.player.client.choice == "newest")  # type: ignore[union-attr]
    click(trained, 4)
    trained.pin_controls.badges["agent"].live.click()
    assert pinned(trained) is None


def test_keys_step_through_episodes_and_through_steps(trained: App) -> None:
    window, player = trained.window, trained.player
    QTest.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert pinned(trained) == 19
    QTest.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert pinned(trained) == 18
    QTest.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert pinned(trained) == 19
    until(lambda: player.playing.request.from_training and player.playing.ended)  # type: ignore[union-attr]
    panel = window.panel_docks.panels["memory"]
    canvas = next(each for each in panel.findChildren(StepCanvas) if each.filled)
    until(lambda: canvas.length == 100)
    assert canvas.marked.tolist() == player.playing.non_greedy_steps.tolist() == [39]  # type: ignore[union-attr]
    at = QPointF(canvas.x_of(39), canvas.place.center().y()).toPoint()
    QTest.mouseClick(canvas, LEFT, NONE, at)  # the focus goes where a step was clicked
    t = canvas.step_at(at.x())
    until(lambda: player.playing.t == t)  # type: ignore[union-attr]
    for key, wanted in ((Qt.Key.Key_Right, t + 1), (Qt.Key.Key_Left, t), (Qt.Key.Key_End, 100), (Qt.Key.Key_Home, 0)):  # type: ignore[operator]
        QTest.keyClick(window.focusWidget(), key)
        until(lambda wanted=wanted: player.playing.t == wanted)  # type: ignore[misc, union-attr]
    player.seek(39)
    until(lambda: player.playing.t == 39)  # type: ignore[union-attr]
    agent = window.panel_docks.panels["agent"]
    assert isinstance(agent, AgentPanel)
    assert agent.bars.drawn.described == "right taken as recorded, although not greedy, value 10.00"


def test_what_could_not_be_repeated_is_said_in_every_badge(trained: App) -> None:
    click(trained, 7)  # its return is 7 in the log, and 100 when it is played again
    badge = trained.pin_controls.badges["memory"]
    until(lambda: "not reproducible" in badge.text.text())
    assert badge.text.property("role") == "warn"


def test_while_no_card_shows_the_episode_the_badge_says_so(trained: App) -> None:
    for name in ("agent", "attention", "memory", "whatif"):
        trained.window.docks[name].hide()
    until(lambda: trained.player.in_sight == (False, False))
    click(trained, 7)
    badge = trained.pin_controls.badges["return"]
    assert badge.text.text() == "pinned · episode 8 · no card in sight shows it"
    trained.window.docks["agent"].show()
    until(lambda: "actions as recorded" in badge.text.text())


def test_a_new_run_lets_go_with_a_word(trained: App) -> None:
    click(trained, 7)
    trained.session.stop()
    until(lambda: trained.session.state is State.STOPPED)
    assert pinned(trained) == 7
    trained.session.new_run()
    assert pinned(trained) is None
    assert "the pinned episode belongs to the run that was closed" in trained.window.banner.text.text()
    assert not trained.pin_controls.badges["agent"].isVisible()


def test_a_picture_that_stands_in_for_another_says_so(trained: App) -> None:
    click(trained, 7)
    player = trained.player
    until(lambda: player.playing.request.from_training and player.playing.ended and player.frame is not None)  # type: ignore[union-attr]
    until(lambda: len(player.frames.cache) > 10)
    agent = trained.window.panel_docks.panels["agent"]
    assert isinstance(agent, AgentPanel)
    note = agent.drawing_note
    ScriptedPlayer.opened[-1].draws = False
    player.seek(90)
    until(note.isVisible)
    assert note.text() == "Drawing step 90…"
    assert player.playing.t == 90  # type: ignore[union-attr]
    player.seek(5)
    until(lambda: not note.isVisible())
    ScriptedPlayer.opened[-1].draws = True
