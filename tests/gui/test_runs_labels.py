"""Labels, groups, columns and zip files in the table of runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dqngui import config
from dqngui.gui.cards.card import Card
from dqngui.gui.cards.panel import Sources
from dqngui.gui.cards.panel_card import card_of
from dqngui.gui.panels.runs.run_cells import RunColumn
from dqngui.gui.panels.runs.runs_panel import RunsPanel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.library import Library
from dqngui.lab.session.history import History
from dqngui.lab.session.session import Session
from dqngui.runs.archive import export_run
from dqngui.runs.labels import Labels, read_labels, write_labels
from tests.doubles.scripted_host import ScriptedHost
from tests.lab.test_library import make_run

GRU = {"net.memory": "gru", "net.attention": "none"}
LSTM = {"net.memory": "lstm", "net.attention": "none"}


class Shown:
    """The Runs card with a folder of runs."""

    def __init__(self, qtbot: QtBot, runs: Path, kept: QSettings) -> None:
        self.qtbot, self.runs = qtbot, runs
        self.session = Session(config.Experiment(), runs=runs, open_host=ScriptedHost)
        self.session.torch_loaded = True
        self.library, self.panel = Library(self.session), RunsPanel()
        self.card: Card = card_of(self.panel, menu=False)
        qtbot.addWidget(self.card)
        sources = Sources(self.session, None, self.library, settings=kept)  # type: ignore[arg-type]
        self.panel.attach(sources)
        self.card.resize(900, 400)
        self.card.show()
        qtbot.waitExposed(self.card)
        self.panel.show(History())
        self.read()

    def read(self) -> None:
        with self.qtbot.waitSignal(self.library.changed):
            self.library.refresh()

    def column(self, number: int) -> list[str]:
        model = self.panel.table.model()
        return [str(model.index(row, number).data()) for row in range(model.rowCount())]

    def choose(self, *folders: Path) -> None:
        self.panel.table.choose([str(folder) for folder in folders])

    def do(self, text: str) -> None:
        action = next(each for each in self.panel.menu_actions if each.text().startswith(text))
        assert action.isEnabled(), text
        action.trigger()

    def wait_for(self, text: str) -> None:
        self.qtbot.waitUntil(lambda: text in self.panel.note.text.text(), timeout=5000)

    def close(self) -> None:
        self.session.kill()
        self.panel.archives.worker.stop()
        self.library.stop()
        self.library.join()
        self.panel.archives.worker.join()


@pytest.fixture
def kept(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "kept.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Two runs with a GRU, one of them in the folder of a sweep, and one with an LSTM."""
    runs = tmp_path / "runs"
    return {
        "A": make_run(runs, changes={**GRU, "learn.lr": 1e-3}, title="A", best=100.0),
        "B": make_run(runs / "sweep", changes={**GRU, "learn.lr": 3e-4}, title="B", best=300.0),
        "C": make_run(runs, changes={**LSTM, "learn.lr": 1e-3}, title="C"),
    }


@pytest.fixture
def shown(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, kept: QSettings, folders: dict[str, Path]
) -> Iterator[Shown]:
    themes.apply(qapp, "dark")
    shown = Shown(qtbot, tmp_path / "runs", kept)
    yield shown
    shown.close()


def test_a_run_is_renamed_starred_tagged_and_noted_by_keys(shown: Shown, folders: dict[str, Path]) -> None:
    table, dialogs, qtbot = shown.panel.table, shown.panel.labels, shown.qtbot
    shown.choose(folders["A"])
    table.setFocus()
    for key, text in ((Qt.Key.Key_F2, "Best of all"), (Qt.Key.Key_T, "paper, old"), (Qt.Key.Key_N, "Look again.")):
        shown.card.activateWindow()
        table.setFocus()
        qtbot.waitUntil(table.hasFocus)
        QTest.keyClick(table, key)
        assert dialogs.dialog is not None
        dialogs.dialog.setTextValue(text)
        with qtbot.waitSignal(shown.library.changed):
            dialogs.dialog.accept()
    shown.card.activateWindow()
    table.setFocus()
    qtbot.waitUntil(table.hasFocus)
    with qtbot.waitSignal(shown.library.changed):
        QTest.keyClick(table, Qt.Key.Key_S)
    assert read_labels(folders["A"])[0] == Labels("Best of all", True, ("paper", "old"), "Look again.")
    assert shown.panel.chosen() == [str(folders["A"])]
    row = shown.column(RunColumn.NAME).index("Best of all")
    assert shown.column(RunColumn.TAGS)[row] == "paper old"
    tip = table.model().index(row, RunColumn.NAME).data(Qt.ItemDataRole.ToolTipRole)
    assert "Look again." in tip
    shown.panel.filter.setText("tag:paper star=yes")
    assert shown.column(RunColumn.NAME) == ["Best of all"]
    shown.panel.grab()


def test_tags_are_given_to_and_taken_from_all_that_are_selected(shown: Shown, folders: dict[str, Path]) -> None:
    write_labels(folders["A"], Labels(tags=("own", "shared")))
    write_labels(folders["B"], Labels(tags=("shared",)))
    shown.read()
    shown.choose(folders["A"], folders["B"])
    shown.do("Tags")
    dialog = shown.panel.labels.dialog
    assert dialog is not None
    assert dialog.textValue() == "shared"
    dialog.setTextValue("new")
    with shown.qtbot.waitSignal(shown.library.changed):
        dialog.accept()
    assert read_labels(folders["A"])[0].tags == ("own", "new")
    assert read_labels(folders["B"])[0].tags == ("new",)


def test_a_label_that_is_not_allowed_is_said(shown: Shown, folders: dict[str, Path]) -> None:
    shown.choose(folders["A"])
    shown.do("Tags")
    dialog = shown.panel.labels.dialog
    assert dialog is not None
    dialog.setTextValue("x" * 100)
    dialog.accept()
    shown.wait_for("is not allowed")


def test_runs_are_grouped_with_the_mean_of_their_scores_and_n(shown: Shown, folders: dict[str, Path]) -> None:
    panel, table = shown.panel, shown.panel.table
    table.sortByColumn(RunColumn.NAME, Qt.SortOrder.AscendingOrder)
    panel.columns.group("memory")
    assert shown.column(RunColumn.NAME) == ["GRU · 2 runs (mean of 2)", "A", "B", "LSTM · 1 run", "C"]
    assert shown.column(RunColumn.BEST) == ["200", "(100)", "(300)", "", "–"]
    table.setCurrentIndex(table.model().index(0, RunColumn.NAME))
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Left)
    assert shown.column(RunColumn.NAME) == ["GRU · 2 runs (mean of 2)", "LSTM · 1 run", "C"]
    assert set(shown.library.selected) == {folders["A"], folders["B"]}  # the line of a group stands for its runs
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert len(shown.column(RunColumn.NAME)) == 5
    panel.grab()
    panel.columns.group("folder")
    assert shown.column(RunColumn.NAME)[0] == "sweep · 1 run (mean of 1)"
    panel.filter.setText("best>250")
    assert shown.column(RunColumn.NAME) == ["sweep · 1 run (mean of 1)", "B"]
    panel.columns.group("")
    assert shown.column(RunColumn.NAME) == ["B"]


def test_returns_of_different_tasks_are_not_averaged(shown: Shown, tmp_path: Path) -> None:
    make_run(tmp_path / "runs", changes={**GRU, "env.id": "Acrobot-v1"}, title="D", best=-80.0)
    shown.read()
    shown.panel.columns.group("memory")
    assert shown.column(RunColumn.NAME)[0] == "GRU · 3 runs"
    assert shown.column(RunColumn.BEST)[0] == ""


def test_columns_of_any_setting_are_added_sorted_and_kept(
    qtbot: QtBot, shown: Shown, kept: QSettings, folders: dict[str, Path]
) -> None:
    columns, table = shown.panel.columns, shown.panel.table
    columns.fill()
    qtbot.waitUntil(lambda: shown.library.listing.searchable)
    columns.add("learning rate")
    columns.group("task")
    number = len(RunColumn)
    qtbot.waitUntil(lambda: "3e-4" in shown.column(number))
    columns.group("")
    table.sortByColumn(number, Qt.SortOrder.AscendingOrder)
    assert shown.column(number) == ["3e-4", "1e-3", "1e-3"]
    assert shown.column(RunColumn.NAME)[0] == "B"
    columns.fill()
    texts = [action.text() for action in columns.menu.actions()]
    assert "learning rate" in texts
    columns.group("memory")
    again = Shown(qtbot, shown.runs, kept)
    try:
        qtbot.waitUntil(lambda: "3e-4" in again.column(number))
        assert again.column(RunColumn.NAME)[0].startswith("GRU")
        again.panel.columns.remove("learning rate")
        assert again.panel.table.model().columnCount() == number
    finally:
        again.close()


def test_a_name_that_is_none_is_said_below_the_filter(shown: Shown) -> None:
    shown.panel.filter.setText("foo>3")
    assert shown.panel.wrong.isVisible()
    assert shown.panel.wrong.text().startswith("No setting or figure is called `foo`")
    assert len(shown.column(RunColumn.NAME)) == 3  # as before it
    shown.panel.filter.setText("lr<0.001")
    assert not shown.panel.wrong.isVisible()
    shown.qtbot.waitUntil(lambda: shown.column(RunColumn.NAME) == ["B"])


def test_a_nested_run_is_deleted_and_comes_back(shown: Shown, folders: dict[str, Path]) -> None:
    shown.choose(folders["B"])
    with shown.qtbot.waitSignal(shown.library.changed):
        shown.do("Delete")
    assert not folders["B"].exists()
    with shown.qtbot.waitSignal(shown.library.changed):
        shown.panel.note.undo.click()
    assert folders["B"].exists()
    with shown.qtbot.waitSignal(shown.library.changed):
        shown.choose(folders["B"])
        shown.do("Delete")
    shown.close()
    assert not (folders["B"].parent / ".trash").exists()


def test_runs_are_exported_and_a_dropped_zip_is_taken_in(
    shown: Shown, folders: dict[str, Path], tmp_path: Path
) -> None:
    place = tmp_path / "zips"
    place.mkdir()
    shown.panel.archives.export_into([folders["A"], folders["B"]], place)
    shown.wait_for("Wrote 2 runs")
    assert len(list(place.iterdir())) == 2
    export_run(folders["C"], tmp_path / "c.zip")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "c.zip"))])
    modifiers, buttons = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    event = QDropEvent(QPointF(20, 20), Qt.DropAction.CopyAction, data, buttons, modifiers)
    shown.panel.table.dropEvent(event)
    shown.wait_for("Took in")
    shown.qtbot.waitUntil(lambda: len(shown.column(RunColumn.NAME)) == 4)
    (tmp_path / "bad.zip").write_bytes(b"no")
    shown.panel.archives.take_in(shown.library, [str(tmp_path / "bad.zip")])
    shown.wait_for("is damaged or no zip file")


def test_thousands_of_runs_are_filtered_once_they_are_read(qtbot: QtBot, shown: Shown) -> None:
    from tests.benchmarks.many_runs import make_runs

    make_runs(shown.runs, 600)
    shown.read()
    assert len(shown.column(RunColumn.NAME)) == 603
    shown.panel.filter.setText("memory=lstm seed=3")
    qtbot.waitUntil(lambda: 0 < len(shown.column(RunColumn.NAME)) < 603, timeout=20_000)
    assert shown.library.listing.searchable
    table = shown.panel.table
    table.selectAll()
    assert len(shown.library.selected) == len(shown.column(RunColumn.NAME))
    shown.panel.filter.clear()
    assert len(shown.column(RunColumn.NAME)) == 603
