"""The Qt model of the table of runs: its rows in order and in groups, and its columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QFont, QGuiApplication, QIcon

from dqngui.config import ConfigError
from dqngui.gui.charts.overlay_style import DASHES, dash, token
from dqngui.gui.panels.runs.run_cells import (
    HEADS,
    MUTED,
    STATES,
    RunColumn,
    cell_text,
    group_text,
    group_tip,
    run_tip,
    sort_key,
)
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, TEXT_PX, Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.library.library import Library
from dqngui.lab.library.run_overlay import RunOverlay
from dqngui.lab.library.short_names import Part, distinct_parts
from dqngui.listing.arranged import Group, by_column, grouped, matching, ordered
from dqngui.listing.columns import Column
from dqngui.listing.listed_run import ListedRun
from dqngui.listing.query import Query, parse_query
from dqngui.listing.run_names import RunName
from dqngui.texts import Text, words

Index = QModelIndex | QPersistentModelIndex
Row = ListedRun | Group
FOLDER = Qt.ItemDataRole.UserRole  # the folder of a run; empty in the line of a group
SWATCH = Qt.ItemDataRole.UserRole + 2
PARTS = Qt.ItemDataRole.UserRole + 3  # (name in parts, the parts of its title that stay longest)
DASH = Qt.ItemDataRole.UserRole + 4  # the dash pattern of a drawn run, as in `overlay_style`
ROW = Qt.ItemDataRole.UserRole + 5  # the run or group itself
NONE = QModelIndex()
ICON_PX = 16
_RIGHT = (RunColumn.BEST, RunColumn.STEPS, RunColumn.SEED)
_MEASURED_ROWS = 300  # from which the widths of columns are taken


class RunModel(QAbstractTableModel):
    """A table model with a row for each run that the filter leaves, and one for each group if they are grouped.

    Attributes:
        rows: what is shown, from top to bottom.
        added: the columns that a person added.
        grouped_by: the column by which runs are grouped; None: they are not.
        folded: texts of the groups whose runs are hidden.
        problem: what is wrong with the text of the filter; empty if nothing is.

    Signals:
        rearranging, rearranged: all rows are replaced, which loses the selection.
    """

    rearranging = Signal()
    rearranged = Signal()

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self.rows: list[Row] = []
        self.added: list[Column] = []
        self.grouped_by: Column | None = None
        self.folded: set[str] = set()
        self.problem: Text | str = ""
        self._sorted: list[ListedRun] = []
        self._sort: tuple[int, bool] = RunColumn.WHEN, True  # (column, whether descending)
        self._text, self._query = "", Query()
        self._kept: dict[str, tuple[Part, ...]] = {}
        self._marks: dict[str, tuple[bool, bool]] = {}  # of runs that are open or drawn: (is open, is drawn)
        self._icons: dict[str, QIcon] = {}
        self._now = datetime.now().astimezone()

    # -- rows --------------------------------------------------------------------------------------

    def update(self) -> None:
        """Take the library's list."""
        self.tick()
        runs = self._library.listing.runs
        self._kept = distinct_parts(run.name.title for run in runs) if len(runs) <= 1_000 else {}
        self._parse()
        self._order()
        self._show(self._arranged())
        self.mark()

    def set_filter(self, text: str) -> None:
        """Show only the runs that a query leaves; with a wrong one, those of the last right one, and `problem`."""
        if text != self._text:
            self._text = text
            self._parse()
            self._show(self._arranged())

    def _parse(self) -> None:
        try:
            self._query, self.problem = parse_query(self._text, self._library.listing.names), ""
        except ConfigError as error:
            self.problem = error.text

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column, as a click on its head asks."""
        self._sort = column, order == Qt.SortOrder.DescendingOrder
        self._order()
        self._show(self._arranged())

    def _order(self) -> None:
        number, descending = self._sort
        runs = self._library.listing.runs
        if len(RunColumn) <= number < self.columnCount():
            self._sorted = by_column(runs, self.added[number - len(RunColumn)], descending=descending)
            return
        column = RunColumn(number if number < len(RunColumn) else RunColumn.WHEN)
        self._sorted = ordered(runs, lambda run: sort_key(run, column, self._drawn_key(run)), descending=descending)

    def _drawn_key(self, run: ListedRun) -> float:
        if self._sort[0] != RunColumn.SWATCH:
            return 0.0
        overlay = self._library.overlay_of(run.folder)
        return self._library.is_open(run.folder) * 1e9 or (-1 if overlay is None else 1e6 - overlay.slot)

    def group_by(self, column: Column | None) -> None:
        """Group the runs by a column, or not at all; all groups are unfolded."""
        self.grouped_by, self.folded = column, set()
        self._show(self._arranged())

    def fold(self, group: Group, folded: bool) -> None:
        """Hide or show the runs of a group."""
        self.folded = self.folded | {group.text} if folded else self.folded - {group.text}
        self._show(self._arranged())

    def fold_all(self, folded: bool) -> None:
        """Hide or show the runs of all groups."""
        self.folded = {row.text for row in self.rows if isinstance(row, Group)} if folded else set()
        self._show(self._arranged())

    def set_added(self, columns: Sequence[Column]) -> None:
        """Show these columns after the usual ones."""
        if self.added:
            self.beginRemoveColumns(NONE, len(RunColumn), self.columnCount() - 1)
            self.added = []
            self.endRemoveColumns()
        if columns:
            self.beginInsertColumns(NONE, len(RunColumn), len(RunColumn) + len(columns) - 1)
            self.added = list(columns)
            self.endInsertColumns()

    def _arranged(self) -> list[Row]:
        runs = matching(self._sorted, self._query)
        if self.grouped_by is None:
            return list(runs)
        rows: list[Row] = []
        for group in grouped(runs, self.grouped_by):
            rows.append(group)
            if group.text not in self.folded:
                rows += group.runs
        return rows

    def _show(self, rows: list[Row]) -> None:
        if len(rows) != len(self.rows) or not all(map(_same, rows, self.rows)):
            self.rearranging.emit()
            self._replace(rows)
            self.rearranged.emit()
            return
        before, self.rows = self.rows, rows
        for number, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old is not new and old != new:
                self._emit_changed(number)

    def _replace(self, rows: list[Row]) -> None:
        """Show other rows; a reset would forget how the columns are shown too."""
        if self.rows:
            self.beginRemoveRows(NONE, 0, len(self.rows) - 1)
            self.rows = []
            self.endRemoveRows()
        if rows:
            self.beginInsertRows(NONE, 0, len(rows) - 1)
            self.rows = rows
            self.endInsertRows()

    def mark(self) -> None:
        """Update which run is open and which runs are drawn over it."""
        drawn = {str(folder) for overlay in self._library.overlays for folder in overlay.folders}
        opened = self._library.open_folder
        marks = {folder: (folder == opened, folder in drawn) for folder in {*drawn, opened}}
        changed = {folder for folder in {*marks, *self._marks} if marks.get(folder) != self._marks.get(folder)}
        self._marks = marks
        if changed:
            for number, row in enumerate(self.rows):
                if isinstance(row, ListedRun) and row.folder in changed:
                    self._emit_changed(number)

    def _emit_changed(self, row: int) -> None:
        self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))

    def tick(self) -> None:
        """Take the present time, from which the column *changed* is computed."""
        self._now = datetime.now().astimezone()

    def restyle(self, theme: Theme) -> None:
        self._icons.clear()

    def runs_at(self, row: int) -> Sequence[ListedRun]:
        """The run of a row, or the runs of the group that it is the line of."""
        found = self.rows[row]
        return found.runs if isinstance(found, Group) else (found,)

    # -- Qt ----------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(RunColumn) + len(self.added)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Vertical or section >= self.columnCount():
            return None
        usual = section < len(RunColumn)
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADS[RunColumn(section)][0] if usual else self.added[section - len(RunColumn)].head
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return HEADS[RunColumn(section)][1] if usual else ", ".join(self.added[section - len(RunColumn)].keys)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role == ROW:
            return row
        if isinstance(row, Group):
            return self._of_group(row, index.column(), role)
        return self._of_run(row, index.column(), role)

    def _of_group(self, group: Group, number: int, role: int) -> Any:
        column = RunColumn(number) if number < len(RunColumn) else RunColumn.STATE
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return group_text(group, column)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(group_tip(group, column))
            case Qt.ItemDataRole.TextAlignmentRole:
                return self._alignment(number)
            case Qt.ItemDataRole.FontRole:
                return _bold() if column is RunColumn.NAME else None
            case _ if role == FOLDER:
                return ""
            case _ if role == PARTS:
                return RunName(group_text(group, RunColumn.NAME)), ()
            case _ if role == SWATCH:
                return group.text in self.folded
        return None

    def _of_run(self, run: ListedRun, number: int, role: int) -> Any:
        column = RunColumn(number) if number < len(RunColumn) else None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.text(run, number)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(self._tip(run, column))
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(run, number)
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(run.summary.state) if column is RunColumn.STATE else None
            case Qt.ItemDataRole.TextAlignmentRole:
                return self._alignment(number)
            case Qt.ItemDataRole.ForegroundRole:
                return themes.current().color("muted") if column is None or column in MUTED else None
            case Qt.ItemDataRole.FontRole:
                return self._font(run, column)
            case _ if role == FOLDER:
                return run.folder
            case _ if role == PARTS:
                return run.name, self._kept.get(run.name.title, ())
            case _ if role == DASH:
                overlay = self._drawn_as(run)
                return DASHES[0] if overlay is None else dash(overlay.slot)
            case _ if role == SWATCH:
                return self._swatch(run) if column is RunColumn.SWATCH else self._is_open(run)
        return None

    def text(self, run: ListedRun, number: int) -> str:
        """The text of a run's cell in a column."""
        if number < len(RunColumn):
            return cell_text(run, RunColumn(number), self._now)
        return self.added[number - len(RunColumn)].text(run)

    def longest_text(self, number: int) -> str:
        """The longest text in a column, by number of characters, among the first rows."""
        first = self.rows[:_MEASURED_ROWS]
        column = RunColumn(number) if number < len(RunColumn) else RunColumn.STATE
        texts = (group_text(row, column) if isinstance(row, Group) else self.text(row, number) for row in first)
        return max(texts, key=len, default="")

    def _is_open(self, run: ListedRun) -> bool:
        return run.folder == self._library.open_folder

    def _swatch(self, run: ListedRun) -> str:
        """The colour token of a drawn run; empty if the run is not drawn."""
        if self._is_open(run):
            return "series0"
        overlay = self._drawn_as(run)
        return "" if overlay is None else token(overlay.slot)

    def _drawn_as(self, run: ListedRun) -> RunOverlay | None:
        """The overlay of the run, or else the mean that it belongs to; None for the open run."""
        if self._is_open(run) or not self._library.overlays:
            return None
        return self._library.overlay_of(run.folder) or self._library.overlay_of(run.folder, seeds=True)

    def _font(self, run: ListedRun, column: RunColumn | None) -> QFont | None:
        if column is None or column in MUTED:
            return themes.font(themes.zoomed(SECONDARY_PX))
        return _bold() if column is RunColumn.NAME and self._is_open(run) else None

    def _icon(self, state: str) -> QIcon:
        name, color, _ = STATES.get(state, ("help-circle-outline", "muted", state))
        return self.icon(name, color)

    def icon(self, name: str, color: str) -> QIcon:
        """An icon of the table; one made from a font is rendered at each painting, and a pixmap is not."""
        key = f"{name} {color}"
        if key not in self._icons:
            self._icons[key] = QIcon(themes.icon(name, color).pixmap(QSize(ICON_PX, ICON_PX), _ratio()))
        return self._icons[key]

    def _tip(self, run: ListedRun, column: RunColumn | None) -> str:
        if column is RunColumn.SWATCH:
            if self._is_open(run):
                return "This run is open"
            return "Remove it from the return plot" if self._swatch(run) else HEADS[column][1]
        if column is RunColumn.STAR:
            return "Take the star away (S)" if run.labels.star else HEADS[column][1]
        if column is RunColumn.STATE:
            return STATES.get(run.summary.state, ("", "", run.summary.state))[2].capitalize()
        problem = self._library.listing.label_problems.get(run.folder, "")
        return run_tip(run, is_open=self._is_open(run), label_problem=words(problem))

    def _spoken(self, run: ListedRun, number: int) -> str:
        if number == RunColumn.SWATCH:
            return "drawn" if self._swatch(run) else "not drawn"
        if number == RunColumn.STATE:
            return run.summary.state
        if number == RunColumn.STAR:
            return "starred" if run.labels.star else "not starred"
        return f"{self.headerData(number, Qt.Orientation.Horizontal)} {self.text(run, number)}"

    def _alignment(self, number: int) -> int:
        right = number in _RIGHT or (number >= len(RunColumn) and self.added[number - len(RunColumn)].is_number)
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)


def _same(a: Row, b: Row) -> bool:
    """Whether two rows are of the same run or group."""
    if a is b:
        return True
    if isinstance(a, Group) or isinstance(b, Group):
        return isinstance(a, Group) and isinstance(b, Group) and a.text == b.text
    return a.folder == b.folder


def _bold() -> QFont:
    font = themes.font(themes.zoomed(TEXT_PX))
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _ratio() -> float:
    """Largest device pixel ratio of the screens."""
    return max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)
