"""The events of a run as lines of text, and a Qt list model that shows them a page at a time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.lab.session.event_words import log_text
from dqngui.messages import BreakpointHit, Evaluated, Event, Forked, KnobChanged, KnobRefused, Noted, Warned
from dqngui.texts import words

PAGE = 500
"""Lines that the list has at first, and that each scroll to its end adds: the layout of a line costs Python time."""


class Kind(NamedTuple):
    """A kind of line, with the text, colour token and marker of its chip."""

    plural: str
    token: str
    marker: str


KINDS = {
    "tweak": Kind("tweaks", "accent", "dot"),
    "evaluation": Kind("evaluations", "series1", "diamond"),
    "notice": Kind("notices", "warn", "dot"),
}


class EventLine(NamedTuple):
    """One line of the log."""

    step: int
    icon: str
    token: str
    text: str


def kind_of(event: Event) -> str:
    """The key of `KINDS` for an event."""
    if isinstance(event, KnobChanged):
        return "tweak"
    return "evaluation" if isinstance(event, Evaluated) else "notice"


def line_of(event: Event) -> EventLine:
    """The line of text for an event. Raises TypeError for an event that the log does not show."""
    text = words(log_text(event))
    match event:
        case KnobChanged():
            return EventLine(event.step, "tune-variant", "accent", text)
        case Evaluated():
            return EventLine(event.step, "trophy-outline" if event.best else "flag-outline", "series1", text)
        case KnobRefused():
            return EventLine(event.step, "cancel", "bad", text)
        case Forked():
            return EventLine(event.step, "source-branch", "accent", text)
        case BreakpointHit():
            return EventLine(event.step, "pause-octagon-outline", "warn", text)
        case Noted():
            return EventLine(event.step, "information-outline", "muted", text)
        case Warned():
            return EventLine(event.step, "alert-outline", "warn", text)
    raise TypeError(f"no line for {type(event).__name__}")


class EventListModel(QAbstractListModel):
    """The lines of the chosen kinds, newest first; the view fetches more when it is scrolled down."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._events: Sequence[Event] = ()
        self._read = 0
        self._indices: dict[str, array[int]] = {name: array("q") for name in KINDS}
        self._chosen = frozenset(KINDS)
        self._rows: npt.NDArray[np.int64] = np.empty(0, np.int64)  # indices of the shown events, ascending
        self._known = 0

    def show(self, events: Sequence[Event]) -> None:
        """Show the events of a run; of a list that is shown already, add the new events."""
        if events is not self._events or len(events) < self._read:
            self.beginResetModel()
            self._events, self._read = events, 0
            self._indices = {name: array("q") for name in KINDS}
            self._index_new()
            self._known = min(PAGE, len(self._rows))
            self.endResetModel()
            return
        before = len(self._rows)
        self._index_new()
        if new := len(self._rows) - before:
            self.beginInsertRows(QModelIndex(), 0, new - 1)
            self._known += new
            self.endInsertRows()

    def choose(self, kinds: Iterable[str]) -> None:
        """Show only these kinds."""
        self.beginResetModel()
        self._chosen = frozenset(kinds)
        self._select()
        self._known = min(PAGE, len(self._rows))
        self.endResetModel()

    def _index_new(self) -> None:
        for index in range(self._read, len(self._events)):
            self._indices[kind_of(self._events[index])].append(index)
        self._read = len(self._events)
        self._select()

    def _select(self) -> None:
        chosen = [np.array(indices, np.int64) for name, indices in self._indices.items() if name in self._chosen]
        self._rows = np.sort(np.concatenate([np.empty(0, np.int64), *chosen]))

    # -- Qt ----------------------------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._known

    def canFetchMore(self, parent: QModelIndex | QPersistentModelIndex) -> bool:
        return not parent.isValid() and self._known < len(self._rows)

    def fetchMore(self, parent: QModelIndex | QPersistentModelIndex) -> None:
        more = min(PAGE, len(self._rows) - self._known)
        self.beginInsertRows(QModelIndex(), self._known, self._known + more - 1)
        self._known += more
        self.endInsertRows()

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self._rows):
            return None
        line = line_of(self._events[int(self._rows[len(self._rows) - 1 - index.row()])])
        if role == Qt.ItemDataRole.UserRole:
            return line
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(line.text)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{line.step:,}: {line.text}"
        return None
