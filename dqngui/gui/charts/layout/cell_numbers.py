"""Numbers that are written in the cells of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

from dqngui.gui.charts.layout.text import Letters
from dqngui.texts.numbers import minus


@dataclass(frozen=True, slots=True)
class CellNumber:
    """A number in the middle of a cell; `color_index` is that of the cell's colour, on which it must be readable."""

    place: QRectF
    text: str
    color_index: int


def cell_numbers(
    place: QRectF, values: npt.NDArray[Any], cells: npt.NDArray[np.uint8], letters: Letters
) -> tuple[CellNumber, ...]:
    """The value of every cell of a map (rows, columns) with its colour in `cells`; () if the cells are too small."""
    rows, columns = cells.shape
    wide, high = place.width() / columns, place.height() / rows
    if high < letters.line or wide < letters.width("−0.00") + 4:
        return ()
    return tuple(
        CellNumber(
            QRectF(place.left() + column * wide, place.top() + row * high, wide, high),
            minus(f"{values[row, column]:.2f}"),
            int(cells[row, column]),
        )
        for row, column in np.ndindex(cells.shape)
    )
