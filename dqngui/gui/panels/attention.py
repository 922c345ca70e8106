"""The Attention panel: who attends to what at the shown step, and over the whole episode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dqngui.gui import theme as themes
from dqngui.gui.elided import ElidedLabel
from dqngui.gui.panels.colorbar import ColorBar
from dqngui.gui.panels.heatmap import Heatmap
from dqngui.gui.panels.inner import InnerPanel
from dqngui.gui.panels.timeline import span_of
from dqngui.gui.panels.timemap import TimeMap
from dqngui.gui.panels.trace import Series, Trace
from dqngui.gui.panels.views import Maps, entropy
from dqngui.gui.playing import Playing, Rows
from dqngui.gui.theme import Theme
from dqngui.messages import View

LOW, LOWER = 230, 150  # pixels of height below which the entropy's curve, then the episode's map, is left out


class AttentionPanel(InnerPanel):
    """One map a head at the shown step; below, the share of each key over the episode, and the entropy."""

    title = "Attention"
    views = ("attention/*", "memory/attention/*")
    promise = "What each head attends to, step by step, will appear here while an agent plays."
    lacking = (
        "This agent has no attention. Choose self-attention, or a transformer as memory, to see what it attends to."
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
        layout.addWidget(self.now, 5)
        layout.addWidget(self.over, 4)
        layout.addWidget(self.curve)
        self.key_figure = ElidedLabel("", self, gives_way=False)
        themes.set_role(self.key_figure, "muted")
        self.key_figure.setToolTip(
            "Mean entropy of the attention at the shown step, and its share of the largest possible one (log n)"
        )
        self.bar = ColorBar(self)
        self.header_widgets += [self.key_figure, self.bar]
        self.dispensable = [self.key_figure, self.bar]
        self._maps: Maps | None = None
        self._shares, self._nats, self._most = Rows(), Rows(), Rows()
        self._known = 0
        self.now.clicked.connect(lambda chart, row, column: self.choose_head(chart if self._many_maps else row))
        self.over.stepped.connect(lambda t, y: self.seek_step(t))
        self.curve.stepped.connect(lambda t, y: self.seek_step(t))
        self.add_exports()
        self.restyle(themes.current())

    @property
    def _many_maps(self) -> bool:
        return len(self.now.titles) > 1

    def choose_head(self, head: int) -> None:
        """Show one head over the episode; the same one again, or a view without heads: the mean of all."""
        count = len(self._maps.heads) if self._maps else 0
        self.head = head if head != self.head and head < count else None
        self._known = 0
        self.again()

    def draw(self, playing: Playing, view: View) -> None:
        if self.fresh:
            self._maps, self._known = Maps.of(playing, view), 0
            if self.head is not None and self.head >= len(self._maps.heads):
                self.head = None
        maps = self._maps
        assert maps is not None
        again = self._known == 0
        self._extend(playing.view(view.name), maps)
        self.now.arrange(maps.titles, maps.rows, maps.columns, maps.axes)
        self.now.choose(self.head)
        self.over.arrange(maps.columns, maps.axes[1])
        span = span_of(playing.length, playing.ended)
        caption = f"entropy, {maps.heads[self.head]}" if self.head is not None else "entropy"
        nats = self._nats.values
        most = max(float(np.max(self._most.values, initial=0.0)), 0.01)
        for canvas in (self.over, self.curve):
            canvas.set_span(span)
        self._fit_rows()
        self.over.draw(self._shares.values, signed=False, limits=(0.0, 1.0), fresh=again)
        self.curve.draw(caption, [Series("", "series0", nats)], (0.0, round(most + 0.005, 2)))

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
        self.now.draw(maps.at(playing.view(view.name)[t]))
        self.over.follow(t)
        self.curve.follow(t)
        nats, most = float(self._nats.values[t]), float(self._most.values[t])
        share = f" · {nats / most:.0%} of max" if most > 0 else ""
        self.key_figure.setText(f"entropy {nats:.2f}{share}")

    def _fit_rows(self) -> None:
        """A low card leaves out the entropy's curve first, then the episode."""
        self.curve.setVisible(self.height() >= LOW)
        self.over.setVisible(self.height() >= LOWER)
        self.align([self.over, self.curve], max(self.over.gutter_wanted, self.curve.gutter_wanted))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        if self._something:
            self._fit_rows()

    def restyle(self, theme: Theme) -> None:
        self.bar.restyle(theme)
        super().restyle(theme)
