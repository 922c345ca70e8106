"""Makes Qt's images from arrays of pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage


def as_image(pixels: npt.NDArray[np.uint8] | None) -> QImage | None:
    """Copy pixels (H, W, 3) to an image; None for None."""
    if pixels is None or not pixels.size:
        return None
    height, width, _ = pixels.shape
    rows = np.ascontiguousarray(pixels)
    # RGB32 is the fastest format to paint and scale; the conversion also copies the pixels.
    return QImage(rows.data, width, height, 3 * width, QImage.Format.Format_RGB888).convertToFormat(
        QImage.Format.Format_RGB32
    )
