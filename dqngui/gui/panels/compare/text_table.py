"""A table of texts to read: the figures of groups, or the settings in which they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from dqngui.gui.charts.legend_marker import MARKER_PX, Marker, marker_icon
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
        self._tips: dict[str, str] = {}

    def fill(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        markers: Sequence[Marker | None] = (),
        muted: Sequence[bool] = (),
        numbers: bool = False,
        tips: Mapping[str, str] | None = None,
    ) -> None:
        """Show other rows; `numbers`: all but the first column stand at the right; `tips`: of columns, by head."""
        self.beginResetModel()
        self.head, self.rows = list(head), [list(row) for row in rows]
        self._markers = list(markers) or [None] * len(rows)
        self.muted = list(muted) or [False] * len(rows)
        self.restyle()
        self._numbers, self._tips = numbers, dict(tips or {})
        self.endResetModel()

    def restyle(self) -> None:
        self._icons = [None if each is None else _lit(marker_icon(each)) for each in self._markers]

    def rowCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(self.head)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal:
            if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                head = self.head[section]
                return head if role == Qt.ItemDataRole.DisplayRole else plain_tip(self._tips.get(head, head))
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


def _lit(icon: QIcon) -> QIcon:
    """The icon of a legend's button as it is while checked."""
    return QIcon(icon.pixmap(QSize(MARKER_PX, MARKER_PX), 2.0, QIcon.Mode.Normal, QIcon.State.On))


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

    def hold_rows(self, most: int) -> None:
        """Be as high as the rows, up to so many of them."""
        rows = min(self.texts.rowCount(), most)
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows * ROW_PX + bar + 2)

    def restyle(self, theme: Theme) -> None:
        self.texts.restyle()
        self.fit()
        self.viewport().update()
