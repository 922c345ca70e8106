"""The Qt models of the table of runs: its rows and columns, and how it is sorted and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QFont, QGuiApplication, QIcon

from dqngui import catalog
from dqngui.gui.charts.overlay_style import DASHES, dash, token
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, TEXT_PX, Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.library.library import Library
from dqngui.lab.library.run_overlay import RunOverlay
from dqngui.lab.library.short_names import Part, distinct_parts
from dqngui.listing.run_names import MONTHS, RunName, started_text
from dqngui.listing.run_search import SearchedRun
from dqngui.listing.run_settings import RunSettings
from dqngui.listing.searched_settings import SearchedSettings, searched_settings
from dqngui.listing.typed_words import typed_words
from dqngui.runs.folder import UNREADABLE, RunSummary
from dqngui.runs.started import moment
from dqngui.texts import words
from dqngui.texts.numbers import measured, progress

Index = QModelIndex | QPersistentModelIndex
FOLDER = Qt.ItemDataRole.UserRole
SORT = Qt.ItemDataRole.UserRole + 1
SWATCH = Qt.ItemDataRole.UserRole + 2
PARTS = Qt.ItemDataRole.UserRole + 3  # (name in parts, the parts of its title that stay longest)
NONE = QModelIndex()
DASH = Qt.ItemDataRole.UserRole + 4  # the dash pattern of a drawn run, as in `overlay_style`
ICON_PX = 16


class RunColumn(IntEnum):
    SWATCH = 0
    NAME = 1
    TASK = 2
    AGENT = 3
    BEST = 4
    STEPS = 5
    SEED = 6
    STARTED = 7
    STATE = 8
    WHEN = 9


HEADS = {
    RunColumn.SWATCH: ("", "Draw the run on the return plot of the open run (Space)"),
    RunColumn.NAME: ("run", "Title or folder, then what tells the run from others of this title: settings and seed"),
    RunColumn.TASK: ("task", "Environment"),
    RunColumn.AGENT: ("agent", "Attention and memory"),
    RunColumn.BEST: (
        "test",
        "Mean return of the kept checkpoint on episodes that did not choose it; in brackets, of a run of an earlier "
        "version, of the evaluation that chose it",
    ),
    RunColumn.STEPS: ("steps", "Environment steps made"),
    RunColumn.SEED: ("seed", "Seed of the run"),
    RunColumn.STARTED: ("started", "When the run was started, in local time"),
    RunColumn.STATE: ("", "State of the run"),
    RunColumn.WHEN: ("changed", "Time of the last write to the run's folder"),
}
_RIGHT = (RunColumn.BEST, RunColumn.STEPS, RunColumn.SEED)
_MUTED = (RunColumn.TASK, RunColumn.AGENT, RunColumn.STEPS, RunColumn.SEED, RunColumn.STARTED, RunColumn.WHEN)
STATES = {
    "running": ("play-circle-outline", "good", "running"),
    "finished": ("check-circle-outline", "good", "finished"),
    "stopped": ("stop-circle-outline", "muted", "stopped; it can be resumed"),
    "failed": ("alert-circle-outline", "bad", "failed"),
    "interrupted": ("lightning-bolt-outline", "warn", "interrupted: its process ended before it saved"),
    "ready": ("clock-outline", "muted", "not started"),
    UNREADABLE: ("file-alert-outline", "bad", "cannot be read"),
}
"""Icon, colour token and label of each state of `RunSummary`."""


def task_text(summary: RunSummary) -> str:
    """Short name of the environment: `CartPole` for `CartPole-v1`."""
    bare = summary.env.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
    return bare.rpartition("-v")[0] or bare


def agent_text(summary: RunSummary) -> str:
    """Attention and memory as a label: `self + GRU`, `LSTM`, `no memory`."""
    attention, memory = summary.attention, summary.memory
    entry = catalog.MEMORIES.get(memory)
    parts = [attention] if attention != "none" else []
    if memory != "none" or not parts:
        parts.append(entry.label or memory if entry else memory)
    return " + ".join(parts)


def result_text(summary: RunSummary) -> str:
    """The test of the kept checkpoint; in brackets the evaluation that chose it, if there is no test."""
    if summary.best is None:
        return "–"
    text = measured(summary.best)
    return text if summary.tested is not None else f"({text})"


def ago(then: str, now: datetime) -> str:
    """The time since an ISO time, as text: `just now`, `5 min ago`, `3 h ago`, `2 days ago`, `14 Oct 2025`."""
    if not (then_s := moment(then)):
        return ""
    seconds = now.timestamp() - then_s
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600:.0f} h ago"
    if seconds < 14 * 86_400:
        return f"{seconds // 86_400:.0f} day{'s' if seconds >= 172_800 else ''} ago"
    day = datetime.fromtimestamp(then_s)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


class RunModel(QAbstractTableModel):
    """A table model with one row for each run of the library."""

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._rows: list[RunSummary] = []
        self._names: dict[str, RunName] = {}
        self._kept: dict[str, tuple[Part, ...]] = {}
        self._marks: dict[str, tuple[bool, bool]] = {}  # by folder: (is open, is drawn)
        self._icons: dict[str, QIcon] = {}
        self._searched: dict[str, tuple[RunSummary, RunSettings | None, SearchedSettings]] = {}
        self._now = datetime.now().astimezone()

    def update(self) -> None:
        """Take the library's summaries; existing rows keep their index, so that the selection stays."""
        self.tick()
        found = {summary.folder: summary for summary in self._library.summaries}
        for row in range(len(self._rows) - 1, -1, -1):
            if self._rows[row].folder not in found:
                self.beginRemoveRows(NONE, row, row)
                del self._rows[row]
                self.endRemoveRows()
        kept = len(self._rows)
        before, self._rows = self._rows, [found.pop(summary.folder) for summary in self._rows]
        if found:
            self.beginInsertRows(NONE, kept, kept + len(found) - 1)
            self._rows += found.values()
            self.endInsertRows()
        names = {summary.folder: self._library.parts_of_name(summary.folder) for summary in self._rows}
        self._kept = distinct_parts(name.title for name in names.values())
        # The proxy sorts each changed row again, so only the changed rows are emitted.
        for row in range(kept):
            now = self._rows[row]
            if now != before[row] or names[now.folder] != self._names.get(now.folder):
                self._emit_changed(row)
        self._names = names
        self.mark()

    def mark(self) -> None:
        """Update which run is open and which runs are drawn over it."""
        drawn = {str(folder) for overlay in self._library.overlays for folder in overlay.folders}
        marks = {each.folder: (self._library.is_open(each.folder), each.folder in drawn) for each in self._rows}
        for row, summary in enumerate(self._rows):
            if marks[summary.folder] != self._marks.get(summary.folder, (False, False)):
                self._emit_changed(row)
        self._marks = marks

    def _emit_changed(self, row: int) -> None:
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(RunColumn) - 1))

    def tick(self) -> None:
        """Take the present time, from which the column *changed* is computed."""
        self._now = datetime.now().astimezone()

    def restyle(self, theme: Theme) -> None:
        self._icons.clear()

    def rowCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NONE) -> int:
        return 0 if parent.isValid() else len(RunColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Vertical:
            return None
        text, tip = HEADS[RunColumn(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(RunColumn(section))
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        summary, column = self._rows[index.row()], RunColumn(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.text(summary, column)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(self._tip(summary, column))
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(summary, column)
            case Qt.ItemDataRole.DecorationRole:
                return self._icon(summary.state) if column is RunColumn.STATE else None
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                return themes.current().color("muted") if column in _MUTED else None
            case Qt.ItemDataRole.FontRole:
                return self._font(summary, column)
            case _ if role == FOLDER:
                return summary.folder
            case _ if role == PARTS:
                name = self._library.parts_of_name(summary.folder)
                return name, self._kept.get(name.title, ())
            case _ if role == SORT:
                return self._key(summary, column)
            case _ if role == DASH:
                overlay = self._drawn_as(summary)
                return DASHES[0] if overlay is None else dash(overlay.slot)
            case _ if role == SWATCH:
                return self._swatch(summary) if column is RunColumn.SWATCH else self._library.is_open(summary.folder)
        return None

    def text(self, summary: RunSummary, column: RunColumn) -> str:
        """The text of a cell."""
        match column:
            case RunColumn.NAME:
                return self._library.name_of(summary.folder)
            case RunColumn.TASK:
                return "cannot be read" if summary.state == UNREADABLE else task_text(summary)
            case RunColumn.AGENT:
                return "" if summary.state == UNREADABLE else agent_text(summary)
            case RunColumn.BEST:
                return result_text(summary)
            case RunColumn.STEPS:
                return f"{summary.step:,}"
            case RunColumn.SEED:
                return str(summary.seed)
            case RunColumn.STARTED:
                return " ".join(started_text(summary))
            case RunColumn.WHEN:
                return ago(summary.updated, self._now)
        return ""

    def searched(self, row: int) -> SearchedRun:
        """What the filter searches."""
        summary = self._rows[row]
        texts = (self.text(summary, column) for column in RunColumn)
        known = self._library.settings.get(summary.folder)
        if (kept := self._searched.get(summary.folder)) is None or kept[:2] != (summary, known):
            kept = self._searched[summary.folder] = summary, known, searched_settings(summary, known)
        return SearchedRun.of(summary, [*texts, summary.env, summary.state], kept[2])

    def longest_text(self, column: RunColumn) -> str:
        """The longest text in a column, by number of characters."""
        return max((self.text(summary, column) for summary in self._rows), key=len, default="")

    def _key(self, summary: RunSummary, column: RunColumn) -> Any:
        match column:
            case RunColumn.SWATCH:
                overlay = self._library.overlay_of(summary.folder)
                return self._library.is_open(summary.folder) * 1e9 or (-1 if overlay is None else 1e6 - overlay.slot)
            case RunColumn.BEST:
                return -1e300 if summary.best is None else summary.best
            case RunColumn.STEPS:
                return float(summary.step)
            case RunColumn.SEED:
                return float(summary.seed)
            case RunColumn.STARTED:
                return moment(summary.started)
            case RunColumn.STATE:
                return list(STATES).index(summary.state) if summary.state in STATES else len(STATES)
            case RunColumn.WHEN:  # running runs change all the time; sorted by their start they keep their place
                now = summary.state == "running"
                return moment(summary.started) + 1e12 if now else moment(summary.updated)
        return self.text(summary, column).casefold()

    def _swatch(self, summary: RunSummary) -> str:
        """The colour token of a drawn run; empty if the run is not drawn."""
        if self._library.is_open(summary.folder):
            return "series0"
        overlay = self._drawn_as(summary)
        return "" if overlay is None else token(overlay.slot)

    def _drawn_as(self, summary: RunSummary) -> RunOverlay | None:
        """The overlay of the run, or else the mean that it belongs to; None for the open run."""
        folder = summary.folder
        if self._library.is_open(folder):
            return None
        return self._library.overlay_of(folder) or self._library.overlay_of(folder, seeds=True)

    def _font(self, summary: RunSummary, column: RunColumn) -> QFont | None:
        if column in _MUTED:
            return themes.font(themes.zoomed(SECONDARY_PX))
        if column is RunColumn.NAME and self._library.is_open(summary.folder):
            font = themes.font(themes.zoomed(TEXT_PX))
            font.setWeight(QFont.Weight.DemiBold)
            return font
        return None

    def _icon(self, state: str) -> QIcon:
        if state not in self._icons:
            name, color, _ = STATES.get(state, ("help-circle-outline", "muted", state))
            picture = themes.icon(name, color).pixmap(QSize(ICON_PX, ICON_PX), _ratio())
            self._icons[state] = QIcon(
                picture
            )  # an icon made from a font is rendered at each painting; a pixmap is not
        return self._icons[state]

    def _tip(self, summary: RunSummary, column: RunColumn) -> str:
        if column is RunColumn.SWATCH:
            if self._library.is_open(summary.folder):
                return "This run is open"
            return "Remove it from the return plot" if self._swatch(summary) else HEADS[column][1]
        if column is RunColumn.STATE:
            return STATES.get(summary.state, ("", "", summary.state))[2].capitalize()
        if summary.state == UNREADABLE:
            return f"{Path(summary.folder).name}\nThis run cannot be read: {words(summary.problem)}"
        minutes, seconds = divmod(round(summary.seconds), 60)
        lines = [
            *dict.fromkeys((self._library.name_of(summary.folder), Path(summary.folder).name)),
            f"{summary.env}, {agent_text(summary)}, seed {summary.seed}",
            f"{progress(summary.step, summary.total_steps, ' of ')} steps, {minutes}:{seconds:02d} of training",
        ]
        if summary.tested is not None:
            lines.append(f"test {words(summary.tested.text())}")
        if summary.started:
            lines.append("started {}, {}".format(*started_text(summary, seconds=True)))
        if summary.parent:
            lines.append(f"fork of {summary.parent}")
        if self._library.is_open(summary.folder):
            lines.append("open in this window")
        return "\n".join(lines)

    def _spoken(self, summary: RunSummary, column: RunColumn) -> str:
        if column is RunColumn.SWATCH:
            return "drawn" if self._swatch(summary) else "not drawn"
        if column is RunColumn.STATE:
            return summary.state
        return f"{HEADS[column][0]} {self.text(summary, column)}"


def _alignment(column: RunColumn) -> int:
    side = Qt.AlignmentFlag.AlignRight if column in _RIGHT else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)


class RunFilter(QSortFilterProxyModel):
    """Shows the rows that contain every word of the filter; see `SearchedRun`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT)
        self._words: Sequence[str] = ()

    def set_words(self, text: str) -> None:
        """Show only rows that contain each of these words."""
        words = typed_words(text)
        if words != self._words:
            self.beginFilterChange()
            self._words = words
            self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def again(self) -> None:
        """Filter once more: what is known of the runs has changed."""
        if self._words:
            self.beginFilterChange()
            self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        if not self._words:
            return True
        model = self.sourceModel()
        assert isinstance(model, RunModel)
        return model.searched(source_row).has_all(self._words)


def _ratio() -> float:
    """Largest device pixel ratio of the screens."""
    return max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)
