"""The names of groups with their markers, in as many rows as they need."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from dqngui.gui.cards.figure import BETWEEN, GAP, LegendEntry, legend_rows
from dqngui.gui.charts.legend_marker import MARKER_PX, draw_marker
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import SECONDARY_PX
from dqngui.gui.widgets.plain_label import plain_tip

ROW_PX, MOST_ROWS, SIDE = 20, 4, 8


class GroupLegend(QWidget):
    """Paints the legend; names that do not fit are shortened in the middle, and the tooltip has all of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries: list[LegendEntry] = []
        self._rows: list[list[int]] = []
        self._widths: list[float] = []
        self.setAccessibleName("Groups")

    def show_entries(self, entries: Sequence[LegendEntry]) -> None:
        """Show other names."""
        self.entries = list(entries)
        self.setAccessibleDescription(", ".join(entry.text for entry in entries))
        self._arrange()

    def _arrange(self) -> None:
        letters = QFontMetricsF(self._font())
        room = max(40.0, self.width() - 2.0 * SIDE)
        self._widths = [min(room, MARKER_PX + GAP + letters.horizontalAdvance(entry.text)) for entry in self.entries]
        self._rows = legend_rows(self._widths, room)
        self.setFixedHeight(self._row_px() * min(len(self._rows), MOST_ROWS))
        self.setVisible(bool(self.entries))
        self.update()

    def _row_px(self) -> int:
        return themes.zoomed(ROW_PX)

    def _font(self) -> QFont:
        return themes.font(themes.zoomed(SECONDARY_PX))

    def restyle(self) -> None:
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(200, self._row_px() * max(1, min(len(self._rows), MOST_ROWS)))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain_tip("\n".join(entry.text for entry in self.entries)), self)
            return True
        return bool(super().event(event))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        font = themes.font(themes.zoomed(SECONDARY_PX))
        letters = QFontMetricsF(font)
        painter.setFont(font)
        for number, row in enumerate(self._rows[:MOST_ROWS]):
            x, y = float(SIDE), float(number * self._row_px())
            for index in row:
                entry = self.entries[index]
                painter.save()
                painter.translate(x, y + (self._row_px() - MARKER_PX) / 2)
                draw_marker(painter, entry.marker)
                painter.restore()
                painter.setPen(themes.current().color("text"))
                room = self._widths[index] - MARKER_PX - GAP
                text = letters.elidedText(entry.text, Qt.TextElideMode.ElideMiddle, room + 1)
                painter.drawText(QPointF(x + MARKER_PX + GAP, y + self._row_px() / 2 + 4.5), text)
                x += self._widths[index] + BETWEEN
        painter.end()
