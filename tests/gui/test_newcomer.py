"""What a person who uses the window for the first time tries: open, close, resume, train on, read every notice."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from driving import end, make_app, reach, show, until
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from dqngui import messages as m
from dqngui import presets
from dqngui.__main__ import main
from dqngui.gui.app.app import App
from dqngui.gui.main_window.shortcuts import ShortcutDialog
from dqngui.gui.main_window.train_on import TrainOnDialog
from dqngui.gui.panels.agent.action_bars import ActionBars
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.number_label import NumberLabel
from dqngui.lab.session.states import Action, State
from dqngui.runs.folder import EVENTS, create, new_summary, write_summary
from dqngui.runs.resume import LogMark, save_resume
from tests.doubles.made_listing import listing_of
from tests.doubles.scripted_host import ScriptedHost
from tests.thinned import thinned

LONGEST_TIP = 100  # letters of a line
EXPERIMENT = presets.read_experiment("cartpole-positions")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The folder of a run that was saved at step 75,000 of 150,000."""
    folder = create(tmp_path / "runs", EXPERIMENT)
    (folder / EVENTS).write_bytes(m.encode(m.EpisodeEnded(step=75_000, ret=1.0, length=50)) + b"\n")
    write_summary(folder, msgspec.structs.replace(new_summary(EXPERIMENT), state="stopped", step=75_000))
    meta = {"knobs": {"learn": msgspec.to_builtins(EXPERIMENT.learn), "manual": {}}}
    save_resume(folder, {"x": np.zeros(1)}, meta, LogMark(step=75_000))
    return folder


def places(app: App) -> list[object]:
    """Where the cards are that are not one of several tabs."""
    QApplication.processEvents()
    return [app.window.docks[name].geometry() for name in ("experiment", "knobs", "return", "agent")]


def covered(app: App) -> list[str]:
    """The cards that a notice lies over."""
    notices = app.window.notices
    area = QRect(notices.mapTo(app.window, QPoint(0, 0)), notices.size())
    assert app.window.rect().contains(area)
    return [name for name, dock in app.window.docks.items() if dock.isVisible() and dock.geometry().intersects(area)]


@pytest.mark.parametrize("size", thinned([(1000, 640), (1280, 800), (1440, 900)], one_of=2))
@pytest.mark.parametrize("zoom", [100, themes.LARGEST_ZOOM])
def test_no_notice_covers_or_moves_a_card(app: App, size: tuple[int, int], zoom: int) -> None:
    window = app.window
    window.resize(*size)
    window.set_zoom(zoom)
    until(lambda: window.statusBar().height() >= window.status.minimumHeight())
    before = places(app)
    window.banner.show_text("Something happened that takes a long sentence. " * 4, "warn")
    assert window.banner.isVisible() and places(app) == before and not covered(app)
    reach(app, State.RUNNING)
    app.session.edit({"net.width": 32})
    assert window.draft_bar.isVisible() and places(app) == before and not covered(app)
    assert not window.banner.geometry().intersects(window.draft_bar.geometry())
    app.session.do(Action.DISCARD_DRAFT)
    window.banner.dismiss.click()
    assert places(app) == before and not window.notices.isVisible()


def test_a_notice_that_does_not_fit_can_be_read_as_a_whole(app: App) -> None:
    banner, long = app.window.banner, "Something happened that takes a long sentence. " * 9
    banner.show_text("Something happened.", "warn")
    until(lambda: banner.text.shown() == "Something happened.")
    assert not banner.more.isVisible()
    banner.show_text(long, "warn")
    until(banner.more.isVisible)
    shown = banner.text.shown()
    assert len(shown.split("\n")) == 2 and shown.endswith("…") and banner.text.text() == long
    box = banner.show_whole()
    assert box.text() == long
    box.close()


def test_the_title_names_task_state_and_progress(app: App) -> None:
    assert app.window.windowTitle() == "CartPole, positions only – Ready – dqngui"
    reach(app, State.RUNNING)
    ScriptedHost.opened[-1].emit(m.EpisodeEnded(step=75_000, ret=1.0, length=50))
    until(lambda: app.window.windowTitle() == "CartPole, positions only – Training 50 % – dqngui")
    app.session.do(Action.PAUSE)
    until(lambda: "Paused 50 %" in app.window.windowTitle())


def test_the_shortcuts_fit_every_screen_and_scroll(app: App) -> None:
    app.window.show_shortcuts()
    dialog = app.window.findChild(ShortcutDialog)
    assert dialog.height() <= app.window.height() and dialog.width() <= app.window.width()
    text = dialog.shown_text()
    for words in ("Full screen", "F11", "Open run…", "Ctrl+O", "Train on…"):
        assert words in text
    dialog.reject()


def test_f11_fills_the_screen_and_returns(app: App) -> None:
    size = app.window.size()
    QTest.keyClick(app.window, Qt.Key.Key_F11)
    assert app.window.isFullScreen()
    QTest.keyClick(app.window, Qt.Key.Key_F11)
    assert not app.window.isFullScreen() and app.window.size() == size


@pytest.mark.parametrize("inside", ["", "events.jsonl", "checkpoints/best.pt"])
def test_a_dropped_folder_or_a_file_of_it_opens_the_run(app: App, tmp_path: Path, inside: str) -> None:
    folder = create(tmp_path / "else where", presets.read_experiment("tmaze"))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / inside))])
    none = Qt.MouseButton.NoButton
    for kind, at in ((QDragEnterEvent, QPoint(300, 300)), (QDropEvent, QPointF(300, 300))):
        event = kind(at, Qt.DropAction.CopyAction, data, none, Qt.KeyboardModifier.NoModifier)  # type: ignore[operator]
        QApplication.sendEvent(app.window, event)
        assert event.isAccepted()
    assert app.session.state is State.STORED and app.session.run.folder == folder


def test_what_is_no_run_is_said(app: App, tmp_path: Path) -> None:
    assert not app.window.opening.open(tmp_path)
    assert f"{tmp_path} is no run" in app.window.banner.text.text()
    assert app.session.state is State.READY


def test_new_run_while_training_saves_first_and_says_so(app: App) -> None:
    reach(app, State.RUNNING)
    host = ScriptedHost.opened[-1]
    host.stops = False
    app.session.do(Action.NEW_RUN)
    assert app.window.header.word.text() == "Saving the run first…"
    until(lambda: app.window.header.word.text().endswith(" s"), seconds=6)  # how long already
    host.end("stopped")
    until(lambda: app.session.state is State.READY)
    assert app.window.header.word.text() == "Ready"


def test_a_finished_run_trains_on(app: App, tmp_path: Path) -> None:
    session = app.session
    session.runs = tmp_path / "runs"
    reach(app, State.RUNNING)
    session.do(Action.SAVE)
    ScriptedHost.opened[-1].end()
    until(lambda: session.state is State.FINISHED)
    assert app.window.header.buttons[Action.TRAIN_ON].isVisible()
    app.window.header.buttons[Action.TRAIN_ON].click()
    dialog = app.window.findChild(TrainOnDialog)
    assert "150,000 steps" in dialog.said.text()
    for text, taken in (("0,5", False), ("2,5", False), ("99e99", False), ("5e4", True)):
        dialog.steps.lineEdit().setText(text)
        assert dialog.train.isEnabled() is taken
    dialog.train.click()
    request = ScriptedHost.opened[-1].request
    assert (request.resume, request.folder, request.options) == (
        True,
        str(session.run.folder),
        {"total_steps": 200_000},
    )
    assert session.state is State.STARTING


def test_what_is_being_typed_counts_for_the_action_that_follows(app: App) -> None:
    editor = app.window.knobs.rows["learn.lr"].number
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, "0.004")
    app.window.run_actions[Action.START].trigger()
    assert ScriptedHost.opened[-1].request.experiment.learn.lr == 0.004


def launch(qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch, runs: Path) -> App:
    app = make_app(settings, monkeypatch, runs)
    show(qtbot, app)
    app.window.unfinished.offer()
    return app


@pytest.mark.parametrize("stopped", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_run_that_trained_when_the_window_closed_is_offered(
    qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch, saved: Path, stopped: bool
) -> None:
    """But not one that a person stopped."""
    runs = saved.parent
    first = launch(qtbot, settings, monkeypatch, runs)
    assert not first.window.banner.isVisible()
    first.session.open_stored(saved)
    until(lambda: Action.RESUME_RUN in first.session.allowed)
    first.session.do(Action.RESUME_RUN)
    until(lambda: first.session.state is State.RUNNING)
    if stopped:
        first.session.do(Action.STOP)
        until(lambda: first.session.state is State.STOPPED)
    end(qtbot, first)
    second = launch(qtbot, settings, monkeypatch, runs)
    assert second.window.banner.isVisible() is not stopped
    if not stopped:
        text = (
            "“CartPole, positions only” was training when the window closed. It is saved up to step 75,000 of 150,000."
        )
        assert second.window.banner.text.text() == text
        second.window.banner.go_on.click()
        until(lambda: second.session.state is State.RUNNING)
        assert ScriptedHost.opened[-1].request == m.Request(job="train", folder=str(saved), resume=True)
        second.session.do(Action.STOP)
        until(lambda: second.session.state is State.STOPPED)
    end(qtbot, second)


def test_overlays_of_another_task_go_with_it(app: App) -> None:
    library = app.library
    summaries = [
        msgspec.structs.replace(new_summary(presets.read_experiment(name)), folder=f"/runs/{name}")
        for name in ("cartpole", "acrobot")
    ]
    library.take(listing_of(summaries))
    for each in library.summaries:
        library.overlay(each.folder)
    app.session.edit({"env.id": "Acrobot-v1"})
    assert [overlay.folders for overlay in library.overlays] == [(Path("/runs/acrobot"),)]
    assert app.player.client.agent is None  # nor does the demo of the former task play
    app.session.load(presets.read_experiment("cartpole-positions"))
    assert app.player.client.source == "demo"


@pytest.mark.slow  # two windows styled anew eight times
def test_text_grows_and_shrinks_and_keeps_its_size(
    qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_app(settings, monkeypatch)
    show(qtbot, first)
    usual = QApplication.font().pixelSize()
    QTest.keyClick(first.window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(first.window, Qt.Key.Key_Equal, Qt.KeyboardModifier.ControlModifier)
    larger = QApplication.font().pixelSize()
    assert larger > usual
    QTest.keyClick(first.window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.font().pixelSize() == larger  # the largest
    end(qtbot, first)
    second = make_app(settings, monkeypatch)
    show(qtbot, second)
    assert QApplication.font().pixelSize() == larger
    for _ in range(4):
        QTest.keyClick(second.window, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.font().pixelSize() < usual
    second.window.change_zoom(0)
    assert QApplication.font().pixelSize() == usual
    end(qtbot, second)


def test_every_text_beside_the_charts_follows_the_zoom(app: App) -> None:
    until(lambda: app.player.playing is not None and app.player.playing.length > 3)
    window = app.window
    kinds = (QLabel, QAbstractButton, QLineEdit, QComboBox, NumberLabel, ActionBars)
    window.knobs.more.click()

    def heights() -> dict[QWidget, int]:
        QApplication.processEvents()
        shown = [each for each in window.findChildren(QWidget) if isinstance(each, kinds) and each.isVisible()]
        painted = (NumberLabel, ActionBars)
        return {
            each: each.sizeHint().height() if isinstance(each, painted) else each.fontMetrics().height()
            for each in shown
        }

    before = heights()
    window.set_zoom(themes.LARGEST_ZOOM)
    after = heights()
    assert all(any(isinstance(each, kind) for each in before) for kind in kinds)
    assert not [(type(each), each.accessibleName()) for each in before if each in after and after[each] <= before[each]]
    cut = [each.text() for each in after if isinstance(each, QLineEdit) and each.height() < after[each]]
    assert not cut


@pytest.mark.parametrize("state", [State.READY, State.RUNNING])
def test_every_tooltip_has_lines_that_can_be_read(app: App, state: State) -> None:
    """Qt draws plain text as one line, however long it is."""
    reach(app, state)
    tips = {
        tip
        for widget in [app.window, *app.window.findChildren(QWidget)]
        for tip in (widget.toolTip(), *(action.toolTip() for action in widget.actions()))
    }
    long = [tip for tip in tips if not Qt.mightBeRichText(tip) and max(map(len, tip.split("\n"))) > LONGEST_TIP]
    assert long == []


def test_a_closed_menu_leaves_no_button_lit(app: App) -> None:
    buttons = [each for each in app.window.findChildren(QToolButton) if each.menu() is not None and each.isVisible()]
    assert len(buttons) > 8
    for button in buttons:
        button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, True)  # as the mouse that opened the menu left it
        button.menu().aboutToHide.emit()
    QTest.qWait(20)
    assert [each.accessibleName() or each.text() for each in buttons if each.underMouse()] == []


def test_the_command_line_opens_a_run_by_its_folder_or_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], saved: Path, tmp_path: Path
) -> None:
    shown: list[Path | None] = []
    monkeypatch.setattr(
        "dqngui.gui.app.app.run_window", lambda experiment, *, opened, **rest: shown.append(opened) or 0
    )
    runs = str(saved.parent)
    for words in ([str(saved)], ["gui", str(saved)], [saved.name, "--runs", runs], ["last", "--runs", runs]):
        assert main(words) == 0 and shown.pop() == saved, words
    assert main(["cartpole", "--runs", runs]) == 0 and shown.pop() is None
    for words, says in (
        ([runs], "is no run: it has no experiment.toml"),
        ([str(saved), "--set", "run.seed=1"], "a stored run opens with its own settings"),
        (["last", "--runs", str(tmp_path / "none")], "no run"),
        ([str(tmp_path / "gone")], "gone"),
    ):
        assert main(words) == 2 and not shown
        said = capsys.readouterr().err
        assert says in said and said.count("\n") == 1, words
