"""Labels of maps: names of the rows at the left, and the title of their axis along the left edge."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF

from dqngui.gui.charts.layout.axis import row_ticks
from dqngui.gui.charts.layout.text import Label, Letters

MARKER = 6
"""Pixels of the triangle at a chosen row."""
WIDEST_LABELS = 0.3  # of the chart's width, for the names of rows


def gutter(titled: bool, widest: float, width: float, letters: Letters) -> float:
    """Pixels left of a map: title of the rows' axis, if there is one, and their names, `widest` pixels wide."""
    return title_width(titled, letters) + min(widest, WIDEST_LABELS * width) + 13


def title_width(titled: bool, letters: Letters) -> float:
    """Pixels that the title of the rows' axis takes."""
    return letters.line + 4.0 if titled else 4.0


def row_labels(names: Sequence[str], place: QRectF, left: float, height: float, letters: Letters) -> tuple[Label, ...]:
    """Names of the rows of a map, right-aligned between `left` and `place`, in a chart `height` pixels high."""
    row, line = place.height() / max(len(names), 1), letters.line
    room = place.left() - MARKER - 3 - left
    placed = []
    for index in row_ticks(len(names), row, line, back=names[-1:] == ("0",)):
        y = place.top() + (index + 0.5) * row
        y = min(max(y, line / 2), height - line / 2)
        at = QRectF(left, y - line / 2, room, line)
        placed.append(Label(at, letters.shortened(names[index], room + 1), "right"))
    return tuple(placed)


def row_title(text: str, top: float, bottom: float, letters: Letters) -> tuple[Label, ...]:
    """The title of the rows' axis, if it fits; of `key: entities` the end, if only that fits."""
    width = letters.width(text) + 2
    if width > bottom - top:
        text = text.rpartition(": ")[2]
        width = letters.width(text) + 2
    if not text or width > bottom - top:
        return ()
    start = (top + bottom + width) / 2
    return (Label(QRectF(2, start - width, letters.line, width), text, "center", upright=True),)
