"""A model of drawn lines of attention, in the colours of their heads. It needs no screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from dqngui.gui.scene.frame_drawn import FAINT
from dqngui.lab.analysis.overlay import Numbers

HEAD_COLOURS = ("#ffb000", "#ff5fa2", "#f4f46a", "#63d2ff", "#3fd6a4", "#ffffff", "#c3a5ff", "#ff8a5b")
"""Colours of the heads, the first again after the last. They lie on a picture, not on the theme's colours."""
THIN, THICK, BESIDE = 1.0, 4.0, 5.0  # pixels; the last between the lines of two heads to the same entity
RING = 7.0  # pixels: radius of the ring of attention to itself, of the first head


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line of one head, or a ring around the agent's own entity for the attention that it keeps.

    Attributes:
        begin, end: in pixels; the same for a ring.
        radius: of the ring; 0: it is a line.
        width, opacity: 0 … 1 for the opacity, pixels for the width.
    """

    begin: QPointF
    end: QPointF
    colour: str
    width: float
    opacity: float
    radius: float = 0.0


def lines_drawn(picture: QRectF, lines: Numbers) -> tuple[DrawnLine, ...]:
    """Lines (M, 6) of `dqngui.lab.analysis.attention_lines` in a picture at this place; faint ones are left out.

    Lines of several heads to one entity lie side by side.
    """
    if not len(lines):
        return ()
    heads = int(lines[:, 0].max()) + 1
    drawn = []
    for number, *ends, strength in lines.tolist():
        if strength < FAINT:
            continue
        head = int(number)
        begin, end = (
            QPointF(picture.left() + x * picture.width(), picture.top() + y * picture.height())
            for x, y in (ends[:2], ends[2:])
        )
        radius = RING + head * BESIDE if begin == end else 0.0
        aside = QPointF() if radius else _aside(begin, end, (head - (heads - 1) / 2) * BESIDE)
        colour = HEAD_COLOURS[head % len(HEAD_COLOURS)]
        width = THIN + (THICK - THIN) * strength
        drawn.append(DrawnLine(begin + aside, end + aside, colour, width, strength, radius))
    return tuple(drawn)


def _aside(begin: QPointF, end: QPointF, distance: float) -> QPointF:
    """A step of this many pixels across the way from begin to end."""
    way = end - begin
    length = math.hypot(way.x(), way.y())
    return QPointF(-way.y(), way.x()) * (distance / length)
