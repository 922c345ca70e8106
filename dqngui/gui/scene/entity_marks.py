"""Marks around entities in a picture: the heavier one weighs, the thicker and the less see-through its ring."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

RADIUS = 0.055  # of the picture's shorter side
LEAST_RADIUS, THIN, THICK, CASING = 8.0, 1.0, 3.5, 2.5  # pixels; the casing is dark, on both sides together
FAINT = 0.02  # weaker ones could not be seen anyway
_BRIGHT, _DARK = "#ffffff", "#000000"


def draw_entity_marks(painter: QPainter, picture: QRectF, marks: npt.NDArray[Any]) -> None:
    """Draw (M, 3) marks: places as shares of the picture's sides, and strengths up to 1.

    The same in both themes, as the picture is: a bright ring in a dark casing can be seen on anything.
    """
    painter.save()
    painter.setClipRect(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = max(LEAST_RADIUS, RADIUS * min(picture.width(), picture.height()))
    for x, y, strength in marks.tolist():
        if strength < FAINT:
            continue
        middle = QPointF(picture.left() + x * picture.width(), picture.top() + y * picture.height())
        width = THIN + (THICK - THIN) * strength
        for colour, thick in ((_DARK, width + CASING), (_BRIGHT, width)):
            ink = QColor(colour)
            ink.setAlphaF(strength)
            painter.setPen(QPen(ink, thick))
            painter.drawEllipse(middle, radius, radius)
    painter.restore()
