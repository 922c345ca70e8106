"""The return curves of the runs that the open one branched from."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from PySide6.QtGui import QColor

from dqngui.gui.charts.plot import Plot
from dqngui.gui.panels.curves.overlay_curve import PLACES, OverlayCurve
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import Theme
from dqngui.lab.library.ancestors import Ancestor
from dqngui.texts.numbers import measured

DOTTED = (2, 3)  # places drawn and left out


class AncestorCurves:
    """Draws the curves of the open run's ancestors: muted, and dotted after the step of the fork."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._lines: list[OverlayCurve] = []
        self._found: Sequence[Ancestor] = ()
        self._window, self._measure = 1, ""
        self._color = QColor()
        self.restyle(themes.current())

    def draw(self, found: Sequence[Ancestor], window: int, measure: str = "") -> tuple[float, float] | None:
        """Draw the curves within the plot's span, and return the lowest and highest value drawn.

        `measure`: what is drawn, as in `History.curve`.
        """
        self._found, self._window, self._measure = found, window, measure
        while len(self._lines) < len(found):
            self._lines.append(OverlayCurve())
            self._lines[-1].setPen(self._plot.pen(self._color, 2))
            self._plot.add(self._lines[-1], 0.8)
        x = np.linspace(*self._plot.span, PLACES)
        ys = [each.history.curve(measure).means_at(x, window) for each in found]
        for line, ancestor, y in zip(self._lines, found, ys, strict=False):
            line.draw(x, y, DOTTED, since=ancestor.step)
        for line in self._lines[len(found) :]:
            line.setData(x=[], y=[])
        known = np.concatenate(ys) if ys else np.empty(0)
        known = known[np.isfinite(known)]
        return (float(known.min()), float(known.max())) if len(known) else None

    def readout(self, step: float) -> list[str]:
        """The value at a step, of the ancestor that trained this step, as rich text."""
        for ancestor in reversed(self._found):
            if step <= ancestor.step:
                [value] = ancestor.history.curve(self._measure).means_at(np.array([step]), self._window)
                color = themes.current().color("series0").name()
                known = bool(np.isfinite(value))
                return (
                    [f'<span style="color: {color}">{escape(ancestor.name)}</span> {measured(value)}'] if known else []
                )
        return []

    def restyle(self, theme: Theme) -> None:
        self._color = theme.mixed("series0", 0.5)
        for line in self._lines:
            line.setPen(self._plot.pen(self._color, 2))
