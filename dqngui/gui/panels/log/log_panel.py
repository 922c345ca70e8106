"""The Log panel: changed settings, evaluations and warnings of a run as lines of text, the newest first."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QIcon, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from dqngui.gui.cards.card import LegendChip
from dqngui.gui.cards.panel import Panel
from dqngui.gui.panels.log.event_list import KINDS, EventLine, EventListModel, kind_of, line_of
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX, Theme
from dqngui.lab.analysis.table import Table
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.session.history import History
from dqngui.messages import BreakpointHit, Evaluated, Forked, KnobChanged, KnobRefused, Noted, Warned

ROW_PX, ICON_PX = 24, 14
LineRole = Qt.ItemDataRole.UserRole


class LogPanel(Panel):
    """One line per event: step, icon, sentence. Chips hide kinds; a click moves the cursor to the line's step."""

    title = "Log"
    wants = (Evaluated, KnobChanged, KnobRefused, Warned, Noted, Forked, BreakpointHit)
    promise = "Changed settings, evaluations and warnings appear here during training."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = EventListModel(self)
        self.list = QListView(self.content)
        self.list.setModel(self.model)
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName("What happened, newest first")
        self.list.setToolTip("A click moves the cursor to that step")
        self._rows = EventRowDelegate(self)
        self.list.setItemDelegate(self._rows)
        self.list.clicked.connect(self._pick)
        self.list.activated.connect(self._pick)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(4, 0, 4, 6)
        layout.addWidget(self.list)
        self.chips = {name: LegendChip(kind.plural, kind.token, kind.marker, self) for name, kind in KINDS.items()}
        self.header_widgets = list(self.chips.values())
        for chip in self.chips.values():
            chip.toggled.connect(self._filter)
        self.add_exports()
        self.restyle(themes.current())

    # -- drawing -----------------------------------------------------------------------------------

    def has_content(self) -> bool:
        return bool(self.history.log_events)

    def redraw(self) -> None:
        self.model.show(self.history.log_events)
        self._rows.fit(self.history.last_step)

    def seek(self, cursor: Cursor | None) -> None:
        super().seek(cursor)
        at = self.list.currentIndex()
        line = at.data(LineRole)
        if line is not None and (cursor is None or cursor.step != line.step):
            self.list.clearSelection()
            self.list.setCurrentIndex(QModelIndex())

    def show(self, history: History | None = None, cursor: Cursor | None = None) -> None:
        super().show(history, cursor)
        if history is not None:
            self.seek(cursor)

    def restyle(self, theme: Theme) -> None:
        for chip in self.chips.values():
            chip.restyle(theme)
        self._rows.restyle()
        self.list.viewport().update()
        super().restyle(theme)

    def _filter(self) -> None:
        self.model.choose(name for name, chip in self.chips.items() if chip.isChecked())

    def _pick(self, index: QModelIndex) -> None:
        line = index.data(LineRole)
        if line is not None:
            self.ask_cursor(Cursor(line.step))

    # -- export ------------------------------------------------------------------------------------

    def exported_table(self) -> Table:
        """All lines, the oldest first, including hidden kinds."""
        lines = [(line_of(event), kind_of(event)) for event in self.history.log_events]
        return Table(("step", "kind", "text"), [(line.step, kind, line.text) for line, kind in lines])


class EventRowDelegate(QStyledItemDelegate):
    """Paints a line: its step in a right-aligned column, its icon, its sentence (shortened if there is no room)."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._step_px = 0
        self._icons: dict[tuple[str, str], QIcon] = {}

    def fit(self, last_step: int) -> None:
        """Make the step column wide enough for the last step."""
        self._step_px = themes.metrics(themes.zoomed(SECONDARY_PX)).horizontalAdvance(f"{last_step:,}") + 2

    def restyle(self) -> None:
        self._icons.clear()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, themes.zoomed(ROW_PX))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        line: EventLine = index.data(LineRole)
        theme, rect = themes.current(), option.rect
        painter.save()
        selected, hovered = QStyle.StateFlag.State_Selected, QStyle.StateFlag.State_MouseOver
        if option.state & (selected | hovered):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.mixed("accent", 0.18) if option.state & selected else theme.color("raised"))
            painter.drawRoundedRect(rect.adjusted(2, 1, -2, -1), 4, 4)
        painter.setFont(themes.font(themes.zoomed(SECONDARY_PX)))
        middle = Qt.AlignmentFlag.AlignVCenter
        step = QRect(rect.left() + 8, rect.top(), self._step_px, rect.height())
        painter.setPen(theme.color("muted"))
        painter.drawText(step, int(middle | Qt.AlignmentFlag.AlignRight), f"{line.step:,}")
        key = (line.icon, line.token)
        if key not in self._icons:
            self._icons[key] = themes.icon(*key)
        top = rect.top() + (rect.height() - ICON_PX) // 2
        self._icons[key].paint(painter, step.right() + 10, top, ICON_PX, ICON_PX)
        text = rect.adjusted(step.right() + 10 + ICON_PX + 7 - rect.left(), 0, -8, 0)
        painter.setPen(theme.color("text"))
        shown = painter.fontMetrics().elidedText(line.text, Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, int(middle | Qt.AlignmentFlag.AlignLeft), shown)
        painter.restore()
