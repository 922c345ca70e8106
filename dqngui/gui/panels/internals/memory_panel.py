"""The Memory panel: the value of every memory unit at each step, and curves of one unit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from dqngui.gui.charts.heatmap import Heatmap
from dqngui.gui.charts.time_map import TimeMap
from dqngui.gui.charts.trace import Series, Trace
from dqngui.gui.charts.value_ranges import ColorLimit, episode_span
from dqngui.gui.panels.internals.faithfulness_row import FaithfulnessRow
from dqngui.gui.panels.internals.trajectory import Trajectory
from dqngui.gui.panels.internals.view_panel import ViewPanel
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.lab.analysis.ordering import PLAIN, Ordering, orders
from dqngui.lab.analysis.table import Table
from dqngui.lab.analysis.views import Maps, axis_labels, combined, in_words, short_names
from dqngui.lab.playback.episode import GrowingRows, PlayedEpisode
from dqngui.messages import View

LOW, LOWER = 250, 170  # heights in pixels below which the second, then the first trace is hidden
PATH_ICON = "chart-scatter-plot"
LOW_WITH_NOW = 210  # height in pixels below which a view with two axes is drawn only over the episode


class MemoryPanel(ViewPanel):
    """Units × steps of one of the memory's views, and curves of the chosen unit.

    A view with two axes, such as an external memory matrix, is also drawn at the shown step.
    """

    title = "Memory"
    views = ("memory/*",)
    promise = "The value of each memory unit appears here, step by step, while an agent plays."
    lacking = "This agent has no memory. Choose one, such as an LSTM or a transformer, to see its state here."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row: int | None = None
        self.ordering = Ordering()
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
        self.trajectory = Trajectory(self.content)
        self.trajectory.stepped.connect(self.seek_step)
        self.trajectory.again.connect(self.again)
        self.trajectory.hide()
        layout.addWidget(self.trajectory, 28)
        self.faithfulness_row = FaithfulnessRow(self, self)
        layout.addWidget(self.faithfulness_row)
        self.sorting = ChoiceButton("Order of the rows", self)
        self.sorting.offer(PLAIN, self.ordering.key, self.sort_by)
        self.as_path = QToolButton(self)
        self.as_path.setCheckable(True)
        self.as_path.setIconSize(QSize(16, 16))
        self.as_path.setAccessibleName("Draw the memory as a path")
        self.as_path.setToolTip("Draw the memory as a path in its first two principal components, or as a map (T)")
        self.as_path.toggled.connect(self.show_as_path)
        self.header_widgets += [self.sorting, self.as_path, self.bar]
        self.dispensable = [self.sorting, self.bar]
        self._levels: dict[str, ColorLimit] = {}
        self._means: dict[str, GrowingRows] = {}
        self._of: PlayedEpisode | None = None
        self._names: list[str] = []
        self._rows: dict[str, tuple[list[str], list[str], str]] = {}
        self._compared_steps, self._moves = 0, True
        self._maps: Maps | None = None
        self.now.clicked.connect(self._on_now)
        self.map.stepped.connect(self._on_map)
        for trace in (self.states, self.shares):
            trace.stepped.connect(lambda t, y: self.seek_step(t))
        for canvas in (self.map, self.states, self.shares):
            canvas.setAccessibleDescription("A click shows that step, and on the map the curves of that row")
            canvas.setMinimumHeight(40)
        for trace in (self.states, self.shares):
            trace.hide()  # until there is room for it
        self.add_menu_action("Next row", "chevron-down", lambda: self._step_row(1))
        self.add_menu_action("Previous row", "chevron-up", lambda: self._step_row(-1))
        order = self.add_menu_action("Order of the rows", "sort-variant", lambda: None)
        order.setMenu(self.sorting.menu())  # also here, since a narrow header hides the button
        action = self.add_menu_action("Map or path", PATH_ICON, self.as_path.toggle)
        action.setShortcut(QKeySequence("T"))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.addAction(action)
        self.add_exports("npz")
        self.restyle(themes.current())

    # -- drawing -----------------------------------------------------------------------------------

    def rows_of(self, view: View) -> tuple[list[str], list[str], str]:
        """Names of a view's rows (heads are averaged, other axes flattened), in full and short, and their title."""
        assert self.playing is not None
        if view.name not in self._rows:
            axes = [(axis, n) for axis, n in zip(view.axes, view.shape, strict=True) if axis != "head"]
            labels = [(axis, axis_labels(self.playing, axis, n)) for axis, n in axes]
            full = [[f"past step {each}" for each in names] if axis == "lag" else names for axis, names in labels]
            self._rows[view.name] = combined(full), *short_names(labels)
        return self._rows[view.name]

    def values_of(self, view: View) -> npt.NDArray[np.float32]:
        """A view's rows (steps, rows), past steps oldest first."""
        assert self.playing is not None
        values = self.playing.view(view.name)
        if view.axes[-1] == "lag":
            values = values[..., ::-1]
        if "head" in view.axes:
            means = self._means.setdefault(view.name, GrowingRows())
            known = len(means.values)
            if known < len(values):
                means.put(known, values[known:].mean(axis=1 + view.axes.index("head")))
            values = means.values
        return values.reshape(len(values), -1)

    def draw(self, playing: PlayedEpisode, view: View) -> None:
        if playing is not self._of:
            self._of, self._means, self._levels, self._rows = playing, {}, {}, {}
        values = self.values_of(view)
        if self.as_path.isChecked():
            if self.trajectory.draw(playing, view.name, values):
                self.go_on()
            self._drawn = self._maps = None  # redraw the map in full when it returns
            return self.fit_rows()
        names, shown, title = self.rows_of(view)
        if self.fresh:
            self.ordering.begin()
            self._maps = Maps.of(playing, view) if len(view.axes) > 1 and "lag" not in view.axes else None
            self._compared_steps, self._moves = 0, self._maps is None
        if self._maps is not None:
            self.now.arrange(self._maps.titles, self._maps.rows, self._maps.columns, self._maps.axes)
        if not self._moves:
            self._moves = not (values[self._compared_steps :] == values[0]).all()
            self._compared_steps = len(values)
        if self.row is None or names != self._names:
            self._names, self.row = names, len(names) - 1 if view.axes[-1] == "lag" else 0
        plain, along = orders(playing)
        if self.ordering.key not in plain | along:  # an entry that this agent does not observe
            self.ordering.choose("index", None, None)
        self.sorting.offer(plain, self.ordering.key, self.sort_by, below=along, title="by correlation with")
        self.map.sort(self.ordering.order(values, playing))
        span = episode_span(playing.length, playing.ended)
        for canvas in (self.map, self.states, self.shares):
            canvas.set_span(span)
        if sorted_by := self.ordering.words(playing):
            title = f"{title}, by {sorted_by}"
            if view.axes != ("unit",):  # rows are numbered by place
                shown = [shown[index] for index in self.map.order]
        self.map.arrange(names, title, shown)
        high = self._level(view)
        limits = (-high if view.signed else 0.0, high)
        self.bar.set_levels(view.signed, *limits)
        self.map.choose(self.row)
        self._draw_traces(names)
        self.map.draw(values, signed=view.signed, limits=limits, fresh=self.fresh)
        self.fit_rows()

    def _level(self, view: View) -> float:
        """The value of the last colour for a view."""
        values = (
            self.values_of(view) if view.axes[-1] == "lag" or self.playing is None else self.playing.view(view.name)
        )
        level = self._levels.setdefault(view.name, ColorLimit()).take(values)
        return level if view.signed else min(1.0, level)

    def _draw_traces(self, names: list[str]) -> None:
        """Curves of the chosen row in every view with the same rows."""
        alike = [view for view in self.announced() if self.rows_of(view)[0] == names]
        assert self.row is not None and self.playing is not None and self.view is not None
        correlation = self.ordering.correlation_text(self.values_of(self.view)[:, self.row], self.playing)
        caption = f"{names[self.row]} · {correlation}" if correlation else names[self.row]
        for trace, signed in ((self.states, True), (self.shares, False)):
            views = [view for view in alike if view.signed == signed]
            words = in_few_words([view.name for view in views])
            curves = [self.values_of(view)[:, self.row] for view in views]
            series = [
                Series(name, f"series{i}", curve) for i, (name, curve) in enumerate(zip(words, curves, strict=True))
            ]
            extent = max([0.01, *(self._level(view) for view in views)])
            first = signed or not self.states.series
            trace.draw(caption if first else "", series, (-extent if signed else 0.0, extent))

    def sort_by(self, key: str) -> None:
        """Order the rows by a key of `orders`, from the steps so far."""
        view, playing = self.view, self.playing
        known = view is not None and self.has_content()
        self.ordering.choose(key, self.values_of(view) if known and view is not None else None, playing)
        self.sorting.set_chosen(key)
        self.again()

    def choose_row(self, row: int) -> None:
        """Draw the curves of another row."""
        if self.sources is not None and self.view is not None:
            self.sources.chosen[self.view.name] = row
        if row != self.row:
            self.row = row
            self.again()

    def _step_row(self, by: int) -> None:
        """Choose the row below (1) or above (-1), in the drawn order."""
        if self.row is not None and self._something:
            order = self.map.order.tolist()
            self.choose_row(order[(order.index(self.row) + by) % len(order)])

    def show_as_path(self, path: bool) -> None:
        """Draw a path in the memory's first two principal components, or the map of its units."""
        self.as_path.setChecked(path)
        self.idle = [self.sorting, self.bar] if path else []
        self.again()

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
            self.now.numbered = self._unmoved
            self.now.draw(maps.at(playing.view(view.name)[t]), signed=view.signed, low=low, high=high)
        for canvas in (self.map, self.states, self.shares, self.trajectory):
            canvas.follow(t)

    def restyle(self, theme: Theme) -> None:
        self.as_path.setIcon(themes.icon(PATH_ICON, "muted"))
        self.trajectory.restyle(theme)
        super().restyle(theme)

    def exported_table(self) -> Table:
        """The chosen view, one value a row; or its path, one step a row."""
        playing = self.playing
        if not self.as_path.isChecked() or playing is None:
            return super().exported_table()
        rows = [
            (t, *place, int(playing.action[t]), float(playing.reward[t]))
            for t, place in enumerate(self.trajectory.places.tolist())
        ]
        return Table(("t", "pc1", "pc2", "action", "reward"), rows)

    @property
    def _unmoved(self) -> bool:
        """Whether the values never change over the episode, such as the coefficients of a forecast."""
        return self._maps is not None and self.map.length > 1 and not self._moves

    def fit_rows(self) -> None:
        """Hide parts on a low card: first the second trace, then the first, then the map of the shown step."""
        path = self.as_path.isChecked()
        self.trajectory.setVisible(path)
        if path:
            for canvas in (self.now, self.map, self.states, self.shares):
                canvas.hide()
            return
        both = bool(self.states.series and self.shares.series)
        self.now.setVisible(self._maps is not None and (self.height() >= LOW_WITH_NOW or self._unmoved))
        if not self.now.isHidden():
            both = True  # it uses the room of a trace
        self.map.setVisible(not self._unmoved)
        self.states.setVisible(bool(self.states.series) and self.height() >= LOWER and not self._unmoved)
        low = self.height() < (LOW if both else LOWER)
        self.shares.setVisible(bool(self.shares.series) and not low and not self._unmoved)
        canvases = [self.map, self.states, self.shares]
        gutter = max((each.gutter_wanted for each in canvases if not each.isHidden()), default=0.0)
        if not self.now.isHidden():
            self.now.set_gutter(gutter)
            gutter = max(gutter, self.now.gutter)
        self.align(canvases, gutter)


def in_few_words(names: list[str]) -> list[str]:
    """Short names that distinguish the given views: `hidden` and `cell`, or `layer 1` and `layer 2`."""
    parted = [in_words(name).partition(", layer ") for name in names]
    stems = [stem.removesuffix(" state").removesuffix(" gate").removesuffix(" weights") for stem, _, _ in parted]
    if len(set(stems)) == 1 and len(names) > 1:
        return [f"layer {layer}" for _, _, layer in parted]
    return [f"{stem} {layer}" if layer else stem for stem, (_, _, layer) in zip(stems, parted, strict=True)]
