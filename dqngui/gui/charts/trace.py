"""A few curves over the steps of an episode, their names and present values in a line above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.plot import short
from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.style import theme as themes

BETWEEN = 10.0  # pixels between two names


@dataclass(frozen=True, slots=True)
class Series:
    """A curve: its name, colour (a token of the theme) and values (steps,); dashed, where another lies below it."""

    name: str
    token: str
    values: npt.NDArray[np.float32]
    dashed: bool = False


class Trace(StepCanvas):
    """Curves between two levels; the line above tells their values at the cursor."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = self.line + 5.0
        self.caption: Callable[[int], str] | str = ""
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
        return max(self.metrics.horizontalAdvance(_number(level)) for level in self.limits) + 14

    def follow(self, t: int | None) -> None:
        if t != self.t:
            super().follow(t)
            self.update(0, 0, self.width(), int(self.head))

    def draw_frame(self, painter: QPainter) -> None:
        super().draw_frame(painter)
        theme, place = themes.current(), self.place
        painter.setPen(QPen(theme.color("line"), 1))
        low, high = self.limits
        levels = [low, high] if low >= 0 else [low, 0.0, high]
        for level in levels:
            y = int(self._y_of(level)) + 0.5
            painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
        right = Qt.AlignmentFlag.AlignRight
        for level in self.labelled():
            y = min(self._y_of(level) - self.line / 2, self.height() - self.line)
            self.words(painter, QRectF(0, y, self.gutter - 6, self.line), _number(level), right, theme.color("muted"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(place.adjusted(0, -1, 0, 1))
        for each in self.series:
            style = Qt.PenStyle.DashLine if each.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(theme.color(each.token), 1, style))  # a wider one takes twenty times as long
            self._curve(painter, each.values)
        painter.setClipping(False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def labelled(self) -> list[float]:
        """The levels that are written out: none over another; zero, where it is one, before a limit beside it."""
        low, high = self.limits
        least = self.line - 1
        if self.place.height() < least:
            return [high]
        if not low < 0 < high or self.place.height() < 2 * least:
            return [low, high]
        ends = [level for level in (low, high) if abs(self._y_of(level) - self._y_of(0.0)) >= least]
        return sorted([0.0, *ends])

    def _y_of(self, value: float) -> float:
        low, high = self.limits
        return self.place.bottom() - (value - low) / max(high - low, 1e-30) * self.place.height()

    def _curve(self, painter: QPainter, values: npt.NDArray[np.float32]) -> None:
        size = self.bins()
        if size == 1:
            x, y = np.arange(len(values), dtype=np.float64), values.astype(np.float64)
        else:  # lowest and highest of each column of pixels
            starts = np.arange(0, len(values), size)
            ends = (np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts))
            x, y = np.repeat(starts + size / 2, 2), np.stack(ends, axis=1).ravel().astype(np.float64)
        place, (low, high) = self.place, self.limits
        x = place.left() + (x + 0.5) / self.span * place.width()
        y = place.bottom() - (y - low) / max(high - low, 1e-30) * place.height()
        y = np.clip(y, place.top() - 1, place.bottom() + 1)
        for first, last in _runs(np.isfinite(y)):
            if last - first > 1:
                painter.drawPolyline(pg.functions.arrayToQPolygonF(x[first:last], y[first:last]))
            else:
                painter.drawPoint(QPointF(x[first], y[first]))

    def draw_over(self, painter: QPainter) -> None:
        super().draw_over(painter)
        theme = themes.current()
        x, right = self.gutter, self.width() - 10.0
        left = Qt.AlignmentFlag.AlignLeft
        at = None if self.t is None else min(self.t, self.length - 1)
        for text, token in self.legend(at, right - x):
            width = self.metrics.horizontalAdvance(text) + 2
            shown = self.metrics.elidedText(text, Qt.TextElideMode.ElideRight, right - x)
            self.words(painter, QRectF(x, 1, right - x, self.line), shown, left, theme.color(token))
            x += width + BETWEEN

    def legend(self, at: int | None, room: float) -> list[tuple[str, str]]:
        """Text and colour of each part of the line above: caption, and every curve with its value at step `at`.

        Without room for all, the caption is left out, then values; no curve ever is.
        """
        caption = self.caption if isinstance(self.caption, str) else self.caption(at or 0)
        head = [(caption, "muted")] if caption else []
        named = [each for each in self.series if each.name]
        names = [(each.name, each.token) for each in named]
        full = [(f"{each.name}{self._value(each, at)}", each.token) for each in named]
        for parts in ([*head, *full], full, [*head, *names]):
            if sum(self.metrics.horizontalAdvance(text) + 2 + BETWEEN for text, _ in parts) - BETWEEN <= room:
                return parts
        return names or head

    @staticmethod
    def _value(series: Series, at: int | None) -> str:
        value = series.values[at] if at is not None and 0 <= at < len(series.values) else np.nan
        return f" {value:.2f}".replace("-", "−") if np.isfinite(value) else ""

    def told(self, t: int, y: float) -> str:
        known = [each for each in self.series if t < len(each.values)]
        parts = [f"{each.name} {each.values[t]:.2f}".strip().replace("-", "−") for each in known]
        return " · ".join([f"t {t}", *parts])


def _number(level: float) -> str:
    return short(float(f"{level:.2g}"))


def _runs(known: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[first, last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
