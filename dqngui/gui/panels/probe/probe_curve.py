"""A probe's score over the steps of the episode, with its interval, the shuffled control, and what guessing gives."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.timeline import StepCanvas
from dqngui.gui.style import theme as themes
from dqngui.messages import Probed

SCORE, CONTROL, CHANCE = "series0", "series1", "muted"  # tokens of the theme
DOTS = 40
"""Points of a curve up to which each gets a dot."""
BETWEEN = 12.0  # pixels between two names
LOWEST = -0.5
"""R² has no lower end; further down all are alike."""


class ProbeCurve(StepCanvas):
    """Draws one answer; clicks seek in the episode that plays."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = self.line + 6.0
        self.told_answer: Probed | None = None
        self.limits = (0.0, 1.0)
        self.setMinimumHeight(70)

    def draw(self, answer: Probed | None) -> None:
        """Show another answer; None: nothing."""
        if answer is self.told_answer:
            return
        self.told_answer, self.length = answer, 0
        if answer is not None:
            columns = answer.tensors
            self.length = int(columns["t"][-1]) + 1
            lowest = min(float(np.nanmin(columns[name], initial=0.0)) for name in ("score", "control"))
            self.limits = (0.0 if lowest > -0.02 else max(LOWEST, float(np.floor(10 * lowest) / 10)), 1.0)
            self.span = max(self.length, 2)
        self.gutter = self.metrics.horizontalAdvance("−0.25") + 12
        self.renew()

    # -- painting ---------------------------------------------------------------------------------

    def draw_frame(self, painter: QPainter) -> None:
        if self.told_answer is None:
            return
        super().draw_frame(painter)
        theme, place = themes.current(), self.place
        low, high = self.limits
        steps = [low, *np.arange(0, 1.01, 0.5 if place.height() < 4 * self.line else 0.25)] if low < 0 else [0, 0.5, 1]
        for level in steps:
            y = int(self._y(level)) + 0.5
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
            if level in (low, 0, 0.5, high):
                top = min(y - self.line / 2, self.height() - self.line)
                number = f"{level:.4g}".replace("-", "−")
                at = QRectF(0, top, self.gutter - 6, self.line)
                self.words(painter, at, number, Qt.AlignmentFlag.AlignRight, theme.color("muted"))
        self._draw_answer(painter, self.told_answer)

    def _draw_answer(self, painter: QPainter, answer: Probed) -> None:
        theme, place = themes.current(), self.place
        columns = answer.tensors
        painter.save()
        painter.setClipRect(place.adjusted(-4, -4, 4, 4))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(CHANCE), 1, Qt.PenStyle.DotLine))
        chance = self._y(answer.chance)
        painter.drawLine(QPointF(place.left(), chance), QPointF(place.right(), chance))
        band = theme.color(SCORE)
        band.setAlphaF(0.22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(band)
        known = np.isfinite(columns["low"]) & np.isfinite(columns["high"])
        above = self._points(columns["t"][known], columns["high"][known])
        below = self._points(columns["t"][known], columns["low"][known])
        edge = [above.at(index) for index in range(above.size())]
        painter.drawPolygon(QPolygonF([*edge, *(below.at(index) for index in reversed(range(below.size())))]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color(CONTROL), 1, Qt.PenStyle.DashLine))
        painter.drawPolyline(self._curve(columns["t"], columns["control"]))
        painter.setPen(QPen(theme.color(SCORE), 1.6))
        curve = self._curve(columns["t"], columns["score"])
        painter.drawPolyline(curve)
        if curve.size() <= DOTS:
            painter.setBrush(theme.color(SCORE))
            for index in range(curve.size()):
                painter.drawEllipse(curve.at(index), 2.2, 2.2)
        painter.restore()

    def _y(self, value: float) -> float:
        low, high = self.limits
        return self.place.bottom() - (value - low) / (high - low) * self.place.height()

    def _points(self, t: np.ndarray, values: np.ndarray) -> QPolygonF:
        if not len(t):
            return QPolygonF()
        place, (low, high) = self.place, self.limits
        x = place.left() + (t + 0.5) / self.span * place.width()
        y = place.bottom() - (np.clip(values, low, high) - low) / (high - low) * place.height()
        return pg.functions.arrayToQPolygonF(x.astype(np.float64), y.astype(np.float64))

    def _curve(self, t: np.ndarray, values: np.ndarray) -> QPolygonF:
        known = np.isfinite(values)
        return self._points(t[known], values[known])

    def draw_over(self, painter: QPainter) -> None:
        if self.told_answer is None:
            return
        super().draw_over(painter)
        theme = themes.current()
        x, right = self.gutter, self.width() - 10.0
        for text, token in self.legend(right - x):
            shown = self.metrics.elidedText(text, Qt.TextElideMode.ElideRight, right - x)
            at = QRectF(x, 2, right - x, self.line)
            self.words(painter, at, shown, Qt.AlignmentFlag.AlignLeft, theme.color(token))
            x += self.metrics.horizontalAdvance(text) + BETWEEN

    # -- words ------------------------------------------------------------------------------------

    def legend(self, room: float) -> list[tuple[str, str]]:
        """Names of the curves with their values at the cursor, or at the end; shorter where there is no room."""
        answer = self.told_answer
        if answer is None:
            return []
        at = self._place_of(self.length - 1 if self.t is None else self.t)
        values = [_two(answer.tensors[name][at]) for name in ("score", "control")] + [_two(answer.chance)]
        full = ["Accuracy" if answer.measure == "accuracy" else "R²", "shuffled", "chance"]
        tokens = [SCORE, CONTROL, CHANCE]
        episodes = (f"{int(answer.tensors['count'][at]):,} episodes", "muted")
        named = [(f"{name} {value}", token) for name, value, token in zip(full, values, tokens, strict=True)]
        bare = list(zip(full, tokens, strict=True))
        for parts in ([*named, episodes], named, bare):
            if sum(self.metrics.horizontalAdvance(text) + BETWEEN for text, _ in parts) - BETWEEN <= room:
                return parts
        return bare[:2]

    def _place_of(self, t: int) -> int:
        """The point nearest to a step."""
        assert self.told_answer is not None
        return int(np.abs(self.told_answer.tensors["t"] - t).argmin())

    def told(self, t: int, y: float) -> str:
        answer = self.told_answer
        if answer is None:
            return ""
        at, columns = self._place_of(t), answer.tensors
        score, low, high, control = (_two(columns[name][at]) for name in ("score", "low", "high", "control"))
        if score == "–":
            return f"t {columns['t'][at]} · the same in all episodes"
        return f"t {columns['t'][at]} · {answer.measure} {score} ({low} to {high}) · shuffled {control}"

    def follow(self, t: int | None) -> None:
        t = None if t is None or t >= self.length else t  # the episode that plays may be longer than all that were read
        if t != self.t:
            super().follow(t)
            self.update(0, 0, self.width(), int(self.head))


def _two(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"
