"""The Qt model of the table of the queue: its rows and columns, and the order that a person drags."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QIcon

from dqngui.gui.style import theme as themes
from dqngui.gui.style.plural import counted
from dqngui.gui.style.theme import SECONDARY_PX, Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.library.library import Library
from dqngui.lab.queue.rows import QueueRow
from dqngui.listing.run_names import RunName
from dqngui.texts import sentence, words
from dqngui.texts.numbers import duration, progress, short

Index = QModelIndex | QPersistentModelIndex
NONE = QModelIndex()
ENTRY = Qt.ItemDataRole.UserRole
SHARE = Qt.ItemDataRole.UserRole + 1  # of the steps that are made, 0 to 1
PARTS = Qt.ItemDataRole.UserRole + 2  # the name in parts; None if it has none
ICON_PX = 16
MOST_MEASURED = 200  # rows that decide how wide a column is: a queue may have thousands, and changes every second
MIME = "application/x-dqngui-queue"


class QueueColumn(IntEnum):
    STATE = 0
    NAME = 1
    SEED = 2
    PROGRESS = 3
    LEFT = 4
    THREADS = 5
    DEVICE = 6


HEADS = {
    QueueColumn.STATE: ("", "State of the run in the queue"),
    QueueColumn.NAME: ("run", "The run, as in the Runs card; of a sweep, what its trial varies"),
    QueueColumn.SEED: ("seed", "Seed of the run"),
    QueueColumn.PROGRESS: ("steps", "Environment steps made and planned"),
    QueueColumn.LEFT: ("time left", "Until this run has ended, by the measured speed"),
    QueueColumn.THREADS: ("threads", "Torch threads that the run is trained with"),
    QueueColumn.DEVICE: ("device", "What the run is trained on"),
}
_RIGHT = (QueueColumn.SEED, QueueColumn.PROGRESS, QueueColumn.LEFT, QueueColumn.THREADS)
STATES = {
    "waiting": ("clock-outline", "muted", "waits for its turn"),
    "paused": ("pause-circle-outline", "warn", "paused; Resume lets it wait again"),
    "running": ("play-circle-outline", "good", "is being trained"),
    "reached": ("flag-outline", "muted", "waits at its rung for the other trials of its sweep"),
    "pruned": ("content-cut", "muted", "stopped early by its sweep; Resume continues it"),
    "finished": ("check-circle-outline", "good", "finished"),
    "failed": ("alert-circle-outline", "bad", "failed"),
    "cancelled": ("close-circle-outline", "muted", "cancelled; Resume continues it"),
}
"""Icon, colour token and label of each state of an entry."""
_WISHES = {"pause": "is saved, then paused", "cancel": "is saved, then cancelled"}


class QueueModel(QAbstractTableModel):
    """A table model with one row for each entry.

    Signals:
        dropped(list[int], int): these entries were dragged to a position among those that wait, 0-based.
    """

    dropped = Signal(object, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library: Library | None = None
        self.rows: list[QueueRow] = []
        self._icons: dict[str, QIcon] = {}

    def update(self, rows: Sequence[QueueRow]) -> None:
        """Take the entries as they are now. Rows that stay in their places stay selected."""
        before, after = [row.entry.id for row in self.rows], [row.entry.id for row in rows]
        if before != after:
            self.beginResetModel()
            self.rows = list(rows)
            self.endResetModel()
            return
        former, self.rows = self.rows, list(rows)
        for place, (old, new) in enumerate(zip(former, self.rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(place, 0), self.index(place, len(QueueColumn) - 1))

    def set_library(self, library: Library) -> None:
        """Take the names of runs from a library."""
        self._library = library

    def name_again(self) -> None:
        """Show the names anew: the library knows more runs."""
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, len(QueueColumn) - 1))

    def restyle(self, theme: Theme) -> None:
        self._icons.clear()

    # -- Qt ----------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(QueueColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Vertical:
            return None
        text, tip = HEADS[QueueColumn(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return tip
        return _alignment(QueueColumn(section)) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], QueueColumn(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.text(row, column)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(self.tip(row))
            case Qt.ItemDataRole.AccessibleTextRole:
                return (
                    row.entry.state if column is QueueColumn.STATE else f"{HEADS[column][0]} {self.text(row, column)}"
                )
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(row.entry.state) if column is QueueColumn.STATE else None
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                return themes.current().color("muted") if column is not QueueColumn.NAME else None
            case Qt.ItemDataRole.FontRole:
                return themes.font(themes.zoomed(SECONDARY_PX)) if column is not QueueColumn.NAME else None
            case _ if role == ENTRY:
                return row.entry.id
            case _ if role == PARTS:
                return self._parts(row)
            case _ if role == SHARE:
                return min(1.0, row.run.step / row.run.total) if row.run.total else 0.0
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return usual | Qt.ItemFlag.ItemIsDragEnabled if self.rows[index.row()].movable else usual

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        rows = sorted({index.row() for index in indexes})
        data = QMimeData()
        data.setData(MIME, " ".join(str(self.rows[row].entry.id) for row in rows if self.rows[row].movable).encode())
        return data

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Ask for the dragged entries to be moved before a row; False, so that the view removes nothing itself."""
        if not data.hasFormat(MIME):
            return False
        at = row if row >= 0 else parent.row() if parent.isValid() else len(self.rows)
        ids = [int(id) for id in bytes(data.data(MIME).data()).decode().split()]
        if ids:
            self.dropped.emit(ids, sum(each.movable for each in self.rows[:at]))
        return False

    # -- texts -------------------------------------------------------------------------------------

    def text(self, row: QueueRow, column: QueueColumn) -> str:
        """The text of a cell."""
        match column:
            case QueueColumn.NAME:
                return self.name(row)
            case QueueColumn.SEED:
                return str(row.run.summary.seed) if row.run.summary is not None else ""
            case QueueColumn.PROGRESS:
                if row.entry.state == "finished":
                    return short(row.run.step)
                return f"{short(row.run.step)} / {short(row.run.total)}" if row.run.total else "–"
            case QueueColumn.LEFT:
                return duration(row.run.seconds_left) if row.entry.state in ("waiting", "running") else ""
            case QueueColumn.THREADS:
                return str(row.run.threads)
            case QueueColumn.DEVICE:
                return row.run.device
        return ""

    def name(self, row: QueueRow) -> str:
        """The name of a run: its trial in a sweep, else as in the Runs card."""
        if row.trial:
            return row.trial
        known = self._library.name_of(row.folder) if self._library is not None else row.entry.folder
        title = row.run.summary.title if row.run.summary is not None else ""
        listed = self._library is not None and self._library.summary_of(row.folder) is not None
        return known if listed or not title else title

    def _parts(self, row: QueueRow) -> RunName | None:
        if row.trial:
            return _trial_name(row)
        listed = self._library is not None and self._library.summary_of(row.folder) is not None
        return self._library.parts_of_name(row.folder) if self._library is not None and listed else None

    def state_text(self, row: QueueRow) -> str:
        """The state of an entry in words, with the reason if there is one."""
        said = _WISHES.get(row.entry.wish) or STATES[row.entry.state][2]
        reason = words(row.entry.reason)
        return f"{said}: {reason}" if reason else said

    def tip(self, row: QueueRow) -> str:
        """What is known of an entry."""
        run, entry = row.run, row.entry
        lines = [self.name(row), sentence(self.state_text(row))]
        if row.sweep:
            lines.insert(1, f"sweep {row.sweep}")
        if run.summary is None:
            lines.append("Its folder is gone.")
            return "\n".join(lines)
        lines.append(f"{run.summary.env}, seed {run.summary.seed}")
        device = f" on {run.device}" if run.device else ""
        lines.append(f"{progress(run.step, run.total, ' of ')} steps, {counted(run.threads, 'thread')}{device}")
        if entry.until is not None:
            lines.append(f"pauses at {entry.until:,} steps, where its sweep compares the trials")
        if entry.parent:
            lines.append(f"fork of {entry.parent}")
        if entry.speed is not None:
            lines.append(f"{entry.speed:,.0f} steps/s so far, with evaluations")
        return "\n".join(lines)

    def longest_text(self, column: QueueColumn) -> str:
        """The longest text in a column, by number of characters, of the first rows."""
        return max((self.text(row, column) for row in self.rows[:MOST_MEASURED]), key=len, default="")

    def _icon(self, state: str) -> QIcon:
        if state not in self._icons:
            name, color, _ = STATES[state]
            # an icon made from a font is rendered at each painting; a pixmap is not
            self._icons[state] = QIcon(themes.icon(name, color).pixmap(QSize(ICON_PX, ICON_PX), 2.0))
        return self._icons[state]


def _trial_name(row: QueueRow) -> RunName:
    """The name of a run of a sweep in parts: of words their values (`gru`), numbers with their names (`lr 1e-3`)."""
    settings = []
    for setting in row.trial.split(", "):
        name, _, value = setting.partition("=")
        settings.append(f"{name} {value}" if value.lstrip("-")[:1].isdigit() else value or name)
    seed = () if row.run.summary is None else (f"seed {row.run.summary.seed}",)
    return RunName(" ".join(settings), (), seed)


def _alignment(column: QueueColumn) -> int:
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
