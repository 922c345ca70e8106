"""The real window, a real run and a real player: a click on the curve opens the right episode in every panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from driving import hover, live_app
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from dqngui import config, settings
from dqngui.gui.app.app import App
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.panels.curves.return_panel import ReturnPanel
from dqngui.lab.cursor.pinned_episode import PinnedEpisode
from dqngui.lab.session.states import Action, State
from dqngui.runs.checkpoints import checkpoints
from dqngui.runs.episodes import read_episode, read_index

EXPERIMENT = settings.with_settings(
    config.Experiment(),
    {
        "env.num_envs": 2, "net.attention": "self", "net.memory": "gru", "net.width": 16, "learn.window": 8,
        "learn.burn_in": 0, "learn.batch_size": 4, "learn.warmup": 200, "learn.update_every": 32,
        "run.log_every": 64, "run.eval_every": 0, "run.checkpoint_every": 500, "run.total_steps": 10_000_000,
    },
)  # fmt: skip


@pytest.fixture
def app(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    yield from live_app(qtbot, monkeypatch, EXPERIMENT, tmp_path)


def wait(qtbot: QtBot, app: App, reached: Callable[[], bool]) -> None:
    """Wait for something; a job that failed meanwhile says why."""
    qtbot.waitUntil(lambda: reached() or app.session.run.failure is not None, timeout=60_000)
    assert reached(), app.session.run.failure


def train(qtbot: QtBot, app: App, steps: int) -> Path:
    app.session.do(Action.START)
    wait(qtbot, app, lambda: app.session.state is State.RUNNING and app.session.run.step >= steps)
    folder = app.session.run.folder
    assert folder is not None
    return folder


def click_dot(qtbot: QtBot, app: App, number: int) -> None:
    """Click the dot of an episode, as drawn now."""
    panel = app.window.panel_docks.panels["return"]
    assert isinstance(panel, ReturnPanel)
    app.window.panel_docks.refresh()
    curve, plot = app.window.panel_docks.history.returns, panel.plot
    at = plot.mapFromScene(plot.box.mapViewToScene(QPointF(curve.x.values[number], curve.y.values[number])))
    hover(plot.viewport(), at)
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)


def shows(app: App, t: int) -> bool:
    """Step t stands in every panel, with its own picture."""
    player, panels = app.player, app.window.panel_docks.panels
    playing = player.playing
    if playing is None or (playing.t, player.frames.substitute_step) != (t, None) or player.frame is None:
        return False
    inner = [panels["attention"], panels["memory"]]
    if any(panel.playing is not playing for panel in inner):
        return False
    maps = [canvases(panel) for panel in inner]
    return all(maps) and all(canvas.t == t for each in maps for canvas in each)


def at_step(canvas: StepCanvas, t: int) -> QPoint:
    return QPointF(canvas.x_of(t), canvas.place.center().y()).toPoint()


def canvases(panel: object) -> list[StepCanvas]:
    return [each for each in panel.findChildren(StepCanvas) if each.isVisible()]  # type: ignore[attr-defined]


def test_a_click_pins_the_episode_and_everything_shows_it(qtbot: QtBot, app: App) -> None:
    folder = train(qtbot, app, 1200)
    pinning, player, panel_docks = app.pinning, app.player, app.window.panel_docks
    session = app.session
    session.do(Action.PAUSE)  # so that the dots stay where they are
    wait(qtbot, app, lambda: session.state is State.PAUSED and player.playing is not None)
    played_before, number = player.playing, len(panel_docks.history.returns) * 2 // 3
    click_dot(qtbot, app, number)
    assert pinning.pinned is not None
    assert pinning.cursor is not None
    step = int(panel_docks.history.returns.x.values[pinning.pinned.number])
    trace = read_episode(folder, read_index(folder)[pinning.pinned.number])
    assert abs(pinning.pinned.number - number) <= 1  # two environments may end in one step
    assert (pinning.cursor.step, trace.step) == (step, step)

    session.do(Action.UNPAUSE)
    trained = session.run.step
    wait(qtbot, app, lambda: player.playing is not played_before and player.playing.ended)  # type: ignore[union-attr]
    wait(qtbot, app, lambda: shows(app, 0))
    playing = player.playing
    assert playing is not None
    assert playing.seed == trace.seed
    assert playing.action.tolist() == trace.actions.tolist()
    assert playing.reward.sum() == panel_docks.history.returns.y.values[pinning.pinned.number]
    stored = [each for each in checkpoints(folder) if each <= pinning.pinned.begin]
    assert playing.weights_step == stored[-1]
    wait(qtbot, app, lambda: pinning.pinned.compared)  # type: ignore[union-attr]
    assert not pinning.pinned.differs
    words = app.pin_controls.badges["memory"].text.text()
    assert words.startswith(
        f"pinned · episode {pinning.pinned.number + 1:,} · seen by the checkpoint of step {stored[-1]:,} · actions as"
    )
    assert app.pin_controls.badges["agent"].isVisible()

    # Training and its curves go on, and its weights are not asked for.
    wait(qtbot, app, lambda: session.run.step > trained + 300)
    assert player.playing is playing

    # A click into the memory's timeline, the keys, the ends: all of it together.
    (canvas, *_) = canvases(panel_docks.panels["memory"])
    wait(qtbot, app, lambda: canvas.step_at(at_step(canvas, 5).x()) == 5)  # painted when the budget allows
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at_step(canvas, 5))
    wait(qtbot, app, lambda: shows(app, 5))
    player.seek(3)
    wait(qtbot, app, lambda: shows(app, 3))
    np.testing.assert_array_equal(panel_docks.panels["agent"].bars.drawn.values, playing.q[3])  # type: ignore[attr-defined]
    panel_docks.panels["return"].setFocus()
    QTest.keyClick(panel_docks.panels["return"], Qt.Key.Key_Right)
    wait(qtbot, app, lambda: shows(app, 4))
    QTest.keyClick(panel_docks.panels["return"], Qt.Key.Key_End)
    wait(qtbot, app, lambda: playing.t == playing.length)

    # The next episode, and back to live.
    QTest.keyClick(app.window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    after = read_episode(folder, read_index(folder)[pinning.pinned.number])
    assert after.seed != trace.seed
    wait(qtbot, app, lambda: player.playing.request.seed == after.seed and shows(app, 0))  # type: ignore[union-attr]
    QTest.keyClick(app.window, Qt.Key.Key_Escape)
    assert pinning.pinned is None
    assert pinning.cursor is None
    wait(qtbot, app, lambda: player.playing.given == 0 and player.client.choice == "newest")  # type: ignore[union-attr]
    assert not app.pin_controls.badges["memory"].isVisible()


def pin(qtbot: QtBot, app: App, number: int) -> PinnedEpisode:
    """Pin an episode and have it played to its end."""
    app.pinning.pin_episode(number)
    qtbot.waitUntil(lambda: app.pinning.pinned is not None and app.pinning.pinned.compared, timeout=60_000)
    assert app.pinning.pinned is not None
    return app.pinning.pinned


@pytest.mark.slow  # four runs; the test above pins an episode of a run that trains
def test_episodes_of_stored_resumed_and_forked_runs_are_pinned(qtbot: QtBot, app: App) -> None:
    folder = train(qtbot, app, 800)
    session, history, pinning = app.session, app.window.panel_docks.history, app.pinning
    session.do(Action.STOP)
    wait(qtbot, app, lambda: session.state is State.STOPPED)
    session.do(Action.NEW_RUN)
    assert session.open_stored(folder)
    wait(qtbot, app, lambda: session.log.share == 1.0 and app.player.playing is not None)
    stored = pin(qtbot, app, 5)
    assert (stored.number, stored.differs, app.player.paused) == (5, False, True)
    pinning.live()
    wait(qtbot, app, lambda: app.player.client.choice == "best" and not app.player.playing.given)  # type: ignore[union-attr]

    stopped = session.run.step
    session.do(Action.RESUME_RUN)
    wait(qtbot, app, lambda: session.state is State.RUNNING and session.run.step > stopped + 300)
    newest = len(app.window.panel_docks.history.returns) - 1
    resumed = pin(qtbot, app, newest)
    assert resumed.trace.step > stopped
    assert not resumed.differs

    session.do(Action.FORK)
    wait(qtbot, app, lambda: session.state is State.RUNNING and session.run.folder != folder)
    assert pinning.pinned is None  # it was of the former run
    wait(qtbot, app, lambda: len(app.window.panel_docks.history.returns) > 3)
    own = pin(qtbot, app, 2)
    assert (own.run.folder, own.differs) == (session.run.folder, False)
    wait(qtbot, app, lambda: bool(app.library.curve(folder)))
    pinning.pin(stored.trace.step)
    wait(qtbot, app, lambda: pinning.pinned is not None and pinning.pinned.compared)
    assert pinning.pinned is not None
    assert (pinning.pinned.run.folder, pinning.pinned.trace.step) == (folder, stored.trace.step)
    assert not pinning.pinned.differs
    assert history is not app.window.panel_docks.history
