"""A probe's score over the steps of the episode, with untrained networks, the observation alone, and a control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.layout.axis import two_digits
from dqngui.gui.charts.layout.curves import CurveScale, Floats, level_labels
from dqngui.gui.charts.layout.text import Label, first_that_fits, side_by_side
from dqngui.gui.charts.painted_text import paint_labels
from dqngui.gui.charts.timeline import RIGHT, StepCanvas
from dqngui.gui.style import theme as themes
from dqngui.messages import Probed
from dqngui.texts.numbers import short

SCORE, UNTRAINED, OBSERVATION, CONTROL, CHANCE = "series0", "series1", "series2", "series3", "muted"  # of the theme
DOTS = 40
"""Points of a curve up to which each gets a dot."""
BETWEEN = 12.0  # pixels between two names
LOWEST = -0.5
"""R² has no lower end; the axis ends here at the latest."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeDrawn:
    """A probe's answer in pixels.

    Attributes:
        lines: heights of thin lines across.
        labels: the levels at the left and the steps below.
        chance: height of the line of guessing.
        score, untrained, observation, control: corners (n, 2) of the curves.
        interval, spread: corners of the areas between the ends of the interval, and between the untrained networks.
    """

    lines: tuple[float, ...]
    labels: tuple[Label, ...]
    chance: float
    score: Floats
    untrained: Floats
    observation: Floats
    control: Floats
    interval: Floats
    spread: Floats

    @classmethod
    def of(cls, answer: Probed, scale: CurveScale, lines: tuple[float, ...], labels: tuple[Label, ...]) -> ProbeDrawn:
        """Compute the curves of an answer; steps without a value are left out."""
        columns = answer.tensors
        curves = [_curve(columns, name, scale) for name in ("score", "untrained", "observation", "control")]
        areas = [_area(columns, *ends, scale) for ends in (("low", "high"), ("untrained_low", "untrained_high"))]
        return cls(lines, labels, scale.y_of(answer.chance), *curves, *areas)


def _curve(columns: dict[str, np.ndarray], name: str, scale: CurveScale) -> Floats:
    known = np.isfinite(columns[name])
    return _points(columns["t"][known], columns[name][known], scale)


def _area(columns: dict[str, np.ndarray], low: str, high: str, scale: CurveScale) -> Floats:
    known = np.isfinite(columns[low]) & np.isfinite(columns[high])
    below, above = (_points(columns["t"][known], columns[name][known], scale) for name in (low, high))
    return np.concatenate([above, below[::-1]])


def _points(t: np.ndarray, values: np.ndarray, scale: CurveScale) -> Floats:
    """Pixels (n, 2) of values (n,) at steps; values outside the limits are placed on them."""
    y = scale.ys_of(np.clip(values, scale.low, scale.high).astype(np.float64))
    return np.stack([scale.steps.xs_of(t.astype(np.float64)), y], axis=1)


class ProbeCurve(StepCanvas):
    """Draws one answer; clicks seek in the episode that plays.

    Attributes:
        answer: the answer; None: nothing is drawn.
        limits: the lowest and the highest score that there is room for.
        drawn: the answer in pixels, as it is painted.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = self.letters.line + 6.0
        self.answer: Probed | None = None
        self.limits = (0.0, 1.0)
        self.setMinimumHeight(70)

    def draw(self, answer: Probed | None) -> None:
        """Show another answer; None: nothing."""
        if answer is self.answer:
            return
        self.answer, self.length = answer, 0
        if answer is not None:
            columns = answer.tensors
            self.length = int(columns["t"][-1]) + 1
            lowest = min(float(np.nanmin(columns[name], initial=0.0)) for name in ("score", "untrained_low", "control"))
            self.limits = (0.0 if lowest > -0.02 else max(LOWEST, float(np.floor(10 * lowest) / 10)), 1.0)
            self.span = max(self.length, 2)
        self.gutter = self.letters.width("−0.25") + 12
        self.renew()

    # -- painting ----------------------------------------------------------------------------------

    @property
    def curve_scale(self) -> CurveScale:
        """Steps and scores as pixels."""
        return CurveScale(self.scale, *self.limits)

    @property
    def drawn(self) -> ProbeDrawn | None:
        return self.layout_cache.get(self.size(), self._lay_out)

    def _lay_out(self) -> ProbeDrawn | None:
        if self.answer is None:
            return None
        scale, letters = self.curve_scale, self.letters
        low, high = self.limits
        every = 0.5 if scale.steps.place.height() < 4 * letters.line else 0.25
        levels = [low, *np.arange(0, 1.01, every).tolist()] if low < 0 else [0, 0.5, 1]
        written = [(level, scale.line_at(level)) for level in levels if level in (low, 0, 0.5, high)]
        labels = level_labels(written, self.gutter, self.height(), letters, short)
        lines = tuple(scale.line_at(level) for level in levels)
        return ProbeDrawn.of(self.answer, scale, lines, (*self.axis_labels(), *labels))

    def draw_frame(self, painter: QPainter) -> None:
        drawn = self.drawn
        if drawn is None:
            return
        theme, place = themes.current(), self.place
        painter.setPen(QPen(theme.color("line"), 1))
        for y in drawn.lines:
            painter.drawLine(QPointF(place.left(), y), QPointF(place.right(), y))
        paint_labels(painter, drawn.labels)
        self._draw_curves(painter, drawn, place)

    @staticmethod
    def _draw_curves(painter: QPainter, drawn: ProbeDrawn, place: QRectF) -> None:
        theme = themes.current()
        painter.save()
        painter.setClipRect(place.adjusted(-4, -4, 4, 4))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(CHANCE), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(place.left(), drawn.chance), QPointF(place.right(), drawn.chance))
        painter.setPen(Qt.PenStyle.NoPen)
        for token, area in ((UNTRAINED, drawn.spread), (SCORE, drawn.interval)):
            band = theme.color(token)
            band.setAlphaF(0.22)
            painter.setBrush(band)
            painter.drawPolygon(_polygon(area))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for token, style, curve in (
            (CONTROL, Qt.PenStyle.DashLine, drawn.control),
            (OBSERVATION, Qt.PenStyle.DashDotLine, drawn.observation),
            (UNTRAINED, Qt.PenStyle.SolidLine, drawn.untrained),
        ):
            painter.setPen(QPen(theme.color(token), 1, style))
            painter.drawPolyline(_polygon(curve))
        painter.setPen(QPen(theme.color(SCORE), 1.6))
        painter.drawPolyline(_polygon(drawn.score))
        if len(drawn.score) <= DOTS:
            painter.setBrush(theme.color(SCORE))
            for point in drawn.score:
                painter.drawEllipse(QPointF(*point), 2.2, 2.2)
        painter.restore()

    def draw_over(self, painter: QPainter) -> None:
        if self.answer is None:
            return
        super().draw_over(painter)
        left, right = self.gutter, self.width() - RIGHT
        paint_labels(painter, side_by_side(self.legend(right - left), left, right, 2, self.letters, BETWEEN))

    # -- texts -------------------------------------------------------------------------------------

    def legend(self, room: float) -> list[tuple[str, str]]:
        """Names of the curves with their values at the cursor or at the end; shortened if necessary."""
        answer = self.answer
        if answer is None:
            return []
        at = self._place_of(self.length - 1 if self.t is None else self.t)
        names = ("score", "untrained", "observation", "control")
        values = [two_digits(answer.tensors[name][at], "–") for name in names] + [two_digits(answer.chance, "–")]
        full = ["Accuracy" if answer.measure == "accuracy" else "R²", "untrained", "observation", "random labels"]
        full.append("guessing")
        tokens = [SCORE, UNTRAINED, OBSERVATION, CONTROL, CHANCE]
        episodes = (f"{int(answer.tensors['count'][at]):,} episodes", "muted")
        named = [(f"{name} {value}", token) for name, value, token in zip(full, values, tokens, strict=True)]
        bare = list(zip(full, tokens, strict=True))
        short_names = [*named[:2], *bare[2:4]]
        fits = first_that_fits(([*named, episodes], named, short_names, bare[:4]), room, self.letters, BETWEEN)
        return list(fits or bare[:2])

    def _place_of(self, t: int) -> int:
        """The point nearest to a step."""
        assert self.answer is not None
        return int(np.abs(self.answer.tensors["t"] - t).argmin())

    def words_at(self, t: int, y: float) -> str:
        answer = self.answer
        if answer is None:
            return ""
        at, columns = self._place_of(t), answer.tensors
        score, low, high, untrained, observation, control = (
            two_digits(columns[name][at], "–")
            for name in ("score", "low", "high", "untrained", "observation", "control")
        )
        if score == "–":
            return f"t {columns['t'][at]} · the same in all episodes"
        return (
            f"t {columns['t'][at]} · {answer.measure} {score} ({low} to {high}) · untrained {untrained} · "
            f"observation {observation} · random labels {control}"
        )

    def follow(self, t: int | None) -> None:
        t = None if t is None or t >= self.length else t  # the episode that plays may be longer than all that were read
        if t != self.t:
            super().follow(t)
            self.update(0, 0, self.width(), int(self.head))


def _polygon(points: Floats) -> QPolygonF:
    return pg.functions.arrayToQPolygonF(points[:, 0], points[:, 1]) if len(points) else QPolygonF()
