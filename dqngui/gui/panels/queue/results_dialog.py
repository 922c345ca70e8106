"""The dialog with the trials of a sweep, the best first."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from dqngui.gui.style import theme as themes
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.lab.queue.run_queue import RunQueue
from dqngui.sweeps.results import SweepResults, TrialResult
from dqngui.texts import Text, sentence
from dqngui.texts.numbers import measured

REFRESH_MS = 3000
SIZE = (720, 420)
HEADS = (
    ("trial", "Number of the trial"),
    ("settings", "What it varies"),
    ("IQM", "Interquartile mean over its seeds"),
    ("seeds", "How many of its seeds have a result"),
    ("each seed", "The result of each seed"),
    ("steps", "Environment steps of all of its runs"),
    ("state", "State of its runs"),
)
_RIGHT = (0, 2, 3, 5)


class ResultsDialog(QDialog):
    """Shows the results of a sweep, and reads them again while it is open.

    Attributes:
        table: a row for each trial.
        said: the objective, or why nothing can be shown.
    """

    def __init__(self, queue: RunQueue, sweep: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._queue, self._sweep = queue, sweep
        self._rows: list[list[str]] = []
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Results of {name}")
        self.resize(*SIZE)
        self.said = plain_label("Reading the results…")
        self.said.setWordWrap(True)
        themes.set_role(self.said, "muted")
        self.table = QTableWidget(0, len(HEADS))
        self.table.setAccessibleName("Trials, the best first")
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        head.setHighlightSections(False)
        for column, (text, tip) in enumerate(HEADS):
            item = QTableWidgetItem(text)
            item.setToolTip(tip)
            item.setTextAlignment(_alignment(column))
            self.table.setHorizontalHeaderItem(column, item)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy as table", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setToolTip("Copy all rows, with tabs between the columns")
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        box = QVBoxLayout(self)
        box.setSpacing(10)
        for part in (self.said, self.table, buttons):
            box.addWidget(part)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self._read)
        self._timer.start()
        self._open = True
        self.finished.connect(self._on_finished)
        self._read()

    @Slot()
    def _on_finished(self) -> None:
        self._open = False
        self._timer.stop()

    @Slot()
    def _read(self) -> None:
        self._queue.results(self._sweep, self._take)

    def _take(self, found: SweepResults | Text | str) -> None:
        if not self._open:
            return
        if not isinstance(found, SweepResults):
            self.said.setText(sentence(found))
            return
        self.said.setText(_summary(found))
        rows = [_cells(row) for row in found.rows]
        if rows == self._rows:
            return
        self._rows = rows
        self.table.setRowCount(len(rows))
        for place, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(plain_tip(text))
                item.setTextAlignment(_alignment(column))
                self.table.setItem(place, column, item)

    @Slot()
    def _copy(self) -> None:
        lines = [[text for text, _ in HEADS], *self._rows]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))


def _summary(results: SweepResults) -> str:
    said = f"Objective: {results.objective}. The best trial stands first. {results.steps_made:,} steps made"
    return f"{said}, {results.steps_saved:,} saved by pruning." if results.steps_saved else f"{said}."


def _cells(row: TrialResult) -> list[str]:
    scores = ["–" if score is None or math.isinf(score) else measured(score) for score in row.scores]
    return [
        str(row.trial.number),
        row.trial.label,
        measured(row.score) if math.isfinite(row.score) else "–",
        f"{sum(score is not None for score in row.scores)} / {len(row.scores)}",
        "  ".join(scores),
        f"{row.steps:,}",
        row.state,
    ]


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
