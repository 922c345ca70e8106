"""Exports a panel as a figure: a PNG, or an SVG or PDF with editable curves and texts.

A figure has what the card shows in its header (title, legend, choices), and looks the same in all viewers: an SVG has
no clipping, no pens in other units and no cached pictures, which viewers treat in different ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QPoint, QRect, QSize, QSizeF
from PySide6.QtGui import QBrush, QImage, QPageLayout, QPageSize, QPaintDevice, QPainter, QPdfWriter
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView, QWidget

from dqngui.gui.cards.figure import Figure, FigureFrame
from dqngui.gui.cards.svg_pictures import with_sharp_maps
from dqngui.gui.charts.pixel_shapes import as_pixel_shapes
from dqngui.gui.charts.plot import Plot
from dqngui.gui.style import theme as themes

RESOLUTION = 96  # pixels of an inch, as in browsers
FALLBACK = ", Arial, Helvetica, sans-serif"
"""Fonts of an SVG for a viewer that does not have ours."""


def save_png(panel: QWidget, figure: Figure, path: str | Path, scale: int = 2) -> None:
    """Write a panel as a PNG of `scale` times its size on the screen. Raises OSError."""
    if not picture_of(panel, figure, scale).save(str(path)):
        raise OSError(f"cannot write a picture to {path}")


def picture_of(panel: QWidget, figure: Figure, scale: int = 2) -> QImage:
    """A panel as a picture of `scale` times its size on the screen."""
    frame = FigureFrame(figure, panel.width(), panel.height())
    image = QImage(frame.size.toSize() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    _paint(panel, frame, image)
    return image


def save_svg(panel: QWidget, figure: Figure, path: str | Path) -> None:
    """Write a panel as an SVG. Raises OSError."""
    Path(path).write_text(svg_of(panel, figure), encoding="utf-8")


def svg_of(panel: QWidget, figure: Figure) -> str:
    """A panel as an SVG."""
    from PySide6.QtSvg import QSvgGenerator  # seldom needed

    frame = FigureFrame(figure, panel.width(), panel.height())
    size, written = frame.size.toSize(), QBuffer()
    written.open(QIODevice.OpenModeFlag.WriteOnly)
    drawing = QSvgGenerator()
    drawing.setOutputDevice(written)
    drawing.setResolution(RESOLUTION)
    drawing.setSize(size)
    drawing.setViewBox(_rect_of(size))
    drawing.setTitle(figure.title)
    _paint(panel, frame, drawing)
    family = themes.font().family()
    text = bytes(written.data().data()).decode("utf-8")
    text = text.replace(f'font-family="{family}"', f'font-family="{family}{FALLBACK}"')
    return with_sharp_maps(text)


def save_pdf(panel: QWidget, figure: Figure, path: str | Path) -> None:
    """Write a panel as a PDF of one page, as large as the figure, with its fonts in it. Raises OSError."""
    frame = FigureFrame(figure, panel.width(), panel.height())
    size, written = frame.size.toSize(), QBuffer()
    written.open(QIODevice.OpenModeFlag.WriteOnly)
    drawing = QPdfWriter(written)
    drawing.setResolution(RESOLUTION)
    drawing.setTitle(figure.title)
    inches = QSizeF(size) / RESOLUTION
    page = QPageSize(inches, QPageSize.Unit.Inch, "", QPageSize.SizeMatchPolicy.ExactMatch)
    drawing.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    _paint(panel, frame, drawing)
    Path(path).write_bytes(bytes(written.data().data()))


def _rect_of(size: QSize) -> QRect:
    return QRect(QPoint(), size)


def _paint(panel: QWidget, frame: FigureFrame, device: QPaintDevice) -> None:
    painter = QPainter(device)
    try:
        painter.fillRect(_rect_of(frame.size.toSize()), themes.current().color("surface"))
        frame.paint(painter)
        with _as_shapes(panel):
            panel.render(painter, frame.drawing.topLeft().toPoint(), renderFlags=QWidget.RenderFlag.DrawChildren)
    finally:
        painter.end()


@contextmanager
def _as_shapes(panel: QWidget) -> Iterator[None]:
    """Make plots paint shapes and texts instead of cached pictures, which look coarse in a file."""
    with ExitStack() as undo:
        for view in panel.findChildren(QGraphicsView):
            undo.callback(view.setBackgroundBrush, view.backgroundBrush())
            view.setBackgroundBrush(QBrush())  # the figure has a background; a view's own becomes a picture
            undo.callback(view.setCacheMode, view.cacheMode())
            view.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
            for item in view.scene().items():
                if item.cacheMode() != QGraphicsItem.CacheMode.NoCache:
                    undo.callback(item.setCacheMode, item.cacheMode())
                    item.setCacheMode(QGraphicsItem.CacheMode.NoCache)
                if isinstance(item, pg.ScatterPlotItem):
                    undo.callback(item.setExportMode, False)
                    item.setExportMode(True)
            if isinstance(view, Plot):
                undo.enter_context(as_pixel_shapes(view))
        yield
