"""A panel of small plots, one per quantity, so that each axis has one unit."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from dqngui.gui.cards.panel import Panel
from dqngui.gui.charts.plot import Plot
from dqngui.gui.charts.value_ranges import typical_range
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.elided_label import ElidedLabel
from dqngui.gui.widgets.number_label import NumberLabel
from dqngui.gui.widgets.plain_label import plain_label
from dqngui.lab.analysis.quantities import Quantity
from dqngui.lab.analysis.table import Table
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.session.event_words import mark_text
from dqngui.lab.session.history import History
from dqngui.messages import KnobChanged, Learned
from dqngui.texts import words

AXIS, LINES = 56, 44  # pixels of a small plot that are not curve: left of it, and above and below it


class SmallPlot(QWidget):
    """A plot of one quantity: name and present value above the curve."""

    def __init__(self, quantity: Quantity, parent: QWidget) -> None:
        super().__init__(parent)
        self._quantity = quantity
        self.setToolTip(quantity.tip)
        self.setAccessibleName(quantity.title)
        self.label = ElidedLabel(quantity.title, self)
        themes.set_role(self.label, "muted")
        self.value = NumberLabel("–", right=True, exact=True, parent=self)  # leaves room for the name
        line = QHBoxLayout()
        line.setContentsMargins(8, 0, 8, 0)
        line.addWidget(self.label, 1)
        line.addWidget(self.value)
        self.plot = Plot(self)
        self.plot.setAccessibleName(f"{quantity.title} over the steps of the run")
        self.plot.setAccessibleDescription(quantity.tip)
        self.plot.setToolTip("")
        self.plot.setMinimumSize(60, 40)
        self.curve = pg.PlotCurveItem()
        self.plot.add(self.curve, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(self.plot, 1)

    def draw(self, history: History, name: str, cursor: Cursor | None) -> None:
        curve, plot = history.learned[name], self.plot
        # The curves of a fork begin at the fork; its parent's are not drawn here.
        plot.reach(history.last_step, history.forks[0].step if history.forks else 0.0)
        x, y = curve.query(*plot.span, 2 * plot.pixels)
        x, known = x[np.isfinite(y)], y[np.isfinite(y)]  # a row without an update is not a gap
        self.curve.setData(x=x, y=known)
        ends = typical_range(known) if len(known) and self._quantity.spiky else None
        plot.hold([ends or (float(known.min()), float(known.max()))] if len(known) else [])
        plot.set_marks([knob.step for knob in history.knobs])
        plot.set_cursor(cursor.step if cursor else None)
        last = curve.latest()
        self.value.show_text("", "–" if last is None else self.words(last))
        self._fit_name()

    def words(self, value: float) -> str:
        return self._quantity.words(value)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_name()

    def _fit_name(self) -> None:
        """Show the whole name if there is room, else the brief one."""
        title, brief = self._quantity.title, self._quantity.brief
        room = self.width() - 16 - 6 - self.value.sizeHint().width()
        fits = not brief or self.label.fontMetrics().horizontalAdvance(title) <= room
        self.label.setText(title if fits else brief)

    def restyle(self, theme: Theme) -> None:
        self.plot.restyle(theme)
        self.curve.setPen(self.plot.pen(theme.color(f"series{self._quantity.series}"), 1))


class QuantityPanel(Panel):
    """Plots of some quantities of the training, with a common range of steps.

    Attributes:
        quantities: the quantities, by name in the history.
        columns: present number of columns of plots.
    """

    wants = (Learned, KnobChanged)
    quantities: ClassVar[dict[str, Quantity]] = {}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plots: dict[str, SmallPlot] = {}  # plots made so far
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(6)
        self.columns = 0
        unit = plain_label("environment steps", self.content)
        unit.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        themes.set_role(unit, "muted")
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(4, 2, 4, 6)
        layout.setSpacing(0)
        layout.addLayout(self._grid, 1)
        layout.addWidget(unit)
        self._shown: list[str] = []
        self._moving = False
        self._choose()
        self.add_menu_action("Show all", "arrow-expand-horizontal", self._fit).setToolTip("Double click in a plot")
        self.add_exports()
        self.restyle(themes.current())

    # -- drawing -----------------------------------------------------------------------------------

    def has_content(self) -> bool:
        return any(len(self.history.learned[name]) for name in self.quantities)

    def show(self, history: History | None = None, cursor: Cursor | None = None) -> None:
        if history is not None and history is not self.history:
            self._set_fitted()
        super().show(history, cursor)

    def clear(self, reason: str = "") -> None:
        self._set_fitted()
        super().clear(reason)

    def redraw(self) -> None:
        self._choose()
        for name in self._shown:
            self.plots[name].draw(self.history, name, self.cursor_at)

    def _choose(self) -> None:
        """Show the plots of the quantities that the run's algorithm measures."""
        learned = self.history.learned
        shown = [name for name in self.quantities if learned[name].known]
        if not any(self.quantities[name].occasional for name in shown):
            shown = [name for name, quantity in self.quantities.items() if not quantity.occasional]
        if shown == self._shown:
            return
        self._shown, self.columns = shown, 0
        self._moving = True  # new plots begin with a range of their own
        for small in self.plots.values():
            self._grid.removeWidget(small)
            small.hide()
        for name in shown:
            if name not in self.plots:
                self.plots[name] = self._made(name)
            self.plots[name].show()
        self._choices = [n for n in range(len(shown), 0, -1) if len(shown) % n == 0]
        self._arrange(max(self._choices, key=self._room))
        if (layout := self.content.layout()) is not None:
            layout.activate()  # now, because curves are reduced to the final width
        self._moving = False

    def _made(self, name: str) -> SmallPlot:
        small = SmallPlot(self.quantities[name], self.content)
        plot = small.plot
        plot.moved.connect(lambda: self._follow(plot))
        plot.hovered.connect(lambda step: self._hover(step, plot))
        plot.clicked.connect(lambda step: self.pick(step, plot.steps_in(5)))
        small.restyle(themes.current())
        return small

    def seek(self, cursor: Cursor | None) -> None:
        super().seek(cursor)
        for small in self.plots.values():
            small.plot.set_cursor(cursor.step if cursor else None)

    def restyle(self, theme: Theme) -> None:
        for small in self.plots.values():
            small.restyle(theme)
        super().restyle(theme)

    def _set_fitted(self) -> None:
        for small in self.plots.values():
            small.plot.fitted = True

    def _fit(self) -> None:
        self.plots[self._shown[0]].plot.fit()

    def _follow(self, leader: Plot) -> None:
        """Give every plot the range of the plot that the user moved, and redraw."""
        if self._moving:
            return
        self._moving = True
        for small in self.plots.values():
            if small.plot is not leader:
                small.plot.fitted = leader.fitted
                small.plot.box.setXRange(*leader.span)
        self._moving = False
        self.again()

    # -- arrangement -------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        """The size for one column or one row of plots, depending on the arrangement."""
        return QSize(180, 150)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(max(self._choices, key=self._room))

    def _room(self, columns: int) -> float:
        """Smaller side of the curves, in pixels, with this number of columns."""
        rows = -(-len(self._shown) // columns)
        return min(self.width() / columns - AXIS, 1.5 * (self.height() / rows - LINES))

    def _arrange(self, columns: int) -> None:
        if columns == self.columns:
            return
        self.columns = columns
        for index, name in enumerate(self._shown):
            self._grid.addWidget(self.plots[name], index // columns, index % columns)
        for index in range(len(self.plots)):
            self._grid.setRowStretch(index, 1 if index < -(-len(self._shown) // columns) else 0)
            self._grid.setColumnStretch(index, 1 if index < columns else 0)

    # -- readout -----------------------------------------------------------------------------------

    def _hover(self, step: float | None, source: Plot) -> None:
        for name, small in self.plots.items():
            small.plot.set_hover(step)
            small.plot.show_text(
                self.readout(name, step) if step is not None and small.plot is source else "", step or 0.0
            )

    def readout(self, name: str, step: float) -> str:
        """The readout of a curve at a step, as rich text; empty without data."""
        curve = self.history.learned[name]
        index = curve.near(step)
        if index is None:
            return ""
        value, at = curve.y.values[index], round(curve.x.values[index])
        small = self.plots[name]
        lines = [f"<b>{at:,}</b> · {small.words(value) if np.isfinite(value) else 'no update yet'}"]
        reach = small.plot.steps_in(8)
        lines += [words(mark_text(knob)) for knob in self.history.knobs if abs(knob.step - step) <= reach][-2:]
        return "<br>".join(lines)

    # -- export ------------------------------------------------------------------------------------

    def exported_table(self) -> Table:
        """All values of these quantities; a missing value is an empty cell."""
        names = [name for name in self.quantities if name in self._shown]
        steps = self.history.learned["loss"].x.values
        columns = [steps]
        for curve in (self.history.learned[name] for name in names):
            column = np.full(len(steps), np.nan)
            column[np.searchsorted(steps, curve.x.values)] = curve.y.values
            columns.append(column)
        rows = (
            (int(step), *("" if np.isnan(value) else value for value in values))
            for step, *values in zip(*columns, strict=True)
        )
        return Table(("step", *names), rows)
