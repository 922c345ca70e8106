"""Curves over the steps of an episode: the scale of their values, its labels, and points in pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

from dqngui.gui.charts.layout.axis import pixel_middle
from dqngui.gui.charts.layout.step_axis import StepScale
from dqngui.gui.charts.layout.text import Label, Letters

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurveScale:
    """Values between two levels as pixels, over the steps of an episode."""

    steps: StepScale
    low: float
    high: float

    def y_of(self, value: float) -> float:
        """Pixels from the upper edge to a value."""
        place = self.steps.place
        return place.bottom() - (value - self.low) / max(self.high - self.low, 1e-30) * place.height()

    def ys_of(self, values: Floats) -> Floats:
        """The same for many values; values outside the levels are placed one pixel outside."""
        place = self.steps.place
        y = place.bottom() - (values - self.low) / max(self.high - self.low, 1e-30) * place.height()
        return np.clip(y, place.top() - 1, place.bottom() + 1)

    def line_at(self, level: float) -> float:
        """The y of a thin line at a level, in the middle of a pixel."""
        return pixel_middle(int(self.y_of(level)))

    def written(self, line: float) -> list[float]:
        """The labelled levels, without overlap; zero has priority over an end near it."""
        low, high, height = self.low, self.high, self.steps.place.height()
        least = line - 1
        if height < least:
            return [high]
        if not low < 0 < high or height < 2 * least:
            return [low, high]
        ends = [level for level in (low, high) if abs(self.y_of(level) - self.y_of(0.0)) >= least]
        return sorted([0.0, *ends])


def level_labels(
    levels: Sequence[tuple[float, float]], gutter: float, height: float, letters: Letters, words: Callable[[float], str]
) -> tuple[Label, ...]:
    """Labels of (level, y) at the left, in a chart `height` pixels high."""
    line = letters.line
    return tuple(
        Label(QRectF(0, min(y - line / 2, height - line), gutter - 6, line), words(level), "right")
        for level, y in levels
    )


def curve_points(values: npt.NDArray[np.float32], size: int, scale: CurveScale) -> tuple[Floats, Floats]:
    """Pixels (x, y) of values (steps,); where `size` > 1 steps share a column, the lowest and highest of each."""
    if size == 1:
        x, y = np.arange(len(values), dtype=np.float64), values.astype(np.float64)
    else:
        starts = np.arange(0, len(values), size)
        ends = (np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts))
        x, y = np.repeat(starts + size / 2, 2), np.stack(ends, axis=1).ravel().astype(np.float64)
    return scale.steps.xs_of(x), scale.ys_of(y)


def runs(known: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[first, last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
