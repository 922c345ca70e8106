"""Paints lines of attention into a picture: the larger a head's weight, the thicker and more opaque its line."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from dqngui.gui.scene.lines_drawn import DrawnLine

CASING = 2.0  # pixels: width of the dark edges together
END = 2.5  # pixels: radius of the dot at the attended entity, for each pixel of width above the first
_DARK = "#000000"


def paint_lines(painter: QPainter, picture: QRectF, lines: Iterable[DrawnLine]) -> None:
    """Paint lines inside a picture, with dark edges, so that they are visible on every picture."""
    painter.save()
    painter.setClipRect(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for line in lines:
        for colour, thick in ((_DARK, line.width + CASING), (line.colour, line.width)):
            ink = QColor(colour)
            ink.setAlphaF(line.opacity)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            pen = QPen(ink, thick)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            if line.radius:
                painter.drawEllipse(line.begin, line.radius, line.radius)
            else:
                painter.drawLine(line.begin, line.end)
        if not line.radius:
            ink = QColor(line.colour)
            ink.setAlphaF(line.opacity)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink)
            painter.drawEllipse(line.end, END + line.width / 2, END + line.width / 2)
    painter.restore()
