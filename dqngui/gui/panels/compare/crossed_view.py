"""The heat map of two settings: an estimate in each cell; a click on a cell asks for its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QMouseEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from dqngui.comparison.crossed import Cell, Crossed, crossed
from dqngui.comparison.groups import Grouping
from dqngui.comparison.writing import crossed_csv
from dqngui.gui.panels.compare.chart_words import STATISTIC_NAMES, score_label
from dqngui.gui.panels.compare.options import Options
from dqngui.gui.panels.compare.painted_charts import EDGE, MISSING, PaintedChart
from dqngui.gui.style import theme as themes
from dqngui.gui.style.palette import contrast
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_tip
from dqngui.texts import say, words
from dqngui.texts.numbers import measured

GAP = 2.0
NAMES_SHARE = 0.34  # of the width: the most that names of rows may have
_SCALES = {
    "rows": "colours: from the worst to the best of each row",
    "columns": "colours: from the worst to the best of each column",
    "all": "colours: from the worst to the best",
}


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the cells are: the area of all, and the size of one."""

    area: QRectF
    width: float
    height: float

    def cell(self, row: int, column: int) -> QRectF:
        left, top = self.area.left() + column * self.width, self.area.top() + row * self.height
        return QRectF(left, top, self.width - GAP, self.height - GAP)


class CrossedView(PaintedChart):
    """An estimate for each value of one setting and each of another.

    Attributes:
        table: what is drawn; None without runs.

    Signals:
        asked(folders): a cell with these runs was clicked.
    """

    asked = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Heat map of two settings", parent)
        self.table: Crossed | None = None
        self.setMinimumSize(QSize(220, 120))
        self.setMouseTracking(True)

    def show_grouping(self, grouping: Grouping, options: Options) -> None:
        self._grouping, self._options = grouping, options
        self.table = crossed(grouping, options.score, options.statistic, options.rows, options.columns)
        said = (
            [f"{self._named(at)}: {self.words_of(cell)}" for at, cell in self.table.cells.items()] if self.table else []
        )
        self.setAccessibleDescription("; ".join(said))
        self.update()

    def words_of(self, cell: Cell) -> str:
        """The estimate of a cell with its interval and number of runs."""
        value, interval, count = cell.estimate.value, cell.estimate.interval, cell.figures.count
        if not np.isfinite(value):
            return words(say("compare.cell_none", count=len(cell.runs)))
        if interval is None:
            return words(say("compare.cell_alone", value=measured(value), count=count))
        low, high = measured(interval.low), measured(interval.high)
        return words(say("compare.cell", value=measured(value), low=low, high=high, count=count))

    def _named(self, at: tuple[int, int]) -> str:
        assert self.table is not None
        return f"{self.table.rows[at[0]]} · {self.table.columns[at[1]]}"

    # -- painting ----------------------------------------------------------------------------------

    def _places(self, table: Crossed) -> _Places:
        letters = QFontMetricsF(self.tick_font())
        widest = max(letters.horizontalAdvance(name) for name in table.rows)
        left, top = EDGE + min(widest, NAMES_SHARE * self.width()) + 8, 2 * letters.height() + 8
        area = QRectF(left, top, max(20.0, self.width() - left - EDGE), max(20.0, self.height() - top - EDGE / 2))
        return _Places(area, area.width() / len(table.columns), min(area.height() / len(table.rows), 64.0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, letters = self.begin()
        theme, table = themes.current(), self.table
        if table is None:
            painter.end()
            return
        places, colors, line = self._places(table), themes.viridis(), letters.height()
        painter.setPen(theme.color("muted"))
        axis = letters.elidedText(table.names[1], Qt.TextElideMode.ElideRight, places.area.width())
        painter.drawText(QRectF(places.area.left(), 2, places.area.width(), line), Qt.AlignmentFlag.AlignCenter, axis)
        room = places.area.left() - EDGE - 8
        axis = letters.elidedText(table.names[0], Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(EDGE, line + 4, room, line), Qt.AlignmentFlag.AlignLeft, axis)
        painter.setPen(theme.color("text"))
        for index, name in enumerate(table.columns):
            place = places.cell(0, index)
            fitted = letters.elidedText(name, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(QRectF(place.left(), line + 4, place.width(), line), Qt.AlignmentFlag.AlignCenter, fitted)
        for index, name in enumerate(table.rows):
            place = places.cell(index, 0)
            fitted = letters.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            middle = QRectF(EDGE, place.top(), room, place.height())
            painter.drawText(middle, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, fitted)
        for (row, column), cell in table.cells.items():
            place = places.cell(row, column)
            if not np.isfinite(cell.estimate.value):
                painter.setPen(QPen(theme.color("line"), 1))
                painter.drawRect(place)
                painter.setPen(theme.color("muted"))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, MISSING)
                continue
            alone = not np.isfinite(cell.share)  # nothing to compare it with
            color = QColor(*(int(channel) for channel in colors[0 if alone else round(cell.share * 255)]))
            color = theme.mixed("muted", 0.25) if alone else color
            painter.fillRect(place, color)
            painter.setPen(max((QColor("#000000"), QColor("#ffffff")), key=lambda each: contrast(each, color)))
            self._write(place, cell, painter, letters)
        below = places.area.top() + places.height * len(table.rows)
        if self.height() - below >= line + 4:
            painter.setPen(theme.color("muted"))
            said = letters.elidedText(_SCALES[table.scale], Qt.TextElideMode.ElideRight, places.area.width())
            painter.drawText(
                QRectF(places.area.left(), below + 2, places.area.width(), line), Qt.AlignmentFlag.AlignLeft, said
            )
        painter.end()

    def _write(self, place: QRectF, cell: Cell, painter: object, letters: QFontMetricsF) -> None:
        """Write the value, and its interval below where there is room."""
        value, interval = measured(cell.estimate.value, 3), cell.estimate.interval
        lines = [value]
        if interval is not None:
            lines.append(f"{measured(interval.low, 3)} to {measured(interval.high, 3)}")
        fits = place.height() >= 2.2 * letters.height() and letters.horizontalAdvance(lines[-1]) + 6 <= place.width()
        text = "\n".join(lines) if fits else value
        if letters.horizontalAdvance(value) <= place.width() and letters.height() <= place.height() + 4:
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)  # type: ignore[attr-defined]

    # -- mouse -------------------------------------------------------------------------------------

    def cell_at(self, x: float, y: float) -> tuple[tuple[int, int], Cell] | None:
        """The cell under a point, and its place in the table."""
        if self.table is None:
            return None
        places = self._places(self.table)
        for at, cell in self.table.cells.items():
            if places.cell(*at).contains(x, y):
                return at, cell
        return None

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self.cell_at(event.pos().x(), event.pos().y())
            if found is None:
                QToolTip.hideText()
            else:
                said = f"{self._named(found[0])}\n{self.words_of(found[1])}\nClick to compare these runs"
                QToolTip.showText(event.globalPos(), plain_tip(said), self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self.cell_at(event.position().x(), event.position().y()) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.cell_at(event.position().x(), event.position().y())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.asked.emit([run.folder for run in found[1].runs])

    # -- export ------------------------------------------------------------------------------------

    def drawing(self) -> QWidget:
        copied = CrossedView()
        copied.show_grouping(self._grouping, self._options)
        return copied

    def notes(self) -> Sequence[str]:
        if self.table is None:
            return ()
        statistic = STATISTIC_NAMES[self._options.statistic]
        return [f"{statistic} of the {score_label(self._options.score)}", _SCALES[self.table.scale]]

    def value_label(self) -> str:
        return ""

    def csv(self) -> str:
        return "" if self.table is None else crossed_csv(self.table)

    def restyle(self, theme: Theme) -> None:
        self.update()
