"""Draws the curves of other runs, and means over seeds, on the open run's return plot."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

import numpy as np

from dqngui.gui.charts.overlay_style import dash, token
from dqngui.gui.charts.plot import Band, Plot
from dqngui.gui.panels.curves.overlay_curve import PLACES, OverlayCurve
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.lab.library.library import Library
from dqngui.lab.library.run_overlay import RunOverlay
from dqngui.lab.library.seed_means import mean_and_interval
from dqngui.lab.session.history import History
from dqngui.texts.numbers import measured


class RunOverlays:
    """Draws the overlays of a library in a plot.

    Attributes:
        hidden: overlays that the user hid.
        drawn: the drawing of each overlay.
        task: the task whose returns determine the ranges of the axes; empty if it is not known.
    """

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.drawn: dict[RunOverlay, OverlayDrawing] = {}
        self.hidden: set[RunOverlay] = set()
        self.task = ""
        self._tasks: dict[RunOverlay, str] = {}
        self._opened: Path | None = None

    def any(self, library: Library) -> bool:
        """Whether any overlaid run has data."""
        return any(
            curve is not None and not curve.empty
            for overlay in library.overlays
            for folder in overlay.folders
            if (curve := library.curve(folder)) is not None
        )

    def update(self, library: Library, opened: Path | None, task: str = "") -> None:
        """Update the overlays from the library.

        Args:
            task: the task of the open run; empty: that of the first overlay.
        """
        self._opened = opened
        self._tasks = {overlay: library.task_of(overlay.folders[0]) for overlay in library.overlays}
        self.task = task or next((self._tasks[each] for each in library.overlays if self.offers(each)), "")
        for overlay in [each for each in self.drawn if each not in library.overlays]:
            self.hidden.discard(overlay)
            self.drawn.pop(overlay).remove(self._plot)
        for overlay in library.overlays:
            if overlay not in self.drawn:
                self.drawn[overlay] = OverlayDrawing(self._plot, overlay)
            curves = [curve for folder in overlay.folders if (curve := library.curve(folder)) and not curve.empty]
            self.drawn[overlay].curves = curves
            self.drawn[overlay].shown = overlay not in self.hidden and self.offers(overlay)

    def draw(self, window: int, measure: str = "") -> tuple[float, float] | None:
        """Draw the overlays within the plot's span, and return the lowest and highest value of this task's.

        `measure`: what is drawn, as in `History.curve`.
        """
        ranges = []
        for overlay, drawn in self.drawn.items():
            drawn.draw(self._plot.span, window, measure)
            ranges += drawn.range() if self.comparable(overlay) else []
        return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None

    @property
    def last_step(self) -> int:
        """Environment steps of the longest drawn run of this task."""
        shown = [each for overlay, each in self.drawn.items() if each.shown and self.comparable(overlay)]
        return max((each.last_step for each in shown), default=0)

    def comparable(self, overlay: RunOverlay) -> bool:
        """Whether the overlay is of the task of the axes. Another task's returns would squash the open run's curves."""
        return not self.task or self._tasks.get(overlay, "") in ("", self.task)

    def offers(self, overlay: RunOverlay) -> bool:
        """Whether the overlay is drawn; False for the open run alone, which has its own curve."""
        return overlay.seeds or self._opened not in overlay.folders

    def count(self, overlay: RunOverlay) -> int:
        """The number of its runs with data."""
        return len(self.drawn[overlay].curves) if overlay in self.drawn else 0

    def readout(self, step: float) -> list[str]:
        """A line for each overlay that is drawn at a step, as rich text."""
        return [line for drawn in self.drawn.values() if (line := drawn.readout(step))]

    def rows(self) -> Iterator[tuple[int, str, float, float | None, float | None, int]]:
        """(step, name, mean return, ends of the interval or None, number of runs) of every point that is drawn."""
        for overlay, drawn in self.drawn.items():
            for index in np.flatnonzero(np.isfinite(drawn.y)):
                low, high = drawn.low[index], drawn.high[index]
                ends = (float(low), float(high)) if overlay.seeds and np.isfinite(low) else (None, None)
                step, count = round(drawn.x[index]), int(drawn.counts[index])
                yield step, overlay.name, float(drawn.y[index]), *ends, count

    def restyle(self, theme: Theme) -> None:
        for drawn in self.drawn.values():
            drawn.restyle(theme)


class OverlayDrawing:
    """One overlay's line, and the interval around a mean.

    Attributes:
        x, y, low, high: (P,) steps, line, and lower and upper end of its interval; NaN is a gap.
        counts: (P,) number of runs that have data there.
    """

    def __init__(self, plot: Plot, overlay: RunOverlay) -> None:
        self._plot, self._overlay = plot, overlay
        self._line, self._band = OverlayCurve(), Band() if overlay.seeds else None
        self._key: tuple[object, ...] = ()
        self.curves: list[History] = []
        self.shown = True
        self.x = self.y = self.low = self.high = np.empty(0)
        self.counts = np.empty(0, dtype=np.int64)
        if self._band is not None:
            plot.add(self._band, 0.5)
        plot.add(self._line, 2.5)
        self.restyle(themes.current())

    @property
    def last_step(self) -> int:
        return max((curve.last_step for curve in self.curves), default=0)

    def draw(self, span: tuple[float, float], window: int, measure: str = "") -> None:
        curves = self.curves if self.shown else []
        key = (span, window, measure, *((id(curve), curve.version) for curve in curves))
        if key == self._key:
            return
        self._key = key
        self.x = np.linspace(*span, PLACES)
        rows = np.array([curve.curve(measure).means_at(self.x, window) for curve in curves]).reshape(-1, PLACES)
        self.counts = np.isfinite(rows).sum(axis=0)
        if self._band is not None:
            self.y, low, high = mean_and_interval(rows)
            # A mean of returns lies within their range; an interval of few runs may leave it far.
            ends = [ends for curve in curves if (ends := curve.curve(measure).range()) is not None]
            within = (min(end for end, _ in ends), max(end for _, end in ends)) if ends else (-np.inf, np.inf)
            self.low, self.high = np.clip(low, *within), np.clip(high, *within)
            self._band.setData(self.x, self.low, self.high)
        else:
            self.y = rows[0] if len(rows) else np.full(PLACES, np.nan)
            self.low = self.high = self.y
        self._line.draw(self.x, self.y, dash(self._overlay.slot))

    def range(self) -> list[tuple[float, float]]:
        """Lowest and highest value of the line and its interval."""
        known = np.concatenate([self.y, self.low, self.high])
        known = known[np.isfinite(known)]
        return [(float(known.min()), float(known.max()))] if len(known) else []

    def readout(self, step: float) -> str:
        if not len(self.x) or not np.isfinite(value := np.interp(step, self.x, self.y)):
            return ""
        text = measured(value)
        if self._band is not None:
            text += f" ± {measured(np.interp(step, self.x, self.high - self.low) / 2, 3)} (n = {len(self.curves)})"
        color = themes.current().color(token(self._overlay.slot)).name()
        return f'<span style="color: {color}">{escape(self._overlay.name)}</span> {text}'

    def restyle(self, theme: Theme) -> None:
        color = theme.color(token(self._overlay.slot))
        self._line.setPen(self._plot.pen(color, 2))
        if self._band is not None:
            color.setAlpha(46)
            self._band.set_color(color)

    def remove(self, plot: Plot) -> None:
        for item in (self._line, self._band):
            if item is not None:
                plot.box.removeItem(item)
