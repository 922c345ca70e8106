"""Breakpoints in the window: the list, what training is told, the pause with its reason, and what is watched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driving import reach, until
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.app.app import App
from dqngui.gui.charts.event_strip import EventStrip
from dqngui.gui.main_window.breakpoint_dialog import BreakpointDialog
from dqngui.gui.panels.log.event_list import line_of
from dqngui.lab.analysis.breakpoints import MAX_VALUES, OFFERED, measure
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.session.states import Action, State
from dqngui.messages import Breakpoint, BreakpointHit
from dqngui.runs.folder import EVENTS
from tests.doubles.made_playing import HIDDEN, LAGS, SELF, began, extend, rows_of
from tests.doubles.scripted_host import ScriptedHost

LOSS = Breakpoint("loss", "above", 10.0)
RETURN = Breakpoint("return", "below", 50.0)
ENTROPY = Breakpoint("attention_entropy", "below", 0.2)
SATURATED = Breakpoint("memory_saturation", "above", 0.5)


@pytest.fixture
def app(used_app: App) -> App:
    return used_app


def dialog_of(app: App) -> BreakpointDialog:
    app.window.show_breakpoints()
    dialog = app.window.breakpoint_dialog
    assert dialog is not None
    return dialog


def type_in(dialog: BreakpointDialog, quantity: str, condition: str, value: str = "") -> None:
    dialog.quantity.set_value(quantity)
    dialog.condition.set_value(condition)
    dialog.condition.edited.emit(condition)
    dialog.value.setText(value)


def told(host: ScriptedHost) -> list[tuple[Breakpoint, ...]]:
    return [command.points for command in host.sent if isinstance(command, m.SetBreakpoints)]


def hit(app: App, point: Breakpoint = LOSS, value: float = 12.34, step: int = 41_200) -> None:
    ScriptedHost.opened[-1].emit(BreakpointHit(step=step, point=point, value=value), m.Paused(step=step))
    until(lambda: app.session.state is State.PAUSED)


# -- the list -----------------------------------------------------------------------------------------


def test_what_is_typed_is_told_to_training_at_once_and_to_later_runs_from_their_start(qtbot: QtBot, app: App) -> None:
    dialog = dialog_of(app)
    type_in(dialog, "loss", "above", "10")
    qtbot.keyClick(dialog.value, Qt.Key.Key_Return)
    assert app.window.breakpoints.enabled == (LOSS,) and dialog.value.text() == ""
    reach(app, State.RUNNING)
    host = ScriptedHost.opened[-1]
    assert host.request.schedule == (m.SetBreakpoints(points=(LOSS,)),) and told(host) == []
    type_in(dialog, "return", "below", "50")
    qtbot.mouseClick(dialog.add, Qt.MouseButton.LeftButton)
    assert [box.text() for box in dialog.boxes] == ["Loss above 10", "Return below 50"]
    dialog.boxes[0].setChecked(False)
    app.window.breakpoints.remove(0)
    assert told(host) == [(LOSS, RETURN), (RETURN,), (RETURN,)]
    assert [box.text() for box in dialog.boxes] == ["Return below 50"] and dialog.boxes[0].isChecked()


def test_what_only_the_window_knows_is_not_told_to_training(app: App) -> None:
    reach(app, State.RUNNING)
    for point in (ENTROPY, LOSS):
        app.window.breakpoints.add(point)
    assert told(ScriptedHost.opened[-1]) == [(), (LOSS,)]


def test_adding_one_that_is_there_switches_it_on(app: App) -> None:
    breakpoints = app.window.breakpoints
    breakpoints.add(LOSS)
    breakpoints.enable(0, False)
    breakpoints.add(LOSS)
    assert len(breakpoints.entries) == 1 and breakpoints.enabled == (LOSS,)


def test_only_a_number_can_be_added_and_not_finite_needs_none(app: App) -> None:
    dialog = dialog_of(app)
    type_in(dialog, "loss", "above", "")
    assert not dialog.add.isEnabled() and dialog.value.property("role") != "bad"
    type_in(dialog, "loss", "above", "much")
    assert not dialog.add.isEnabled() and dialog.value.property("role") == "bad"
    type_in(dialog, "loss", "above", "30k")
    assert dialog.add.isEnabled()
    type_in(dialog, "loss", "nan")
    assert dialog.add.isEnabled() and not dialog.value.isEnabled()
    dialog.add.click()
    assert app.window.breakpoints.enabled == (Breakpoint("loss", "nan"),)


def test_present_numbers_stand_beside_each(app: App) -> None:
    for point in (LOSS, RETURN, ENTROPY):
        app.window.breakpoints.add(point)
    dialog = dialog_of(app)

    def beside() -> list[str]:
        dialog.show_present_values()
        return dialog.present_texts

    assert beside() == ["no value yet", "no value yet", "not measured yet"]
    reach(app, State.RUNNING)
    host = ScriptedHost.opened[-1]
    host.emit(m.Learned(step=100, updates=1, loss=0.25))
    host.emit(*(m.EpisodeEnded(step=100 + index, ret=float(index), length=1) for index in range(19)))
    until(lambda: app.session.run.step >= 118)
    assert beside() == ["now 0.2500", "no value yet", "not measured yet"], "too few episodes for a mean"
    host.emit(m.EpisodeEnded(step=119, ret=19.0, length=1))
    until(lambda: app.session.run.step >= 119)
    assert beside()[1] == "now 9.500"


def test_everything_offered_has_words(app: App) -> None:
    dialog = dialog_of(app)
    for quantity in OFFERED:
        dialog.quantity.set_value(quantity)
        dialog.show_present_values()
        assert dialog.present.text().endswith("yet."), quantity


def test_a_stored_run_says_why_nothing_can_be_set(app: App) -> None:
    app.window.breakpoints.add(LOSS)
    dialog = dialog_of(app)
    reach(app, State.STORED)
    assert any("stored" in label.text() for label in dialog.findChildren(QLabel) if label.isVisible())
    assert not dialog.add.isEnabled() and not dialog.quantity.isEnabled()
    assert not dialog.boxes[0].isEnabled() and dialog.boxes[0].isChecked()
    app.window.breakpoints.add(RETURN)
    assert app.window.breakpoints.enabled == (LOSS,)


def test_the_header_says_how_many_are_switched_on_and_opens_the_list(qtbot: QtBot, app: App) -> None:
    button = app.window.breakpoint_button
    assert "none" in button.toolTip()
    app.window.breakpoints.add(LOSS)
    assert "1 breakpoint: loss above 10" in button.toolTip() and "Ctrl+B" in button.toolTip()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    dialog = app.window.breakpoint_dialog
    assert dialog is not None and dialog.isVisible()
    assert all(each.accessibleName() for each in dialog.findChildren(QToolButton))


# -- a hit --------------------------------------------------------------------------------------------


def test_a_hit_says_why_training_stands_until_it_goes_on(qtbot: QtBot, app: App) -> None:
    reach(app, State.RUNNING)
    hit(app)
    banner = app.window.banner
    assert banner.isVisible() and banner.text.text() == "Paused: loss rose above 10 (12.34) at step 41,200."
    assert app.window.panel_docks.history.hits and line_of(app.window.panel_docks.history.log_events[-1]).text == (
        "Breakpoint: loss rose above 10 (12.34)"
    )
    app.window.panel_docks.refresh()
    returns = app.window.panel_docks.panels["return"]
    assert "breakpoint, loss rose above 10 (12.34)" in returns.findChild(EventStrip).near(returns.plot.x_of(41_200))[0]  # type: ignore[attr-defined]
    sent = ScriptedHost.opened[-1].sent
    before = len(sent)
    qtbot.mouseClick(banner.go_on, Qt.MouseButton.LeftButton)
    until(lambda: app.session.state is State.RUNNING)
    assert isinstance(sent[before], m.Resume) and not banner.isVisible()  # the player may ask for weights after it


def test_another_hit_behind_a_step_is_told_anew(app: App) -> None:
    reach(app, State.RUNNING)
    hit(app)
    app.session.do(Action.STEP)
    assert not app.window.banner.isVisible()
    hit(app, RETURN, 12.0, 41_204)
    until(lambda: app.window.banner.isVisible())
    assert "return fell below 50 (12)" in app.window.banner.text.text()


def test_all_that_hold_at_once_are_told(app: App) -> None:
    reach(app, State.RUNNING)
    ScriptedHost.opened[-1].emit(BreakpointHit(step=41_200, point=RETURN, value=12.0))
    hit(app)
    assert app.window.banner.text.text() == (
        "Paused: return fell below 50 (12) at step 41,200, loss rose above 10 (12.34) at step 41,200."
    )


def test_a_failure_is_told_in_place_of_the_hit_before_it(app: App) -> None:
    reach(app, State.RUNNING)
    hit(app, Breakpoint("loss", "nan"), float("nan"))
    assert "loss became not a number at step 41,200" in app.window.banner.text.text()
    app.session.do(Action.UNPAUSE)
    ScriptedHost.opened[-1].fail("the loss became nan at step 41,200")
    until(lambda: app.session.state is State.FAILED)
    assert "The loss became nan" in app.window.banner.text.text() and not app.window.banner.go_on.isVisible()


def test_hits_of_a_stored_run_are_marks_only(app: App, tmp_path: Path) -> None:
    reach(app, State.STORED)
    folder = app.session.run.folder
    assert folder is not None
    (folder / EVENTS).write_bytes(m.encode(BreakpointHit(step=5, point=LOSS, value=12.0)) + b"\n")
    app.session.open_stored(folder)
    until(lambda: app.session.log.share == 1.0)
    assert len(app.session.history.hits) == 1
    assert app.session.run.hits == () and not app.window.banner.go_on.isVisible()


# -- while watching -----------------------------------------------------------------------------------


def watched(entropy: float = 1.0, held: float = 0.0, source: str = "newest weights", given: int = 0) -> PlayedEpisode:
    """An ended episode whose heads look at all places alike (1) or at one (0), and whose units all hold one value."""
    views = (SELF, LAGS, HIDDEN)
    tensors = rows_of(views, 40)
    for view in (SELF, LAGS):
        shares = tensors[f"view/{view.name}"]
        for t in range(40):
            places = min(t + 1, view.shape[-1]) if view is LAGS else view.shape[-1]  # one past step after another
            shares[t] = 0
            shares[t, ..., :places] = entropy / places
            shares[t, ..., 0] += 1 - entropy
    tensors["view/memory/hidden"][:] = held
    playing = began(views)
    ready = m.PlayerReady(
        step=5_000, environment="E", views=views, held=("memory/hidden",), weights=(SELF.name, LAGS.name)
    )
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=5_000, number=0, seed=1, given=given), source)
    return extend(playing, tensors, 40, ended=True)


def test_entropy_and_saturation_are_shares() -> None:
    assert measure(watched(1.0, 0.99)) == {"attention_entropy": pytest.approx(1.0), "memory_saturation": 1.0}
    assert measure(watched(0.0, 0.9)) == {"attention_entropy": pytest.approx(0.0), "memory_saturation": 0.0}
    bare = PlayedEpisode(
        m.PlayerReady(step=0, environment="E"), m.EpisodeBegan(step=0, number=0, seed=0), "newest weights"
    )
    assert measure(bare) == {}


def test_a_large_episode_is_measured_on_some_of_its_steps() -> None:
    wide = m.View("attention/self/0", ("head", "query", "key"), (8, 50, 50))
    ready = m.PlayerReady(step=0, environment="E", views=(wide,), weights=(wide.name,))
    playing = PlayedEpisode(ready, m.EpisodeBegan(step=0, number=0, seed=0), "newest weights")
    steps = 40
    rows = np.zeros((steps, *wide.shape), np.float32)
    rows[..., 0] = 1
    assert rows.size > 3 * MAX_VALUES
    tensors = {"action": np.zeros(steps, np.int64), f"view/{wide.name}": rows}
    playing.take(m.Played(step=0, number=0, first=0, tensors=tensors, ended=True))
    assert measure(playing) == {"attention_entropy": 0.0}


def test_what_is_watched_pauses_training_once(app: App) -> None:
    reach(app, State.RUNNING)
    breakpoints = app.window.breakpoints
    breakpoints.add(ENTROPY)
    breakpoints.add(SATURATED)
    breakpoints.watch(watched(1.0, 0.0))
    assert app.session.state is State.RUNNING and breakpoints.watched["attention_entropy"] == pytest.approx(1.0)
    breakpoints.watch(watched(1.0, 0.99))
    until(lambda: app.session.state is State.PAUSED)
    assert "memory saturation rose above 0.5 (1) at step 5,000" in app.window.banner.text.text()
    assert [each.point for each in app.window.panel_docks.history.hits] == [SATURATED]
    app.session.do(Action.UNPAUSE)
    until(lambda: app.session.state is State.RUNNING)
    pauses = sum(isinstance(command, m.Pause) for command in ScriptedHost.opened[-1].sent)
    breakpoints.watch(watched(1.0, 0.99))
    assert sum(isinstance(command, m.Pause) for command in ScriptedHost.opened[-1].sent) == pauses, "it stays true"
    breakpoints.watch(watched(0.0, 0.0))
    until(lambda: app.session.state is State.PAUSED)
    assert "attention entropy fell below 0.2 (0)" in app.window.banner.text.text()


@pytest.mark.parametrize(("source", "given"), [("demo", 0), ("best checkpoint", 0), ("newest weights", 5)])
def test_only_what_the_agent_in_training_plays_by_itself_counts(app: App, source: str, given: int) -> None:
    reach(app, State.RUNNING)
    app.window.breakpoints.add(ENTROPY)
    app.window.breakpoints.watch(watched(0.0, source=source, given=given))
    assert not any(isinstance(command, m.Pause) for command in ScriptedHost.opened[-1].sent)
    assert app.window.breakpoints.watched == {}


def test_what_holds_while_training_is_paused_anyway_pauses_it_when_it_goes_on(app: App) -> None:
    reach(app, State.PAUSED)
    app.window.breakpoints.add(ENTROPY)
    app.window.breakpoints.watch(watched(0.0))
    assert app.window.breakpoints.watched["attention_entropy"] == pytest.approx(0.0) and not app.session.run.hits
    app.session.do(Action.UNPAUSE)
    until(lambda: app.session.state is State.RUNNING)
    app.window.breakpoints.watch(watched(0.0))
    until(lambda: app.session.state is State.PAUSED)
    assert app.session.run.hits


def test_numbers_are_measured_for_the_list_without_any_breakpoint(app: App) -> None:
    reach(app, State.RUNNING)
    app.window.breakpoints.watch(watched(0.0))
    assert app.window.breakpoints.watched == {}, "nobody wants them"
    dialog_of(app)
    app.window.breakpoints.watch(watched(0.0))
    assert app.window.breakpoints.present("attention_entropy") == pytest.approx(0.0)
