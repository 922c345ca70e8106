"""The queue in the whole window: the button beside Start, the sweep sheet, and the question when it is closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import end, make_app, show, until
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QAbstractButton, QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from dqngui import presets
from dqngui.gui.app.app import App
from dqngui.gui.main_window.queue_dialog import AddToQueueDialog
from dqngui.gui.sweep_sheet.sweep_sheet import SweepSheet
from dqngui.settings import with_settings
from dqngui.sweeps.sweep_file import read_sweep
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_worker import ScriptedWorkers


@pytest.fixture
def workers() -> ScriptedWorkers:
    return ScriptedWorkers()


@pytest.fixture
def stored(
    qtbot: QtBot, settings: QSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: ScriptedWorkers
) -> Iterator[App]:
    """A window that stores its runs, with scripted workers."""
    ScriptedHost.opened.clear()
    made = make_app(settings, monkeypatch, tmp_path / "runs", start_worker=workers)
    show(qtbot, made)
    made.session.load(presets.read_experiment("tmaze"))
    yield made
    end(qtbot, made)


def asked(app: App) -> AddToQueueDialog:
    """Press the button beside Start."""
    app.window.queueing.button.click()
    dialog = app.window.queueing.dialog
    assert isinstance(dialog, AddToQueueDialog)
    return dialog


def press(box: QMessageBox, text: str) -> None:
    button: QAbstractButton = next(each for each in box.buttons() if each.text() == text)
    button.click()


def test_twenty_seeds_are_added_and_the_worker_starts_by_itself(stored: App, workers: ScriptedWorkers) -> None:
    dialog = asked(stored)
    assert dialog.seeds.text() == "0"
    assert "A worker starts by itself" in dialog.worker.text()
    dialog.seeds.setText("0-")
    assert not dialog.add.isEnabled() and "0-" in dialog.said.text()
    dialog.seeds.setText("0-19")
    assert dialog.said.text() == "20 runs of 100,000 steps, 2,000,000 together"
    dialog.add.click()
    until(lambda: len(stored.queue.rows) == 20 and len(workers.started) == 1)
    panel = stored.window.panel_docks.panels["queue"]
    until(lambda: not stored.window.docks["queue"].visibleRegion().isEmpty())  # its card comes to the front
    assert panel.has_content()


def test_the_button_says_why_there_is_no_queue(used_app: App) -> None:
    used_app.window.queueing.button.click()
    assert used_app.window.queueing.dialog is None
    assert "There is no queue" in used_app.window.banner.text.text()


def test_a_sweep_is_planned_while_it_is_written_and_added(
    stored: App, workers: ScriptedWorkers, tmp_path: Path
) -> None:
    stored.session.edit({"learn.lr": 2e-3})
    stored.window.queueing.show_sweep()
    sheet = stored.window.queueing.dialog
    assert isinstance(sheet, SweepSheet)
    until(lambda: not sheet.draft.planning)
    assert not sheet.add.isEnabled()
    row = sheet.rows[0]
    row.choose("net.memory")
    row.values.setText("gru, nothing")
    until(lambda: "nothing" in sheet.preview.text())  # the first mistake, as a sentence
    assert not sheet.add.isEnabled()
    row.values.setText("gru, lstm")
    other = sheet.add_axis()
    other.set_kind("range")
    other.choose("learn.gamma")
    other.low.setText("0.9")
    other.high.setText("0.99")
    other.log.setChecked(False)
    until(lambda: "axis 2" in sheet.preview.text().lower())
    other.count.setText("3")
    until(sheet.add.isEnabled)
    assert sheet.preview.text().startswith("6 trials × 5 seeds = 30 runs, 3,000,000 steps")
    sheet.fields["seeds"].setText("0-1")  # type: ignore[union-attr]
    sheet.prune.setChecked(True)
    until(lambda: sheet.add.isEnabled() and "without pruning" in sheet.preview.text())
    sheet.prune.setChecked(False)
    until(lambda: sheet.add.isEnabled() and "without pruning" not in sheet.preview.text())
    path = tmp_path / "memories.toml"
    sheet.write(str(path))
    written = read_sweep(path)  # what `dqngui sweep` reads
    base = with_settings(presets.read_experiment(written.base.file), written.base.settings)
    assert base.learn == stored.session.draft.experiment.learn
    sheet.add.click()
    until(lambda: len(stored.queue.rows) == 12 and len(workers.started) == 1)
    assert stored.queue.rows[0].trial == "memory=gru, gamma=0.9"


def test_closing_asks_whether_training_goes_on(qtbot: QtBot, stored: App, workers: ScriptedWorkers) -> None:
    asked(stored).add.click()
    until(lambda: stored.queue.trains)
    stored.window.close()
    question = stored.worker_question.dialog
    assert question is not None
    assert question.text() == "The queue has 1 run waiting. Its training can go on without this window."
    press(question, "Cancel")
    assert not stored.closing.has_begun
    stored.window.close()
    question = stored.worker_question.dialog
    assert question is not None
    press(question, "Let training go on")
    until(lambda: stored.closing.done)
    assert workers.started[0].left and not workers.started[0].ended


def test_closing_can_save_and_stop_all(stored: App, workers: ScriptedWorkers) -> None:
    asked(stored).add.click()
    until(lambda: stored.queue.trains)
    stored.window.close()
    assert stored.worker_question.dialog is not None
    press(stored.worker_question.dialog, "Save and stop all")
    until(lambda: workers.started[0].ended and stored.closing.has_begun)
    for _ in range(20):
        QApplication.processEvents()
        time.sleep(0.01)
    assert not stored.closing.done  # the worker saves its runs
    workers.started[0].die()
    until(lambda: stored.closing.done)


def test_where_nobody_is_there_to_answer_training_goes_on(stored: App, workers: ScriptedWorkers) -> None:
    asked(stored).add.click()
    until(lambda: stored.queue.trains)
    stored.interrupt()  # Ctrl+C and SIGTERM; `--quit-after` and log-out begin in the same way
    until(lambda: stored.closing.done)
    assert stored.worker_question.dialog is None
    assert workers.started[0].left and not workers.started[0].ended


def test_a_queue_without_work_asks_nothing(stored: App, workers: ScriptedWorkers) -> None:
    asked(stored).add.click()
    until(lambda: stored.queue.trains and bool(stored.queue.rows))
    workers.started[0].die()
    stored.queue.remove([row.entry.id for row in stored.queue.rows])
    until(lambda: not stored.queue.rows and not stored.queue.has_worker)
    stored.window.close()
    assert stored.worker_question.dialog is None
    until(lambda: stored.closing.done, seconds=20)
