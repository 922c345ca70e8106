"""The curves of a plot as shapes in pixels, for exported pictures and drawings.

pyqtgraph paints in the units of the data, with pens whose width does not follow the transform, and lets the plot cut
off what lies outside. In an SVG file few viewers know such pens, and Qt writes no clipping: curves became blobs that
cover everything. Here the points are in pixels, the pens have their widths, and the ends are cut by computation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import pyqtgraph as pg
from pyqtgraph.graphicsItems.ScatterPlotItem import Symbols
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPen, QPolygonF, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from dqngui.gui.charts.plot import Band, Plot
from dqngui.gui.charts.scatter import Scatter

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """A path in pixels of the plot's area, with the pen and brush that paint it."""

    path: QPainterPath
    pen: QPen
    brush: QBrush


@contextmanager
def as_pixel_shapes(plot: Plot) -> Iterator[None]:
    """Make a plot paint its curves, bands and points as shapes in pixels."""
    items = [item for item in plot.box.childGroup.childItems() if item.isVisible()]
    shapes: list[PixelShapes] = []
    replaced: list[QGraphicsItem] = []
    for item in items:
        if (found := shapes_of(item, plot)) is not None:
            replaced.append(item)
            shapes.append(PixelShapes(found, plot.box, item.zValue()))
    for item in replaced:
        item.setVisible(False)
    try:
        yield
    finally:
        for shape in shapes:
            if (scene := shape.scene()) is not None:
                scene.removeItem(shape)
        for item in replaced:
            item.setVisible(True)


class PixelShapes(QGraphicsItem):
    """Paints shapes in the pixels of a plot's area."""

    def __init__(self, shapes: list[Shape], box: pg.ViewBox, level: float) -> None:
        super().__init__(box)
        self._shapes, self._rect = shapes, QRectF(box.rect()).adjusted(-20, -20, 20, 20)
        self.setZValue(level)

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for shape in self._shapes:
            painter.setPen(shape.pen)
            painter.setBrush(shape.brush)
            painter.drawPath(shape.path)


def shapes_of(item: QGraphicsItem, plot: Plot) -> list[Shape] | None:
    """The shapes of a curve, band or points within the plot's area; None for another item."""
    match item:
        case Band():
            return list(_areas(item, plot))
        case pg.PlotCurveItem():
            return list(_lines(item, plot))
        case pg.ScatterPlotItem():
            return list(_symbols(item, plot))
        case Scatter():
            return list(_dots(item, plot))
    return None


def _areas(item: Band, plot: Plot) -> Iterator[Shape]:
    rect = QPainterPath()
    rect.addRect(QRectF(plot.box.rect()))
    for polygon in item.polygons:
        path = QPainterPath()
        path.addPolygon(_mapped(item, polygon, plot))
        path.closeSubpath()
        if not (inside := path.intersected(rect)).isEmpty():
            yield Shape(inside, QPen(Qt.PenStyle.NoPen), QBrush(item.color))


def _lines(item: pg.PlotCurveItem, plot: Plot) -> Iterator[Shape]:
    x, _ = item.getData()
    if x is None or not len(x):
        return
    rect, path = QRectF(plot.box.rect()), QPainterPath()
    for polygon in item.getPath().toSubpathPolygons(QTransform()):
        _add_line(path, _mapped(item, polygon, plot), rect)
    if not path.isEmpty():
        pen = _in_pixels(pg.mkPen(item.opts["pen"]), plot)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        yield Shape(path, pen, QBrush(Qt.BrushStyle.NoBrush))


def _symbols(item: pg.ScatterPlotItem, plot: Plot) -> Iterator[Shape]:
    rect = QRectF(plot.box.rect())
    for spot in item.points():
        at = item.mapToItem(plot.box, spot.pos())
        if rect.contains(at):
            transform = QTransform().translate(at.x(), at.y()).scale(spot.size(), spot.size())
            yield Shape(transform.map(Symbols[spot.symbol()]), _in_pixels(QPen(spot.pen()), plot), QBrush(spot.brush()))


def _dots(item: Scatter, plot: Plot) -> Iterator[Shape]:
    rect, half = QRectF(plot.box.rect()), item.size / 2
    for x, y in zip(*item.getData(), strict=True):
        at = item.mapToItem(plot.box, QPointF(x, y))
        if rect.contains(at):
            path = QPainterPath()
            path.addEllipse(at, half, half)
            yield Shape(path, QPen(Qt.PenStyle.NoPen), QBrush(item.color))


def _mapped(item: QGraphicsItem, polygon: QPolygonF, plot: Plot) -> QPolygonF:
    return item.mapToItem(plot.box, polygon)


def _in_pixels(pen: QPen, plot: Plot) -> QPen:
    """A pen of the plot, whose width counts pixels of the screen, as one that counts those of the interface."""
    made = QPen(pen)
    made.setCosmetic(False)
    made.setWidthF(max(1.0, pen.widthF()) / plot.devicePixelRatioF())
    return made


def _add_line(path: QPainterPath, points: QPolygonF, rect: QRectF) -> None:
    """Add the parts of a line of connected points that lie within a rectangle."""
    at: Point | None = None
    corners = [points.at(index) for index in range(points.size())]
    for first, second in pairwise(corners):
        part = _within((first.x(), first.y()), (second.x(), second.y()), rect)
        if part is None:
            at = None
            continue
        if part[0] != at:
            path.moveTo(*part[0])
        path.lineTo(*part[1])
        at = part[1]


def _within(a: Point, b: Point, rect: QRectF) -> tuple[Point, Point] | None:
    """The part of the segment from a to b within a rectangle (Liang and Barsky 1984); None if there is none."""
    (x, y), dx, dy = a, b[0] - a[0], b[1] - a[1]
    enter, leave = 0.0, 1.0
    for step, room in (
        (-dx, x - rect.left()), (dx, rect.right() - x), (-dy, y - rect.top()), (dy, rect.bottom() - y),
    ):  # fmt: skip
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            enter = max(enter, room / step)
        else:
            leave = min(leave, room / step)
    if enter > leave:
        return None
    return (
        a if enter == 0.0 else (x + enter * dx, y + enter * dy),
        b if leave == 1.0 else (x + leave * dx, y + leave * dy),
    )
