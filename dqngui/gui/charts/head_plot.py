"""A small plot over training of a quantity that every head has: a thin line for each head, and their mean."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dqngui.gui.charts.plot import Plot
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.texts.numbers import measured

Floats = npt.NDArray[np.float64]
NAMED = 6  # most heads that the readout lists one by one


class HeadPlot(QWidget):
    """Values at checkpoints as points, joined by lines.

    Signals:
        picked(float): a step was clicked.
    """

    picked = Signal(float)

    def __init__(self, title: str, unit: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._unit = unit
        self._steps: Floats = np.empty(0)
        self._values: Floats = np.empty((0, 0))
        self.setToolTip(tip)
        self.setAccessibleName(title)
        label = ElidedLabel(title)
        themes.set_role(label, "muted")
        self.value = plain_label()
        themes.set_role(self.value, "value")
        self.plot = Plot(self)
        self.plot.setAccessibleName(f"{title} over the steps of the run")
        self.plot.setAccessibleDescription(tip)
        self.plot.setToolTip("")
        self.plot.setMinimumSize(60, 40)
        self._heads = pg.PlotCurveItem(antialias=True)
        self._mean = pg.PlotCurveItem(antialias=True)
        self._dots = pg.ScatterPlotItem(size=6, pxMode=True)
        for level, item in enumerate((self._heads, self._mean, self._dots)):
            self.plot.add(item, level + 1)
        self.plot.hovered.connect(self._hover)
        self.plot.clicked.connect(self.picked)
        line = QHBoxLayout()
        line.setContentsMargins(8, 0, 8, 0)
        line.addWidget(label, 1)
        line.addWidget(self.value)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.plot, 1)
        self.restyle(themes.current())

    def draw(self, steps: Floats, values: Floats, last_step: float, pinned: float | None) -> None:
        """Values (n, heads) at steps (n,); a missing value is a gap."""
        self._steps, self._values = steps, values
        known = values[np.isfinite(values)]
        self.plot.reach(last_step)
        self.plot.hold([(float(known.min()), float(known.max()))] if known.size else [])
        gap = np.full(values.shape[1], np.nan)
        x = np.tile(np.append(steps, np.nan), values.shape[1])  # one curve item for all heads, separated by gaps
        self._heads.setData(x=x, y=np.vstack([values, gap]).T.ravel(), connect="finite")
        mean = self.means
        self._mean.setData(x=steps, y=mean, connect="finite")
        there = np.isfinite(mean)
        self._dots.setData(x=steps[there], y=mean[there])
        self.plot.set_cursor(pinned)
        self.value.setText(self._words(float(mean[there][-1])) if there.any() else "–")

    @property
    def means(self) -> Floats:
        """Mean of the heads with a value, (n,)."""
        known = np.isfinite(self._values)
        count = known.sum(1)
        total: Floats = np.where(known, self._values, 0.0).sum(1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def _words(self, value: float) -> str:
        if not np.isfinite(value):
            return "not known"
        return f"{value:.0f} %" if self._unit == "%" else f"{measured(value, 3)} {self._unit}"

    def readout(self, step: float) -> str:
        """The nearest checkpoint's numbers, as rich text; empty where there is none."""
        if not len(self._steps):
            return ""
        index = int(np.argmin(np.abs(self._steps - step)))
        heads = self._values[index]
        lines = [f"<b>{round(self._steps[index]):,}</b> · mean {self._words(float(self.means[index]))}"]
        if 1 < len(heads) <= NAMED:
            lines += [f"head {head + 1}: {self._words(float(value))}" for head, value in enumerate(heads)]
        elif len(heads) > NAMED:
            low, high = (self._words(float(pick(heads))) for pick in (np.fmin.reduce, np.fmax.reduce))
            lines.append(f"{len(heads)} heads: {low} to {high}")
        return "<br>".join(lines)

    def _hover(self, step: float | None) -> None:
        self.plot.set_hover(step)
        self.plot.show_text("" if step is None else self.readout(step), step or 0.0)

    def restyle(self, theme: Theme) -> None:
        self.plot.restyle(theme)
        self._heads.setPen(self.plot.pen(theme.mixed("series0", 0.45), 1))
        self._mean.setPen(self.plot.pen(theme.color("series0"), 2))
        self._dots.setPen(pg.mkPen(None))
        self._dots.setBrush(pg.mkBrush(theme.color("series0")))
