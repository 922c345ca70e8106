"""The Attention panel: the attention weights at the shown step and over the whole episode."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dqngui.gui.charts.head_grid import StepGrid, TimeGrid, read_at
from dqngui.gui.charts.heatmap import Heatmap
from dqngui.gui.charts.time_map import TimeMap
from dqngui.gui.charts.trace import Series, Trace
from dqngui.gui.charts.value_ranges import ColorLimit, episode_span
from dqngui.gui.panels.internals.faithfulness_row import FaithfulnessRow
from dqngui.gui.panels.internals.head_choice import HeadChoice
from dqngui.gui.panels.internals.head_line import HeadLine
from dqngui.gui.panels.internals.view_panel import ViewPanel
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.gui.widgets.two_lengths import TwoLengths
from dqngui.lab.analysis.part_shares import Parts, parts_of, summed
from dqngui.lab.analysis.shares import AttentionSummary
from dqngui.lab.analysis.views import Maps, axis_labels, in_words, layered
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.messages import View

FEW = 3
"""Rows of a map: with as many at most, several maps get more height than the map of the episode, for their names."""
LOW, LOWER, LOWEST = 250, 190, 140
"""Pixels of height below which the entropy's curve, the episode's caption and the episode's map are left out."""


class AttentionPanel(ViewPanel):
    """Draws all heads of all layers of a view as small maps, or one head as a large map with axes.

    The maps of a single layer always have axes. Attention over past steps is drawn over the episode:
    the step that each head attends to at each step. Below are the share of each key and the entropy.

    Attributes:
        heads: the choice of the head that is shown alone.
    """

    title = "Attention"
    views = ("attention/*", "memory/attention/*")
    promise = "The attention of each head appears here, step by step, while an agent plays."
    lacking = (
        "This agent has no attention. Choose one, such as self-attention, or a transformer as memory, to see what it "
        "attends to."
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.heads = HeadChoice()
        self._maps: list[Maps] = []
        self._shares: AttentionSummary | None = None
        self._levels: list[ColorLimit] = []
        self._by_part = True
        self._make_content()
        self.key_figure = TwoLengths(self)
        themes.set_role(self.key_figure, "muted")
        self.key_figure.setToolTip(
            "Mean entropy of the attention at the shown step, in nats and in percent of the maximum (log n)"
        )
        self.header_widgets += [self.key_figure, self.bar]
        self.dispensable = [self.key_figure, self.bar]
        self._add_actions()
        self.add_exports("npz")
        self.restyle(themes.current())

    def _make_content(self) -> None:
        self.alone = HeadLine(self.content)
        self.alone.left.connect(self.back)
        self.alone.step_requested.connect(self._step_head)
        self.now, self.grid, self.times = Heatmap(self.content), StepGrid(self.content), TimeGrid(self.content)
        self.over, self.curve = TimeMap(self.content), Trace(self.content)
        self.curve.setFixedHeight(58)
        self.curve.brief_captions = (
            lambda t: self._entropy_in_words(t, " of the maximum"),
            lambda t: self._entropy_in_words(t, ""),
        )
        for canvas, name, tip in (
            (self.now, "Attention at the shown step", "A click on a head shows it alone"),
            (self.grid, "Attention of all heads at the shown step", "A click on a head shows it alone"),
            (self.times, "Attention of all heads over the episode", "A click on a head shows it alone"),
            (self.over, "Attention over the episode", "A click shows that step"),
            (self.curve, "Entropy of the attention over the episode", "A click shows that step"),
        ):
            canvas.setAccessibleName(name)
            canvas.setAccessibleDescription(tip)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(4, 0, 4, 6)
        layout.setSpacing(4)
        layout.addWidget(self.alone)
        for canvas, stretch in ((self.now, 3), (self.grid, 3), (self.times, 3), (self.over, 2), (self.curve, 0)):
            layout.addWidget(canvas, stretch)
        self.faithfulness_row = FaithfulnessRow(self, self)
        layout.addWidget(self.faithfulness_row)
        for each in (self.alone, self.grid, self.times):
            each.hide()
        self.now.clicked.connect(self._on_now)
        self.grid.clicked.connect(self._on_grid)
        self.times.clicked.connect(self._on_grid)
        self.over.stepped.connect(lambda t, y: self.seek_step(t))
        self.curve.stepped.connect(lambda t, y: self.seek_step(t))

    def _add_actions(self) -> None:
        """Add menu entries; their shortcuts work while the card has the focus."""
        entries = (
            ("Next head", "chevron-right", "H", lambda: self._step_head(1)),
            ("Previous head", "chevron-left", "Shift+H", lambda: self._step_head(-1)),
            ("Next layer", "chevron-down", "L", lambda: self._step_layer(1)),
            ("Previous layer", "chevron-up", "Shift+L", lambda: self._step_layer(-1)),
        )
        for text, icon, keys, do in entries:
            action = self.add_menu_action(text, icon, do)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self.addAction(action)
        self.add_menu_action("All heads", "sigma", self.back)
        self.add_menu_action("Each key, or sums over each part", "sigma", self._switch_sums)

    # -- choice of layer and head ------------------------------------------------------------------

    def offered(self) -> dict[str, str]:
        """All views, and all views with several layers as a whole."""
        views = self.announced()
        kinds = {kind.views[0].name: kind for kind in layered(views)}
        texts = {}
        for view in views:
            if view.name in kinds:
                texts[kinds[view.name].key] = kinds[view.name].words
            texts[view.name] = in_words(view.name)
        return texts

    @property
    def chosen(self) -> str:
        offered = self.offered()
        return self.name if self.name in offered else next(iter(offered), "")

    @property
    def layers(self) -> tuple[View, ...]:
        """The chosen view, or all its layers."""
        views, chosen = self.announced(), self.chosen
        kind = next((kind.views for kind in layered(views) if kind.key == chosen), ())
        return kind or tuple(view for view in views if view.name == chosen)

    @property
    def view(self) -> View | None:
        """The chosen view; of several layers the chosen or the first one."""
        layers = self.layers
        return layers[min(self.layer or 0, len(layers) - 1)] if layers else None

    @property
    def drawn_views(self) -> tuple[View, ...]:
        return self.layers if self.layer is None else super().drawn_views

    def choose_view(self, name: str) -> None:
        self.heads.choose(None, self.head)
        super().choose_view(name)

    @property
    def layer(self) -> int | None:
        """The layer that is shown alone, if there are several."""
        return self.heads.layer

    @property
    def head(self) -> int | None:
        """The head that is shown alone."""
        return self.heads.head

    @property
    def one_head(self) -> int | None:
        return self.heads.head if self.heads.heads > 1 else None

    def choose(self, layer: int | None, head: int | None) -> None:
        """Show one head, of one of several layers, alone; None: all layers, all heads."""
        self.heads.choose(layer, head)
        self._other()

    def choose_head(self, head: int | None) -> None:
        """Show one head alone; None, or the same head again: all heads."""
        self.choose(self.layer, None if head == self.head else head)

    def back(self) -> None:
        """Show all heads of all layers."""
        if not self.heads.shows_all:
            self.choose(None, None)

    def _step_head(self, by: int) -> None:
        if self.heads.step(by):
            self._other()

    def _step_layer(self, by: int) -> None:
        if self.heads.step_layer(by):
            self._other()

    def _other(self) -> None:
        self._shares = None
        self.again()

    def _switch_sums(self) -> None:
        self._by_part = not self._by_part
        self._other()

    def _on_now(self, chart: int, row: int, column: int) -> None:
        if len(self.now.names.titles) > 1:
            self.choose_head(chart)
        elif self._one_map:
            self.back()
        else:
            self.choose_head(row)

    def _on_grid(self, layer: int, column: int) -> None:
        heads_across = self._over_time or len(self._maps[0].titles) > 1
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.choose(layer, column if heads_across else None)

    def event(self, event: QEvent) -> bool:
        """Accept Esc while it leads back to all heads; otherwise the window handles it."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._leads_back(event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._leads_back(event):
            self.back()
        else:
            super().keyPressEvent(event)

    def _leads_back(self, event: QKeyEvent) -> bool:
        return event.key() == Qt.Key.Key_Escape and not self.heads.shows_all

    # -- drawing -----------------------------------------------------------------------------------

    @property
    def _over_time(self) -> bool:
        """Whether the maps are drawn over the episode, because the keys are past steps."""
        return bool(self._maps) and self._maps[0].view.axes in (("lag",), ("head", "lag"))

    @property
    def _all_small(self) -> bool:
        """Whether all heads are drawn in a grid."""
        if self.layer is not None or (self.head is not None and len(self._maps) == 1):
            return False
        return len(self._maps) > 1 or (self._over_time and self.heads.heads > 1)

    @property
    def _one_map(self) -> bool:
        """Whether one head is shown alone as a map."""
        return self.head is not None and bool(self._maps) and len(self._maps[0].titles) > 1

    def draw(self, playing: PlayedEpisode, view: View) -> None:
        if self.fresh:
            self._maps = [Maps.of(playing, each) for each in self.layers]
            self._levels, self._shares = [ColorLimit() for _ in self._maps], None
            self.heads.set_counts(len(self._maps), len(self._maps[0].heads))
        values = [playing.view(each.view.name) for each in self._maps]
        some = slice(None) if self.layer is None else slice(self.layer, self.layer + 1)
        again = self._shares is None
        if self._shares is None:
            self._shares = AttentionSummary(self._maps[some], self.head)
        if self._shares.take(values[some]):
            self.go_on()
        high = min(1.0, max(level.take(each) for level, each in zip(self._levels, values, strict=True)))
        self.bar.set_levels(False, 0.0, high)
        maps = self._maps[self.layer or 0]
        parts = parts_of(playing, maps.view) if self._by_part else ()
        self._arrange(playing, maps, parts)
        span = episode_span(playing.length, playing.ended)
        for canvas in (self.over, self.curve):
            canvas.set_span(span)
        if self._over_time and self._all_small:
            by_head = [maps.heads_first(each)[:, :, 0] for maps, each in zip(self._maps, values, strict=True)]
            self.times.draw(by_head, high, span=span, fresh=self.fresh)
        shares = self._shares
        keys, most = (summed(shares.keys, parts), 1.0) if parts else (shares.keys, high)
        self.over.draw(keys, signed=False, limits=(0.0, most), fresh=again)
        most = max(float(np.max(shares.maximum, initial=0.0)), 0.01)
        self.curve.draw(self._entropy_in_words, [Series("", "series0", shares.entropies)], (0.0, most))
        self.fit_rows()  # last, since the widths of labels depend on the drawing

    def _arrange(self, playing: PlayedEpisode, maps: Maps, parts: Parts) -> None:
        """Set the names of maps, rows and columns."""
        names = [f"layer {index + 1}" for index in range(len(self._maps))] if len(self._maps) > 1 else [""]
        if self._over_time:
            self.times.arrange(names, maps.heads or [""], ("past step", "step of the episode"))
        else:
            self.grid.arrange(names, maps.titles, maps.axes)
            self.grid.rows, self.grid.columns = maps.rows, maps.columns
        titles = [""] if self._one_map else maps.titles
        self.now.arrange(titles, maps.rows, maps.columns, maps.axes, pictures=maps.cells is not None)
        self.now.choose(None if self._one_map else self.head)
        self.now.single_name = self._selection_words if self._one_map else ""
        keys, title = ([name for name, _ in parts], "sum over each part") if parts else maps.keys
        named = keys if parts else axis_labels(playing, maps.view.axes[-1], len(keys))
        lags = maps.view.axes[-1] == "lag"
        self.over.arrange([f"past step {each}" if lags else each for each in named], title, keys)
        self.over.cell_words = (lambda t, row: read_at(t, len(keys) - 1 - row)) if lags else None
        self.alone.name.setText(self._selection_words)

    def move_to(self, t: int) -> None:
        playing, view, shares = self.playing, self.view, self._shares
        if playing is None or view is None or shares is None or not self._maps or t < 0:
            return
        if self._all_small and not self._over_time:
            values = [playing.view(each.view.name) for each in self._maps]
            if t < min(map(len, values)):
                at = [maps.at(each[t]) for maps, each in zip(self._maps, values, strict=True)]
                self.grid.draw(np.stack(at), self.bar.limits[1])
        elif not self._all_small and t < len(playing.view(view.name)):
            drawn = self._maps[self.layer or 0].at(playing.view(view.name)[t])
            one = slice(self.head, (self.head or 0) + 1) if self._one_map else slice(None)
            self.now.draw(drawn[one], high=self.bar.limits[1])
        for canvas in (self.times, self.over, self.curve):
            canvas.follow(t)
        self._show_entropy(t)

    def _show_entropy(self, t: int) -> None:
        """Write the entropy of step t once: in the header, or above the map where header and curve have no room."""
        shares = self._shares
        if shares is None or not 0 <= t < shares.known:
            return
        entropy, maximum = float(shares.entropies[t]), float(shares.maximum[t])
        brief = f"{entropy:.2f} nats"
        share = f" ({100 * entropy / maximum:.0f} % of the maximum)" if maximum > 0 else ""
        self.key_figure.show_texts(f"entropy {brief}{share}", brief)
        shown = self.curve.isVisibleTo(self) or self.key_figure.isVisible()
        self.over.set_figure("" if shown else f"entropy {brief}{share}")

    def refresh(self) -> bool:
        drawn = super().refresh()
        if drawn:
            self._show_entropy_again()
        return drawn

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_entropy_again()

    def _show_entropy_again(self) -> None:
        """The header or the curve may have come or gone."""
        if self.playing is not None:
            self._show_entropy(min(self.playing.t, self.playing.length - 1))

    def _entropy_in_words(self, t: int, of_what: str | None = None) -> str:
        """The entropy at step t, and its percentage `of_what`; None: of the maximum, with its number of keys."""
        shares = self._shares
        if shares is None or t >= shares.known:
            return "entropy"
        nats, most = float(shares.entropies[t]), float(shares.maximum[t])
        if of_what is None:
            of_what = f" of the maximum, log {round(np.exp(most))}"
        share = f" ({100 * nats / most:.0f} %{of_what})" if most > 0 else ""
        return f"entropy {nats:.2f} nats{share}"

    @property
    def _selection_words(self) -> str:
        """A text: the layer and head of the shares and the entropy."""
        heads = self._maps[0].heads if self._maps else []
        layer = f"layer {self.layer + 1}" if self.layer is not None else ""
        if self.head is not None and self.head < len(heads):
            return f"{layer} · {heads[self.head]}" if layer else heads[self.head]
        if len(self._maps) > 1 and not layer:
            return "mean of all layers and heads" if len(heads) > 1 else "mean of all layers"
        mean = "mean of the heads" if len(heads) > 1 else "over the episode"
        return f"{layer} · {mean}" if layer else mean

    def fit_rows(self) -> None:
        """Hide parts on a low card: first the entropy curve, then the episode (or the shown step, for past steps)."""
        high, small, over_time = self.height(), self._all_small, self._over_time
        stands_alone = not small and (self.layer is not None or self._one_map or (over_time and self.head is not None))
        self.alone.setVisible(stands_alone)
        self.grid.setVisible(small and not over_time)
        self.times.setVisible(small and over_time)
        self.now.setVisible(not small and (not over_time or high >= LOWER))
        self.curve.setVisible(high >= LOW)
        self.over.set_caption(self._selection_words if high >= LOWER and not stands_alone else "")
        enough = LOW if small else LOWEST
        self.over.setVisible(not (small and over_time) and (high >= enough or over_time))
        layout = self.content.layout()
        assert isinstance(layout, QVBoxLayout)
        several = bool(self._maps) and len(self._maps[0].titles) > 1 and len(self._maps[0].rows) <= FEW
        layout.setStretchFactor(self.now, 5 if several else 3)
        layout.setStretchFactor(self.over, 5 if over_time else 1 if small else 2)
        left = [each for each in (self.over, self.curve) if not each.isHidden()]
        self.now.set_gutter(max((each.gutter_wanted for each in left), default=0.0))
        self.align([self.over, self.curve], self.now.gutter if not self.now.isHidden() else self.now.least_gutter)

    def restyle(self, theme: Theme) -> None:
        self.alone.restyle(theme)
        super().restyle(theme)
