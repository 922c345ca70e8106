"""The Memory panel: what every unit held, step by step, and one unit's curves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dqngui.gui import theme as themes
from dqngui.gui.panels.choice import Choice
from dqngui.gui.panels.heatmap import Heatmap
from dqngui.gui.panels.inner import InnerPanel
from dqngui.gui.panels.levels import Levels
from dqngui.gui.panels.timeline import span_of
from dqngui.gui.panels.timemap import TimeMap
from dqngui.gui.panels.trace import Series, Trace
from dqngui.gui.panels.views import Maps, axis_labels, axis_title, combined, in_words
from dqngui.gui.playing import Playing, Rows
from dqngui.messages import View

SORTS = {"index": "by index", "variance": "by variance"}
ENOUGH = 32  # steps after which a new episode's units are sorted
LOW, LOWER = 250, 170  # pixels of height below which the second, then the first trace is left out
LOW_WITH_NOW = 210  # below which a view of two axes is drawn over the episode only


class MemoryPanel(InnerPanel):
    """Units × steps of one of the memory's views, and curves of the chosen unit.

    A view of two axes, such as an external memory's matrix, is drawn at the shown step too.
    """

    title = "Memory"
    views = ("memory/*",)
    promise = "What the memory holds, unit by unit and step by step, will appear here while an agent plays."
    lacking = "This agent has no memory. Choose one, such as an LSTM or a transformer, to see what it remembers."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row: int | None = None
        self.sorted_by = "index"
        self.now = Heatmap(self.content)
        self.now.setAccessibleName("Memory at the shown step")
        self.now.setAccessibleDescription("A click on a cell shows its curves over the episode")
        self.now.hide()
        self.map = TimeMap(self.content)
        self.map.setAccessibleName("Memory over the episode")
        self.states, self.shares = Trace(self.content), Trace(self.content)
        self.states.setAccessibleName("State of the chosen unit over the episode")
        self.shares.setAccessibleName("Gates of the chosen unit over the episode")
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(4, 0, 4, 6)
        layout.setSpacing(4)
        layout.addWidget(self.now, 8)
        layout.addWidget(self.map, 10)
        layout.addWidget(self.states, 5)
        layout.addWidget(self.shares, 5)
        self.sorting = Choice("Order of the rows", self)
        self.sorting.offer(SORTS, self.sorted_by, self.sort_by)
        self.header_widgets += [self.sorting, self.bar]
        self.dispensable = [self.bar, self.sorting]
        self._levels: dict[str, Levels] = {}
        self._means: dict[str, Rows] = {}
        self._of: Playing | None = None
        self._order: npt.NDArray[np.intp] | None = None
        self._order_final = False
        self._maps: Maps | None = None
        self.now.clicked.connect(self._on_now)
        self.map.stepped.connect(self._on_map)
        for trace in (self.states, self.shares):
            trace.stepped.connect(lambda t, y: self.seek_step(t))
        for canvas in (self.map, self.states, self.shares):
            canvas.setAccessibleDescription("A click shows that step, and on the map the curves of that row")
            canvas.setMinimumHeight(40)
        for trace in (self.states, self.shares):
            trace.hide()  # until it is known that there is room
        self.add_menu_action("Next row", "chevron-down", lambda: self._turn(1))
        self.add_menu_action("Previous row", "chevron-up", lambda: self._turn(-1))
        self.add_exports()
        self.restyle(themes.current())

    # -- what is drawn ----------------------------------------------------------------------------

    def rows_of(self, view: View) -> tuple[list[str], str]:
        """Names of a view's rows (heads are averaged, other axes flattened) and the title of their axis."""
        assert self.playing is not None
        axes = [(axis, n) for axis, n in zip(view.axes, view.shape, strict=True) if axis != "head"]
        names = [
            [f"past step {each}" for each in labels] if axis == "lag" else labels
            for (axis, _), labels in zip(axes, (axis_labels(self.playing, *each) for each in axes), strict=True)
        ]
        return combined(names), " · ".join(axis_title(axis) for axis, _ in axes)

    def values_of(self, view: View) -> npt.NDArray[np.float32]:
        """A view's rows (steps, rows), past steps oldest first."""
        assert self.playing is not None
        values = self.playing.view(view.name)
        if view.axes[-1] == "lag":
            values = values[..., ::-1]
        if "head" in view.axes:
            means = self._means.setdefault(view.name, Rows())
            known = len(means.values)
            if known < len(values):
                means.put(known, values[known:].mean(axis=1 + view.axes.index("head")))
            values = means.values
        return values.reshape(len(values), -1)

    def draw(self, playing: Playing, view: View) -> None:
        if playing is not self._of:
            self._of, self._means, self._levels = playing, {}, {}
        values = self.values_of(view)
        names, title = self.rows_of(view)
        if self.fresh:
            self._order, self._order_final = None, False
            self._maps = Maps.of(playing, view) if len(view.axes) > 1 and "lag" not in view.axes else None
        if self._maps is not None:
            self.now.arrange(self._maps.titles, self._maps.rows, self._maps.columns, self._maps.axes)
        if self.row is None or self.row >= len(names):
            self.row = len(names) - 1 if view.axes[-1] == "lag" else 0
        self._sort(values, playing.ended)
        span = span_of(playing.length, playing.ended)
        for canvas in (self.map, self.states, self.shares):
            canvas.set_span(span)
        counted = view.axes[-1] in ("unit", "lag") and all(axis in ("head", "unit", "lag") for axis in view.axes)
        shown = axis_labels(playing, view.axes[-1], len(names)) if counted else names
        if view.axes == ("unit",):
            shown = [str(index + 1) for index in range(len(names))]  # the axis' title says of what
        elif self.sorted_by == "variance":
            shown = [shown[index] for index in self.map.order]
        self.map.arrange(names, f"{title}, by variance" if self.sorted_by == "variance" else title, shown)
        high = self._level(view, values)
        limits = (-high if view.signed else 0.0, high)
        self.bar.set_levels(view.signed, *limits)
        self.map.choose(self.row)
        self._draw_traces(names)
        self.fit_rows()
        self.map.draw(values, signed=view.signed, limits=limits, fresh=self.fresh)

    def _level(self, view: View, values: npt.NDArray[np.float32]) -> float:
        level = self._levels.setdefault(view.name, Levels()).take(values)
        return level if view.signed else min(1.0, level)

    def _draw_traces(self, names: list[str]) -> None:
        """Curves of the chosen row in every view with the same rows."""
        alike = [view for view in self.announced() if self.rows_of(view)[0] == names]
        assert self.row is not None
        for trace, signed in ((self.states, True), (self.shares, False)):
            series, extent = [], 0.01
            for index, view in enumerate(view for view in alike if view.signed == signed):
                values = self.values_of(view)
                series.append(Series(_short(view.name), f"series{index}", values[:, self.row]))
                extent = max(extent, self._level(view, values))
            first = signed or not self.states.series
            caption = names[self.row] if first else ""
            trace.draw(caption, series, (-extent if signed else 0.0, extent))

    def _sort(self, values: npt.NDArray[np.float32], ended: bool) -> None:
        """Sort at the start of an episode and at its end; in between only when asked."""
        if self.sorted_by == "index":
            self.map.sort(np.arange(values.shape[1]))
            return
        if self._order is None and len(values) >= ENOUGH:
            self._order = by_variance(values[:ENOUGH])
        if ended and not self._order_final:
            self._order, self._order_final = by_variance(values), True
        self.map.sort(np.arange(values.shape[1]) if self._order is None else self._order)

    def sort_by(self, key: str) -> None:
        """Order the rows by index, or by the variance of the steps so far."""
        self.sorted_by = key
        self.sorting.set_chosen(key)
        if key == "variance" and self.view is not None and self.has_content():
            self._order = by_variance(self.values_of(self.view))
        self.again()

    def choose_row(self, row: int) -> None:
        """Draw the curves of another row."""
        if row != self.row:
            self.row = row
            self.again()

    def _turn(self, by: int) -> None:
        """The row below or above the chosen one, in the order that is drawn."""
        if self.row is not None and self._something:
            order = self.map.order.tolist()
            self.choose_row(order[(order.index(self.row) + by) % len(order)])

    def _on_map(self, t: int, y: float) -> None:
        row = self.map.row_at(y)
        if row is not None:
            self.choose_row(row)
        self.seek_step(t)

    def _on_now(self, chart: int, row: int, column: int) -> None:
        maps = self._maps
        if maps is not None:
            self.choose_row(column if maps.heads else row * len(maps.columns) + column)

    def move_to(self, t: int) -> None:
        playing, view, maps = self.playing, self.view, self._maps
        if playing is not None and view is not None and maps is not None and t < len(playing.view(view.name)):
            low, high = self.bar.limits
            self.now.draw(maps.at(playing.view(view.name)[t]), signed=view.signed, low=low, high=high)
        for canvas in (self.map, self.states, self.shares):
            canvas.follow(t)

    def fit_rows(self) -> None:
        """A low card leaves out the second trace first, then the first, then the shown step's map."""
        both = bool(self.states.series and self.shares.series)
        self.now.setVisible(self._maps is not None and self.height() >= LOW_WITH_NOW)
        if not self.now.isHidden():
            both = True  # it takes the room of a trace
        self.states.setVisible(bool(self.states.series) and self.height() >= LOWER)
        self.shares.setVisible(bool(self.shares.series) and self.height() >= (LOW if both else LOWER))
        canvases = [self.map, self.states, self.shares]
        gutter = max(each.gutter_wanted for each in canvases if not each.isHidden())
        if not self.now.isHidden():
            self.now.set_gutter(gutter)
            gutter = max(gutter, self.now.gutter)
        self.align(canvases, gutter)


def by_variance(values: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Rows of values (steps, rows), the most variable first."""
    known = np.where(np.isfinite(values), values, 0.0)
    return np.argsort(-known.var(axis=0), kind="stable")


def _short(name: str) -> str:
    return in_words(name).removesuffix(" state").removesuffix(" gate")
