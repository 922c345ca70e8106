"""The Runs panel lists, sorts and filters; opens, resumes, compares and deletes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from dqngui import config, settings
from dqngui.gui.cards import demo_offer as demo
from dqngui.gui.cards.card import Card
from dqngui.gui.cards.panel import Sources
from dqngui.gui.cards.panel_card import card_of
from dqngui.gui.panels.runs.run_cells import RunColumn, ago
from dqngui.gui.panels.runs.run_table import SWATCH, RunModel
from dqngui.gui.panels.runs.runs_panel import RunsPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.library import Library
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.lab.session.states import Action, State
from dqngui.listing.run_names import MONTHS
from dqngui.messages import CheckpointTest, EpisodeEnded, encode
from dqngui.runs import folder as run_folder
from tests.doubles.made_listing import listing_of
from tests.doubles.scripted_host import ScriptedHost

GRU = {"net.attention": "self", "net.memory": "gru"}


def make_run(runs: Path, changes: dict[str, Any] | None = None, **summary: Any) -> Path:
    experiment = settings.with_settings(
        config.Experiment(), {"net.attention": "none", "net.memory": "none"} | (changes or {})
    )
    folder = run_folder.create(runs, experiment)
    (folder / run_folder.EVENTS).write_bytes(encode(EpisodeEnded(step=10, ret=1.0, length=10)) + b"\n")
    set_summary(folder, **{"state": "finished", "step": 20_000} | summary)
    return folder


def set_summary(folder: Path, **changes: Any) -> None:
    known = run_folder.summary_of(folder)
    assert known is not None
    run_folder.write_summary(folder, msgspec.structs.replace(known, **changes))


class Parts(SimpleNamespace):
    panel: RunsPanel
    library: Library
    session: Session
    card: Card
    runs: Path

    def column(self, column: RunColumn) -> list[str]:
        model = self.panel.table.model()
        return [str(model.index(row, column).data()) for row in range(model.rowCount())]

    def cell(self, row: int, column: RunColumn) -> QModelIndex:
        return self.panel.table.model().index(row, column)

    def choose(self, *names: str) -> None:
        self.panel.table.clearSelection()
        shown = self.column(RunColumn.NAME)
        selection = self.panel.table.selectionModel()
        for name in names:
            index = self.cell(shown.index(name), RunColumn.NAME)
            selection.setCurrentIndex(index, selection.SelectionFlag.Select | selection.SelectionFlag.Rows)

    def do(self, text: str) -> None:
        action = next(each for each in self.panel.menu_actions if each.text().startswith(text))
        assert action.isEnabled(), text
        action.trigger()


@pytest.fixture
def parts(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> Iterator[Parts]:
    themes.apply(qapp, "dark")
    session = Session(config.Experiment(), runs=tmp_path, open_host=ScriptedHost)
    session.torch_loaded = True
    library = Library(session)
    panel = RunsPanel()
    card = card_of(panel, menu=False)
    qtbot.addWidget(card)
    panel.attach(Sources(session=session, library=library, player=None, cursor=None))  # type: ignore[arg-type]
    card.resize(700, 400)
    card.show()
    qtbot.waitExposed(card)
    panel.show(History())
    yield Parts(panel=panel, library=library, session=session, card=card, runs=tmp_path)
    session.kill()
    library.stop()
    library.join()


def read(qtbot: QtBot, parts: Parts) -> None:
    with qtbot.waitSignal(parts.library.changed):
        parts.library.refresh()


TESTED = CheckpointTest(mean=500.0, episodes=10, chosen_at=512.5)


def three(qtbot: QtBot, parts: Parts) -> dict[str, Path]:
    """Alpha is the newest, Gamma the oldest."""
    folders = {
        "Gamma": make_run(
            parts.runs, {"env.id": "Acrobot-v1"}, title="Gamma", best=-80.25, step=1_500_000, state="failed"
        ),
        "Beta": make_run(parts.runs, GRU, title="Beta", best=None, step=500),
        "Alpha": make_run(parts.runs, GRU, title="Alpha", best=500.0, tested=TESTED),
    }
    read(qtbot, parts)
    return folders


# -- the table --------------------------------------------------------------------------------------


def test_a_row_tells_what_a_run_is(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    parts.panel.table.sortByColumn(RunColumn.NAME, Qt.SortOrder.AscendingOrder)
    assert parts.column(RunColumn.NAME) == ["Alpha", "Beta", "Gamma"]
    assert parts.column(RunColumn.TASK) == ["CartPole", "CartPole", "Acrobot"]
    assert parts.column(RunColumn.AGENT) == ["self + GRU", "self + GRU", "no memory"]
    assert parts.column(RunColumn.BEST) == ["500", "–", "(−80.25)"]  # in brackets: chosen at, without a test
    assert parts.column(RunColumn.STEPS) == ["20,000", "500", "1,500,000"]
    assert parts.column(RunColumn.WHEN) == ["just now"] * 3
    tips = [parts.cell(row, RunColumn.STATE).data(Qt.ItemDataRole.ToolTipRole) for row in range(3)]
    assert tips == ["Finished", "Finished", "Failed"]
    assert "1,500,000 steps" in parts.cell(2, RunColumn.STEPS).data(Qt.ItemDataRole.ToolTipRole)
    tip = parts.cell(0, RunColumn.BEST).data(Qt.ItemDataRole.ToolTipRole)
    assert "test 500 on 10 fresh episodes, all equal and so without an interval; chosen at 512.5" in tip.replace(
        "\n", " "
    )


def test_a_run_named_as_its_folder_is_named_once(qtbot: QtBot, parts: Parts) -> None:
    folder = make_run(parts.runs, title="gift")
    folder.rename(folder.with_name("gift"))
    read(qtbot, parts)
    row = parts.column(RunColumn.NAME).index("gift")
    tip = parts.cell(row, RunColumn.NAME).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.split("\n").count("gift") == 1


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (RunColumn.BEST, ["Beta", "Gamma", "Alpha"]),
        (RunColumn.STEPS, ["Beta", "Alpha", "Gamma"]),
        (RunColumn.TASK, ["Gamma", "Alpha", "Beta"]),
    ],
)
def test_columns_sort_by_their_values(qtbot: QtBot, parts: Parts, column: RunColumn, names: list[str]) -> None:
    three(qtbot, parts)
    parts.panel.table.sortByColumn(RunColumn.NAME, Qt.SortOrder.AscendingOrder)
    parts.panel.table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    shown = parts.column(RunColumn.NAME)
    assert shown[0] == names[0]
    assert shown[-1] == names[-1] or column is RunColumn.TASK
    parts.panel.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    assert parts.column(RunColumn.NAME)[-1] == names[0]


def test_the_newest_run_stands_first_and_what_runs_above_it(qtbot: QtBot, parts: Parts) -> None:
    old = make_run(parts.runs, title="Old, running", state="running")
    make_run(parts.runs, title="Older")
    with run_folder.claim(old):
        set_summary(old, step=5)
        read(qtbot, parts)
    assert parts.column(RunColumn.NAME) == ["Old, running", "Older"]


def test_every_word_of_a_filter_must_fit(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    for text, names in (
        ("gru", {"Alpha", "Beta"}), ("GRU alp", {"Alpha"}), ("failed", {"Gamma"}), ("cartpole-v1", {"Alpha", "Beta"}),
        ("nothing", set()), ("", {"Alpha", "Beta", "Gamma"}),
    ):  # fmt: skip
        parts.panel.filter.setText(text)
        assert set(parts.column(RunColumn.NAME)) == names, text


def test_a_filter_that_nothing_matches_says_so(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    parts.panel.filter.setText(' "<b>nothing</b>" ')
    assert parts.column(RunColumn.NAME) == []
    assert parts.panel.nothing.isVisible()
    assert parts.panel.nothing.text() == 'No run matches “"<b>nothing</b>"”.'
    assert parts.panel.nothing.textFormat() is Qt.TextFormat.PlainText
    parts.panel.filter.setText("alpha")
    assert not parts.panel.nothing.isVisible()
    parts.panel.filter.clear()
    assert not parts.panel.nothing.isVisible() and len(parts.column(RunColumn.NAME)) == 3


def test_a_filter_finds_numbers_and_dates_as_they_stand_in_the_table(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    parts.panel.table.sortByColumn(RunColumn.NAME, Qt.SortOrder.AscendingOrder)
    started = parts.column(RunColumn.STARTED)
    assert started == [f"{each.day} {MONTHS[each.month - 1]} {each.year} {each:%H:%M}" for each in [datetime.now()] * 3]
    for text, found in (
        ("1.5M", {"Gamma"}), ("1,500,000", {"Gamma"}), ("500 beta", {"Beta"}), ("(−80.25)", {"Gamma"}),
        (started[0], {"Alpha", "Beta", "Gamma"}), (f"{datetime.now():%Y-%m-%d} alpha", {"Alpha"}), ("1999", set()),
    ):  # fmt: skip
        parts.panel.filter.setText(text)
        assert set(parts.column(RunColumn.NAME)) == found, text


def test_runs_that_differ_in_a_setting_are_told_apart_in_a_narrow_list(qtbot: QtBot, parts: Parts) -> None:
    for rate in (1e-3, 3e-4):
        for seed in (0, 1):
            make_run(parts.runs, {"title": "A title that is long, 30 steps", "learn.lr": rate, "run.seed": seed})
    read(qtbot, parts)
    parts.card.resize(330, 240)
    QApplication.processEvents()
    delegate, table = parts.panel.table.itemDelegate(), parts.panel.table
    shown = set()
    for row in range(4):
        option = QStyleOptionViewItem()
        option.initFrom(table)
        option.widget = table
        option.rect = table.visualRect(parts.cell(row, RunColumn.NAME))
        option.fontMetrics = table.fontMetrics()
        delegate.initStyleOption(option, parts.cell(row, RunColumn.NAME))
        shown.add(option.text)
    assert {text[text.index("lr") :] for text in shown} == {
        f"lr {rate} · seed {seed}" for rate in ("1e-3", "3e-4") for seed in (0, 1)
    }


def test_the_order_of_runs_does_not_depend_on_the_offset_of_local_time(qtbot: QtBot, parts: Parts) -> None:
    folders = three(qtbot, parts)
    for name, updated in (
        ("Alpha", "2026-10-25T02:10:00+01:00"),  # the clocks were set back: the latest
        ("Beta", "2026-10-25T02:50:00+02:00"),
        ("Gamma", "2026-10-24T20:40:00-04:00"),
    ):
        summary = folders[name] / run_folder.SUMMARY
        text = summary.read_text(encoding="utf-8")
        summary.write_text(re.sub('"updated": "[^"]*"', f'"updated": "{updated}"', text), encoding="utf-8")
    read(qtbot, parts)
    parts.panel.table.sortByColumn(RunColumn.WHEN, Qt.SortOrder.DescendingOrder)
    assert parts.column(RunColumn.NAME) == ["Alpha", "Beta", "Gamma"]


def test_a_selection_outlives_a_change_of_the_folder(qtbot: QtBot, parts: Parts) -> None:
    folders = three(qtbot, parts)
    parts.choose("Beta")
    make_run(parts.runs, title="Delta")
    set_summary(folders["Beta"], best=3.0)
    read(qtbot, parts)
    assert parts.panel.chosen() == [str(folders["Beta"])]
    assert len(parts.column(RunColumn.NAME)) == 4


def test_columns_hide_where_there_is_no_room_and_nothing_scrolls_sideways(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    table = parts.panel.table
    hidden = {}
    for width in (320, 430, 560, 900):
        parts.card.resize(width, 240)
        QApplication.processEvents()
        hidden[width] = {column for column in RunColumn if table.isColumnHidden(column)}
        assert table.horizontalHeader().length() <= table.viewport().width()
        assert table.columnWidth(RunColumn.NAME) >= 100
        for column in set(RunColumn) - hidden[width] - {RunColumn.NAME}:
            text = max(table.fontMetrics().horizontalAdvance(each) for each in parts.column(column))
            assert text + 12 <= table.columnWidth(column)
    assert hidden[320] >= {RunColumn.AGENT, RunColumn.TASK, RunColumn.WHEN}
    assert RunColumn.BEST not in hidden[320]
    assert hidden[900] == {RunColumn.TAGS}  # nobody has given a tag
    assert hidden[320] >= hidden[430] >= hidden[560]


def test_times_are_told_as_people_do() -> None:
    now = datetime(2026, 5, 20, 12, 0).astimezone()

    def told(**before: float) -> str:
        return ago((now - timedelta(**before)).isoformat(), now)

    assert told(seconds=30) == "just now"
    assert told(minutes=5) == "5 min ago"
    assert told(hours=3) == "3 h ago"
    assert told(days=1, hours=2) == "1 day ago"
    assert told(days=3) == "3 days ago"
    assert told(days=40) == "10 Apr 2026"
    assert ago("", now) == ""


def test_five_hundred_runs_are_cheap(qtbot: QtBot, parts: Parts) -> None:
    import time

    summary = run_folder.new_summary(config.Experiment())
    runs = [
        msgspec.structs.replace(summary, folder=f"/runs/{i}", title=f"run {i}", updated="2026-05-20T12:00:00+00:00")
        for i in range(500)
    ]
    model = parts.panel.model
    assert isinstance(model, RunModel)
    parts.library.take(listing_of(runs))
    begun = time.thread_time()
    model.update()
    parts.panel.table.fit()
    QApplication.processEvents()
    assert time.thread_time() - begun < 0.5
    assert parts.panel.table.model().rowCount() == 500


# -- what is done with runs -------------------------------------------------------------------------


def test_a_double_click_opens_a_run_and_marks_it(qtbot: QtBot, parts: Parts) -> None:
    folders = three(qtbot, parts)
    table = parts.panel.table
    row = parts.column(RunColumn.NAME).index("Beta")
    at = table.visualRect(parts.cell(row, RunColumn.NAME)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    QTest.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert parts.session.state is State.STORED
    assert parts.session.run.folder == folders["Beta"]
    row = parts.column(RunColumn.NAME).index("Beta")
    assert parts.cell(row, RunColumn.NAME).data(Qt.ItemDataRole.FontRole).bold()
    assert parts.cell(row, RunColumn.SWATCH).data(SWATCH) == "series0"
    parts.panel.grab()


def test_keys_are_enough(qtbot: QtBot, parts: Parts) -> None:
    folders = three(qtbot, parts)
    parts.panel.filter.setFocus()
    QTest.keyClicks(parts.panel.filter, "gamma")
    QTest.keyClick(parts.panel.filter, Qt.Key.Key_Down)
    table = parts.panel.table
    assert table.hasFocus()
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert [each.folders for each in parts.library.overlays] == [(folders["Gamma"],)]
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert parts.session.run.folder == folders["Gamma"]
    parts.panel.filter.setFocus()
    QTest.keyClick(parts.panel.filter, Qt.Key.Key_Escape)
    assert len(parts.column(RunColumn.NAME)) == 3
    parts.choose("Alpha")
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert not folders["Alpha"].exists()
    QTest.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert folders["Alpha"].exists()


def test_undo_takes_back_the_deletion_and_not_a_knob_while_the_table_has_the_focus(qtbot: QtBot, parts: Parts) -> None:
    folders = three(qtbot, parts)
    window, knob = QMainWindow(), []
    qtbot.addWidget(window)
    undo = QAction("Undo knob change", window)
    undo.setShortcut(QKeySequence("Ctrl+Z"))
    undo.triggered.connect(lambda: knob.append(1))
    window.addAction(undo)
    window.setCentralWidget(parts.card)
    window.show()
    qtbot.waitActive(window)
    parts.choose("Alpha")
    parts.panel.table.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert knob == [1]  # nothing was deleted: the window's own
    parts.do("Delete")
    assert not folders["Alpha"].exists()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert folders["Alpha"].exists()
    assert knob == [1]
    window.takeCentralWidget()


def test_several_are_deleted_and_come_back_together(qtbot: QtBot, parts: Parts) -> None:
    folders = three(qtbot, parts)
    parts.session.open_stored(folders["Gamma"])
    parts.choose("Alpha", "Beta", "Gamma")
    with qtbot.waitSignal(parts.library.changed):
        parts.do("Delete")
    assert parts.column(RunColumn.NAME) == ["Gamma"]
    assert parts.panel.note.isVisible()
    assert parts.panel.note.text.text() == "Deleted 2 runs. 1 could not be deleted."
    with qtbot.waitSignal(parts.library.changed):
        parts.panel.note.undo.click()
    assert len(parts.column(RunColumn.NAME)) == 3
    assert not parts.panel.note.isVisible()


def test_the_last_run_can_be_brought_back_from_the_empty_panel(qtbot: QtBot, parts: Parts) -> None:
    make_run(parts.runs, title="Only")
    read(qtbot, parts)
    parts.choose("Only")
    with qtbot.waitSignal(parts.library.changed):
        parts.do("Delete")
    assert parts.panel.empty_text
    assert parts.panel.note.undo.isVisible()
    with qtbot.waitSignal(parts.library.changed):
        parts.panel.note.undo.click()
    assert parts.column(RunColumn.NAME) == ["Only"]


def test_a_refused_deletion_is_said(qtbot: QtBot, parts: Parts) -> None:
    folders = three(qtbot, parts)
    parts.session.open_stored(folders["Beta"])
    parts.choose("Beta")
    parts.do("Delete")
    assert "is open here" in parts.panel.note.text.text()
    assert not parts.panel.note.undo.isVisible()
    assert folders["Beta"].exists()


def test_a_swatch_is_a_toggle_and_takes_the_overlays_colour(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    table = parts.panel.table

    def click(row: int) -> None:
        at: QPoint = table.visualRect(parts.cell(row, RunColumn.SWATCH)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)

    click(0)
    click(1)
    colors = [parts.cell(row, RunColumn.SWATCH).data(SWATCH) for row in range(3)]
    assert colors[2] == ""
    assert len({*colors}) == 3
    assert "series0" not in colors
    parts.panel.grab()
    click(0)
    assert len(parts.library.overlays) == 1
    parts.choose("Alpha", "Beta", "Gamma")
    parts.do("Overlay on")
    assert len(parts.library.overlays) == 3
    parts.do("Overlay on")
    assert parts.library.overlays == []


def test_swatches_of_more_runs_than_colours_differ(qtbot: QtBot, parts: Parts) -> None:
    for number in range(11):
        make_run(parts.runs, title=f"Run {number}")
    read(qtbot, parts)
    for summary in parts.library.summaries:
        parts.library.overlay(summary.folder)
    table, pictures = parts.panel.table, set()
    table.resize(400, 600)
    picture = table.viewport().grab().toImage()
    for row in range(11):
        middle = table.visualRect(parts.cell(row, RunColumn.SWATCH)).center()
        square = [picture.pixel(middle.x() + x, middle.y() + y) for x in range(-6, 7) for y in (-2, 0, 2)]
        pictures.add(tuple(square))
    assert len(pictures) == 11


def test_resume_waits_until_the_log_was_read(qtbot: QtBot, parts: Parts) -> None:
    folder = make_run(parts.runs, title="Half", state="stopped")
    (folder / "resume").mkdir()
    read(qtbot, parts)
    ScriptedHost.opened.clear()
    parts.choose("Half")
    parts.do("Resume")
    qtbot.waitUntil(lambda: bool(ScriptedHost.opened), timeout=5000)
    request = ScriptedHost.opened[0].request
    assert request.resume
    assert request.folder == str(folder)


def test_what_cannot_be_resumed_is_opened_and_says_why(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    parts.choose("Alpha")
    parts.do("Resume")
    qtbot.waitUntil(parts.panel.note.isVisible, timeout=5000)
    assert "cannot be resumed" in parts.panel.note.text.text()
    assert Action.RESUME_RUN not in parts.session.allowed
    parts.do("Fork")
    qtbot.waitUntil(lambda: "fork" in parts.panel.note.text.text(), timeout=5000)


def test_while_a_run_trains_no_other_is_opened(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    parts.session.start()
    qtbot.waitUntil(lambda: parts.session.state is State.RUNNING)
    opened = parts.session.run.folder
    parts.choose("Alpha")
    with qtbot.waitSignal(parts.session.message):
        parts.do("Open")
    assert parts.session.run.folder == opened


def test_the_folder_is_shown_outside(qtbot: QtBot, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = three(qtbot, parts)
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    parts.choose("Beta")
    parts.do("Open folder")
    assert [Path(each) for each in shown] == [folders["Beta"]]


def test_actions_are_for_what_is_chosen(qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    enabled = {action.text(): action.isEnabled() for action in parts.panel.menu_actions}
    assert [text for text, on in enabled.items() if on] == ["Import…"]
    parts.choose("Alpha", "Beta")
    enabled = {action.text(): action.isEnabled() for action in parts.panel.menu_actions}
    assert enabled["Delete"]
    assert not enabled["Open"]
    assert all(action.toolTip() and action.icon() for action in parts.panel.menu_actions)


def test_an_unreadable_folder_is_said(qtbot: QtBot, parts: Parts) -> None:
    for path in parts.runs.iterdir():
        path.unlink()
    parts.runs.rmdir()
    parts.runs.write_text("not a folder")
    read(qtbot, parts)
    assert parts.panel.empty_text
    assert parts.panel.empty_text.startswith("Cannot list the runs in")


def test_an_empty_folder_offers_the_demo(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = make_run(tmp_path / "shipped", title="Demo")
    monkeypatch.setattr(demo, "demo_run", lambda: shipped)
    session = Session(config.Experiment(), runs=tmp_path / "runs", open_host=ScriptedHost)
    library, panel = Library(session), RunsPanel()
    qtbot.addWidget(panel)
    panel.attach(Sources(session=session, library=library, player=None, cursor=None))  # type: ignore[arg-type]
    panel.resize(330, 200)
    panel.show()
    panel.show(History())
    button = next(each for each in panel.findChildren(demo.QPushButton) if each.text() == "Open the demo run")
    assert button.isVisible()
    button.click()
    assert session.run.folder == shipped
    assert session.state is State.STORED
    session.kill()
    library.stop()
    library.join()


def test_the_rows_follow_the_size_of_text(qapp: QApplication, qtbot: QtBot, parts: Parts) -> None:
    folders = three(qtbot, parts)
    parts.session.run.folder = folders["Beta"]
    row = parts.column(RunColumn.NAME).index("Beta")
    try:
        for zoom, small, usual in ((120, 14, 16), (80, 10, 10), (100, 12, 13)):
            parts.panel.restyle(themes.apply(qapp, "dark", zoom))
            fonts = [parts.cell(row, each).data(Qt.ItemDataRole.FontRole) for each in (RunColumn.TASK, RunColumn.NAME)]
            assert [font.pixelSize() for font in fonts] == [small, usual]
    finally:
        themes.apply(qapp, "dark")


def test_themes_are_switched_with_rows_on_the_screen(qapp: QApplication, qtbot: QtBot, parts: Parts) -> None:
    three(qtbot, parts)
    parts.library.overlay(parts.library.summaries[0].folder)
    pictures = []
    for name in ("dark", "light", "dark"):
        parts.panel.restyle(themes.apply(qapp, name))  # type: ignore[arg-type]
        QApplication.processEvents()
        pictures.append(parts.card.grab().toImage())
    assert pictures[0] == pictures[2]
    assert pictures[0] != pictures[1]
