"""Axes of every chart, painted or of pyqtgraph: which values get a tick, and how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dqngui.gui.charts.layout.text import Letters, widest
from dqngui.texts.numbers import minus

ACROSS, UP = 60, 36  # approximate distance of two ticks in pixels
GAP = 8.0  # least distance of two labels in pixels
SHORTEST = 44  # pixels; shorter names are not shown


def pixel_middle(x: float) -> float:
    """The middle of the pixel that x lies in; elsewhere a line of width 1 covers two pixels."""
    return math.floor(x) + 0.5


def two_digits(value: Any, unknown: str = "nothing") -> str:
    """A value with two digits after the point; `unknown` for NaN and infinities."""
    return minus(f"{value:.2f}") if math.isfinite(value) else unknown


def value_text(value: float) -> str:
    """The text of an action value; larger values get fewer decimals."""
    if not math.isfinite(value):
        return "not finite"
    digits = 2 if abs(value) < 100 else 1 if abs(value) < 1000 else 0
    return minus(f"{round(value, digits) + 0.0:,.{digits}f}")  # + 0.0: no minus before zero


def tick_spacing(low: float, high: float, pixels: float, apart: float, fewest: float = 2.0) -> float:
    """Distance of two ticks on an axis from low to high: 1, 2 or 5 × 10^k.

    Ticks are about `apart` pixels from each other; on a short axis nearer, so that there are `fewest` at least.
    """
    raw = max((high - low) / max(fewest, pixels / apart), 1e-12)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= raw)


def step_ticks(span: int, pixels: float) -> range:
    """The steps among 0 … span − 1 that get a tick on an axis `pixels` long."""
    return range(0, span, max(1, round(tick_spacing(0, span, pixels, ACROSS, fewest=1.0))))


def spread_labels(labels: Sequence[str], room: float, letters: Letters) -> list[tuple[int, str]]:
    """(index, text) of the labels of cells `room` pixels wide: all, or all shortened, or every n-th one."""
    longest = widest(labels, letters)
    if longest + GAP <= room or len(labels) == 1:
        return [(i, letters.shortened(text, room)) for i, text in enumerate(labels)]
    if room >= SHORTEST and labels[-1] != "0":
        return [(i, letters.shortened(text, room - 4)) for i, text in enumerate(labels)]
    every = math.ceil((min(longest, 80.0) + GAP) / max(room, 1e-6))
    last = len(labels) - 1
    return [(i, letters.shortened(labels[i], every * room)) for i in range(last, -1, -every)][::-1]


FEW_ROWS, CLOSEST = 8, 0.7
"""Rows of a map that all get a label if a row is this share of the height of a line."""


def row_ticks(count: int, row: float, line: float, back: bool = False) -> list[int]:
    """Indices of the rows, `row` pixels high, that get a label `line` pixels high: all, or 5, 10, 15, … from 1 on.

    `back`: counted backwards from the last row, which is 0. A few rows have names and not numbers, so that a reader
    cannot tell a missing one: their labels may stand as close as their letters allow.
    """
    lowest = CLOSEST * line if count <= FEW_ROWS else line - 2  # letters are lower than their line
    if row >= lowest or count == 1:
        return list(range(count))
    every = next((n for n in (2, 5, 10, 20, 50, 100, 200, 500, 1000) if n * row >= line + 4), count)
    if back:
        return list(range(count - 1, -1, -every))[::-1]
    return [*range(every - 1, count, every)] or [0]
