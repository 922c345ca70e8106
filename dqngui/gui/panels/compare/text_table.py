"""A table of texts to read: the figures of groups, or the settings in which they differ."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from dqngui.gui.charts.legend_marker import Marker, marker_icon
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_tip

Index = QModelIndex | QPersistentModelIndex
NONE = QModelIndex()
ROW_PX = 26
WIDEST_PX = 260


class TextModel(QAbstractTableModel):
    """Rows of texts under a header; the first cell of a row may have a marker."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.head: list[str] = []
        self.rows: list[list[str]] = []
        self.muted: list[bool] = []
        self._markers: list[Marker | None] = []
        self._icons: list[QIcon | None] = []
        self._numbers = False

    def fill(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        markers: Sequence[Marker | None] = (),
        muted: Sequence[bool] = (),
        numbers: bool = False,
    ) -> None:
        """Show other rows; `numbers`: all but the first column stand at the right."""
        self.beginResetModel()
        self.head, self.rows = list(head), [list(row) for row in rows]
        self._markers = list(markers) or [None] * len(rows)
        self.muted = list(muted) or [False] * len(rows)
        self._icons = [None if each is None else marker_icon(each) for each in self._markers]
        self._numbers = numbers
        self.endResetModel()

    def restyle(self) -> None:
        self._icons = [None if each is None else marker_icon(each) for each in self._markers]

    def rowCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(self.head)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal:
            if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                return self.head[section] if role == Qt.ItemDataRole.DisplayRole else plain_tip(self.head[section])
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return self._alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = index.row(), index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self.rows[row][column]
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(self.rows[row][column])
            case Qt.ItemDataRole.DecorationRole:
                return self._icons[row] if column == 0 else None
            case Qt.ItemDataRole.TextAlignmentRole:
                return self._alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                return themes.current().color("muted") if self.muted[row] else None
        return None

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if self._numbers and column else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter


class TextTable(QTableView):
    """Shows a `TextModel`; columns are as wide as their texts, up to a limit, and cells can be selected."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.texts = TextModel(self)
        self.setModel(self.texts)
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.horizontalHeader().setHighlightSections(False)
        self.setMinimumSize(120, 2 * ROW_PX)

    def fit(self) -> None:
        """Give the columns the widths of their texts."""
        self.resizeColumnsToContents()
        for column in range(self.texts.columnCount()):
            self.setColumnWidth(column, min(self.columnWidth(column) + 8, WIDEST_PX))

    def restyle(self, theme: Theme) -> None:
        self.texts.restyle()
        self.fit()
        self.viewport().update()
