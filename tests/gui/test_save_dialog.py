"""Every export asks with one dialog, writes a table in one way, and says why a file could not be written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from made_panels import made, run_events
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from dqngui.gui.panels.curves.learning_panel import LearningPanel
from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.save_dialog import ask_save_path
from dqngui.lab.analysis.table import Table
from dqngui.lab.session.history import History

KINDS = {"mp4": "Film (*.mp4)", "gif": "Animated picture (*.gif)"}


@pytest.fixture(autouse=True)
def dark(qapp: QApplication) -> None:
    themes.apply(qapp, "dark")


def test_the_chosen_file_gets_the_suffix_of_its_kind(qtbot: QtBot, tmp_path: Path) -> None:
    parent, saved = QWidget(), []
    qtbot.addWidget(parent)
    for kind, suffix in ((None, "mp4"), (KINDS["gif"], "gif")):
        dialog = ask_save_path(parent, "Export film", "episode.mp4", KINDS, saved.append)
        assert dialog.isVisible() and dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
        if kind is not None:
            dialog.filterSelected.emit(kind)
        dialog.setDirectory(str(tmp_path))
        dialog.selectFile(str(tmp_path / "mine"))
        dialog.accept()
        assert saved[-1] == str(tmp_path / f"mine.{suffix}")


def test_a_table_is_written_with_its_header_and_an_empty_one_has_the_header_alone(tmp_path: Path) -> None:
    Table(("t", "what"), ((t, f"step {t}, “ε”") for t in range(2))).write_csv(tmp_path / "full.csv")
    Table(("t", "what")).write_csv(tmp_path / "empty.csv")
    with (tmp_path / "full.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["t", "what"], ["0", "step 0, “ε”"], ["1", "step 1, “ε”"]]
    assert (tmp_path / "empty.csv").read_text(encoding="utf-8").splitlines() == ["t,what"]


def test_a_card_writes_its_table_and_says_why_it_could_not(qtbot: QtBot, tmp_path: Path) -> None:
    panel = made(qtbot, LearningPanel)
    panel.show(History.of(run_events()))
    export = next(action for action in panel.menu_actions if action.text().startswith("Export data"))
    for folder in (tmp_path, tmp_path / "missing"):
        export.trigger()
        dialog = panel.findChild(QFileDialog)
        dialog.fileSelected.emit(str(folder / "learning.csv"))
        dialog.close()
        dialog.setParent(None)
    assert (tmp_path / "learning.csv").read_text().startswith("step,loss,")
    [box] = panel.findChildren(QMessageBox)
    assert box.text() == "The file could not be written: No such file or directory." + "\n\n" + str(
        tmp_path / "missing" / "learning.csv"
    )
    box.close()
