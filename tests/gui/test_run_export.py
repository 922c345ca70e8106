"""The sheet that exports runs: it writes in the background, says where, and shows an error as a sentence."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from dqngui.gui.app.app import App
from dqngui.gui.export.run_export_sheet import RunExportSheet
from dqngui.gui.style import theme as themes
from dqngui.lab.library.run_export import RunExport
from tests.comparison.made_runs import made_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return made_run(tmp_path / "runs", [1.0, 2.0], title="<b>evil</b>")


@pytest.fixture
def sheet(qtbot: QtBot, qapp: QApplication, run: Path) -> Iterator[RunExportSheet]:
    themes.apply(qapp, "light")
    window = QWidget()
    qtbot.addWidget(window)
    exports = RunExport(window)
    opened = RunExportSheet(exports, [run], window)
    opened.open()
    yield opened
    exports.stop()
    exports.join()


def choose(sheet: RunExportSheet, name: str) -> None:
    sheet.format.setCurrentIndex(sheet.format.findData(name))


def wait(qtbot: QtBot, sheet: RunExportSheet) -> None:
    qtbot.waitUntil(lambda: sheet.export.text() == "Export", timeout=60_000)


def test_a_run_is_saved_and_the_sheet_says_where(
    qtbot: QtBot, sheet: RunExportSheet, run: Path, tmp_path: Path
) -> None:
    assert run.name in sheet.place.text() and sheet.place.text().endswith(".html")
    choose(sheet, "csv")
    assert sheet.place.text().endswith(".csv")
    out = tmp_path / "<i>out.csv"
    sheet.place.setText(str(out))
    sheet.export.click()
    assert sheet.export.text() == "Cancel" and not sheet.place.isEnabled()
    wait(qtbot, sheet)
    assert "Saved to" in sheet.said.text() and "&lt;i&gt;out.csv" in sheet.said.text()
    with out.open() as file:
        assert [row["value"] for row in csv.DictReader(file) if row["name"] == "eval/mean"] == ["1", "2"]


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(
    qtbot: QtBot, sheet: RunExportSheet, tmp_path: Path
) -> None:
    choose(sheet, "csv")
    sheet.place.setText(str(tmp_path))
    sheet.export.click()
    wait(qtbot, sheet)
    assert sheet.said.text() == f"{tmp_path} cannot be written: it is a folder; name a file."
    sheet.place.setText("  ")
    assert not sheet.export.isEnabled()


def test_an_export_is_cancelled_with_the_sheet(qtbot: QtBot, sheet: RunExportSheet, tmp_path: Path) -> None:
    sheet.place.setText(str(tmp_path / "report.html"))
    sheet.export.click()
    sheet.export.click()
    wait(qtbot, sheet)
    assert "cancelled" in sheet.said.text()
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_the_menu_exports_the_open_run(qtbot: QtBot, used_app: App, run: Path) -> None:
    window = used_app.window
    assert not window.exports.action.isEnabled()
    assert used_app.session.open_stored(run)
    qtbot.waitUntil(lambda: window.exports.action.isEnabled())
    window.exports.action.trigger()
    assert window.exports.sheet is not None and run.name in window.exports.sheet.place.text()
    window.exports.sheet.reject()
