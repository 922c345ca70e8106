"""Round dots of one colour and size, for thousands of points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPaintEngine, QPainter, QPixmap
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

Floats = npt.NDArray[np.float64]


class Scatter(pg.GraphicsObject):
    """Dots `size` pixels wide, all of one `color`.

    pyqtgraph's ScatterPlotItem takes six times as long, since it looks up a style for each dot at every redraw.
    """

    def __init__(self, size: float) -> None:
        super().__init__()
        self.size, self.color = size, QColor("gray")
        self._x, self._y = np.empty(0), np.empty(0)
        self._bounds: QRectF | None = None
        self._pixmap: QPixmap | None = None
        self._fragments = PrimitiveArray(QPainter.PixmapFragment, 10)

    def set_color(self, color: QColor) -> None:
        self.color, self._pixmap = color, None
        self.update()

    def setData(self, x: Floats, y: Floats) -> None:
        """Show points x (N,), y (N,); all must be finite."""
        self.prepareGeometryChange()
        self._x, self._y, self._bounds = x, y, None
        self.update()

    def getData(self) -> tuple[Floats, Floats]:
        return self._x, self._y

    def viewTransformChanged(self) -> None:
        self.prepareGeometryChange()
        self._bounds = None

    def boundingRect(self) -> QRectF:
        if self._bounds is None:
            self._bounds = self._measured()
        return self._bounds

    def _measured(self) -> QRectF:
        if not len(self._x):
            return QRectF()
        left, top = float(self._x.min()), float(self._y.min())
        rect = QRectF(left, top, float(self._x.max()) - left, float(self._y.max()) - top)
        across, up = self.pixelVectors()
        if across is None or up is None:
            return rect
        wide, high = (self.size / 2 + 1) * across.length(), (self.size / 2 + 1) * up.length()
        return rect.adjusted(-wide, -high, wide, high)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if not len(self._x):
            return
        at = painter.transform()
        x, y = at.m11() * self._x + at.dx(), at.m22() * self._y + at.dy()
        painter.resetTransform()
        ratio = painter.device().devicePixelRatioF()
        raster = painter.paintEngine().type() == QPaintEngine.Type.Raster
        if raster and abs(painter.deviceTransform().m11() - ratio) < 1e-3:
            self._copy(painter, x, y, ratio)
        else:  # an export: shapes, not pictures
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.color)
            for point in zip(x, y, strict=True):
                painter.drawEllipse(QPointF(*point), self.size / 2, self.size / 2)

    def _copy(self, painter: QPainter, x: Floats, y: Floats, ratio: float) -> None:
        """Draw the picture of one dot at all places."""
        if self._pixmap is None or self._pixmap.devicePixelRatio() != ratio:
            self._pixmap = self._drawn(ratio)
        side = self._pixmap.width()
        self._fragments.resize(len(x))
        fragments = self._fragments.ndarray()
        fragments[:, 0], fragments[:, 1] = x, y
        fragments[:, 2:6] = 0, 0, side, side
        fragments[:, 6:10] = 1 / ratio, 1 / ratio, 0, 1  # scale, rotation, opacity
        pointer, count = self._fragments.drawargs()
        painter.drawPixmapFragments(pointer, count, self._pixmap)

    def _drawn(self, ratio: float) -> QPixmap:
        side = int(np.ceil(self.size)) + 2
        pixmap = QPixmap(round(side * ratio), round(side * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        middle = QPointF(side / 2, side / 2)
        painter.drawEllipse(middle, self.size / 2, self.size / 2)
        painter.end()
        return pixmap
