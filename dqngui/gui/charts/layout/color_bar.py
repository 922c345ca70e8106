"""A model of a drawn colour bar: the lowest value, the colours, and the highest value."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF

from dqngui.gui.charts.layout.color_range import ColorRange
from dqngui.gui.charts.layout.text import Label, Letters
from dqngui.texts.numbers import short

LENGTH, HEIGHT, GAP = 32, 10, 4  # pixels


@dataclass(frozen=True, slots=True)
class ColorBarDrawn:
    """A colour bar between two numbers.

    Attributes:
        colors: which values the colours stand for.
        place: where the colours are, in pixels.
        labels: the values of the first and the last colour.
        described: the same in words.
    """

    colors: ColorRange
    place: QRectF
    labels: tuple[Label, Label]
    described: str


def color_bar_drawn(colors: ColorRange, size: tuple[float, float], letters: Letters) -> ColorBarDrawn:
    """Place the numbers and the colours from left to right."""
    (width, height), low, high = size, short(colors.low), short(colors.high)
    low_width = letters.width(low) + 1
    left = low_width + GAP
    right = left + LENGTH + GAP
    return ColorBarDrawn(
        colors,
        QRectF(round(left), (height - HEIGHT) // 2, LENGTH, HEIGHT),
        (Label(QRectF(0, 0, low_width, height), low), Label(QRectF(right, 0, width - right, height), high)),
        f"Colours from {low} to {high}",
    )


def wanted_width(colors: ColorRange, letters: Letters) -> int:
    """Pixels that the bar and its numbers need."""
    return round(sum(letters.width(short(each)) for each in colors.limits)) + LENGTH + 2 * GAP + 2
