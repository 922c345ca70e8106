"""The small sign of a curve in a legend: a dot, a diamond, or a piece of its line, with the band around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from dqngui.gui.charts.overlay_style import DASHES, Dash
from dqngui.gui.style import theme as themes

MARKER_PX = 12
BAND_ALPHA = 70

MarkerShape = Literal["dot", "line", "diamond"]


@dataclass(frozen=True, slots=True)
class Marker:
    """The sign of a curve.

    Attributes:
        token: its colour in the theme.
        shape: `dot`, `line` or `diamond`.
        dash: the dash pattern of a line, as in `overlay_style`.
        band: whether an area surrounds the line.
    """

    token: str
    shape: str = "dot"
    dash: Dash = DASHES[0]
    band: bool = False


def draw_marker(painter: QPainter, marker: Marker, color: QColor | None = None) -> None:
    """Paint a marker into the square of `MARKER_PX` pixels at the origin; `color` replaces its own."""
    color = color or themes.current().color(marker.token)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    if marker.shape == "diamond":
        painter.drawPolygon(QPolygonF([QPointF(6, 1), QPointF(10.5, 6), QPointF(6, 11), QPointF(1.5, 6)]))
    elif marker.shape == "line":
        if marker.band:
            faint = QColor(color)
            faint.setAlpha(BAND_ALPHA)
            painter.setBrush(faint)
            painter.drawRect(QRectF(0, 1, 12, 10))
        pen = QPen(color, 2)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if (kind := DASHES.index(marker.dash)) > 0:
            pen.setDashPattern([2, 1] if kind == 1 else [1, 1])
        painter.setPen(pen)
        painter.drawLine(QPointF(0, 6), QPointF(12, 6))
    else:
        painter.drawEllipse(QPointF(6, 6), 4, 4)


def marker_icon(marker: Marker) -> QIcon:
    """An icon for a button of a legend: in its colour while checked, muted otherwise."""
    icon = QIcon()
    theme = themes.current()
    for state, color in (
        (QIcon.State.On, theme.color(marker.token)),
        (QIcon.State.Off, theme.mixed("muted", 0.5)),
    ):
        for ratio in (1, 2):
            picture = QPixmap(MARKER_PX * ratio, MARKER_PX * ratio)
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            draw_marker(painter, marker, color)
            painter.end()
            icon.addPixmap(picture, QIcon.Mode.Normal, state)
    return icon
