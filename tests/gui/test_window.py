"""The window: buttons follow the states, nothing is clipped, errors are said, and closing leaves nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from driving import make_app, reach, texts
from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QRawFont
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QPushButton,
    QToolButton,
)
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui.gui.app import closing as closing_module
from dqngui.gui.app.app import App, run_window
from dqngui.gui.app.screenshots import Screenshots
from dqngui.gui.main_window.actions import WORDS
from dqngui.gui.main_window.header import BUTTONS, STATE_WORDS
from dqngui.gui.style import theme as themes
from dqngui.lab.session.states import ALLOWED, Action, State
from dqngui.runs.folder import list_runs
from tests.doubles.scripted_host import ScriptedHost

# -- states and what is in sight ----------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_buttons_menus_and_shortcuts_follow_the_table(used_app: App, state: State) -> None:
    reach(used_app, state)
    header, allowed = used_app.window.header, used_app.session.allowed
    assert allowed <= ALLOWED[state]
    assert header.word.text() == STATE_WORDS[state][0]
    for action, button in header.buttons.items():
        assert button.isVisible() == (action in BUTTONS[state])
        assert button.isEnabled() == (action in allowed)
        assert used_app.window.run_actions[action].toolTip().split(" (")[0]
    for action in WORDS:
        assert used_app.window.run_actions[action].isEnabled() == (action in allowed)
    if state is State.STOPPING:
        ScriptedHost.opened[-1].end("stopped")


def test_every_action_has_an_icon_a_shortcut_and_a_place_in_the_menu(used_app: App) -> None:
    in_menu = {id(action) for action in used_app.window.menu.run.actions()}
    seen: set[str] = set()
    for name, words in WORDS.items():
        action = used_app.window.run_actions[name]
        assert not action.icon().isNull()
        assert not action.shortcut().isEmpty()
        assert action.shortcut().toString() in action.toolTip()
        assert id(action) in in_menu
        if name not in (Action.UNPAUSE,):  # shares its keys with Pause: only one of them is ever enabled
            assert not seen & set(words.shortcuts), name
        seen |= set(words.shortcuts)


def test_a_double_click_on_start_does_not_stop(qtbot: QtBot, used_app: App) -> None:
    start, stop = (used_app.window.header.buttons[name] for name in (Action.START, Action.STOP))
    qtbot.mouseClick(start, Qt.MouseButton.LeftButton)
    assert stop.isVisible()
    qtbot.mouseDClick(stop, Qt.MouseButton.LeftButton)  # what Qt sends for the second click, where Start was
    qtbot.mouseRelease(stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: used_app.session.state is State.RUNNING)


def test_a_button_that_stays_takes_both_clicks(qtbot: QtBot, used_app: App) -> None:
    reach(used_app, State.PAUSED)
    host, step = ScriptedHost.opened[-1], used_app.window.header.buttons[Action.STEP]
    qtbot.mouseClick(step, Qt.MouseButton.LeftButton)
    host.emit(m.Paused(step=host.step))
    qtbot.waitUntil(step.isEnabled)
    qtbot.mouseDClick(step, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(step, Qt.MouseButton.LeftButton)
    assert len([each for each in host.sent if isinstance(each, m.Step)]) == 2


def test_no_neighbour_takes_the_focus_of_a_control_that_goes(qtbot: QtBot, app: App) -> None:
    start, memory = app.window.header.buttons[Action.START], app.window.form.first.editors["net.memory"]
    start.setFocus()
    qtbot.keyClick(start, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: app.session.state is State.RUNNING)
    assert app.window.focusWidget() is app.window
    memory.setFocus()
    app.window.arrange("watch")
    assert not memory.isVisible()
    assert app.window.focusWidget() is app.window
    qtbot.keyClick(app.window, Qt.Key.Key_Tab)
    assert app.window.header.isAncestorOf(app.window.focusWidget())


def test_start_is_the_only_accent(used_app: App) -> None:
    accents = [b for b in used_app.window.findChildren(QPushButton) if b.property("role") == "accent" and b.isVisible()]
    assert [button.text() for button in accents] == ["Start"]


def test_a_failure_is_said_with_its_reason_and_diagnostics(used_app: App) -> None:
    reach(used_app, State.FAILED)
    banner = used_app.window.banner
    assert banner.isVisible()
    assert "The loss is not a number." in banner.text.text()
    banner.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "Traceback" in copied
    assert "CartPole-v1" in copied
    assert "numpy" in copied
    used_app.session.do(Action.NEW_RUN)
    assert not banner.isVisible()


def test_a_failure_reads_as_sentences(qtbot: QtBot, used_app: App) -> None:
    for reason, said in (
        ("the disk is full", "The disk is full. New run"),
        ("my:Env-v0 raised KeyError: 3", "my:Env-v0 raised KeyError: 3. New run"),
    ):
        used_app.session.do(Action.NEW_RUN)
        reach(used_app, State.RUNNING)
        ScriptedHost.opened[-1].fail(reason)
        qtbot.waitUntil(lambda: used_app.session.state is State.FAILED)
        assert used_app.window.banner.text.text().startswith(said)


def test_an_error_in_a_slot_is_said_and_the_run_goes_on(qtbot: QtBot, app: App, capsys: object) -> None:
    reach(app, State.RUNNING)
    try:
        raise RuntimeError("a slot went wrong")
    except RuntimeError as error:
        app.on_exception(type(error), error, error.__traceback__)
    assert "a slot went wrong" in app.window.banner.text.text()
    assert app.window.banner.copy.isVisible()
    assert app.session.state is State.RUNNING
    ScriptedHost.opened[-1].emit(m.Learned(step=500, updates=1))
    qtbot.waitUntil(lambda: app.session.run.step == 500)


def test_events_reach_the_panels_and_the_status_line(qtbot: QtBot, app: App) -> None:
    reach(app, State.RUNNING)
    host = ScriptedHost.opened[-1]
    host.emit(*(m.EpisodeEnded(step=step, ret=float(step), length=9) for step in range(10, 1000, 10)))
    host.emit(m.Learned(step=75_000, updates=9, steps_per_second=2500.0, updates_per_second=40.0, seconds=30.0))
    qtbot.waitUntil(lambda: app.session.run.step == 75_000)
    app.window.status.refresh()
    assert len(app.window.panel_docks.history.returns) == 99
    assert app.window.status.count.text() == "75,000 / 150,000"
    assert app.window.status.percent.text() == "50 %"
    assert "2,500 steps/s" in app.window.status.speed.text()
    assert "0:30 left" in app.window.status.speed.text()
    qtbot.waitUntil(lambda: bool(app.window.paint_budget.costs.count))


def test_a_hidden_card_costs_nothing_and_is_whole_when_shown_again(qtbot: QtBot, app: App) -> None:
    reach(app, State.RUNNING)
    panel_docks = app.window.panel_docks
    app.window.docks["return"].hide()
    qtbot.waitUntil(lambda: "return" not in panel_docks.in_sight)
    ScriptedHost.opened[-1].emit(m.EpisodeEnded(step=100, ret=5.0, length=9))
    qtbot.waitUntil(lambda: len(panel_docks.history.returns) == 1)
    app.window.docks["return"].show()
    qtbot.waitUntil(lambda: "return" in panel_docks.in_sight)
    assert panel_docks.panels["return"].history is panel_docks.history


# -- every string ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "theme"),
    [(State.READY, "dark"), (State.RUNNING, "light"), (State.PAUSED, "dark"), (State.FAILED, "light")],
)
def test_no_string_is_clipped_or_lacks_a_glyph(qtbot: QtBot, app: App, state: State, theme: themes.Setting) -> None:
    app.window.set_theme(theme)
    for section in app.window.form.sections.values():
        section.toggle.setChecked(True)
    reach(app, state)
    qtbot.wait(50)
    raw = QRawFont.fromFont(themes.font())
    for widget, text in texts(app.window):
        for letter in text:
            assert letter.isspace() or raw.supportsCharacter(ord(letter)), (widget, text, letter)
    for button in app.window.findChildren(QAbstractButton):
        if button.isVisible() and button.text() and isinstance(button, (QPushButton, QToolButton)):
            width = QFontMetricsF(button.font()).horizontalAdvance(button.text())
            assert width <= button.width(), button.text()
            assert button.width() >= button.sizeHint().width(), button.text()
    for name in ("task", "net.attention", "net.memory", "run.device", "run.host"):
        combo = app.window.form.editors()[name]
        assert isinstance(combo, QComboBox)
        needed = combo.fontMetrics().horizontalAdvance(combo.currentText()) + 8 + 22 + 4  # indent, arrow, slack
        assert needed <= combo.width(), combo.currentText()
    for label in app.window.form.findChildren(QLabel):
        if label.isVisible() and not label.wordWrap():
            assert label.sizeHint().width() <= label.width(), label.text()


# -- closing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_closing_in_any_state_leaves_nothing_behind(qtbot: QtBot, app: App, state: State) -> None:
    before = set(threading.enumerate())
    reach(app, state)
    if state is State.STOPPING:
        QTimer.singleShot(100, lambda: ScriptedHost.opened[-1].end("stopped"))
    app.window.close()
    qtbot.waitUntil(lambda: app.closing.done, timeout=3000)
    assert not app.window.isVisible()
    assert not app.session.job.active
    assert all(host.joined and not host.killed for host in ScriptedHost.opened)
    assert set(threading.enumerate()) <= before
    assert not app.window.status.ticking
    assert not app.session.ticker.active


def test_the_window_stays_until_the_job_has_ended(qtbot: QtBot, app: App) -> None:
    reach(app, State.RUNNING)
    host = ScriptedHost.opened[-1]
    host.stops = False
    app.window.close()
    qtbot.wait(100)
    assert app.window.isVisible()
    assert app.window.header.word.text() == "Saving…"
    assert isinstance(host.sent[-1], m.Stop)
    host.end("stopped")
    qtbot.waitUntil(lambda: not app.window.isVisible())


def test_a_job_that_hangs_can_be_left(qtbot: QtBot, app: App) -> None:
    left: list[int] = []
    app.closing.leave, app.closing.patience = left.append, 0.05
    reach(app, State.RUNNING)
    ScriptedHost.opened[-1].stops = False
    app.window.close()
    qtbot.waitUntil(lambda: app.closing.dialog is not None)
    assert app.closing.dialog is not None
    button = next(b for b in app.closing.dialog.buttons() if b.text() == "Quit without saving")
    button.click()
    assert ScriptedHost.opened[-1].killed
    assert left == [1]
    qtbot.waitUntil(lambda: app.closing.done)


def test_a_step_that_hangs_is_interrupted_so_that_the_run_is_saved(qtbot: QtBot, app: App) -> None:
    left: list[int] = []
    app.closing.leave, app.closing.hang = left.append, 0.05
    reach(app, State.RUNNING)
    host = ScriptedHost.opened[-1]
    host.stops, host.hangs = False, True
    app.window.close()
    qtbot.waitUntil(lambda: app.closing.done)
    assert host.interrupted and not host.killed and left == []


def test_where_nobody_answers_a_program_that_cannot_save_ends(
    qtbot: QtBot, app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with `--quit-after`, SIGTERM and at log-out; but not while the run is being written."""
    left: list[int] = []
    app.closing.leave, app.closing.hang, app.closing.last, app.closing.patience = left.append, 0.02, 0.2, 0.05
    reach(app, State.RUNNING)
    host = ScriptedHost.opened[-1]
    host.stops = False
    app.session.run.folder = tmp_path / "run"
    writing = app.session.run.folder / "resume.new"
    writing.mkdir(parents=True)
    app.closing.begin(ask=False)
    qtbot.wait(400)
    assert left == [] and app.closing.dialog is None
    writing.rmdir()
    qtbot.waitUntil(lambda: left == [1])
    assert host.killed and "waiting for the run to be saved" in capsys.readouterr().err


def test_it_asks_only_if_much_training_would_be_lost(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach(app, State.RUNNING)
    monkeypatch.setattr(closing_module, "WORTH_ASKING_S", 0.0)
    qtbot.wait(20)
    app.window.close()
    dialog = app.closing.dialog
    assert dialog is not None
    assert not app.window.isHidden()
    stay = next(button for button in dialog.buttons() if button.text() == "Stay")
    stay.click()
    assert app.session.state is State.RUNNING
    app.session.run.folder = tmp_path  # Stop saves there, so nothing would be lost
    app.window.close()
    qtbot.waitUntil(lambda: app.closing.done)


def test_closing_waits_for_the_import_of_torch(
    qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_app(settings, monkeypatch)
    go = threading.Event()

    def slowly() -> list[tuple[str, str]]:
        go.wait(5.0)
        return [("cpu", "Processor")]

    monkeypatch.setattr("dqngui.gui.app.torch_loader.find_devices", slowly)
    made.window.show()
    qtbot.waitUntil(lambda: made.torch.alive)
    made.session.do(Action.START)
    assert made.window.header.buttons[Action.START].text() == "Loading torch…"
    made.window.close()
    qtbot.wait(100)
    assert made.window.isVisible()
    assert not made.session.loading  # a remembered press is forgotten
    go.set()
    qtbot.waitUntil(lambda: made.closing.done)
    assert not made.torch.alive
    assert not made.session.job.active
    made.deleteLater()
    made.window.deleteLater()


# -- measuring and pictures ---------------------------------------------------------------------------------


def test_pictures_are_taken_at_changes_of_state(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    pictures = Screenshots(app.window, tmp_path / "shots")
    reach(app, State.RUNNING)
    qtbot.waitUntil(lambda: any("running" in path.name for path in pictures.taken), timeout=2000)
    for path in pictures.taken:
        assert path.stat().st_size > 10_000
        assert "dark" in path.name


# -- as a program -------------------------------------------------------------------------------------------

_SHOW = """
import json, sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from dqngui import config
from dqngui.gui.app import app
seen = {}
class Watched(app.Window):
    def showEvent(self, event):
        QTimer.singleShot(0, lambda: seen.setdefault("torch", "torch" in sys.modules))  # once it is in sight
        super().showEvent(event)
app.Window = Watched
folder = Path(sys.argv[1])
status = app.run_window(config.Experiment(), runs=folder, quit_after=1.0, report=folder / "report.json")
print(json.dumps({"status": status, **seen}))
"""


def test_the_window_shows_without_torch_and_quits_cleanly(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _SHOW, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"status": 0, "torch": False}
    report = json.loads((tmp_path / "report.json").read_text())
    assert 0 < report["window_shown_after_s"] < 30
    assert report["resident_mb"] > 0
    assert set(report["event_loop_late_ms"]) == {"p50", "p99", "worst"}


def test_run_window_is_the_command_lines_contract() -> None:
    import inspect

    names = set(inspect.signature(run_window).parameters)
    assert names == {
        "experiment",
        "runs",
        "start",
        "quit_after",
        "screenshots",
        "theme",
        "size",
        "report",
        "warm_up",
        "opened",
    }


_TRAIN = """
import sys
from pathlib import Path
from dqngui import config, settings
from dqngui.gui.app.app import run_window
changes = {"run.host": sys.argv[2], "run.checkpoint_every": 200}
changes |= {"env.num_envs": 2, "net.memory": "none", "run.total_steps": 10_000_000}
experiment = settings.with_settings(config.Experiment(), changes)
sys.exit(run_window(experiment, runs=Path(sys.argv[1]), start=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(
    ("host", "number"), [pytest.param("thread", signal.SIGINT, marks=pytest.mark.slow), ("process", signal.SIGTERM)]
)
def test_a_signal_saves_the_run_and_leaves_no_process(tmp_path: Path, host: str, number: int) -> None:
    window = subprocess.Popen([sys.executable, "-c", _TRAIN, str(tmp_path), host], stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 60
        while not any(run.step for run in list_runs(tmp_path)) and time.monotonic() < until:
            assert window.poll() is None, window.communicate()[1]
            time.sleep(0.2)
        children = psutil.Process(window.pid).children(recursive=True)
        assert children  # the player at least
        window.send_signal(number)
        _, errors = window.communicate(timeout=30)
    finally:
        window.kill()
    assert window.returncode == 130, errors
    assert errors == ""
    psutil.wait_procs(children, timeout=3)
    assert not [child for child in children if child.is_running()]
    (run,) = list_runs(tmp_path)
    assert run.state == "stopped"
    assert (Path(run.folder) / "resume").is_dir()
