"""A widget painted with QPainter: its frame and data are cached as a picture, over which the cursor is painted.

Views of the agent are drawn on such canvases, many times a second, in the process that also trains. So a
moved cursor repaints two narrow strips, and new values repaint only their own part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QPaintEngine, QPainter, QPaintEvent, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QWidget

from dqngui.gui.charts.cursor import Readout
from dqngui.gui.charts.layout.color_range import TOP
from dqngui.gui.charts.layout.map_labels import MARKER
from dqngui.gui.charts.layout_cache import LayoutCache
from dqngui.gui.charts.painted_text import FontLetters
from dqngui.gui.style import theme as themes
from dqngui.gui.style.theme import TICK_PX, Theme


def color_table(signed: bool) -> list[int]:
    """The present theme's 256 colours for `indices`: for shares, or for signed values; the last is for gaps."""
    theme = themes.current()
    colors = theme.diverging_map() if signed else themes.viridis()
    spread = colors[np.linspace(0, 255, TOP + 1).round().astype(int)].astype(np.uint32)
    table: list[int] = (0xFF000000 | (spread[:, 0] << 16) | (spread[:, 1] << 8) | spread[:, 2]).tolist()
    return [*table, theme.color("surface").rgb()]


def image_of(places: npt.NDArray[np.uint8], table: Sequence[int]) -> QImage:
    """An image (rows, columns) that shares the array's memory: keep the array as long as the image."""
    rows, columns = places.shape
    image = QImage(places.data, columns, rows, places.strides[0], QImage.Format.Format_Indexed8)
    image.setColorTable(list(table))
    return image


class Canvas(QWidget):
    """Paints a frame (labels, axes) and data into a cached picture, and a cursor over it.

    Subclasses paint in `draw_frame`, `draw_data` and `draw_over`. They call `renew` when everything has changed, and
    `touch` when only the data have.

    Attributes:
        letters: measures the labels.
        layout_cache: the cached layout for `drawn`, until `renew`.
        data_cache: the cached model of the data for `drawn`, until `renew` or `touch`.
        exported: whether it is being painted into a file, which needs all data at once.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(
            Qt.WidgetAttribute.WA_OpaquePaintEvent
        )  # so that Qt does not repaint the parent when the cursor moves
        self.setMouseTracking(True)
        self.type = themes.font(themes.zoomed(TICK_PX))
        self.letters = FontLetters(self.type)
        self._kept: QImage | None = None
        self.layout_cache, self.data_cache = LayoutCache(), LayoutCache()
        self._stale = True
        self.exported = False
        self.readout = Readout(self)

    def draw_frame(self, painter: QPainter) -> None:
        """Paint labels and axes on the card's colour."""

    def draw_data(self, painter: QPainter) -> None:
        """Paint the values, over all earlier ones."""

    def draw_over(self, painter: QPainter) -> None:
        """Paint the moving parts: cursor and present values."""

    def renew(self) -> None:
        """Paint everything again: frame and data have changed."""
        self._kept = None
        self.layout_cache.forget()
        self.data_cache.forget()
        self.update()

    def touch(self) -> None:
        """Paint the data again."""
        self._stale = True
        self.data_cache.forget()
        self.update()

    def restyle(self, theme: Theme) -> None:
        self.type = themes.font(themes.zoomed(TICK_PX))
        self.letters = FontLetters(self.type)
        self.renew()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.renew()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        raster = painter.paintEngine().type() == QPaintEngine.Type.Raster
        if (
            not raster or abs(painter.deviceTransform().m11() - ratio) > 1e-3
        ):  # an export: paint shapes, not the cached picture
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
                painter.end()  # a painter that outlives its image crashes Qt
            self._stale = False
        return self._kept

    def _paint(self, painter: QPainter, frame: bool) -> None:
        painter.setFont(self.type)
        if frame:
            self.draw_frame(painter)
        self.draw_data(painter)

    def marker(self, painter: QPainter, x: float, y: float) -> None:
        """A small triangle that points at a row from the left."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(themes.current().color("accent"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPolygon(QPolygonF([QPointF(x - 1, y), QPointF(x - MARKER, y - 4), QPointF(x - MARKER, y + 4)]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def show_text(self, text: str, at: QPointF) -> None:
        """Show the readout next to a point; an empty text hides it."""
        self.readout.show_text(text, at.x(), at.y(), self.size())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.readout.hide()
