"""Pictures that an environment draws, of any kind that is used in the field, as RGB bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

NO_PICTURE = np.zeros((0, 0, 3), np.uint8)
_CHANNELS = (1, 2, 3, 4)


def as_picture(drawn: Any) -> np.ndarray:
    """What `render` returned as a picture (H, W, 3) uint8; (0, 0, 3) if it is none.

    Grey and transparency, an axis of channels that comes first, a list of pictures (the last one counts), bits, and
    floats from 0 to 1 or from 0 to 255 are converted.
    """
    if isinstance(drawn, (list, tuple)) and drawn and isinstance(drawn[-1], np.ndarray) and drawn[-1].ndim > 1:
        drawn = drawn[-1]
    if drawn is None or isinstance(drawn, (str, bytes)):
        return NO_PICTURE
    try:
        picture = np.asarray(drawn)
    except Exception:  # an object of another package
        return NO_PICTURE
    if picture.ndim not in (2, 3) or not picture.size or picture.dtype.kind not in "biuf":
        return NO_PICTURE
    if picture.dtype.kind == "f" and not np.isfinite(picture).any():
        return NO_PICTURE
    if picture.ndim == 2:
        picture = picture[:, :, None]
    elif picture.shape[0] in _CHANNELS and picture.shape[2] not in _CHANNELS:
        picture = np.moveaxis(picture, 0, 2)
    colours = picture[:, :, :3] if picture.shape[2] >= 3 else np.repeat(picture[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(_bytes(colours))


def _bytes(colours: np.ndarray) -> np.ndarray:
    if colours.dtype == np.uint8:
        return colours
    if colours.dtype.kind == "b":
        return colours.astype(np.uint8) * np.uint8(255)
    if colours.dtype.kind == "f":
        colours = np.nan_to_num(colours, nan=0.0, posinf=255.0, neginf=0.0)
        colours = np.round(colours * 255 if colours.max() <= 1 else colours)
    return colours.clip(0, 255).astype(np.uint8)


def fitted(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture (H, W, 3) in the given size: scaled with its proportions, the rest in the colour of its first pixel."""
    if picture.shape[:2] == (height, width):
        return picture
    factor = min(height / picture.shape[0], width / picture.shape[1])
    high, wide = (
        max(1, min(most, round(size * factor))) for most, size in zip((height, width), picture.shape, strict=False)
    )
    rows = np.arange(high) * picture.shape[0] // high
    columns = np.arange(wide) * picture.shape[1] // wide
    whole = np.empty((height, width, 3), np.uint8)
    whole[:] = picture[0, 0]
    top, left = (height - high) // 2, (width - wide) // 2
    whole[top : top + high, left : left + wide] = picture[rows][:, columns]
    return whole
