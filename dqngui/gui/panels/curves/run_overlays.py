"""What lies over the open run's return curve: other runs, means of seeds, and the run it branched from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor

from dqngui.gui.charts.plot import Band, Plot
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.lab.library.library import Library, RunOverlay
from dqngui.lab.library.seed_means import mean_and_interval
from dqngui.lab.session.curve import Floats
from dqngui.lab.session.history import History
from dqngui.messages import Forked

PLACES = 500  # at which a line may bend
SERIES = (2, 3, 1)  # the first is the run's own, and the second its evaluations'
DASHES: tuple[tuple[int, int], ...] = ((1, 0), (9, 5), (2, 4))  # places drawn and left out
DOTTED = (2, 3)
DEEPEST = 8  # ancestors that are drawn
Dash = tuple[int, int]


def token(slot: int) -> str:
    """The colour of an overlay: a series other than the open run's."""
    return f"series{SERIES[slot % len(SERIES)]}"


def dash(slot: int) -> Dash:
    """How an overlay is dashed, once the colours are used up."""
    return DASHES[slot // len(SERIES) % len(DASHES)]


class OverlayCurve(pg.PlotCurveItem):
    """A line that may have gaps and dashes. Dashes are left-out segments: Qt's own are many times slower."""

    def __init__(self) -> None:
        super().__init__(antialias=True)
        self.setSegmentedLineMode("on")

    def draw(self, x: Floats, y: Floats, dashes: Dash = (1, 0), since: float = -np.inf) -> None:
        """Points (P,) evenly spread over x; NaN is a gap, and from `since` on the line is dashed."""
        known = np.isfinite(y)
        drawn, left_out = dashes
        joined = known & np.append(known[1:], False)
        joined &= (np.arange(len(x)) % (drawn + left_out) < drawn) | (x < since)
        self.setData(x=x[known], y=y[known], connect=joined[known])


class RunOverlays:
    """The overlays of a library in a plot.

    Attributes:
        hidden: overlays that are not drawn now.
    """

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._drawn: dict[RunOverlay, _Drawn] = {}
        self.hidden: set[RunOverlay] = set()
        self._opened: Path | None = None

    def any(self, library: Library) -> bool:
        """Some run that is compared has data."""
        return any(
            curve is not None and not curve.empty
            for overlay in library.overlays
            for folder in overlay.folders
            if (curve := library.curve(folder)) is not None
        )

    def update(self, library: Library, opened: Path | None) -> None:
        """Take what the library has now."""
        self._opened = opened
        for overlay in [each for each in self._drawn if each not in library.overlays]:
            self.hidden.discard(overlay)
            self._drawn.pop(overlay).remove(self._plot)
        for overlay in library.overlays:
            if overlay not in self._drawn:
                self._drawn[overlay] = _Drawn(self._plot, overlay)
            curves = [curve for folder in overlay.folders if (curve := library.curve(folder)) and not curve.empty]
            self._drawn[overlay].curves = curves
            self._drawn[overlay].shown = overlay not in self.hidden and self.offers(overlay)

    def draw(self, window: int) -> tuple[float, float] | None:
        """Draw them within the plot's span, and return the lowest and highest value drawn."""
        ranges = []
        for drawn in self._drawn.values():
            drawn.draw(self._plot.span, window)
            ranges += drawn.range()
        return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None

    @property
    def last_step(self) -> int:
        """Environment steps of the longest run that is drawn."""
        return max((each.last_step for each in self._drawn.values() if each.shown), default=0)

    def offers(self, overlay: RunOverlay) -> bool:
        """It can be drawn: a run that is open is left out, since it has its own curve."""
        return overlay.seeds or self._opened not in overlay.folders

    def count(self, overlay: RunOverlay) -> int:
        """How many of its runs have data."""
        return len(self._drawn[overlay].curves) if overlay in self._drawn else 0

    def readout(self, step: float) -> list[str]:
        """A line for each overlay that is drawn at a step, as rich text."""
        return [line for drawn in self._drawn.values() if (line := drawn.readout(step))]

    def rows(self) -> Iterator[tuple[int, float, str]]:
        """(step, mean return, name) of every point that is drawn."""
        for overlay, drawn in self._drawn.items():
            known = np.isfinite(drawn.y)
            for step, value in zip(drawn.x[known], drawn.y[known], strict=True):
                yield round(step), float(value), overlay.name

    def restyle(self, theme: Theme) -> None:
        for drawn in self._drawn.values():
            drawn.restyle(theme)


class _Drawn:
    """One overlay's line, and the interval around a mean."""

    def __init__(self, plot: Plot, overlay: RunOverlay) -> None:
        self._plot, self._overlay = plot, overlay
        self._line, self._band = OverlayCurve(), Band() if overlay.seeds else None
        self._key: tuple[object, ...] = ()
        self.curves: list[History] = []
        self.shown = True
        self.x = self.y = self._low = self._high = np.empty(0)
        if self._band is not None:
            plot.add(self._band, 0.5)
        plot.add(self._line, 2.5)
        self.restyle(themes.current())

    @property
    def last_step(self) -> int:
        return max((curve.last_step for curve in self.curves), default=0)

    def draw(self, span: tuple[float, float], window: int) -> None:
        curves = self.curves if self.shown else []
        key = (span, window, *((id(curve), curve.version) for curve in curves))
        if key == self._key:
            return
        self._key = key
        self.x = np.linspace(*span, PLACES)
        rows = np.array([curve.returns.means_at(self.x, window) for curve in curves]).reshape(-1, PLACES)
        if self._band is not None:
            self.y, self._low, self._high = mean_and_interval(rows)
            self._band.setData(self.x, self._low, self._high)
        else:
            self.y = rows[0] if len(rows) else np.full(PLACES, np.nan)
            self._low = self._high = self.y
        self._line.draw(self.x, self.y, dash(self._overlay.slot))

    def range(self) -> list[tuple[float, float]]:
        """Lowest and highest value of the line, the interval left out: of two runs it may be huge."""
        known = self.y[np.isfinite(self.y)]
        return [(float(known.min()), float(known.max()))] if len(known) else []

    def readout(self, step: float) -> str:
        if not len(self.x) or not np.isfinite(value := np.interp(step, self.x, self.y)):
            return ""
        text = f"{value:,.4g}"
        if self._band is not None:
            text += f" ± {np.interp(step, self.x, self._high - self._low) / 2:,.3g} (n = {len(self.curves)})"
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


# -- branches -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A run that the open one, or an ancestor of it, branched from at `step`."""

    name: str
    history: History
    step: int
    folder: Path


def ancestors(history: History, folder: Path | None, library: Library) -> list[Ancestor]:
    """The runs that a fork came from, the nearest first, as far as their folders are beside its own and were read."""
    found: list[Ancestor] = []
    fork: Forked | None = history.forks[0] if history.forks else None
    seen = {folder}
    while fork is not None and folder is not None and len(found) < DEEPEST:
        if fork.parent in ("", "..") or Path(fork.parent).name != fork.parent:
            break  # a log that someone else wrote names a file elsewhere
        folder = folder.absolute().parent / fork.parent
        if folder in seen:
            break
        seen.add(folder)
        parent = library.curve(folder)
        if parent is None or parent.empty:
            break
        found.append(Ancestor(library.name_of(folder), parent, fork.step, folder))
        fork = parent.forks[0] if parent.forks else None
    return found


class Branch:
    """The curves of the open run's ancestors: muted, and dotted beyond the step at which it left them."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._lines: list[OverlayCurve] = []
        self._found: Sequence[Ancestor] = ()
        self._window = 1
        self._color = QColor()
        self.restyle(themes.current())

    def draw(self, found: Sequence[Ancestor], window: int) -> tuple[float, float] | None:
        """Draw them within the plot's span, and return the lowest and highest value drawn."""
        self._found, self._window = found, window
        while len(self._lines) < len(found):
            self._lines.append(OverlayCurve())
            self._lines[-1].setPen(self._plot.pen(self._color, 2))
            self._plot.add(self._lines[-1], 0.8)
        x = np.linspace(*self._plot.span, PLACES)
        ys = [each.history.returns.means_at(x, window) for each in found]
        for line, ancestor, y in zip(self._lines, found, ys, strict=False):
            line.draw(x, y, DOTTED, since=ancestor.step)
        for line in self._lines[len(found) :]:
            line.setData(x=[], y=[])
        known = np.concatenate(ys) if ys else np.empty(0)
        known = known[np.isfinite(known)]
        return (float(known.min()), float(known.max())) if len(known) else None

    def readout(self, step: float) -> list[str]:
        """What the ancestor from which the open run has this step had there, as rich text."""
        for ancestor in reversed(self._found):
            if step <= ancestor.step:
                [value] = ancestor.history.returns.means_at(np.array([step]), self._window)
                color = themes.current().color("series0").name()
                known = bool(np.isfinite(value))
                return [f'<span style="color: {color}">{escape(ancestor.name)}</span> {value:,.4g}'] if known else []
        return []

    def restyle(self, theme: Theme) -> None:
        self._color = theme.mixed("series0", 0.5)
        for line in self._lines:
            line.setPen(self._plot.pen(self._color, 2))
