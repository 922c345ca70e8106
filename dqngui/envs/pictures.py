"""Pictures: which arrays of an observed Box are pictures, what their axes mean, and the factor of their numbers.

Bytes and bits are a picture by their shape. Other numbers may as well be a table, such as a window of the past. They
are a picture

- with an axis of channels and at least 5 cells a side, if all have the same finite bounds;
- without channels and with at least 32 cells a side, if these bounds are also 0 or more, as of brightness or distance;
- without bounds, if they have up to 4 channels and at least 32 cells a side, as many rows as columns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from gymnasium import spaces as gym_spaces

SMALL_SIDE, LARGE_SIDE = 5, 32
"""Cells a side from which an array can be a picture: what is surely one, and what could also be a table."""
MOST_COLOURS = 4
"""Channels up to which an array without bounds can be a picture."""
LARGEST_BOUND = 1e6
"""A bound beyond this says nothing about the numbers."""
MOST_FRAMES = 16
"""Length of the first of four axes up to which it can be joined frames."""


def axes_of(shape: tuple[int, ...], joined: int, stacks: bool) -> str:
    """Meaning of each axis if this is a picture, empty if it cannot be one; the channels are the shorter outer axis.

    Args:
        joined: observations that the wrapper `frame_stack` joined along a first axis; 0: none.
        stacks: four axes can be the frames of another wrapper.
    """
    frames = "n" if joined and len(shape) > 2 and shape[0] == joined else ""
    if joined and not frames:
        return ""  # joined vectors are no picture
    if stacks and not frames and len(shape) == 4 and shape[0] <= MOST_FRAMES:
        frames = "n"
    inner = shape[len(frames) :]
    if len(inner) == 2:
        return f"{frames}hw"
    if len(inner) != 3:
        return ""
    return f"{frames}chw" if inner[0] < inner[2] else f"{frames}hwc"


def is_picture(space: gym_spaces.Box, size: Mapping[str, int]) -> bool:
    """Whether a Box is a picture, of the size that it would have by the names of its axes."""
    side, coloured = min(size["h"], size["w"]), "c" in size
    if _by_shape(space):
        return coloured or side >= SMALL_SIDE
    bounds = bounds_of(space)
    if bounds is None:
        return coloured and size["c"] <= MOST_COLOURS and size["h"] == size["w"] >= LARGE_SIDE
    return side >= SMALL_SIDE if coloured else side >= LARGE_SIDE and bounds[0] >= 0


def was_picture(space: gym_spaces.Box, size: Mapping[str, int]) -> bool:
    """The same as earlier versions said, which asked for no bounds."""
    side, coloured = min(size["h"], size["w"]), "c" in size
    if _by_shape(space):
        return coloured or side >= SMALL_SIDE
    return space.dtype.kind == "f" and side >= (SMALL_SIDE if coloured else LARGE_SIDE)


def _by_shape(space: gym_spaces.Box) -> bool:
    return space.dtype == np.uint8 or space.dtype.kind == "b"


def bounds_of(space: gym_spaces.Box) -> tuple[float, float] | None:
    """The bounds that all numbers of a Box share; None if they differ, are infinite, or are so large that they say
    nothing.
    """
    low, high = float(space.low.min()), float(space.high.max())
    if (low, high) != (float(space.low.max()), float(space.high.min())):
        return None
    return (low, high) if math.isfinite(high - low) and max(-low, high) <= LARGEST_BOUND else None


def factor_of(space: gym_spaces.Box) -> float | None:
    """Factor from the numbers of a picture that are no bytes to about 1; None if it does not follow from the bounds, so
    that they have to be measured.
    """
    bounds = bounds_of(space)
    if bounds == (0.0, 255.0):
        return 1 / 255
    return 1.0 if bounds is not None and max(-bounds[0], bounds[1]) <= 1 else None
