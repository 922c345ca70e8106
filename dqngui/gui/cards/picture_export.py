"""Exports a panel as a PNG, or as an SVG with editable curves and texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtGui import QImage, QPaintDevice, QPainter
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView, QWidget

from dqngui.gui.style import theme as themes


def save_png(panel: QWidget, path: str | Path) -> None:
    """Write a panel as a PNG of twice its size on the screen. Raises OSError."""
    image = QImage(panel.size() * 2, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(2)
    _paint(panel, image)
    if not image.save(str(path)):
        raise OSError(f"cannot write a picture to {path}")


def save_svg(panel: QWidget, title: str, path: str | Path) -> None:
    """Write a panel as an SVG. Raises OSError."""
    from PySide6.QtSvg import QSvgGenerator  # seldom needed

    with Path(path).open("wb"):  # the generator reports no errors
        pass
    drawing = QSvgGenerator()
    drawing.setFileName(str(path))
    drawing.setSize(panel.size())
    drawing.setViewBox(panel.rect())
    drawing.setTitle(title)
    _paint(panel, drawing)


def _paint(panel: QWidget, device: QPaintDevice) -> None:
    painter = QPainter(device)
    try:
        painter.fillRect(panel.rect(), themes.current().color("surface"))
        with _as_shapes(panel):
            panel.render(painter, panel.rect().topLeft(), renderFlags=QWidget.RenderFlag.DrawChildren)
    finally:
        painter.end()


@contextmanager
def _as_shapes(panel: QWidget) -> Iterator[None]:
    """Make plots draw shapes and texts instead of cached pictures, which look coarse in a file."""
    items = [item for view in panel.findChildren(QGraphicsView) for item in view.scene().items()]
    kept = [(item, item.cacheMode()) for item in items if item.cacheMode() != QGraphicsItem.CacheMode.NoCache]
    dots = [item for item in items if isinstance(item, pg.ScatterPlotItem)]
    for item, _ in kept:
        item.setCacheMode(QGraphicsItem.CacheMode.NoCache)
    for item in dots:
        item.setExportMode(True)
    try:
        yield
    finally:
        for item, mode in kept:
            item.setCacheMode(mode)
        for item in dots:
            item.setExportMode(False)
