"""The Queue card lists the queue; its order is dragged, and its runs are paused, tried again, removed and opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import presets
from dqngui.gui.cards.card import Card
from dqngui.gui.cards.panel import Sources
from dqngui.gui.cards.panel_card import card_of
from dqngui.gui.panels.queue.queue_panel import QueuePanel
from dqngui.gui.panels.queue.queue_table import QueueColumn
from dqngui.gui.style import theme as themes
from dqngui.lab.library.library import Library
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import State
from dqngui.runs.folder import EVENTS, summary_of, write_summary
from dqngui.sweeps.queue import Queue
from dqngui.sweeps.sweep_file import sweep_from
from dqngui.texts import say
from tests.doubles.scripted_host import ScriptedHost
from tests.doubles.scripted_worker import ScriptedWorkers


class Parts(SimpleNamespace):
    panel: QueuePanel
    queue: RunQueue
    session: Session
    workers: ScriptedWorkers
    stored: Queue
    card: Card
    bot: QtBot

    def fill(self, count: int) -> list[int]:
        """Add runs, and wait until they are shown."""
        self.queue.add_draft(range(count))
        self.until(lambda: len(self.panel.model.rows) == count and bool(self.workers.started))
        return self.shown()

    def shown(self) -> list[int]:
        return [row.entry.id for row in self.panel.model.rows]

    def states(self) -> list[str]:
        return [row.entry.state for row in self.panel.model.rows]

    def until(self, reached: Callable[[], object]) -> None:
        def look() -> bool:
            self.queue.refresh()
            return bool(reached())

        self.bot.waitUntil(look, timeout=5000)

    def choose(self, *rows: int) -> None:
        model, flags = self.panel.table.selectionModel(), QItemSelectionModel.SelectionFlag
        model.clear()
        for row in rows:
            model.setCurrentIndex(self.panel.model.index(row, 1), flags.Select | flags.Rows)

    def cell(self, row: int, column: QueueColumn) -> str:
        return str(self.panel.model.index(row, column).data())

    def do(self, text: str) -> None:
        action = next(each for each in self.panel.menu_actions if each.text().startswith(text))
        assert action.isEnabled(), text
        action.trigger()

    def enabled(self) -> set[str]:
        return {action.text() for action in self.panel.menu_actions if action.isEnabled()}


@pytest.fixture
def parts(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Parts]:
    themes.apply(qapp, "dark")
    runs = tmp_path / "runs"
    session = Session(presets.read_experiment("tmaze"), runs=runs, open_host=ScriptedHost)
    library, workers = Library(session), ScriptedWorkers()
    queue = RunQueue(session, start_worker=workers)
    panel = QueuePanel()
    card = card_of(panel, menu=False)
    qtbot.addWidget(card)
    panel.attach(Sources(session=session, library=library, player=None, queue=queue))  # type: ignore[arg-type]
    card.resize(640, 400)
    card.show()
    qtbot.waitExposed(card)
    panel.set_in_sight(True)
    panel.show(History())
    queue.start()
    yield Parts(panel=panel, queue=queue, session=session, workers=workers, stored=Queue(runs), card=card, bot=qtbot)
    for part in (queue, library):
        part.stop()
        part.join()
    session.kill()


def test_an_empty_queue_says_how_to_fill_it(parts: Parts) -> None:
    parts.until(lambda: parts.queue.view is not None)
    assert "Queue, beside Start, adds the experiment" in parts.panel.empty_text


def test_a_row_says_state_seed_progress_and_time_left(parts: Parts) -> None:
    parts.fill(2)
    entry = parts.workers.started[0].take()
    parts.stored.change(entry.id, steps=25_000, seconds=100.0)
    folder = parts.stored.path_of(entry)
    summary = summary_of(folder)
    assert summary is not None
    write_summary(folder, msgspec.structs.replace(summary, state="stopped", step=25_000))
    parts.until(lambda: parts.states() == ["running", "waiting"] and parts.cell(0, QueueColumn.PROGRESS)[0] == "2")
    assert parts.cell(0, QueueColumn.PROGRESS) == "25k / 100k"
    assert [parts.cell(row, QueueColumn.SEED) for row in (0, 1)] == ["0", "1"]
    assert [parts.cell(row, QueueColumn.LEFT) for row in (0, 1)] == ["5:00", "11:40"]  # at 250 steps/s, one by one
    assert parts.card.note.text() == "11:40 left"
    tip = str(parts.panel.model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole))
    assert "25,000 of 100,000 steps" in tip and "Is being trained" in tip
    assert parts.panel.model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "running"


def test_rows_that_wait_are_dragged_to_another_place(parts: Parts) -> None:
    one, two, three, four = parts.fill(4)
    model = parts.panel.model
    data = model.mimeData([model.index(3, column) for column in range(3)])
    model.dropMimeData(data, Qt.DropAction.MoveAction, 1, 0, QModelIndex())
    parts.until(lambda: parts.shown() == [one, four, two, three])
    data = model.mimeData([model.index(0, 1)])
    model.dropMimeData(data, Qt.DropAction.MoveAction, -1, -1, QModelIndex())  # below the last row
    parts.until(lambda: parts.shown() == [four, two, three, one])
    parts.workers.started[0].take()
    parts.until(lambda: parts.states()[0] == "running")
    assert not model.flags(model.index(0, 1)) & Qt.ItemFlag.ItemIsDragEnabled  # what runs has no place in the order
    assert model.flags(model.index(1, 1)) & Qt.ItemFlag.ItemIsDragEnabled


def test_keys_move_and_remove_and_the_selection_stays_with_its_run(parts: Parts) -> None:
    one, two, three = parts.fill(3)
    parts.choose(2)
    table = parts.panel.table
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    parts.until(lambda: parts.shown() == [one, three, two])
    assert [row.entry.id for row in parts.panel.chosen()] == [three]
    QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    parts.until(lambda: parts.shown() == [one, two, three])
    parts.do("Move to top")
    parts.until(lambda: parts.shown() == [three, one, two])
    folder = Path(parts.panel.chosen()[0].folder)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    parts.until(lambda: parts.shown() == [one, two])
    assert not folder.exists()  # it had never begun


def test_pause_resume_cancel_and_what_is_possible(parts: Parts) -> None:
    parts.fill(2)
    parts.choose(0, 1)
    assert {"Pause", "Cancel", "Remove", "Move up"} <= parts.enabled()
    assert not {"Resume", "Try again", "Open", "Results of the sweep…"} & parts.enabled()
    parts.do("Pause")
    parts.until(lambda: parts.states() == ["paused", "paused"])
    parts.choose(0)
    parts.do("Resume")
    parts.until(lambda: parts.states() == ["waiting", "paused"])
    parts.choose(1)
    parts.do("Cancel")
    parts.until(lambda: parts.states() == ["waiting", "cancelled"])
    parts.do("Remove all that have ended")
    parts.until(lambda: parts.states() == ["waiting"])


def test_a_failed_run_says_why_and_is_tried_again(parts: Parts) -> None:
    _, two = parts.fill(2)
    parts.stored.change(two, state="failed", reason=say("queue.run_gone", run="/mnt/<b>lost</b>"))
    parts.until(lambda: parts.states() == ["waiting", "failed"])
    assert not parts.panel.notes.reason.isVisible()
    parts.choose(1)
    assert parts.panel.notes.reason.isVisible()
    assert parts.panel.notes.reason.text() == "The folder of the run is gone: `/mnt/<b>lost</b>`."
    parts.panel.notes.copy.click()
    assert "/mnt/<b>lost</b>" in QGuiApplication.clipboard().text()
    parts.do("Try again")
    parts.until(lambda: parts.states() == ["waiting", "waiting"])
    assert not parts.panel.notes.reason.isVisible()


def test_the_header_says_how_many_run_at_once_and_pauses_the_queue(parts: Parts) -> None:
    parts.fill(1)
    parts.panel.at_once.setValue(3)
    parts.until(lambda: parts.stored.settings.at_once == 3)
    parts.panel.pause.click()
    parts.until(lambda: parts.stored.settings.paused and parts.card.note.text() == "paused")
    assert parts.panel.pause.isChecked()
    parts.stored.set(at_once=2, paused=False)  # by somebody else
    parts.until(lambda: parts.panel.at_once.value() == 2 and not parts.panel.pause.isChecked())


def test_that_nobody_trains_what_waits_is_said_with_a_button(parts: Parts) -> None:
    parts.fill(2)
    parts.workers.started[0].die(say("queue.worker_killed", signal="SIGKILL"))
    parts.until(lambda: parts.panel.notes.train.isVisible())
    assert parts.panel.notes.waiting.text() == "2 runs wait, and no worker trains them."
    assert "ended by SIGKILL" in parts.panel.notes.told.text()
    parts.panel.notes.train.click()
    parts.until(lambda: len(parts.workers.started) == 2)
    parts.until(lambda: not parts.panel.notes.train.isVisible())


def test_threads_are_chosen_in_the_menu_before_a_run_begins(parts: Parts) -> None:
    parts.fill(2)
    parts.choose(0)
    menu = parts.panel.context_menu()
    threads = next(action.menu() for action in menu.actions() if action.text() == "Threads")
    assert threads is not None
    assert [action.text() for action in threads.actions() if action.isChecked()] == ["1"]
    next(action for action in threads.actions() if action.text() == "4").trigger()
    parts.until(lambda: parts.panel.model.rows[0].run.threads == 4)
    assert parts.panel.model.rows[1].run.threads == 1
    parts.workers.started[0].take()
    parts.until(lambda: parts.states()[0] == "running")
    menu = parts.panel.context_menu()
    assert not next(action for action in menu.actions() if action.text() == "Threads").isEnabled()


def test_a_double_click_opens_the_run(parts: Parts) -> None:
    parts.fill(1)
    row = parts.panel.model.rows[0]
    (Path(row.folder) / EVENTS).touch()
    table = parts.panel.table
    at = table.visualRect(parts.panel.model.index(0, QueueColumn.NAME)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(at))
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(at))
    parts.bot.waitUntil(lambda: parts.session.state is State.STORED)
    assert str(parts.session.run.folder) == row.folder


def test_the_results_of_a_sweep_are_a_table(parts: Parts) -> None:
    axes = [{"setting": "net.memory", "values": ["gru", "lstm"]}]
    parts.queue.add_sweep(sweep_from({"base": {"file": "tmaze"}, "axes": axes, "seeds": "0-1"}))
    parts.until(lambda: len(parts.panel.model.rows) == 4)
    assert parts.cell(0, QueueColumn.NAME) == "memory=gru"
    parts.choose(0)
    parts.do("Select the whole sweep")
    assert len(parts.panel.chosen()) == 4
    dialog = parts.panel.show_results()
    assert dialog is not None
    parts.until(lambda: dialog.table.rowCount() == 2)
    cells = [dialog.table.item(0, column) for column in range(7)]
    assert [cell.text() for cell in cells if cell is not None][:4] == ["0", "memory=gru", "–", "0 / 2"]
    assert "Objective: best" in dialog.said.text()
    dialog.reject()
