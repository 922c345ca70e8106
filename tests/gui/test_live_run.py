"""The real window drives a real run in the thread host: every knob and button does what it says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from driving import live_app
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from dqngui import config, settings
from dqngui import messages as m
from dqngui.gui.app.app import App
from dqngui.gui.settings_form.fields import NumberEditor
from dqngui.lab.session.rules import waiting_edits
from dqngui.lab.session.states import Action, State
from dqngui.runs.folder import EVENTS, create, list_runs, new_summary, read_events, write_summary
from dqngui.runs.resume import load_resume

ENVS = 4
EXPERIMENT = settings.with_settings(
    config.Experiment(),
    {
        "env.num_envs": ENVS, "net.attention": "none", "net.memory": "none", "net.tokens": "one", "net.width": 16,
        "learn.window": 1, "learn.burn_in": 0, "learn.batch_size": 8, "learn.warmup": 64, "learn.update_every": 64,
        "run.log_every": 256, "run.eval_every": 0, "run.checkpoint_every": 100_000, "run.total_steps": 10_000_000,
    },
)  # fmt: skip


@pytest.fixture
def app(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    yield from live_app(qtbot, monkeypatch, EXPERIMENT, tmp_path)


def click(app: App, action: Action, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    button = app.window.header.buttons[action]
    assert button.isEnabled(), action
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, keys)


def wait_state(qtbot: QtBot, app: App, state: State) -> None:
    wait(qtbot, app, lambda: app.session.state is state)


def wait_step(qtbot: QtBot, app: App, step: int) -> None:
    wait(qtbot, app, lambda: app.session.run.step >= step)


def wait(qtbot: QtBot, app: App, reached: Callable[[], bool]) -> None:
    """Wait for something; a job that failed meanwhile says why."""
    qtbot.waitUntil(lambda: reached() or app.session.run.failure is not None, timeout=60_000)
    assert reached(), app.session.run.failure


def turn(qtbot: QtBot, app: App, path: str, text: str) -> None:
    number = app.window.knobs.rows[path].number
    assert isinstance(number, NumberEditor)
    number.setFocus()
    number.selectAll()
    QTest.keyClicks(number, text)
    QTest.keyClick(number, Qt.Key.Key_Return)


class Rows:
    """The learning curve's rows as they arrive."""

    def __init__(self, app: App) -> None:
        self.rows: list[m.Learned] = []
        app.session.received.connect(self.take)

    def take(self, events: list[m.Event]) -> None:
        self.rows += [event for event in events if isinstance(event, m.Learned)]

    def updates(self, behind: int) -> int:
        """Updates between two neighbouring rows behind a step; 0 if there are not two yet."""
        first, second, *_ = [*(row for row in self.rows if row.step > behind), None, None]
        return second.updates - first.updates if first and second else 0


def test_a_person_steers_a_run(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    session, window, rows = app.session, app.window, Rows(app)
    click(app, Action.START)  # remembered until torch is loaded
    wait_state(qtbot, app, State.RUNNING)
    wait_step(qtbot, app, 1500)
    folder = session.run.folder
    assert folder is not None
    assert rows.updates(300) == 256 // 64

    # A knob: pending, acknowledged, in force at the next update, drawn, logged.
    turn(qtbot, app, "learn.update_every", "8")
    qtbot.waitUntil(lambda: session.value("learn.update_every") == 8, timeout=5000)
    (change,) = window.panel_docks.history.knobs
    assert (change.field, change.old, change.new) == ("learn.update_every", 64, 8)
    wait_step(qtbot, app, change.step + 1500)
    assert rows.updates(change.step) == 256 // 8
    qtbot.waitUntil(lambda: change in list(read_events(folder)), timeout=5000)  # flushed each second
    window.panel_docks.refresh()
    assert window.panel_docks.panels["return"].history.knobs == [change]
    assert window.knobs.rows["learn.update_every"].number.value() == 8

    # A forbidden value and a forbidden setting: kept, and said why.
    turn(qtbot, app, "learn.lr", "7")
    qtbot.waitUntil(lambda: "was not changed" in window.knobs.message.text(), timeout=5000)
    assert "expected a number ≤ 1.0" in window.knobs.message.text()
    assert window.knobs.rows["learn.lr"].number.value() == 1e-3
    assert "takes effect in a fork" in window.form.editors()["net.width"].toolTip()
    session.set_knob("net.width", 32)
    qtbot.waitUntil(lambda: "net.width" in session.run.knobs.refused, timeout=5000)
    assert "fork" in str(session.run.knobs.refused["net.width"])

    # Undo is a new command.
    window.activateWindow()
    window.setFocus()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: session.value("learn.update_every") == 64, timeout=5000)
    assert [knob.new for knob in window.panel_docks.history.knobs] == [8, 64]

    # A scheduled knob detaches and returns.
    turn(qtbot, app, "learn.epsilon", "0.25")
    qtbot.waitUntil(lambda: session.run.learned is not None and session.run.learned.epsilon == 0.25, timeout=5000)
    window.knobs.rows["learn.epsilon"].chip.click()
    qtbot.waitUntil(lambda: session.run.learned is not None and session.run.learned.epsilon != 0.25, timeout=5000)

    # Pause stands still, and still answers.
    click(app, Action.PAUSE)
    wait_state(qtbot, app, State.PAUSED)
    stood = session.run.step
    qtbot.wait(200)
    assert session.run.step == stood
    turn(qtbot, app, "learn.gamma", "0.9")
    qtbot.waitUntil(lambda: session.value("learn.gamma") == 0.9, timeout=5000)
    assert session.run.step == stood

    # One step, one update, one episode.
    click(app, Action.STEP)
    qtbot.waitUntil(lambda: session.run.step == stood + ENVS, timeout=5000)
    click(app, Action.STEP, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: session.run.step > stood + ENVS, timeout=5000)
    qtbot.wait(100)
    assert session.state is State.PAUSED
    assert session.run.step <= stood + ENVS + 64
    episodes = len(window.panel_docks.history.returns)
    click(app, Action.STEP, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: len(window.panel_docks.history.returns) > episodes, timeout=5000)

    click(app, Action.UNPAUSE)
    wait_state(qtbot, app, State.RUNNING)
    wait_step(qtbot, app, session.run.step + 500)

    # Stop saves; Resume goes on from there, with the knobs as they were.
    click(app, Action.STOP)
    wait_state(qtbot, app, State.STOPPED)
    stopped = session.run.step
    assert session.run.resumable
    click(app, Action.RESUME_RUN)
    wait_state(qtbot, app, State.RUNNING)
    assert session.run.experiment.learn.gamma == 0.9
    wait_step(qtbot, app, stopped + 500)
    logged = [event.step for event in read_events(folder)]
    assert logged == sorted(logged)

    # Closing stops and saves.
    window.close()
    qtbot.waitUntil(lambda: app.closing.done, timeout=60_000)
    assert not window.isVisible()
    assert {thread for thread in threading.enumerate() if thread.is_alive()} <= before
    (summary,) = list_runs(tmp_path / "runs")
    assert summary.state == "stopped"
    assert summary.step == session.run.step
    assert window.panel_docks.history.returns.x.size == sum(isinstance(e, m.EpisodeEnded) for e in read_events(folder))


def test_a_run_that_cannot_start_says_why_and_leaves_no_folder(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.session.edit({"env.id": "NoSuchTask-v0"})
    click(app, Action.START)
    qtbot.waitUntil(lambda: "NoSuchTask" in app.window.banner.text.text(), timeout=60_000)
    assert app.session.state is State.READY and app.session.waiting.action is None
    assert not (tmp_path / "runs").exists()
    app.session.edit({"env.id": "CartPole-v1"})
    click(app, Action.START)
    wait_state(qtbot, app, State.RUNNING)


MOMENTS = (
    pytest.param("at once", marks=pytest.mark.slow),
    "loading",
    "starting",
    "running",
    "paused",
    pytest.param("player starts", marks=pytest.mark.slow),
    pytest.param("playing", marks=pytest.mark.slow),
    pytest.param("pinned", marks=pytest.mark.slow),
    pytest.param("filming", marks=pytest.mark.slow),
    "reading",
)


@pytest.mark.parametrize("moment", [*MOMENTS, "stopping to fork", "forking"])
def test_closing_at_any_moment_leaves_no_thread_no_process_and_whole_files(
    qtbot: QtBot, app: App, tmp_path: Path, moment: str
) -> None:
    before = {thread for thread in threading.enumerate() if thread.name not in ("import-torch", "library")}
    processes = set(psutil.Process().children(recursive=True))
    go_to(moment, qtbot, app, tmp_path)
    app.window.close()
    qtbot.waitUntil(lambda: app.closing.done, timeout=60_000)
    assert not app.session.job.active
    assert not app.torch.alive
    assert set(threading.enumerate()) <= before
    assert set(psutil.Process().children(recursive=True)) <= processes
    assert not list((tmp_path / "films").glob("*"))
    runs = list_runs(tmp_path / "runs")
    assert len(runs) == {"reading": 1, "stopping to fork": 1, "forking": 2}.get(moment, len(runs))
    for summary in runs:
        assert summary.state == "stopped"
        steps = [event.step for event in read_events(Path(summary.folder))]
        assert steps == sorted(steps)
    if moment in ("running", "paused", "filming", "stopping to fork"):
        (summary,) = runs
        assert load_resume(Path(summary.folder)).mark.step == summary.step > 0  # what was saved can be read


def go_to(moment: str, qtbot: QtBot, app: App, tmp_path: Path) -> None:
    """Bring the window to the moment at which it is closed."""
    session, player = app.session, app.player
    match moment:
        case "at once":
            return
        case "player starts":
            wait(qtbot, app, lambda: player.alive)
            return
        case "playing":  # the demo, with pictures
            wait(qtbot, app, lambda: player.frame is not None and player.playing is not None and player.playing.t > 3)
            return
        case "reading":
            folder = create(tmp_path / "runs", EXPERIMENT)
            line = m.encode(m.EpisodeEnded(step=1, ret=1.0, length=1)) + b"\n"
            (folder / EVENTS).write_bytes(line * 300_000)
            write_summary(folder, msgspec.structs.replace(new_summary(EXPERIMENT), state="stopped"))
            session.open_stored(folder)
            wait(qtbot, app, lambda: 0 < session.log.share < 1)
            return
    click(app, Action.START)
    if moment == "loading":
        return
    if moment == "starting":
        wait(qtbot, app, lambda: app.session.state in (State.STARTING, State.RUNNING))  # it may have started by now
        return
    wait_step(qtbot, app, 300)
    match moment:
        case "paused":
            click(app, Action.PAUSE)
            wait_state(qtbot, app, State.PAUSED)
        case "pinned":
            app.pinning.step_episode(-1)
            wait(qtbot, app, lambda: app.pinning.pinned is not None)
        case "filming":
            wait(qtbot, app, lambda: player.playing is not None and player.playing.length > 0)
            (tmp_path / "films").mkdir()
            film = app.window.panel_docks.panels["agent"].film  # type: ignore[attr-defined]
            film.start(tmp_path / "films" / "film.mp4")
            wait(qtbot, app, lambda: "%" in film.words)
        case "stopping to fork":
            session.do(Action.FORK)
            assert session.state is State.STARTING
        case "forking":
            parent = session.run.folder
            session.do(Action.FORK)
            wait(qtbot, app, lambda: session.state is State.RUNNING and session.run.folder != parent)


def test_a_stored_run_is_opened_taken_up_and_forked(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    """Nothing is drawn twice, and what the fork keeps and changes is as asked."""
    session, panel_docks = app.session, app.window.panel_docks
    click(app, Action.START)
    wait_step(qtbot, app, 1000)
    session.set_knob("learn.lr", 5e-4)
    wait(qtbot, app, lambda: session.value("learn.lr") == 5e-4)
    click(app, Action.STOP)
    wait_state(qtbot, app, State.STOPPED)
    parent, stopped = session.run.folder, session.run.step
    assert parent is not None
    click(app, Action.NEW_RUN)
    assert panel_docks.history.empty

    assert session.open_stored(parent)
    wait(qtbot, app, lambda: session.log.share == 1.0)
    assert (session.state, session.fork_plan.step) == (State.STORED, stopped)
    assert session.value("learn.lr") == 5e-4
    assert drawn_episodes(app) == logged_episodes(parent)

    click(app, Action.RESUME_RUN)
    wait_state(qtbot, app, State.RUNNING)
    wait_step(qtbot, app, stopped + 1000)
    session.edit({"net.width": 32, "run.log_every": 128})
    assert app.window.draft_bar.isVisible()
    branched_after = session.run.step
    QTest.mouseClick(app.window.draft_bar.buttons[Action.FORK], Qt.MouseButton.LeftButton)
    wait(qtbot, app, lambda: session.state is State.RUNNING and session.run.folder != parent)
    folder = session.run.folder
    assert folder is not None
    assert not app.window.draft_bar.isVisible()
    assert session.run.forked_from == parent.name
    assert session.run.experiment.net.width == 32
    assert session.run.experiment.learn.lr == 5e-4
    wait(qtbot, app, lambda: drawn_episodes(app) > 20)
    click(app, Action.STOP)
    wait_state(qtbot, app, State.STOPPED)
    (forked,) = (event for event in read_events(folder) if isinstance(event, m.Forked))
    assert forked.step >= branched_after
    assert {change.split(":")[0] for change in forked.changes_in_words} == {"net.width", "run.log_every"}
    assert panel_docks.history.forks == [forked]
    assert panel_docks.history.returns.x.values.min() >= forked.step
    assert drawn_episodes(app) == logged_episodes(folder)
    states = {Path(run.folder): (run.state, run.step) for run in list_runs(tmp_path / "runs")}
    assert states == {parent: ("stopped", forked.step), folder: ("stopped", session.run.step)}


def drawn_episodes(app: App) -> int:
    return len(app.window.panel_docks.history.returns)


def logged_episodes(folder: Path) -> int:
    return sum(isinstance(event, m.EpisodeEnded) for event in read_events(folder))


def test_a_fork_that_cannot_train_leaves_its_parent_whole(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    session = app.session
    click(app, Action.START)
    wait_step(qtbot, app, 500)
    parent = session.run.folder
    assert parent is not None
    session.edit({"env.id": "NoSuchTask-v0"})
    click(app, Action.FORK)
    qtbot.waitUntil(lambda: "NoSuchTask" in app.window.banner.text.text(), timeout=60_000)
    assert session.state is State.RUNNING  # the environment is tried before the parent is stopped
    session.do(Action.STOP)
    qtbot.waitUntil(lambda: session.state is State.STOPPED, timeout=60_000)
    assert session.run.failure is None
    assert session.run.folder == parent
    assert "env.id" in waiting_edits(session.state, session.draft)
    assert [Path(run.folder) for run in list_runs(tmp_path / "runs")] == [parent]
    assert drawn_episodes(app) == logged_episodes(parent)
    session.do(Action.DISCARD_DRAFT)
    click(app, Action.RESUME_RUN)
    wait_state(qtbot, app, State.RUNNING)
