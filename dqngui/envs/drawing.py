"""Drawing the pictures of our own tasks: discs, rectangles, arrows and short texts on a numpy array.

Lengths are in pixels of the finished picture, from its left and upper edge. Everything is drawn twice as large and
averaged, for smooth edges. What is outside the picture is cut off.
"""

from __future__ import annotations

import colorsys

import numpy as np

Colour = tuple[int, int, int]

BACKGROUND: Colour = (18, 21, 26)
FLOOR: Colour = (43, 50, 61)
DIM: Colour = (93, 104, 120)
BRIGHT: Colour = (232, 235, 240)
SIGNAL: Colour = (232, 178, 58)
RIGHT: Colour = (63, 191, 138)
WRONG: Colour = (239, 106, 106)

_SCALE = 2
_FONT = {
    "0": "111101101101111",
    "1": "010110010010111",
    "2": "111001111100111",
    "3": "111001111001111",
    "4": "101101111001001",
    "5": "111100111001111",
    "6": "111100111101111",
    "7": "111001010010010",
    "8": "111101111101111",
    "9": "111101111001111",
    "?": "111001011000010",
    "A": "010101111101101",
    "B": "110101110101110",
    "C": "011100100100011",
    "D": "110101101101110",
    "E": "111100110100111",
    "F": "111100110100100",
    "G": "011100101101011",
    "H": "101101111101101",
    "I": "111010010010111",
    "J": "001001001101010",
    "K": "101101110101101",
    "L": "100100100100111",
    "M": "101111111101101",
    "N": "110101101101101",
    "O": "111101101101111",
    "P": "110101110100100",
    "Q": "010101101111011",
    "R": "110101110101101",
    "S": "011100010001110",
    "T": "111010010010010",
    "U": "101101101101111",
    "V": "101101101101010",
    "W": "101101111111101",
    "X": "101101010101101",
    "Y": "101101010010010",
    "Z": "111001010100111",
    " ": "000000000000000",
}
"""Three by five dots per character, row by row."""


def hue(index: int, count: int, strength: float = 1.0) -> Colour:
    """The colour of symbol `index` of `count`, as different from the others as possible; `strength` below 1 darkens
    it.
    """
    # In a long row of hues, neighbours also differ in brightness.
    red, green, blue = colorsys.hsv_to_rgb(index / max(1, count), 0.62, 0.92 if count < 9 or index % 2 else 0.68)
    mixed = (
        strength * 255 * part + (1 - strength) * dark for part, dark in zip((red, green, blue), FLOOR, strict=True)
    )
    red, green, blue = (round(part) for part in mixed)
    return red, green, blue


class Drawing:
    """A picture on which shapes are drawn one after another."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._image = np.empty((height * _SCALE, width * _SCALE, 3), np.uint16)
        self._image[:] = BACKGROUND

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """A filled rectangle."""
        rows, columns = _inner(top, bottom), _inner(left, right)
        self._image[rows, columns] = colour

    def frame(self, left: float, top: float, right: float, bottom: float, thick: float, colour: Colour) -> None:
        """The border of a rectangle, drawn inside it."""
        self.rectangle(left, top, right, top + thick, colour)
        self.rectangle(left, bottom - thick, right, bottom, colour)
        self.rectangle(left, top, left + thick, bottom, colour)
        self.rectangle(right - thick, top, right, bottom, colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour, hole: float = 0.0) -> None:
        """A filled circle, or a ring if `hole` is the radius of a hole."""
        window, rows, columns = self._around(x, y, radius)
        square = rows**2 + columns**2
        window[(square <= (radius * _SCALE) ** 2) & (square >= (hole * _SCALE) ** 2)] = colour

    def arrow(self, x: float, y: float, size: float, direction: tuple[int, int], colour: Colour) -> None:
        """A triangle within `size` of its middle; `direction` is (right, down), one of them 0 and the other ±1."""
        window, rows, columns = self._around(x, y, size)
        along = rows * direction[1] + columns * direction[0]
        across = rows * direction[0] + columns * direction[1]
        window[(2 * np.abs(across) <= size * _SCALE - along) & (np.abs(along) <= size * _SCALE)] = colour

    def text(self, x: float, y: float, height: float, text: str, colour: Colour) -> None:
        """Digits, capital letters, spaces and question marks, centred at (x, y)."""
        dot = height / 5
        left = x - (4 * len(text) - 1) / 2 * dot
        for character in text:
            for index, drawn in enumerate(_FONT[character]):
                row, column = divmod(index, 3)
                if drawn == "1":
                    top = y + (row - 2.5) * dot
                    self.rectangle(left + column * dot, top, left + (column + 1) * dot, top + dot, colour)
            left += 4 * dot

    def picture(self) -> np.ndarray:
        """What was drawn, (H, W, 3) uint8."""
        rows = self._image[0::_SCALE] + self._image[1::_SCALE]
        return ((rows[:, 0::_SCALE] + rows[:, 1::_SCALE] + _SCALE) // _SCALE**2).astype(np.uint8)

    def _around(self, x: float, y: float, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The part of the image around (x, y), with each dot's distance from there, down and right."""
        rows = _inner(y - radius, y + radius + 1 / _SCALE)
        columns = _inner(x - radius, x + radius + 1 / _SCALE)
        window = self._image[rows, columns]
        down = np.arange(window.shape[0])[:, None] + rows.start - round(y * _SCALE)
        right = np.arange(window.shape[1]) + columns.start - round(x * _SCALE)
        return window, down, right


def _inner(first: float, last: float) -> slice:
    return slice(max(0, round(first * _SCALE)), max(0, round(last * _SCALE)))
