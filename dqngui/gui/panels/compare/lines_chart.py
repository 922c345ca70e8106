"""A chart of lines with bands, one line a group: learning curves and performance profiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dqngui.comparison.charts import Chart, ChartLine
from dqngui.gui.charts.overlay_style import DASHES
from dqngui.gui.charts.plot import Band, Plot
from dqngui.gui.panels.compare.group_style import group_dash, group_token
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.plain_label import plain_label

BAND_ALPHA, FAINT, MARGIN = 46, 0.3, 0.015
_DOTS = (2.0, 3.0)


class LinesChart(QWidget):
    """A plot of a `Chart`, with the name of its horizontal axis below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chart = Chart(())
        self._from_zero = True
        self.plot = Plot(self)
        self.label = plain_label("", self)
        self.label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        themes.set_role(self.label, "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.plot, 1)
        column.addWidget(self.label)
        self._items: list[pg.GraphicsObject] = []

    @property
    def chart(self) -> Chart:
        """What is drawn."""
        return self._chart

    def show_chart(self, chart: Chart, x_label: str, y_label: str, *, from_zero: bool = True) -> None:
        """Draw other lines; `from_zero`: the horizontal axis begins at 0."""
        self._chart, self._from_zero = chart, from_zero
        self.label.setText(x_label)
        self.plot.setAccessibleName(f"{y_label} against {x_label}")
        self._draw()

    def restyle(self, theme: Theme) -> None:
        self.plot.restyle(theme)
        self._draw()

    def _draw(self) -> None:
        for item in self._items:
            self.plot.box.removeItem(item)
        self._items = []
        self.label.setStyleSheet(f"color: {themes.current().muted}")  # also in a figure of another theme
        for line in self._chart.lines:
            self._add_line(line)
        x = self._chart.range_of_x()
        if x is not None:
            low = 0.0 if self._from_zero and x[0] > 0 else x[0]
            self.plot.reach_exactly(low, x[1] + ((x[1] - low) or 1.0) * MARGIN)
        self.plot.hold([self._chart.range_of_y()])

    def _add_line(self, line: ChartLine) -> None:
        theme, count = themes.current(), len(self._chart.lines)
        token = group_token(line.slot, count)
        color = theme.color(token)
        faint = self.plot.pen(theme.mixed(token, FAINT), 1)
        for x, y in line.faint:
            self._add_curve(x, y, faint, 1)
        band = Band()
        band.set_color(theme.color(token, BAND_ALPHA))
        band.setData(line.x, line.low, line.high)
        self._add(band, 2)
        dotted = self.plot.pen(color, 1)
        dotted.setDashPattern(list(_DOTS))
        self._add_curve(line.x, line.fewer, dotted, 3)
        pen = self.plot.pen(color, 2)
        pattern = group_dash(line.slot, count)
        if pattern != DASHES[0]:
            pen.setDashPattern([each / 2 for each in pattern])
        self._add_curve(line.x, line.y, pen, 4)

    def _add_curve(self, x: Sequence[float] | np.ndarray, y: np.ndarray, pen: QPen, level: float) -> None:
        known = np.isfinite(y)
        if known.any():
            curve = pg.PlotCurveItem(x=x, y=y, pen=pen, antialias=True, connect="all" if known.all() else "finite")
            self._add(curve, level)

    def _add(self, item: pg.GraphicsObject, level: float) -> None:
        self.plot.add(item, level)
        self._items.append(item)
