"""The Log panel lists what happened, newest first, however much it is."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import msgspec
import pytest
from made_panels import AskedCursor
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui.gui.panels.log.event_list import PAGE, kind_of, line_of
from dqngui.gui.panels.log.log_panel import LogPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.session.history import History
from dqngui.messages import CheckpointTest, Evaluated, Event, Forked, KnobChanged, KnobRefused, Warned

EVENTS: list[Event] = [
    Forked(step=100, parent="2026-cartpole", changes=("learn.lr: 0.001 → 0.0005",), fresh=("replay",)),
    KnobChanged(step=200, field="learn.epsilon", old=0.12, new=0.06),
    Evaluated(step=300, returns=(483.2,), lengths=(483,), mean=483.2, best=True),
    KnobRefused(step=400, field="learn.batch_size", value=0, kept=32, reason="must be at least 1"),
    Warned(step=500, text="The disk is slow."),
]


@pytest.fixture
def panel(qapp: QApplication, qtbot: QtBot) -> LogPanel:
    themes.apply(qapp, "dark")
    made = LogPanel()
    qtbot.addWidget(made)
    made.resize(360, 300)
    made.show(History.of(EVENTS))
    made.show()
    qtbot.waitExposed(made)
    return made


def lines(panel: LogPanel) -> list[str]:
    return [str(panel.model.index(row).data()) for row in range(panel.model.rowCount())]


def test_lines_are_sentences_newest_first(panel: LogPanel) -> None:
    assert lines(panel) == [
        "500: The disk is slow.",
        "400: Batch size 0 refused: must be at least 1",
        "300: New best 483.2",
        "200: Exploration ε 0.12 → 0.06",
        "100: Forked from 2026-cartpole: learn.lr: 0.001 → 0.0005; started fresh: replay",
    ]
    assert [kind_of(event) for event in EVENTS] == ["notice", "tweak", "evaluation", "notice", "notice"]
    with pytest.raises(TypeError):
        line_of(Event(step=1))


def test_a_second_evaluation_begins_with_what_the_best_is_chosen_by() -> None:
    second = Evaluated(step=1, returns=(330.7,), lengths=(330,), mean=330.7, role="confirmation", score=316.55)
    assert line_of(second).text == "Not a new best: 316.6 (mean of 302.4 and 330.7)"
    assert line_of(msgspec.structs.replace(second, best=True)).text == "New best 316.6 (mean of 302.4 and 330.7)"
    fresh = msgspec.structs.replace(second, best=True, reported=10)
    assert line_of(fresh).text == "New best: test 316.6 on 10 fresh episodes"
    tested = CheckpointTest.of([300.0, 310.0, 320.0, 330.0, 340.0], chosen_at=345.5)
    assert line_of(msgspec.structs.replace(fresh, tested=tested)).text == (
        "New best: test 320 on 5 fresh episodes, 95\u00a0% interval 300.4 to 339.6; chosen at 345.5, "
        "the highest mean of repeated evaluations"
    )


def test_chips_hide_kinds_also_of_what_comes_later(panel: LogPanel) -> None:
    panel.chips["notice"].click()
    assert [line.split(":")[0] for line in lines(panel)] == ["300", "200"]
    more = [Warned(step=600, text="hidden"), KnobChanged(step=700, field="learn.lr", old=1e-3, new=5e-4)]
    panel.history.take(more)
    panel.take(more)
    panel.refresh()
    assert [line.split(":")[0] for line in lines(panel)] == ["700", "300", "200"]
    panel.chips["notice"].click()
    assert len(lines(panel)) == 7


def test_a_click_moves_the_cursor_to_its_step(panel: LogPanel) -> None:
    place = panel.list.visualRect(panel.model.index(2))
    cursor = panel.cursor_control = AskedCursor()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
    assert [each.step for each in cursor.asked if each is not None] == [300]
    panel.seek(cursor.asked[0])
    assert panel.list.currentIndex().row() == 2
    panel.seek(None)
    assert not panel.list.currentIndex().isValid()


def test_all_lines_are_exported_the_oldest_first(panel: LogPanel, tmp_path: Path) -> None:
    panel.chips["notice"].click()
    panel.export_csv(tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["100", "200", "300", "400", "500"]
    assert rows[1] == {"step": "200", "kind": "tweak", "text": "Exploration ε 0.12 → 0.06"}


def test_a_million_lines_do_not_hurt(qtbot: QtBot, panel: LogPanel) -> None:
    history = History()
    history.take([KnobChanged(step=step, field="learn.lr", old=1e-3, new=5e-4) for step in range(1_000_000)])
    panel.show(history)
    assert panel.model.rowCount() == PAGE  # more as it is scrolled
    began = time.thread_time()
    for step in range(1_000_000, 1_000_005):
        news = [KnobChanged(step=step, field="learn.lr", old=1e-3, new=5e-4)]
        history.take(news)
        panel.take(news)
        panel.refresh()
        panel.grab()
    assert (time.thread_time() - began) / 5 < 0.1
    assert lines(panel)[0].startswith("1,000,004")
    assert panel.model.canFetchMore(QModelIndex())
    panel.list.scrollToBottom()
    qtbot.waitUntil(lambda: panel.model.rowCount() > PAGE + 5)
