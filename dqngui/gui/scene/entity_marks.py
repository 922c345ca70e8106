"""Paints rings around entities in a picture: the larger an entity's weight, the thicker and more opaque its ring."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from dqngui.gui.scene.frame_drawn import EntityRing

CASING = 2.5  # pixels: width of the dark edges together
_BRIGHT, _DARK = "#ffffff", "#000000"


def paint_rings(painter: QPainter, picture: QRectF, rings: Iterable[EntityRing]) -> None:
    """Paint rings inside a picture.

    The colours do not depend on the theme: a bright ring with dark edges is visible on every picture.
    """
    painter.save()
    painter.setClipRect(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ring in rings:
        for colour, thick in ((_DARK, ring.width + CASING), (_BRIGHT, ring.width)):
            ink = QColor(colour)
            ink.setAlphaF(ring.opacity)
            painter.setPen(QPen(ink, thick))
            painter.drawEllipse(ring.middle, ring.radius, ring.radius)
    painter.restore()
