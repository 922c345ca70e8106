"""The Attention panel: who attends to what at the shown step, and over the whole episode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dqngui.gui import theme as themes
from dqngui.gui.elided import ElidedLabel
from dqngui.gui.panels.heatmap import Heatmap
from dqngui.gui.panels.inner import InnerPanel
from dqngui.gui.panels.levels import Levels
from dqngui.gui.panels.timeline import span_of
from dqngui.gui.panels.timemap import TimeMap
from dqngui.gui.panels.trace import Series, Trace
from dqngui.gui.panels.views import Maps, axis_labels, entropy
from dqngui.gui.playing import Playing, Rows
from dqngui.messages import View

LOW, LOWER, LOWEST = 250, 190, 140
"""Pixels of height below which the entropy's curve, the episode's caption and the episode's map are left out."""


class AttentionPanel(InnerPanel):
    """One map a head at the shown step; below, the share of each key over the episode, and the entropy."""

    title = "Attention"
    views = ("attention/*", "memory/attention/*")
    promise = "What each head attends to, step by step, will appear here while an agent plays."
    lacking = (
        "This agent has no attention. Choose one, such as self-attention, or a transformer as memory, to see what it "
        "attends to."
    )

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head: int | None = None
        self.now = Heatmap(self.content)
        self.now.setAccessibleName("Attention at the shown step")
        self.now.setToolTip("")
        self.over = TimeMap(self.content)
        self.over.setAccessibleName("Attention over the episode")
        self.curve = Trace(self.content)
        self.curve.setAccessibleName("Entropy of the attention over the episode")
        self.curve.setFixedHeight(58)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(4, 0, 4, 6)
        layout.setSpacing(4)
        layout.addWidget(self.now, 3)
        layout.addWidget(self.over, 2)
        layout.addWidget(self.curve)
        self.key_figure = ElidedLabel("", self, gives_way=False)
        themes.set_role(self.key_figure, "muted")
        self.key_figure.setToolTip(
            "Mean entropy of the attention at the shown step, and its share of the largest possible one (log n)"
        )
        self.header_widgets += [self.key_figure, self.bar]
        self.dispensable = [self.key_figure, self.bar]
        self._maps: Maps | None = None
        self._shares, self._nats, self._most = Rows(), Rows(), Rows()
        self._known = 0
        self._levels = Levels()
        self.now.clicked.connect(lambda chart, row, column: self.choose_head(chart if self._many_maps else row))
        self.over.stepped.connect(lambda t, y: self.seek_step(t))
        self.curve.stepped.connect(lambda t, y: self.seek_step(t))
        self.now.setAccessibleDescription("A click on a head shows it alone over the episode")
        for canvas in (self.over, self.curve):
            canvas.setAccessibleDescription("A click shows that step")
        self.add_menu_action("Next head", "chevron-right", lambda: self._turn(1))
        self.add_menu_action("Mean of the heads", "sigma", lambda: self.choose_head(None))
        self.add_exports()
        self.restyle(themes.current())

    @property
    def _many_maps(self) -> bool:
        return len(self.now.titles) > 1

    def choose_head(self, head: int | None) -> None:
        """Show one head over the episode; the same one again, None, or a view without heads: the mean of all."""
        count = len(self._maps.heads) if self._maps else 0
        self.head = head if head is not None and head != self.head and head < count else None
        self._known = 0
        self.again()

    def _turn(self, by: int) -> None:
        count = len(self._maps.heads) if self._maps else 0
        if count > 1:
            self.choose_head(0 if self.head is None else (self.head + by) % count)

    def draw(self, playing: Playing, view: View) -> None:
        if self.fresh:
            self._maps, self._known, self._levels = Maps.of(playing, view), 0, Levels()
            if self.head is not None and self.head >= len(self._maps.heads):
                self.head = None
        maps = self._maps
        assert maps is not None
        again = self._known == 0
        self._extend(playing.view(view.name), maps)
        self.now.arrange(maps.titles, maps.rows, maps.columns, maps.axes, pictures=maps.cells is not None)
        self.now.choose(self.head)
        lags = view.axes[-1] == "lag"
        keys, title = maps.keys
        named = axis_labels(playing, view.axes[-1], len(keys))
        self.over.arrange([f"past step {each}" if lags else each for each in named], title, keys)
        span = span_of(playing.length, playing.ended)
        most = max(float(np.max(self._most.values, initial=0.0)), 0.01)
        for canvas in (self.over, self.curve):
            canvas.set_span(span)
        self.fit_rows()
        high = min(1.0, self._levels.take(playing.view(view.name)))
        self.bar.set_levels(False, 0.0, high)
        self.over.draw(self._shares.values, signed=False, limits=(0.0, high), fresh=again)
        self.curve.draw(self._entropy_in_words, [Series("", "series0", self._nats.values)], (0.0, most))

    def _extend(self, values: npt.NDArray[np.float32], maps: Maps) -> None:
        """Shares a column and entropies of the steps that are new; of the chosen head, or the mean of all."""
        if self._known == 0:
            self._shares, self._nats, self._most = Rows(), Rows(), Rows()
        new = maps.heads_first(values[self._known :])
        if self.head is not None:
            new = new[:, self.head : self.head + 1]
        if not len(new):
            return
        nats, most = entropy(new)
        self._shares.put(self._known, new.mean(axis=(1, 2)).astype(np.float32))
        self._nats.put(self._known, nats.mean(axis=(1, 2)).astype(np.float32))
        self._most.put(self._known, most.max(axis=(1, 2)).astype(np.float32))
        self._known = len(values)

    def move_to(self, t: int) -> None:
        playing, view, maps = self.playing, self.view, self._maps
        if playing is None or view is None or maps is None or not 0 <= t < self._known:
            return
        self.now.draw(maps.at(playing.view(view.name)[t]), high=self.bar.limits[1])
        self.over.follow(t)
        self.curve.follow(t)
        nats, most = float(self._nats.values[t]), float(self._most.values[t])
        figure = f"{nats:.2f} nats" + (f" · {100 * nats / most:.0f} %" if most > 0 else "")
        self.key_figure.setText(figure)
        self.over.tell("" if self.curve.isVisibleTo(self) or self.key_figure.isVisible() else f"entropy {figure}")

    def _entropy_in_words(self, t: int) -> str:
        nats, most = float(self._nats.values[t]), float(self._most.values[t])
        of = f" · {100 * nats / most:.0f} % of log {round(np.exp(most))}" if most > 0 else ""
        return f"entropy {nats:.2f} nats{of}"

    @property
    def _whose(self) -> str:
        heads = self._maps.heads if self._maps else []
        if self.head is not None and self.head < len(heads):
            return heads[self.head]
        return "mean of the heads" if len(heads) > 1 else "over the episode"

    def fit_rows(self) -> None:
        """A low card leaves out the entropy's curve first, then the episode."""
        self.curve.setVisible(self.height() >= LOW)
        self.over.say_above(self._whose if self.height() >= LOWER else "")
        self.over.setVisible(self.height() >= LOWEST)
        self.now.set_gutter(max(self.over.gutter_wanted, self.curve.gutter_wanted))
        self.align([self.over, self.curve], self.now.gutter)
