"""Makes the maps in an SVG look the same in all viewers: some blur a picture of a few large squares, some do not."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

SIDE = 1000  # pixels that a side of a map has at least, so that a viewer's blur is too narrow to be seen
_MAP = re.compile(
    r'<image x="[^"]*" y="[^"]*" width="(?P<width>[\d.]+)" height="(?P<height>[\d.]+)"[^>]*'
    r'image-rendering="optimizeSpeed" xlink:href="data:image/png;base64,(?P<data>[^"]*)"'
)


def with_sharp_maps(svg: str) -> str:
    """The SVG with larger pictures in place of those that a viewer would enlarge; each colour stays a sharp square."""
    return _MAP.sub(_sharp, svg)


def _sharp(found: re.Match[str]) -> str:
    whole, data = found.group(0), found.group("data")
    image = QImage.fromData(b64decode(data))
    width, height = image.width(), image.height()
    enlarged = width < float(found.group("width")) or height < float(found.group("height"))
    if image.isNull() or not enlarged:
        return whole
    across, up = -(-SIDE // width), -(-SIDE // height)  # whole numbers: all squares of a map stay alike
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    colors = np.frombuffer(image.constBits(), np.uint32).reshape(height, width)
    colors = np.ascontiguousarray(colors.repeat(up, 0).repeat(across, 1))  # QImage.scaled is a pixel off at some edges
    larger = QImage(colors.data, width * across, height * up, 4 * width * across, QImage.Format.Format_ARGB32)
    written = QBuffer()
    written.open(QIODevice.OpenModeFlag.WriteOnly)
    larger.save(written, "PNG")  # type: ignore[call-overload]
    return whole.replace(data, b64encode(bytes(written.data().data())).decode("ascii"))
