"""Draws curves on two logarithmic axes, as one picture for light and one for dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPen, QPolygonF

from dqngui.gui.style import theme as themes
from dqngui.texts.numbers import short

Curves = Mapping[str, Sequence[tuple[float, float]]]

WIDTH, HEIGHT, SHARPNESS = 860, 520, 2
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 44, 52
_MIN_GAP_PX = 15  # between the names at the ends of the curves
_COLOURS: dict[Literal["dark", "light"], tuple[str, ...]] = {
    "dark": ("#56b4e9", "#e69f00", "#2fbf94", "#cc79a7", "#f0e442", "#ef6a6a", "#9a8cff", "#b8c4d4"),
    "light": ("#1b6fd6", "#c77700", "#0b8a66", "#a8457f", "#8a7a00", "#c93a3a", "#5b4bc4", "#44546a"),
}


def draw(curves: Curves, *, title: str, across: str, up: str, path: Path) -> None:
    """Write two pictures, `path` with `-dark` and `-light` after its stem. Points must be positive and ascending."""
    app = QGuiApplication.instance() or QGuiApplication(["curves"])
    assert isinstance(app, QGuiApplication)
    themes.load_fonts()
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in ("dark", "light"):
        image = QImage(WIDTH * SHARPNESS, HEIGHT * SHARPNESS, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(SHARPNESS)
        theme = themes.theme_for(name)
        image.fill(QColor(theme.surface))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(themes.font(family=themes.load_fonts()))
        _Picture(painter, theme, curves).paint(title, across, up)
        painter.end()
        image.save(str(path.with_name(f"{path.stem}-{name}.png")))


class _Picture:
    """Paints the curves with a painter in one theme."""

    def __init__(self, painter: QPainter, theme: themes.Theme, curves: Curves) -> None:
        self.painter, self.theme, self.curves = painter, theme, curves
        points = [point for curve in curves.values() for point in curve]
        self.x = [math.log10(pick(x for x, _ in points)) for pick in (min, max)]
        self.y = [math.log10(pick(y for _, y in points)) for pick in (min, max)]
        self.y = [self.y[0] - 0.1, self.y[1] + 0.1]

    def place(self, x: float, y: float) -> QPointF:
        across = (math.log10(x) - self.x[0]) / (self.x[1] - self.x[0])
        up = (math.log10(y) - self.y[0]) / (self.y[1] - self.y[0])
        return QPointF(LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP))

    def paint(self, title: str, across: str, up: str) -> None:
        p, theme = self.painter, self.theme
        p.setPen(QColor(theme.text))
        p.drawText(QPointF(LEFT, 26), title)
        p.setPen(QColor(theme.muted))
        p.drawText(QPointF(LEFT, HEIGHT - 12), across)
        p.save()
        p.translate(16, HEIGHT - BOTTOM)
        p.rotate(-90)
        p.drawText(QPointF(0, 0), up)
        p.restore()
        self._grid()
        ends = []
        for index, (name, curve) in enumerate(self.curves.items()):
            colours = _COLOURS[theme.name]
            # When the colours are used a second time, the curves are dashed.
            style = Qt.PenStyle.SolidLine if index < len(colours) else Qt.PenStyle.DashLine
            p.setPen(QPen(QColor(colours[index % len(colours)]), 2, style))
            line = [self.place(x, y) for x, y in curve]
            p.drawPolyline(QPolygonF(line))
            ends.append((line[-1], name, colours[index % len(colours)]))
        self._names(ends)

    def _grid(self) -> None:
        for horizontal, (low, high) in ((False, self.x), (True, self.y)):
            for power in range(math.floor(low), math.ceil(high) + 1):
                for digit in (1, 3) if not horizontal else (1,):
                    if low - 1e-9 <= math.log10(digit * 10.0**power) <= high + 1e-9:
                        self._tick(digit * 10.0**power, horizontal)

    def _tick(self, value: float, horizontal: bool) -> None:
        low_x, low_y = 10 ** self.x[0], 10 ** self.y[0]
        spot = self.place(low_x, value) if horizontal else self.place(value, low_y)
        end = self.place(10 ** self.x[1], value) if horizontal else self.place(value, 10 ** self.y[1])
        self.painter.setPen(QColor(self.theme.line))
        self.painter.drawLine(spot, end)
        self.painter.setPen(QColor(self.theme.muted))
        if horizontal:
            box = QRectF(spot.x() - 54, spot.y() - 9, 46, 18)
            self.painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, short(value))
        else:
            box = QRectF(spot.x() - 30, spot.y() + 4, 60, 18)
            self.painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, short(value))

    def _names(self, ends: list[tuple[QPointF, str, str]]) -> None:
        """Write each name beside its curve's last point, lower if it would overlap another name."""
        lowest = -math.inf
        for spot, name, colour in sorted(ends, key=lambda end: end[0].y()):
            y = max(spot.y(), lowest + _MIN_GAP_PX)
            lowest = y
            self.painter.setPen(QPen(QColor(colour), 1, Qt.PenStyle.DotLine))
            name_x = WIDTH - RIGHT + 22
            self.painter.drawLine(spot, QPointF(name_x - 4, y))
            self.painter.setPen(QColor(colour))
            self.painter.drawText(QPointF(name_x, y + 4), name)
