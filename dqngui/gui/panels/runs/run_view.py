"""The view of the table of runs: which columns are shown, and how swatch, state and the open run are painted."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QRect, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QRegion, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from dqngui.gui.charts.overlay_style import DASHES
from dqngui.gui.panels.runs.run_table import DASH, ICON_PX, PARTS, SWATCH, Index, RunColumn, RunFilter, RunModel
from dqngui.gui.style import theme as themes
from dqngui.lab.library.short_names import shortened

SWATCH_PX = 12
ROW_PX = 26
MIN_NAME_PX, ENOUGH_NAME_PX = 120, 230  # of the names: always, and before a column is shown that may be left out
MAX_COLUMN_PX = 160  # of any other column
PADDING = 12  # of a cell, left plus right, as in the stylesheet
_OPTIONAL = (
    RunColumn.STEPS, RunColumn.STARTED, RunColumn.AGENT, RunColumn.TASK, RunColumn.WHEN, RunColumn.SEED,
)  # fmt: skip
"""Columns that are shown if there is room, the most important first."""


class RunTable(QTableView):
    """The table of runs; columns for which there is no room are hidden."""

    def __init__(self, proxy: RunFilter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._proxy = proxy
        self._widths: dict[RunColumn, int] = {}
        self._name_px = MIN_NAME_PX
        self.setModel(proxy)
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
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setMinimumSize(160, 3 * ROW_PX)

    def begin(self) -> None:
        """Set up the columns, once there is a model, and sort by the newest run."""
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(24)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head.setSectionResizeMode(RunColumn.NAME, QHeaderView.ResizeMode.Stretch)
        self.setSortingEnabled(True)
        self.sortByColumn(RunColumn.WHEN, Qt.SortOrder.DescendingOrder)

    def fit(self, model: RunModel) -> None:
        """Make each column as wide as its longest text."""
        metrics = self.fontMetrics()
        for column in (RunColumn.BEST, *_OPTIONAL):
            title = str(model.headerData(column, Qt.Orientation.Horizontal))
            text = max(metrics.horizontalAdvance(model.longest_text(column)), metrics.horizontalAdvance(title) + 12)
            self._widths[column] = min(MAX_COLUMN_PX, text + 22)
        names = metrics.horizontalAdvance(model.longest_text(RunColumn.NAME)) + 2 * PADDING
        self._name_px = max(MIN_NAME_PX, min(ENOUGH_NAME_PX, names))
        self._widths |= {RunColumn.SWATCH: 28, RunColumn.STATE: 28}
        for column, width in self._widths.items():
            self.setColumnWidth(column, width)
        self._hide_columns()

    def _hide_columns(self) -> None:
        if not self._widths:
            return
        room = self.viewport().width() - self._name_px
        room -= sum(width for column, width in self._widths.items() if column not in _OPTIONAL)
        for column in _OPTIONAL:
            room -= self._widths[column]
            if self.isColumnHidden(column) != (room < 0):
                self.setColumnHidden(column, room < 0)

    def choose_first(self) -> None:
        """Select the first row and give it the focus."""
        self.setFocus()
        first = self._proxy.index(0, RunColumn.NAME)
        select = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(first, select.ClearAndSelect | select.Rows)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_columns()


class RunDelegate(QStyledItemDelegate):
    """Paints swatch and state in the centre of their cells, and a bar at the left of the open run."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        if RunColumn(index.column()) is RunColumn.NAME:
            margin = option.widget.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, option.widget) + 1
            name, kept = index.data(PARTS)
            room = option.rect.width() - 2 * margin - PADDING
            option.text = shortened(name, option.fontMetrics.horizontalAdvance, room, kept)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        column = RunColumn(index.column())
        if column not in (RunColumn.SWATCH, RunColumn.STATE):
            super().paint(painter, option, index)
            return
        plain = QStyleOptionViewItem(option)
        self.initStyleOption(plain, index)
        plain.icon = QIcon()
        plain.features &= ~QStyleOptionViewItem.ViewItemFeature.HasDecoration
        style = option.widget.style()
        style.drawControl(style.ControlElement.CE_ItemViewItem, plain, painter, option.widget)
        if column is RunColumn.STATE:
            icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
            icon.paint(painter, _middle(option.rect, ICON_PX))
        else:
            self._swatch(painter, option.rect, str(index.data(SWATCH)), DASHES.index(index.data(DASH)))

    @staticmethod
    def _swatch(painter: QPainter, rect: QRect, color: str, stripes: int) -> None:
        """A square in the colour of the run's curve: whole for a solid curve, striped for a dashed one."""
        theme = themes.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if color == "series0":
            painter.fillRect(QRect(rect.left(), rect.top() + 3, 3, rect.height() - 6), theme.color("accent"))
        painter.setPen(Qt.PenStyle.NoPen if color else theme.mixed("muted", 0.6))
        painter.setBrush(theme.color(color) if color else Qt.BrushStyle.NoBrush)
        half = 0.0 if color else 0.5
        square = QRectF(_middle(rect, SWATCH_PX)).adjusted(half, half, -half, -half)
        if stripes:
            painter.setClipRegion(_striped(square.toRect(), stripes + 1))
        painter.drawRoundedRect(square, 3, 3)
        painter.restore()


def _striped(square: QRect, count: int) -> QRegion:
    """Upright stripes of a square, with gaps of two pixels."""
    region, wide = QRegion(), (square.width() + 2) / count
    for number in range(count):
        left, right = round(number * wide), round((number + 1) * wide) - 2
        region += QRect(square.left() + left, square.top(), right - left, square.height())
    return region


def _middle(rect: QRect, size: int) -> QRect:
    place = QRect(0, 0, size, size)
    place.moveCenter(rect.center())
    return place
