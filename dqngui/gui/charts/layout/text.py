"""Texts in a chart: where a line of text stands, and how wide it is in pixels.

Layouts are computed with `Letters`, not with a font, so that they need no screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from PySide6.QtCore import QRectF

MEASURED = 100  # names; each takes a microsecond or two
Align = Literal["left", "center", "right"]


class Letters(Protocol):
    """Measures text in one font.

    Attributes:
        line: height of a line in pixels.
    """

    line: float

    def width(self, text: str) -> float:
        """Pixels from the first letter to the end of the last one."""

    def shortened(self, text: str, room: float) -> str:
        """The text, or its beginning with an ellipsis, so that it fits into `room` pixels."""


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text in a chart.

    Attributes:
        place: where it stands, in pixels; vertically the text is in the middle.
        token: its colour in the theme.
        upright: written upwards, from the lower end of `place` to the upper one.
    """

    place: QRectF
    text: str
    align: Align = "left"
    token: str = "muted"
    upright: bool = False


def widest(texts: Sequence[str], letters: Letters) -> float:
    """Pixels of the widest of some texts; of many texts only the longest ones are measured."""
    some = texts if len(texts) <= MEASURED else sorted(texts, key=len)[-MEASURED:]
    return max((letters.width(text) for text in some), default=0.0)


def first_that_fits(
    choices: Sequence[Sequence[tuple[str, str]]], room: float, letters: Letters, between: float
) -> Sequence[tuple[str, str]] | None:
    """The first list of (text, token) whose texts fit side by side, `between` pixels apart; None: none of them."""
    for parts in choices:
        if sum(letters.width(text) + between for text, _ in parts) - between <= room:
            return parts
    return None


def side_by_side(
    parts: Sequence[tuple[str, str]], left: float, right: float, top: float, letters: Letters, between: float
) -> tuple[Label, ...]:
    """(text, token) as labels in one line, `between` pixels apart, each shortened to the room that is left for it."""
    placed = []
    for text, token in parts:
        room = right - left
        placed.append(Label(QRectF(left, top, room, letters.line), letters.shortened(text, room), token=token))
        left += letters.width(text) + between
    return tuple(placed)
