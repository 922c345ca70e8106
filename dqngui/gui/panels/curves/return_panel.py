"""The Return panel: episodes, their running mean, evaluations, changed settings and breakpoints over steps."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dqngui.gui.cards.card import LegendChip
from dqngui.gui.cards.demo_offer import offer_demo
from dqngui.gui.cards.figure import Figure, header_figure
from dqngui.gui.cards.panel import Panel, Sources
from dqngui.gui.charts.event_strip import EventStrip
from dqngui.gui.charts.plot import Band, Plot
from dqngui.gui.charts.scatter import Scatter
from dqngui.gui.panels.curves.ancestor_curves import AncestorCurves
from dqngui.gui.panels.curves.legend import OverlayLegend
from dqngui.gui.panels.curves.measure_choice import MeasureChoice
from dqngui.gui.panels.curves.no_returns import why_no_returns
from dqngui.gui.panels.curves.return_drawn import ReturnDrawn, evaluation_mean, return_drawn
from dqngui.gui.panels.curves.return_table import return_table
from dqngui.gui.panels.curves.run_overlays import RunOverlays
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX, Theme
from dqngui.gui.widgets.choice_button import ChoiceButton
from dqngui.gui.widgets.plain_label import plain_label, plain_tip
from dqngui.gui.widgets.two_lengths import TwoLengths
from dqngui.lab.analysis.table import Table
from dqngui.lab.cursor.cursor import Cursor
from dqngui.lab.library.ancestors import ancestors
from dqngui.lab.library.run_overlay import RunOverlay
from dqngui.lab.session.curve import Curve
from dqngui.lab.session.event_words import mark_text
from dqngui.lab.session.history import History
from dqngui.messages import BreakpointHit, EpisodeEnded, Evaluated, Event, Forked, KnobChanged
from dqngui.texts import words
from dqngui.texts.numbers import measured

WINDOWS = (1, 10, 30, 100, 300, 1000)
REACH = 40  # largest horizontal distance of a click from a dot, in pixels


class ReturnPanel(Panel):
    """The return of each training episode (dots), the mean of the last ones with a band of one standard deviation
    (line), greedy evaluations (diamonds, that of the kept checkpoint ringed), compared runs (lines above) and ancestors
    of the run (lines below).

    Attributes:
        drawn: the model of the open run's curves; None before the first drawing.
        measures: the choice of what is drawn of each episode: its return, or a measure that the task names.
    """

    title = "Return"
    wants = (EpisodeEnded, Evaluated, KnobChanged, Forked, BreakpointHit)
    shows_pinned = steps_by_keys = True
    promise = "The return of each episode appears here after training has started."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.window_size = 30
        self.drawn: ReturnDrawn | None = None
        self.plot = Plot(self.content)
        self.plot.setAccessibleName("Return over the steps of the run")
        self._strip = EventStrip(self.plot, self.content)
        unit = plain_label("environment steps", self.content)
        unit.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        themes.set_role(unit, "muted")
        self._chart = QWidget(self.content)
        chart = QVBoxLayout(self._chart)
        layout = QVBoxLayout(self.content)
        layout.setContentsMargins(4, 0, 4, 6)
        for each in (chart, layout):
            each.setSpacing(0)
        chart.setContentsMargins(0, 0, 0, 0)
        self._legend = OverlayLegend(self.content)
        self._legend.toggled.connect(self._toggle_overlay)
        self._legend.hide()
        chart.addWidget(self._strip)
        chart.addWidget(self.plot, 1)
        chart.addWidget(unit)
        layout.addWidget(self._legend)
        layout.addWidget(self._chart, 1)

        self._band, self._line = Band(), pg.PlotCurveItem(antialias=True)
        self._line.setSegmentedLineMode("on")  # halves the cost of antialiasing
        self._dots = Scatter(4)
        self._evaluations = pg.ScatterPlotItem(size=11, symbol="d", pxMode=True)
        self._ring = pg.ScatterPlotItem(size=11, pxMode=True, brush=None)  # the pinned episode's dot
        for level, item in enumerate((self._band, self._dots, self._line, self._evaluations, self._ring)):
            self.plot.add(item, level + 1)
        for item in (self._evaluations, self._ring):
            item.setEnabled(False)  # otherwise it would receive the clicks of the plot
        self._overlays, self._ancestors = RunOverlays(self.plot), AncestorCurves(self.plot)

        self._chips = {
            "episodes": LegendChip("episodes", "series0", "dot", self),
            "mean": LegendChip("mean ± sd", "series0", "line", self),
            "evaluations": LegendChip("evaluation", "series1", "diamond", self),
        }
        self._smoothing = ChoiceButton("Episodes in the mean and its band", self)
        names = {str(size): _window_name(size) for size in WINDOWS}
        self._smoothing.offer(names, str(self.window_size), lambda size: self.smooth(int(size)))
        self.measures = MeasureChoice(self.again_if_visible, self)
        self._best = TwoLengths(self)
        themes.set_role(self._best, "muted")
        self.header_widgets = [self.measures, *self._chips.values(), self._smoothing, self._best]
        for chip in self._chips.values():
            chip.toggled.connect(self.again_if_visible)
        self.add_menu_action("Show all", "arrow-expand-horizontal", self.plot.fit).setToolTip(
            "Double click in the plot"
        )
        self.add_exports()
        self.plot.moved.connect(self.again_if_visible)
        self.plot.hovered_at.connect(self._hover)
        self.plot.clicked_at.connect(self._click)
        self.restyle(themes.current())

    def attach(self, sources: Sources) -> None:
        super().attach(sources)
        sources.library.overlays_changed.connect(self.again_if_visible)
        sources.session.changed.connect(self._on_session)
        offer_demo(self, sources)

    @property
    def _curve(self) -> Curve:
        """What is drawn of each training episode: its return or a measure, by the number of the episode."""
        return self.history.curve(self.measures.measure)

    @property
    def overlays(self) -> RunOverlays:
        """The curves of other runs over the open run's."""
        return self._overlays

    @property
    def legend(self) -> OverlayLegend:
        """The names of the other runs, above the plot."""
        return self._legend

    # -- drawing -----------------------------------------------------------------------------------

    def has_content(self) -> bool:
        own = len(self.history.returns) > 0 or bool(self.history.evaluations)
        return own or (self.sources is not None and self._overlays.any(self.sources.library))

    def why_empty(self) -> str:
        reason = None if self.sources is None else why_no_returns(self.sources.session)
        return self.promise if reason is None else words(reason)

    def take(self, events: Sequence[Event]) -> None:
        super().take(events)
        self._on_session()

    @Slot()
    def _on_session(self) -> None:
        """Say again why there is nothing to draw, if that has changed."""
        if self.empty_text and self.empty_text != self.why_empty():
            self.again_if_visible()

    def show(self, history: History | None = None, cursor: Cursor | None = None) -> None:
        if history is not None and history is not self.history:
            self.plot.fitted = True
            self._hover(None)
        super().show(history, cursor)

    def clear(self, reason: str = "") -> None:
        self.plot.fitted = True
        super().clear(reason)

    def smooth(self, episodes: int) -> None:
        """Set the number of episodes of the mean."""
        self.window_size = episodes
        self._smoothing.set_chosen(str(episodes))
        self.again_if_visible()

    def redraw(self) -> None:
        history, plot = self.history, self.plot
        self._offer_measures()
        compared = self._draw_overlays()
        shown = {name: chip.isChecked() for name, chip in self._chips.items()}
        measure = self.measures.measure
        self.drawn = drawn = return_drawn(history, plot.span, plot.pixels, self.window_size, measure=measure, **shown)
        self._dots.setData(*drawn.dots)
        x, mean = drawn.line
        self._line.setData(x=x, y=mean, connect="all" if np.isfinite(mean).all() else "finite")
        self._band.setData(*drawn.band)
        self._draw_evaluations(drawn)
        plot.hold([*drawn.ranges, *compared])
        plot.set_marks([mark.step for mark in history.marks])
        self._strip.set_marks(history.marks)
        plot.set_cursor(self.cursor_at.step if self.cursor_at else None)
        self._draw_ring()
        self._best.show_texts(drawn.best_in_words, drawn.best_in_brief)
        self._best.setToolTip(plain_tip(drawn.best_in_full))
        self._best.setVisible(bool(drawn.best_in_words))

    def _offer_measures(self) -> None:
        """Offer the measures of the open run and of those drawn over it."""
        others = [curve for each in self._overlays.drawn.values() for curve in each.curves]
        self.measures.offer_of([self.history, *others])
        self.plot.setAccessibleName(f"{self.measures.named.capitalize()} over the steps of the run")

    def _draw_overlays(self) -> list[tuple[float, float] | None]:
        """Draw the other runs and make room for them along the steps; returns the ranges of y that they need."""
        if self.sources is None:
            self.plot.reach(self.history.last_step)
            return []
        library, folder = self.sources.library, self.sources.session.run.folder
        opened = folder.absolute() if folder is not None else None
        self._overlays.update(library, opened, self._own_task())
        self.plot.reach(max(self.history.last_step, self._overlays.last_step))
        self._legend.show_overlays(library, self._overlays, self.height())
        return [
            self._overlays.draw(self.window_size, self.measures.measure),
            self._ancestors.draw(ancestors(self.history, opened, library), self.window_size, self.measures.measure),
        ]

    def _own_task(self) -> str:
        """The task of the open run; empty without data of a run."""
        own = len(self.history.returns) > 0 or bool(self.history.evaluations)
        return self.sources.session.run.experiment.env.id if own and self.sources is not None else ""

    def _own_name(self) -> str:
        """The name of the open run, as in the list of runs; its title if it is not stored."""
        if self.sources is None:
            return ""
        run, library = self.sources.session.run, self.sources.library
        return run.experiment.title if run.folder is None else library.name_of(run.folder.absolute())

    def _toggle_overlay(self, overlay: RunOverlay, shown: bool) -> None:
        (self._overlays.hidden.discard if shown else self._overlays.hidden.add)(overlay)
        self.again_if_visible()

    def _draw_evaluations(self, drawn: ReturnDrawn) -> None:
        theme, best = themes.current(), drawn.best
        plain, ringed = pg.mkPen(theme.color("surface")), pg.mkPen(theme.color("text"), width=1.5)
        self._evaluations.setData(
            x=[each.step for each in drawn.evaluations],
            y=drawn.values,
            size=[15 if each is best else 12 for each in drawn.evaluations],
            pen=[ringed if each is best else plain for each in drawn.evaluations],
            brush=pg.mkBrush(theme.color("series1")),
        )

    def seek(self, cursor: Cursor | None) -> None:
        super().seek(cursor)
        self.plot.set_cursor(cursor.step if cursor else None)
        self._draw_ring()

    def _draw_ring(self) -> None:
        """Draw a ring around the pinned episode's dot, if the episode is one of this run."""
        at, curve = self.cursor_at, self._curve
        x, y = curve.x.values[:0], curve.y.values[:0]
        if at is not None and at.episode is not None and self._chips["episodes"].isChecked():
            x, y = (column.values[at.episode : at.episode + 1] for column in (curve.x, curve.y))
            if len(x) and x[0] != at.step:  # the episode belongs to an ancestor
                x, y = x[:0], y[:0]
        self._ring.setData(x=x, y=y)

    def restyle(self, theme: Theme) -> None:
        self.plot.restyle(theme)
        self._strip.setFont(themes.font(themes.zoomed(TICK_PX)))
        self._line.setPen(self.plot.pen(theme.color("series0"), 2))
        self._band.set_color(theme.color("series0", 46))
        self._dots.set_color(theme.color("series0", 120))
        self._ring.setPen(self.plot.pen(theme.color("accent"), 2))
        for chip in self._chips.values():
            chip.restyle(theme)
        self._legend.restyle(theme)
        self._overlays.restyle(theme)
        self._ancestors.restyle(theme)
        super().restyle(theme)

    # -- clicks ------------------------------------------------------------------------------------

    def _click(self, step: float, value: float) -> None:
        """Pin or unpin the episode with the nearest dot; without a near dot, pin by the step."""
        number = self._dot_near(step, value)
        if number is None:
            self.pick(step, self.plot.steps_in(5))
            return
        asked = Cursor(int(self.history.returns.x.values[number]), number)
        at = self.cursor_at
        pinned = at is not None and (at.step, at.episode) == (asked.step, asked.episode)
        self.ask_cursor(None if pinned else asked)

    def _dot_near(self, step: float, value: float) -> int | None:
        """The episode with the nearest dot on the screen; None if no dot is within `REACH`."""
        steps, returns = self._curve.x.values, self._curve.y.values
        reach = self.plot.steps_in(REACH)
        first, stop = np.searchsorted(steps, [step - reach, step + reach])
        if first == stop:
            return None
        across = (steps[first:stop] - step) / self.plot.steps_in(1)
        up = np.nan_to_num(returns[first:stop] - value) / self.plot.values_in(1)
        return int(first + np.argmin(across**2 + (up**2 if self._chips["episodes"].isChecked() else 0.0)))

    # -- readout -----------------------------------------------------------------------------------

    def _hover(self, at: tuple[float, float] | None) -> None:
        self.plot.set_hover(None if at is None else at[0])
        self.plot.show_text("" if at is None else self.readout(*at), 0.0 if at is None else at[0])

    def readout(self, step: float, value: float | None = None) -> str:
        """The readout of the curves at a step, as rich text; empty without data.

        If several episodes ended at this step, `value` selects the one that a click there would pin.
        """
        curve = self._curve
        index = None if value is None else self._dot_near(step, value)
        if index is None:
            index = curve.near(step)
        others = [*self._ancestors.readout(step), *self._overlays.readout(step)]
        reach = self.plot.steps_in(8)
        elsewhere = index is None or abs(curve.x.values[index] - step) > max(reach, 0.05 * self.history.last_step)
        if index is None or (others and elsewhere):
            return "<br>".join([f"<b>{round(step):,}</b>", *others]) if others else ""
        at = curve.x.values[index]
        lines = [
            f"<b>{round(at):,}</b> · episode {index + 1:,}",
            f"{self.measures.named} {measured(curve.y.values[index])}",
        ]
        if self.cursor_control is not None:
            lines += self.cursor_control.readout(index)
        mean, sd = curve.moments_at(index, self.window_size)
        if self.window_size > 1 and np.isfinite(sd):
            lines.append(f"mean {measured(mean)} ± {measured(sd, 3)}")
        lines += [
            f"evaluation {measured(mean)} at {each.step:,}" + (" (kept)" if each is self.history.best else "")
            for each in self.history.evaluations
            if abs(each.step - step) <= reach and (mean := evaluation_mean(each, self.measures.measure)) == mean
        ][-2:]
        lines += [escape(words(mark_text(mark))) for mark in self.history.marks if abs(mark.step - step) <= reach][-3:]
        return "<br>".join(lines + others)

    # -- export ------------------------------------------------------------------------------------

    def drawing(self) -> QWidget:
        return self._chart

    def figure(self) -> Figure:
        own = header_figure(self.title, self.header_widgets)
        has_own = len(self.history.returns) > 0 or bool(self.history.evaluations)
        notes = [_window_sentence(self.window_size)]
        if any(overlay.seeds for overlay in self._overlays.drawn):
            notes.append("band of a mean over seeds: its 95 % interval")
        return Figure(
            self.title,
            subtitle=self._own_name() if has_own else "",
            legend=[*(own.legend if has_own else ()), *self._legend.entries()],
            notes=[*notes, *([self.drawn.best_in_words] if self.drawn is not None and self.drawn.best else [])],
            value_label=f"{self.measures.named} of an episode",
        )

    def exported_table(self) -> Table:
        return return_table(
            self.history, self.drawn, self._own_name(), _window_sentence(self.window_size), self._overlays.rows()
        )


def _window_name(size: int) -> str:
    return "no smoothing" if size == 1 else f"mean of {size:,}"


def _window_sentence(size: int) -> str:
    return "no smoothing" if size == 1 else f"lines: mean of the last {size:,} episodes"
