"""Charts that are painted by hand: estimates with intervals, parallel coordinates, and a scatter of runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from dqngui.comparison.dimensions import Dimension
from dqngui.comparison.figures import Estimate, GroupFigures
from dqngui.gui.charts.layout.axis import tick_spacing
from dqngui.gui.panels.compare.group_style import group_token
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX
from dqngui.texts.numbers import short

EDGE, DOT, SMALL_DOT = 10.0, 5.0, 3.6
MISSING = "–"
MISSING_PLACE = -0.09  # of an axis: below its end, where runs without the setting pass
ROW_PX = 26
NAME_SHARE = 0.38  # of the width: the most that names of groups may have
SPREAD = 0.03  # of an axis: how far runs of one place stand apart


class PaintedChart(QWidget):
    """A widget that paints a chart in the font of ticks."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMinimumSize(QSize(160, 90))

    def begin(self) -> tuple[QPainter, QFontMetricsF]:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.tick_font()
        painter.setFont(font)
        return painter, QFontMetricsF(font)

    @staticmethod
    def tick_font() -> QFont:
        return themes.font(themes.zoomed(TICK_PX))


class IntervalsChart(PaintedChart):
    """An estimate and its interval for each group, over the scores of its runs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Estimates with intervals", parent)
        self._figures: list[GroupFigures] = []
        self._estimates: list[Estimate] = []
        self._label = ""

    def show_figures(self, figures: Sequence[GroupFigures], estimates: Sequence[Estimate], label: str) -> None:
        """Show other groups; `label`: the name of the axis."""
        self._figures, self._estimates, self._label = list(figures), list(estimates), label
        self.setMinimumHeight(self.wanted_height())
        self.setAccessibleDescription(", ".join(each.group.name for each in figures))
        self.update()

    def wanted_height(self) -> int:
        """Pixels that all rows need, with the axis."""
        return themes.zoomed(ROW_PX) * max(1, len(self._figures)) + 44

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, letters = self.begin()
        names = [f"{each.group.name} · n = {each.count}" for each in self._figures]
        widest = max((letters.horizontalAdvance(name) for name in names), default=0.0)
        left = EDGE + min(widest, NAME_SHARE * self.width()) + 12
        area = QRectF(left, 4, max(20.0, self.width() - left - EDGE), max(10.0, self.height() - 44))
        low, high = self._range()
        theme = themes.current()
        spacing = tick_spacing(low, high, area.width(), 70)
        _paint_axis_below(painter, letters, area, low, high, spacing)
        label = letters.elidedText(self._label, Qt.TextElideMode.ElideMiddle, self.width() - 2 * EDGE)
        wide = letters.horizontalAdvance(label)
        at = min(max(EDGE, area.center().x() - wide / 2), self.width() - wide - EDGE)
        painter.drawText(QPointF(at, area.bottom() + 33), label)
        row = area.height() / max(1, len(names))

        def x_of(value: float) -> float:
            return area.left() + (min(max(value, low), high) - low) / (high - low) * area.width()

        for number, (each, estimate, name) in enumerate(zip(self._figures, self._estimates, names, strict=True)):
            y = area.top() + (number + 0.5) * row
            token = group_token(each.group.slot, len(names))
            color = theme.color(token)
            painter.setPen(theme.color("text"))
            fitted = letters.elidedText(name, Qt.TextElideMode.ElideMiddle, left - EDGE - 10)
            painter.drawText(QPointF(EDGE, y + letters.ascent() / 2 - 1), fitted)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(token, 110))
            for value in each.scores[np.isfinite(each.scores)]:
                painter.drawEllipse(QPointF(x_of(float(value)), y + row * 0.24), 2.4, 2.4)
            if estimate.interval is not None:
                painter.setPen(_flat_pen(color, 3))
                painter.drawLine(
                    QPointF(x_of(estimate.interval.low), y - 2), QPointF(x_of(estimate.interval.high), y - 2)
                )
            if np.isfinite(estimate.value):
                painter.setPen(_flat_pen(theme.color("surface"), 1))
                painter.setBrush(color)
                painter.drawEllipse(QPointF(x_of(estimate.value), y - 2), SMALL_DOT, SMALL_DOT)
        painter.end()

    def _range(self) -> tuple[float, float]:
        """From the smallest to the largest score, wider for intervals, by at most half of the scores' range."""
        known = [each.scores[np.isfinite(each.scores)] for each in self._figures]
        values = np.concatenate(known) if known else np.empty(0)
        if not len(values):
            return 0.0, 1.0
        low, high = float(values.min()), float(values.max())
        margin = (high - low) or max(abs(high), 1.0)
        ends = [each.interval for each in self._estimates if each.interval is not None]
        low_end = max(min([low, *(each.low for each in ends)]), low - margin / 2)
        high_end = min(max([high, *(each.high for each in ends)]), high + margin / 2)
        return low_end - margin * 0.03, high_end + margin * 0.03


class ParallelChart(PaintedChart):
    """Each run as a line over axes of settings, and the axis of scores at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Parallel coordinates", parent)
        self._dimensions: list[Dimension] = []
        self._slots: list[int] = []
        self.setMinimumSize(QSize(240, 140))

    def show_runs(self, dimensions: Sequence[Dimension], slots: Sequence[int]) -> None:
        """Show other runs: a place for each on each axis, and the slots of their groups."""
        self._dimensions, self._slots = list(dimensions), list(slots)
        self.setAccessibleDescription(", ".join(each.name for each in dimensions))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, letters = self.begin()
        theme, count = themes.current(), len(self._dimensions)
        if count == 0:
            painter.end()
            return
        first = max((letters.horizontalAdvance(text) for _, text in self._dimensions[0].ticks), default=0.0)
        left = EDGE + min(first, 0.25 * self.width()) + 8
        right = self.width() - EDGE - 14
        area = QRectF(left, 30, max(20.0, right - left), max(20.0, self.height() - 30 - 26))
        step = area.width() / max(1, count - 1)
        xs = [area.left() + index * step for index in range(count)]
        groups = len(set(self._slots))
        lacking = [bool(np.isnan(each.places).any()) for each in self._dimensions]
        for run, slot in enumerate(self._slots):
            line = QPolygonF()
            for x, each in zip(xs, self._dimensions, strict=True):
                place = float(each.places[run])
                line.append(QPointF(x, _y_of(area, MISSING_PLACE if np.isnan(place) else place)))
            painter.setPen(_flat_pen(theme.color(group_token(slot, groups), 190), 1.5))
            painter.drawPolyline(line)
        for index, (x, each) in enumerate(zip(xs, self._dimensions, strict=True)):
            painter.setPen(_flat_pen(theme.color("text" if index == count - 1 else "muted"), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            self._paint_name(painter, letters, x, step, each.name, index, count)
            room = (left - EDGE - 4) if index == 0 else step * 0.6
            ticks = [*each.ticks, *([(MISSING_PLACE, MISSING)] if lacking[index] else [])]
            for place, text in ticks:
                y = _y_of(area, place)
                fitted = letters.elidedText(text, Qt.TextElideMode.ElideRight, room)
                width = letters.horizontalAdvance(fitted)
                box = QRectF(x - width - 8, y - letters.height() / 2, width + 4, letters.height())
                painter.fillRect(box, theme.color("surface", 200))
                painter.setPen(theme.color("muted"))
                painter.drawText(QPointF(x - width - 6, y + letters.ascent() / 2 - 1), fitted)
        painter.end()

    def _paint_name(
        self, painter: QPainter, letters: QFontMetricsF, x: float, step: float, name: str, index: int, count: int
    ) -> None:
        room = step * 0.94 if 0 < index < count - 1 else max(step * 0.7, 60.0)
        fitted = letters.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
        width = letters.horizontalAdvance(fitted)
        at = min(max(EDGE / 2, x - width / 2), self.width() - width - EDGE / 2)
        painter.setPen(themes.current().color("text"))
        painter.drawText(QPointF(at, 18), fitted)


class ScatterChart(PaintedChart):
    """The score of each run against one of its settings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Score against a setting", parent)
        self._x: Dimension | None = None
        self._y: Dimension | None = None
        self._slots: list[int] = []

    def show_runs(self, x: Dimension | None, y: Dimension | None, slots: Sequence[int]) -> None:
        """Show other runs, at their places along a setting and a score."""
        self._x, self._y, self._slots = x, y, list(slots)
        self.setAccessibleDescription("" if x is None or y is None else f"{y.name} against {x.name}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, letters = self.begin()
        if self._x is None or self._y is None:
            painter.end()
            return
        theme = themes.current()
        widest = max((letters.horizontalAdvance(text) for _, text in self._y.ticks), default=0.0)
        left = EDGE + widest + 10
        area = QRectF(left, EDGE, max(20.0, self.width() - left - EDGE), max(20.0, self.height() - EDGE - 42))
        inner = area.adjusted(area.width() * 0.05, 8, -area.width() * 0.05, -8)
        for place, text in self._y.ticks:
            y = _y_of(inner, place)
            painter.setPen(_flat_pen(theme.color("line"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.color("muted"))
            painter.drawText(QPointF(left - 8 - letters.horizontalAdvance(text), y + letters.ascent() / 2 - 1), text)
        room = inner.width() / max(1, len(self._x.ticks)) * 0.95
        for place, text in self._x.ticks:
            x = inner.left() + place * inner.width()
            fitted = letters.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
            painter.setPen(theme.color("muted"))
            painter.drawText(QPointF(x - letters.horizontalAdvance(fitted) / 2, area.bottom() + 16), fitted)
        painter.drawText(
            QPointF(area.center().x() - letters.horizontalAdvance(self._x.name) / 2, area.bottom() + 34), self._x.name
        )
        painter.setPen(_flat_pen(theme.color("line"), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        groups = len(set(self._slots))
        for run, slot in enumerate(self._slots):
            x_place, y_place = float(self._x.places[run]), float(self._y.places[run])
            if np.isnan(x_place) or np.isnan(y_place):
                continue
            apart = ((run * 7) % 5 - 2) / 2 * SPREAD  # runs of one value stand beside each other
            painter.setPen(_flat_pen(theme.color("surface"), 1))
            painter.setBrush(theme.color(group_token(slot, groups), 220))
            at = QPointF(inner.left() + (x_place + apart) * inner.width(), _y_of(inner, y_place))
            painter.drawEllipse(at, DOT, DOT)
        painter.end()


def _y_of(area: QRectF, place: float) -> float:
    return (
        area.bottom()
        - place * area.height() / (1 - MISSING_PLACE)
        + MISSING_PLACE * area.height() / (1 - MISSING_PLACE)
    )


def _flat_pen(color: QColor, width: float) -> QPen:
    pen = QPen(color, width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def _paint_axis_below(
    painter: QPainter, letters: QFontMetricsF, area: QRectF, low: float, high: float, spacing: float
) -> None:
    theme = themes.current()
    value = np.ceil(low / spacing) * spacing
    while value <= high + 1e-9 * spacing:
        x = area.left() + (value - low) / (high - low) * area.width()
        painter.setPen(_flat_pen(theme.color("line"), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        text = short(round(float(value), 12) + 0.0)
        painter.setPen(theme.color("muted"))
        painter.drawText(QPointF(x - letters.horizontalAdvance(text) / 2, area.bottom() + 15), text)
        value += spacing
