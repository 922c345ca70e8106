"""Draws a few curves over the steps of an episode, with names and present values in a line above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.layout.axis import two_digits
from dqngui.gui.charts.layout.curves import CurveScale, curve_points, level_labels, runs
from dqngui.gui.charts.layout.text import Label, first_that_fits, side_by_side
from dqngui.gui.charts.painted_text import paint_labels
from dqngui.gui.charts.timeline import RIGHT, StepCanvas
from dqngui.gui.style import theme as themes
from dqngui.texts.numbers import minus, short

BETWEEN = 10.0  # pixels between two names


@dataclass(frozen=True, slots=True)
class Series:
    """A curve: its name, colour (a token of the theme) and values (steps,); `dashed` if it may cover another."""

    name: str
    token: str
    values: npt.NDArray[np.float32]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class TraceDrawn:
    """The frame of curves.

    Attributes:
        lines: heights of thin lines across, in pixels.
        written: the levels that are written at the left.
        labels: these, and the steps below.
    """

    lines: tuple[float, ...]
    written: tuple[float, ...]
    labels: tuple[Label, ...]


class Trace(StepCanvas):
    """Curves between two levels; the line above has their values at the cursor.

    Attributes:
        caption: stands in the line above; a function of the step, or a text.
        brief_captions: shorter ones; the first that fits stands there where the caption has no room.
        series: the curves.
        limits: the lowest and the highest value that there is room for.
        drawn: the frame as it is painted.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = self.letters.line + 5.0
        self.caption: Callable[[int], str] | str = ""
        self.brief_captions: Sequence[Callable[[int], str]] = ()
        self.series: list[Series] = []
        self.limits = (0.0, 1.0)

    def draw(self, caption: Callable[[int], str] | str, series: Sequence[Series], limits: tuple[float, float]) -> None:
        """Show curves under a caption (of a step, if it is a function), between two levels."""
        self.caption, self.series = caption, list(series)
        self.length = max((len(each.values) for each in series), default=0)
        self.limits = limits
        self.renew()

    @property
    def gutter_wanted(self) -> float:
        return max(self.letters.width(_number(level)) for level in self.limits) + 14

    @property
    def curve_scale(self) -> CurveScale:
        """Steps and values as pixels."""
        return CurveScale(self.scale, *self.limits)

    @property
    def drawn(self) -> TraceDrawn:
        return self.layout_cache.get(self.size(), self._lay_out)

    def _lay_out(self) -> TraceDrawn:
        scale, letters = self.curve_scale, self.letters
        low, high = self.limits
        written = scale.written(letters.line)
        labels = level_labels(
            [(each, scale.y_of(each)) for each in written], self.gutter, self.height(), letters, _number
        )
        lines = tuple(scale.line_at(level) for level in ([low, high] if low >= 0 else [low, 0.0, high]))
        return TraceDrawn(lines, tuple(written), (*self.axis_labels(), *labels))

    def follow(self, t: int | None) -> None:
        if t != self.t:
            super().follow(t)
            self.update(0, 0, self.width(), int(self.head))

    def draw_frame(self, painter: QPainter) -> None:
        theme, place, drawn = themes.current(), self.place, self.drawn
        painter.setPen(QPen(theme.color("line"), 1))
        for y in drawn.lines:
            painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
        paint_labels(painter, drawn.labels)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(place.adjusted(0, -1, 0, 1))
        for each in self.series:
            style = Qt.PenStyle.DashLine if each.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(theme.color(each.token), 1, style))  # a wider pen is twenty times slower
            self._curve(painter, each.values)
        painter.setClipping(False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _curve(self, painter: QPainter, values: npt.NDArray[np.float32]) -> None:
        x, y = curve_points(values, self.bins(), self.curve_scale)
        for first, last in runs(np.isfinite(y)):
            if last - first > 1:
                painter.drawPolyline(pg.functions.arrayToQPolygonF(x[first:last], y[first:last]))
            else:
                painter.drawPoint(QPointF(x[first], y[first]))

    def draw_over(self, painter: QPainter) -> None:
        super().draw_over(painter)
        at = None if self.t is None else min(self.t, self.length - 1)
        left, right = self.gutter, self.width() - RIGHT
        parts = self.legend(at, right - left)
        paint_labels(painter, side_by_side(parts, left, right, 1, self.letters, BETWEEN + 2))

    def legend(self, at: int | None, room: float) -> list[tuple[str, str]]:
        """Text and colour of each part of the line above: caption, and every curve with its value at step `at`.

        Without room for all, the caption is left out first, then values; names of curves always stay.
        """
        caption = self.caption if isinstance(self.caption, str) else self.caption(at or 0)
        head = [(caption, "muted")] if caption else []
        named = [each for each in self.series if each.name]
        names = [(each.name, each.token) for each in named]
        full = [(f"{each.name}{self._value(each, at)}", each.token) for each in named]
        choices = [[*head, *full], full, [*head, *names]]
        choices[1:1] = [[(brief(at or 0), "muted"), *full] for brief in self.brief_captions]
        return list(first_that_fits(choices, room - 2, self.letters, BETWEEN + 2) or names or head)

    @staticmethod
    def _value(series: Series, at: int | None) -> str:
        value = two_digits(series.values[at], "") if at is not None and 0 <= at < len(series.values) else ""
        return f" {value}" if value else ""

    def words_at(self, t: int, y: float) -> str:
        known = [each for each in self.series if t < len(each.values)]
        parts = [minus(f"{each.name} {each.values[t]:.2f}".strip()) for each in known]
        return " · ".join([f"t {t}", *parts])


def _number(level: float) -> str:
    return short(float(f"{level:.2g}"))
