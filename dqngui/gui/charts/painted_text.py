"""Measures text in a font, and paints labels at the places of a layout."""

from __future__ import annotations

import math
from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QFontMetricsF, QPainter

from dqngui.gui.charts.layout.text import Label
from dqngui.gui.style import theme as themes

_END = Qt.TextElideMode.ElideRight
FLAGS = {
    align: int(flag | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
    for align, flag in (
        ("left", Qt.AlignmentFlag.AlignLeft),
        ("center", Qt.AlignmentFlag.AlignHCenter),
        ("right", Qt.AlignmentFlag.AlignRight),
    )
}


class FontLetters:
    """Measures text in a font, in fractions of pixels."""

    def __init__(self, font: QFont) -> None:
        self._metrics = QFontMetricsF(font)
        self.line: float = math.ceil(self._metrics.height())

    def width(self, text: str) -> float:
        return self._metrics.horizontalAdvance(text)

    def shortened(self, text: str, room: float) -> str:
        return self._metrics.elidedText(text, _END, room)


class WholeLetters:
    """Measures text in a font, in whole pixels, for widgets whose parts stand at whole pixels."""

    def __init__(self, font: QFont) -> None:
        self._metrics = QFontMetrics(font)
        self.line: float = self._metrics.height()

    def width(self, text: str) -> int:
        return self._metrics.horizontalAdvance(text)

    def shortened(self, text: str, room: float) -> str:
        return self._metrics.elidedText(text, _END, int(room))


def paint_labels(painter: QPainter, labels: Iterable[Label]) -> None:
    """Write lines of text in the painter's font."""
    theme = themes.current()
    for label in labels:
        painter.setPen(theme.color(label.token))
        if label.upright:
            painter.save()
            painter.translate(label.place.bottomLeft())
            painter.rotate(-90)
            painter.drawText(QRectF(0, 0, label.place.height(), label.place.width()), FLAGS["center"], label.text)
            painter.restore()
        else:
            painter.drawText(label.place, FLAGS[label.align], label.text)
