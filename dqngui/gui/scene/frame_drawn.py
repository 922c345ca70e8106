"""A model of a drawn picture of the environment: where it stands, and the rings around entities. It needs no screen."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt

from dqngui.lab.analysis.overlay import Numbers

RADIUS = 0.055  # of the picture's shorter side
LEAST_RADIUS, THIN, THICK = 8.0, 1.0, 3.5  # pixels
FAINT = 0.02  # weaker rings would be invisible


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


@dataclass(frozen=True, slots=True)
class FrameDrawn:
    """A picture in a widget.

    Attributes:
        place: where the picture is, in pixels; without a picture the whole widget, which is filled.
        scaled_to: size to which the picture is scaled, in device pixels; None: there is no picture.
        ground: the colour behind the picture, as a token of the theme.
        rings: rings over the picture.
    """

    place: QRectF
    scaled_to: QSize | None
    ground: str
    rings: tuple[EntityRing, ...] = ()


def frame_drawn(size: QSize, ratio: float, picture: QSize | None, marks: Numbers) -> FrameDrawn:
    """Fit a picture into the middle of a widget with its aspect ratio kept, with rings for marks (M, 3).

    `size` is the widget's in pixels, `ratio` the number of device pixels per pixel, `picture` the picture's in pixels
    of its own.
    """
    if picture is None:
        return FrameDrawn(QRectF(0, 0, size.width(), size.height()), None, "raised")
    room = QSize(round(size.width() * ratio), round(size.height() * ratio))
    scaled_to = picture.scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
    shown = QSizeF(scaled_to) / ratio
    left, top = round((size.width() - shown.width()) / 2), round((size.height() - shown.height()) / 2)
    place = QRectF(QPointF(left, top), shown)
    return FrameDrawn(place, scaled_to, "surface", entity_rings(place, marks))


def entity_rings(picture: QRectF, marks: Numbers) -> tuple[EntityRing, ...]:
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
