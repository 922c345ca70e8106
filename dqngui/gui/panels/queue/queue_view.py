"""The view of the table of the queue: which columns are shown, dragging of rows, and bars of progress."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QRect, Qt, Slot
from PySide6.QtGui import QIcon, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from dqngui.gui.panels.queue.queue_table import ICON_PX, PARTS, SHARE, Index, QueueColumn, QueueModel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.short_names import shortened

ROW_PX, BAR_PX = 26, 2
MIN_NAME_PX, GOOD_NAME_PX = 92, 170
"""Width of the names below which the time left is hidden, and below which the other columns are."""
PADDING = 14
CELL_PADDING = 12  # of a cell, left plus right, as in the stylesheet
_OPTIONAL = (QueueColumn.LEFT, QueueColumn.SEED, QueueColumn.THREADS, QueueColumn.DEVICE)
"""Columns that are shown if there is room, the most important first."""


class QueueTable(QTableView):
    """The table of the queue; rows that wait are dragged to another place."""

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._widths: dict[QueueColumn, int] = {}
        self._kept: tuple[set[int], int | None] = set(), None
        self.setModel(model)
        self.setAccessibleName("Queue")
        self.setItemDelegate(QueueDelegate(self))
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setDropIndicatorShown(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setMinimumSize(160, 3 * ROW_PX)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(24)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setSectionResizeMode(QueueColumn.NAME, QHeaderView.ResizeMode.Stretch)
        model.modelAboutToBeReset.connect(self._keep_selection)
        model.modelReset.connect(self._select_again)

    @property
    def dragging(self) -> bool:
        """Whether rows are being dragged; the rows must stay as they are meanwhile."""
        return self.state() == QAbstractItemView.State.DraggingState

    def chosen(self) -> list[int]:
        """Numbers of the selected rows, from top to bottom."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    @Slot()
    def show_current(self) -> None:
        """Scroll to the row with the focus, if it is selected."""
        if self.selectionModel().isSelected(self.currentIndex()):
            self.scrollTo(self.currentIndex())

    def choose(self, sweeps: set[str]) -> None:
        """Select all entries of these sweeps."""
        self._kept = {row.entry.id for row in self._model.rows if row.entry.sweep in sweeps}, None
        self._select_again()

    def fit(self) -> None:
        """Make each column as wide as its longest text."""
        metrics = self.fontMetrics()
        for column in (QueueColumn.PROGRESS, *_OPTIONAL):
            title = str(self._model.headerData(column, Qt.Orientation.Horizontal))
            texts = self._model.longest_text(column), title
            self._widths[column] = max(map(metrics.horizontalAdvance, texts)) + PADDING
        self._widths[QueueColumn.STATE] = 28
        for column, width in self._widths.items():
            self.setColumnWidth(column, width)
        self._hide_columns()

    def _hide_columns(self) -> None:
        if not self._widths:
            return
        room = self.viewport().width() - MIN_NAME_PX
        room -= sum(width for column, width in self._widths.items() if column not in _OPTIONAL)
        for column in _OPTIONAL:
            empty = not self._model.longest_text(column)
            room -= 0 if empty else self._widths[column]
            if column is _OPTIONAL[1]:
                room -= GOOD_NAME_PX - MIN_NAME_PX
            if self.isColumnHidden(column) != (empty or room < 0):
                self.setColumnHidden(column, empty or room < 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_columns()

    # -- the selection stays with its entries ------------------------------------------------------

    def _keep_selection(self) -> None:
        rows, current = self._model.rows, self.currentIndex()
        chosen = {rows[row].entry.id for row in self.chosen()}
        self._kept = chosen, rows[current.row()].entry.id if current.isValid() else None

    def _select_again(self) -> None:
        chosen, current = self._kept
        selection = QItemSelection()
        select = QItemSelectionModel.SelectionFlag
        for place, row in enumerate(self._model.rows):
            index = self._model.index(place, QueueColumn.NAME)
            if row.entry.id == current:
                self.selectionModel().setCurrentIndex(index, select.NoUpdate)
            if row.entry.id in chosen:
                selection.select(index, index)
        self.selectionModel().select(selection, select.ClearAndSelect | select.Rows)


class QueueDelegate(QStyledItemDelegate):
    """Paints the state in the centre of its cell, and a thin bar below the steps."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        name = index.data(PARTS) if index.column() == QueueColumn.NAME else None
        if name is not None:
            margin = option.widget.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, option.widget) + 1
            room = option.rect.width() - 2 * margin - CELL_PADDING
            option.text = shortened(name, option.fontMetrics.horizontalAdvance, room)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        column = QueueColumn(index.column())
        if column is QueueColumn.STATE:
            plain = QStyleOptionViewItem(option)
            self.initStyleOption(plain, index)
            plain.icon = QIcon()
            plain.features &= ~QStyleOptionViewItem.ViewItemFeature.HasDecoration
            style = option.widget.style()
            style.drawControl(style.ControlElement.CE_ItemViewItem, plain, painter, option.widget)
            place = QRect(0, 0, ICON_PX, ICON_PX)
            place.moveCenter(option.rect.center())
            icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
            icon.paint(painter, place)
            return
        super().paint(painter, option, index)
        if column is QueueColumn.PROGRESS:
            self._bar(painter, option.rect, float(index.data(SHARE)))

    @staticmethod
    def _bar(painter: QPainter, rect: QRect, share: float) -> None:
        theme = themes.current()
        whole = QRect(rect.left() + 8, rect.bottom() - BAR_PX - 1, rect.width() - 14, BAR_PX)
        painter.fillRect(whole, theme.color("line"))
        whole.setWidth(round(whole.width() * share))
        painter.fillRect(whole, theme.color("accent"))
