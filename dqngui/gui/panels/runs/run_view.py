"""The view of the table of runs: which columns are shown, what is selected, and which keys do what."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from dqngui.gui.panels.runs.run_cells import RunColumn
from dqngui.gui.panels.runs.run_delegate import PADDING, RunDelegate, tags_width
from dqngui.gui.panels.runs.run_table import FOLDER, RunModel
from dqngui.listing.arranged import Group

ROW_PX = 26
ICON_COLUMN_PX = 28
MIN_NAME_PX, ENOUGH_NAME_PX = 120, 230  # of the names: always, and before a column is shown that may be left out
MAX_COLUMN_PX = 160  # of any other column
OPTIONAL = (
    RunColumn.STAR, RunColumn.TAGS, RunColumn.STEPS, RunColumn.STARTED, RunColumn.AGENT, RunColumn.TASK,
    RunColumn.WHEN, RunColumn.SEED,
)  # fmt: skip
"""Columns that are shown if there is room, the most important first."""


class RunTable(QTableView):
    """The table of runs; columns for which there is no room are hidden.

    Attributes:
        without: usual columns that a person does not want to see.

    Signals:
        zip_dropped(list): paths of zip files that were dropped onto the table.
    """

    zip_dropped = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model: RunModel | None = None
        self.without: frozenset[RunColumn] = frozenset()
        self._widths: dict[int, int] = {}
        self._name_px = MIN_NAME_PX
        self._chosen_before: tuple[set[str], str, int] = set(), "", 0
        self.setAccessibleName("Runs")
        self.setItemDelegate(RunDelegate(self))
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names of the same experiment differ at the end
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAcceptDrops(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setMinimumSize(160, 3 * ROW_PX)

    def begin(self, model: RunModel) -> None:
        """Show a model, sorted by the newest run."""
        self._model = model
        self.setModel(model)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(24)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setSectionResizeMode(RunColumn.NAME, QHeaderView.ResizeMode.Stretch)
        head.moveSection(head.visualIndex(RunColumn.STAR), 1)
        model.rearranging.connect(self._remember)
        model.rearranged.connect(self._restore)
        self.setSortingEnabled(True)
        self.sortByColumn(RunColumn.WHEN, Qt.SortOrder.DescendingOrder)

    # -- columns -----------------------------------------------------------------------------------

    def fit(self) -> None:
        """Make each column as wide as its longest text."""
        model = self._model
        if model is None:
            return
        metrics = self.fontMetrics()
        for number in (RunColumn.BEST, *OPTIONAL[1:], *self._added):
            title = str(model.headerData(number, Qt.Orientation.Horizontal))
            longest = model.longest_text(number)
            width = tags_width(longest) if number == RunColumn.TAGS else metrics.horizontalAdvance(longest)
            self._widths[number] = min(MAX_COLUMN_PX, max(width, metrics.horizontalAdvance(title) + 12) + 22)
            if number == RunColumn.TAGS and not longest:
                self._widths[number] = 0  # nobody has given a tag
        names = metrics.horizontalAdvance(model.longest_text(RunColumn.NAME)) + 2 * PADDING
        self._name_px = max(MIN_NAME_PX, min(ENOUGH_NAME_PX, names))
        self._widths |= dict.fromkeys((RunColumn.SWATCH, RunColumn.STAR, RunColumn.STATE), ICON_COLUMN_PX)
        head = self.horizontalHeader()
        for number, width in self._widths.items():
            if number < model.columnCount():
                head.setSectionResizeMode(number, QHeaderView.ResizeMode.Fixed)
                self.setColumnWidth(number, width)
        for place, number in enumerate(self._added, head.visualIndex(RunColumn.BEST) + 1):
            if (at := head.visualIndex(number)) != place:
                head.moveSection(at, place)
        self._hide_columns()

    @property
    def _added(self) -> range:
        """The columns that a person added."""
        return range(len(RunColumn), 0 if self._model is None else self._model.columnCount())

    def _hide_columns(self) -> None:
        """Hide the columns that are not wanted, and of the others those for which there is no room."""
        if not self._widths or self._model is None:
            return
        may_go = (OPTIONAL[0], *self._added, *OPTIONAL[1:])
        always = [column for column in RunColumn if column not in may_go and column is not RunColumn.NAME]
        room = self.viewport().width() - self._name_px
        for column in always:
            self.setColumnHidden(column, column in self.without)
            room -= 0 if column in self.without else self._widths[column]
        for number in may_go:
            unwanted = number in self.without or not self._widths.get(number)
            room -= 0 if unwanted else self._widths[number]
            if self.isColumnHidden(number) != (unwanted or room < 0):
                self.setColumnHidden(number, unwanted or room < 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_columns()

    # -- selection ---------------------------------------------------------------------------------

    def chosen_rows(self) -> list[int]:
        """The selected rows, from top to bottom."""
        selection = self.selectionModel()
        return sorted(index.row() for index in selection.selectedRows()) if selection is not None else []

    def chosen(self) -> list[str]:
        """Folders of the selected runs, from top to bottom; the line of a group stands for its runs."""
        if self._model is None:
            return []
        rows = self.chosen_rows()
        return list(dict.fromkeys(run.folder for row in rows for run in self._model.runs_at(row)))

    def choose_first(self) -> None:
        """Select the first run and give it the focus."""
        self.setFocus()
        rows = self._model.rows if self._model is not None else []
        first = next((number for number, row in enumerate(rows) if not isinstance(row, Group)), 0)
        select = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(
            self.model().index(first, RunColumn.NAME), select.ClearAndSelect | select.Rows
        )

    def choose(self, folders: Iterable[str]) -> None:
        """Select these runs, and no others."""
        self._select(set(folders))

    def _remember(self) -> None:
        folders = {str(self.model().index(row, 0).data(FOLDER)) for row in self.chosen_rows()} - {""}
        current = str(self.currentIndex().data(FOLDER) or "")
        self._chosen_before = folders, current, self.verticalScrollBar().value()

    def _restore(self) -> None:
        folders, current, scrolled = self._chosen_before
        if folders or current:
            self._select(folders, current)
        self.verticalScrollBar().setValue(scrolled)

    def _select(self, folders: set[str], current: str = "") -> None:
        if self._model is None:
            return
        selection, flag = QItemSelection(), QItemSelectionModel.SelectionFlag
        last = self._model.columnCount() - 1
        at = QModelIndex()
        for number, row in enumerate(self._model.rows):
            if isinstance(row, Group):
                continue
            if row.folder in folders:
                selection.select(self._model.index(number, 0), self._model.index(number, last))
            if row.folder == current:
                at = self._model.index(number, RunColumn.NAME)
        if at.isValid():
            self.selectionModel().setCurrentIndex(at, flag.NoUpdate)
        self.selectionModel().select(selection, flag.ClearAndSelect | flag.Rows)

    def group_at(self, row: int) -> Group | None:
        """The group of which a row is the line; None for the row of a run."""
        found = self._model.rows[row] if self._model is not None and 0 <= row < len(self._model.rows) else None
        return found if isinstance(found, Group) else None

    def fold(self, row: int, folded: bool | None = None) -> bool:
        """Fold or unfold (None: the other way) the group of this line; returns whether it is one."""
        group = self.group_at(row)
        if group is None or self._model is None:
            return False
        self._model.fold(group, group.text not in self._model.folded if folded is None else folded)
        select = QItemSelectionModel.SelectionFlag
        at = self._model.index(row, RunColumn.NAME)
        self.selectionModel().setCurrentIndex(at, select.ClearAndSelect | select.Rows)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_Left: True, Qt.Key.Key_Right: False, Qt.Key.Key_Return: None, Qt.Key.Key_Enter: None}
        if event.key() in keys and self.fold(self.currentIndex().row(), keys[Qt.Key(event.key())]):
            return
        super().keyPressEvent(event)

    # -- dropped files -----------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if zip_files(event):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if zip_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if files := zip_files(event):
            event.acceptProposedAction()
            self.zip_dropped.emit(files)


def zip_files(event: QDropEvent) -> list[str]:
    """Paths of the zip files that are dragged."""
    paths = [url.toLocalFile() for url in event.mimeData().urls()]
    return [path for path in paths if Path(path).suffix.lower() == ".zip"]
