"""The picture of an episode of trading: the price, what was held, and the account against holding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dqngui.envs.drawing import BRIGHT, DIM, FLOOR, RIGHT, SIGNAL, WRONG, Colour, Drawing

_WIDTH, _HEIGHT, _MARGIN = 480, 220, 14


def picture(
    closes: np.ndarray, positions: Sequence[int], equity: np.ndarray, holding: np.ndarray, steps: int
) -> np.ndarray:
    """Draw (H, W, 3) uint8.

    Args:
        closes, equity, holding: (T + 1,) cents at each close so far.
        positions: the T positions held since, −1, 0 or 1: green upwards, red downwards.
        steps: bars of the whole episode, which are as wide as the picture.
    """
    drawing = Drawing(_WIDTH, _HEIGHT)
    cell = (_WIDTH - 2 * _MARGIN) / steps
    _line(drawing, np.log(closes), cell, 14, 88, DIM)
    drawing.rectangle(_MARGIN, 109.5, _WIDTH - _MARGIN, 110.5, FLOOR)
    for bar, position in enumerate(positions):
        left = _MARGIN + bar * cell
        if position:
            top, bottom = (98, 110) if position > 0 else (110, 122)
            drawing.rectangle(left, top, left + cell, bottom, RIGHT if position > 0 else WRONG)
    both = np.log(np.concatenate([equity, holding]))
    low, high = float(both.min()), float(both.max())
    _line(drawing, np.log(holding), cell, 132, 206, DIM, low, high)
    _line(drawing, np.log(equity), cell, 132, 206, SIGNAL, low, high)
    return drawing.picture()


def _line(
    drawing: Drawing,
    values: np.ndarray,
    cell: float,
    top: float,
    bottom: float,
    colour: Colour,
    low: float | None = None,
    high: float | None = None,
) -> None:
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    y = bottom - (values - low) * (bottom - top) / max(high - low, 0.02)
    for bar in range(1, len(y)):
        left = _MARGIN + (bar - 1) * cell
        upper, lower = sorted((float(y[bar - 1]), float(y[bar])))
        drawing.rectangle(left, upper - 0.75, left + max(cell, 1.5), lower + 0.75, colour)
    drawing.disc(_MARGIN + (len(y) - 1) * cell, float(y[-1]), 3, BRIGHT if colour == DIM else colour)
