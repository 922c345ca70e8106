"""A curve with gaps and fast dashes, for overlays on the return curve."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from dqngui.gui.charts.overlay_style import Dash
from dqngui.lab.session.curve import Floats

PLACES = 500  # points of a curve


class OverlayCurve(pg.PlotCurveItem):
    """A curve that may have gaps and dashes. Dashes are made of omitted segments, since Qt's are many times slower."""

    def __init__(self) -> None:
        super().__init__(antialias=True)
        self.setSegmentedLineMode("on")

    def draw(self, x: Floats, y: Floats, dashes: Dash = (1, 0), since: float = -np.inf) -> None:
        """Points (P,) evenly spread over x; NaN is a gap; from x = `since` on the line is dashed."""
        known = np.isfinite(y)
        drawn, left_out = dashes
        joined = known & np.append(known[1:], False)
        joined &= (np.arange(len(x)) % (drawn + left_out) < drawn) | (x < since)
        self.setData(x=x[known], y=y[known], connect=joined[known])
