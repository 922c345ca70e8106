"""Rings around entities in a picture: the larger the weight of an entity, the thicker and more opaque its ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

RADIUS = 0.055  # of the picture's shorter side
LEAST_RADIUS, THIN, THICK, CASING = 8.0, 1.0, 3.5, 2.5  # pixels; CASING: width of the dark edges together
FAINT = 0.02  # weaker rings would be invisible
_BRIGHT, _DARK = "#ffffff", "#000000"


@dataclass(frozen=True, slots=True)
class EntityRing:
    """A ring around an entity.

    Attributes:
        middle, radius, width: in pixels; the width is that of the bright line.
        opacity: 0 … 1.
    """

    middle: QPointF
    radius: float
    width: float
    opacity: float


def entity_rings(picture: QRectF, marks: npt.NDArray[Any]) -> tuple[EntityRing, ...]:
    """Rings for marks (M, 3): x and y as shares of the picture's sides, and strength up to 1; faint marks get none."""
    radius = max(LEAST_RADIUS, RADIUS * min(picture.width(), picture.height()))
    return tuple(
        EntityRing(
            QPointF(picture.left() + x * picture.width(), picture.top() + y * picture.height()),
            radius,
            THIN + (THICK - THIN) * strength,
            strength,
        )
        for x, y, strength in marks.tolist()
        if strength >= FAINT
    )


def draw_entity_marks(painter: QPainter, picture: QRectF, marks: npt.NDArray[Any]) -> None:
    """Draw the rings of marks.

    The colours do not depend on the theme: a bright ring with dark edges is visible on every picture.
    """
    painter.save()
    painter.setClipRect(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ring in entity_rings(picture, marks):
        for colour, thick in ((_DARK, ring.width + CASING), (_BRIGHT, ring.width)):
            ink = QColor(colour)
            ink.setAlphaF(ring.opacity)
            painter.setPen(QPen(ink, thick))
            painter.drawEllipse(ring.middle, ring.radius, ring.radius)
    painter.restore()
