"""A widget painted with QPainter: what seldom changes is kept as a picture, over which only a cursor is drawn.

Everything inside the agent is drawn on such canvases, many times a second and beside training in the same
interpreter: a moved cursor repaints two strips of a few pixels, new values only the part that shows them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPaintEngine, QPainter, QPaintEvent, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX, Theme

GAP = 255
"""The index of a missing value's colour."""
SHORTEST = 44  # pixels in which a shortened name still says something
MARKER = 6
"""Pixels of the triangle at a chosen row."""
MEASURED = 100  # names; each takes a microsecond or two
TOP = 254
"""The index of the highest value's colour."""


def indices(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    """Places of values in a colour table, 0 (low and below) … 254 (high and above), 255 for NaN."""
    scaled = np.clip((values - low) * (TOP / max(high - low, 1e-30)), 0, TOP) + 0.5
    missing = np.isnan(scaled)
    if missing.any():
        scaled = np.where(missing, GAP, scaled)
    return scaled.astype(np.uint8)


def color_table(signed: bool) -> list[int]:
    """The present theme's 256 colours for `indices`: of shares, or of signed values; the last is the gap's."""
    theme = themes.current()
    colors = theme.diverging_map() if signed else themes.viridis()
    spread = colors[np.linspace(0, 255, TOP + 1).round().astype(int)].astype(np.uint32)
    table: list[int] = (0xFF000000 | (spread[:, 0] << 16) | (spread[:, 1] << 8) | spread[:, 2]).tolist()
    return [*table, theme.color("surface").rgb()]


def image_of(places: npt.NDArray[np.uint8], table: Sequence[int]) -> QImage:
    """A picture (rows, columns) that reads the array's memory: keep the array as long as the picture."""
    rows, columns = places.shape
    image = QImage(places.data, columns, rows, places.strides[0], QImage.Format.Format_Indexed8)
    image.setColorTable(list(table))
    return image


def widest(labels: Sequence[str], metrics: QFontMetricsF) -> float:
    """Pixels of the widest of some names; of many names only the longest ones are measured."""
    some = labels if len(labels) <= MEASURED else sorted(labels, key=len)[-MEASURED:]
    return max((metrics.horizontalAdvance(text) for text in some), default=0.0)


def spread_labels(
    labels: Sequence[str], room: float, metrics: QFontMetricsF, gap: float = 8.0
) -> list[tuple[int, str]]:
    """(index, text) of the labels of cells `room` pixels wide: all, or all shortened, or every so-manieth."""
    longest = widest(labels, metrics)
    if longest + gap <= room or len(labels) == 1:
        return [(i, metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)) for i, text in enumerate(labels)]
    if room >= SHORTEST and labels[-1] != "0":
        return [(i, metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - 4)) for i, text in enumerate(labels)]
    every = math.ceil((min(longest, 80.0) + gap) / max(room, 1e-6))
    last = len(labels) - 1
    shown = [
        (i, metrics.elidedText(labels[i], Qt.TextElideMode.ElideRight, every * room)) for i in range(last, -1, -every)
    ]
    return shown[::-1]


def row_ticks(count: int, row: float, line: float, back: bool = False) -> list[int]:
    """Which rows, `row` pixels high, get a label `line` pixels high: all, or 5, 10, 15, … counted from 1.

    `back`: counted back from the last one, which is 0.
    """
    if row >= line - 2 or count == 1:  # letters are lower than their line
        return list(range(count))
    every = next((n for n in (2, 5, 10, 20, 50, 100, 200, 500, 1000) if n * row >= line + 4), count)
    if back:
        return list(range(count - 1, -1, -every))[::-1]
    return [*range(every - 1, count, every)] or [0]


class Canvas(QWidget):
    """Draws a frame (labels, axes) and data into a picture that is kept, and a cursor over it.

    Subclasses paint in `draw_frame`, `draw_data` and `draw_over`, and say with `renew` that everything is another,
    with `touch` that only the data are.

    Attributes:
        exported: it is painted elsewhere at present, so everything must be in it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing below is painted for a moved cursor
        self.setMouseTracking(True)
        self.type = themes.font(TICK_PX)
        self.metrics = QFontMetricsF(self.type)
        self.line = math.ceil(self.metrics.height())
        self._kept: QImage | None = None
        self._stale = True
        self.exported = False
        self.readout = QLabel(self)
        self.readout.setObjectName("readout")
        self.readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.readout.hide()

    def draw_frame(self, painter: QPainter) -> None:
        """Labels and axes, on the card's surface."""

    def draw_data(self, painter: QPainter) -> None:
        """Values; it must cover everything that it has drawn before."""

    def draw_over(self, painter: QPainter) -> None:
        """What moves: cursor, present values."""

    def renew(self) -> None:
        """Paint everything anew."""
        self._kept = None
        self.update()

    def touch(self) -> None:
        """Paint the data anew."""
        self._stale = True
        self.update()

    def restyle(self, theme: Theme) -> None:
        self.renew()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.renew()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        raster = painter.paintEngine().type() == QPaintEngine.Type.Raster
        if not raster or abs(painter.deviceTransform().m11() - ratio) > 1e-3:  # an export: shapes, not the picture
            painter.fillRect(self.rect(), themes.current().color("surface"))
            self.exported = True
            self._paint(painter, frame=True)
            self.exported = False
        else:
            painter.drawImage(QPointF(0, 0), self._picture(ratio))
        painter.setFont(self.type)
        self.draw_over(painter)

    def _picture(self, ratio: float) -> QImage:
        frame = self._kept is None or self._kept.devicePixelRatio() != ratio
        if frame:
            self._kept = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
            self._kept.setDevicePixelRatio(ratio)
            self._kept.fill(themes.current().color("surface"))
        assert self._kept is not None
        if frame or self._stale:
            painter = QPainter(self._kept)
            try:
                self._paint(painter, frame)
            finally:
                painter.end()  # one that outlives its picture crashes Qt
            self._stale = False
        return self._kept

    def _paint(self, painter: QPainter, frame: bool) -> None:
        painter.setFont(self.type)
        if frame:
            self.draw_frame(painter)
        self.draw_data(painter)

    def words(self, painter: QPainter, place: QRectF, text: str, align: Qt.AlignmentFlag, color: QColor) -> None:
        """A line of text."""
        painter.setPen(color)
        painter.drawText(place, int(align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), text)

    def upright(self, painter: QPainter, text: str, top: float, bottom: float) -> None:
        """An axis' title along the left edge, if it fits; of `key: entities` the end, if only that does."""
        width = self.metrics.horizontalAdvance(text) + 2
        if width > bottom - top:
            text = text.rpartition(": ")[2]
            width = self.metrics.horizontalAdvance(text) + 2
        if text and width <= bottom - top:
            painter.save()
            painter.translate(0, (top + bottom + width) / 2)
            painter.rotate(-90)
            place = QRectF(0, 2, width, self.line)
            self.words(painter, place, text, Qt.AlignmentFlag.AlignHCenter, themes.current().color("muted"))
            painter.restore()

    def row_labels(self, painter: QPainter, labels: tuple[str, ...], place: QRectF, left: float) -> None:
        """Labels right-aligned between `left` and the rows, which fill `place`."""
        row = place.height() / max(len(labels), 1)
        muted = themes.current().color("muted")
        room = place.left() - MARKER - 3 - left
        for index in row_ticks(len(labels), row, self.line, back=labels[-1:] == ("0",)):
            y = place.top() + (index + 0.5) * row
            y = min(max(y, self.line / 2), self.height() - self.line / 2)
            text = self.metrics.elidedText(labels[index], Qt.TextElideMode.ElideRight, room + 1)
            at = QRectF(left, y - self.line / 2, room, self.line)
            self.words(painter, at, text, Qt.AlignmentFlag.AlignRight, muted)

    def marker(self, painter: QPainter, x: float, y: float) -> None:
        """A small triangle that points at a row from the left."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(themes.current().color("accent"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPolygon(QPolygonF([QPointF(x - 1, y), QPointF(x - MARKER, y - 4), QPointF(x - MARKER, y + 4)]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def say(self, text: str, at: QPointF) -> None:
        """Show the readout beside a point; empty text hides it."""
        if not text:
            self.readout.hide()
            return
        self.readout.setText(text)
        self.readout.adjustSize()
        size = self.readout.size()
        left = at.x() + 12 if at.x() + 16 + size.width() < self.width() else at.x() - 12 - size.width()
        top = at.y() - size.height() - 6 if at.y() > size.height() + 8 else at.y() + 12
        top = min(top, self.height() - size.height())
        self.readout.move(max(0, int(left)), max(0, int(top)))
        self.readout.show()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.readout.hide()
