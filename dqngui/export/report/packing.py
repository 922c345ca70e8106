"""Packs an episode for the report: values in 255 levels, pictures as small images, all of it below a size."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import math
import subprocess
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from dqngui.envs.rendering import fitted

MOST_VIEW_BYTES, MOST_PICTURE_BYTES = 2_400_000, 3_600_000
"""Bytes of all views and of all pictures before base64, which adds a third: the whole file stays below 10 MB."""
LEVELS = 254
_QUALITIES = ((1.0, 80), (1.0, 55), (0.75, 55), (0.5, 50), (0.5, 25), (0.25, 25))
"""Scale and quality of the pictures, tried in turn until they are small enough."""
_SAMPLED = 20
"""Pictures of which the size of all is estimated."""


def quantised(values: npt.NDArray[Any], *, signed: bool) -> tuple[npt.NDArray[np.uint8], float]:
    """The values in 255 levels, and what the largest level stands for.

    Shares: levels 1 … 255 are 0 … largest. Signed values: they are −largest … largest, 128 is zero. Level 0 is not a
    number. The largest value is that of the episode: a share among many tokens is small.
    """
    known = np.isfinite(values)
    safe = np.where(known, values, 0.0).astype(np.float64)
    largest = float(np.abs(safe).max(initial=0.0)) or 1.0
    if signed:
        levels = np.rint(safe / largest * (LEVELS // 2)) + 1 + LEVELS // 2
    else:
        levels = np.rint(np.clip(safe / largest, 0.0, 1.0) * LEVELS) + 1
    return np.where(known, levels, 0).astype(np.uint8), largest


def packed(levels: npt.NDArray[np.uint8]) -> bytes:
    """The levels compressed as zlib does."""
    return zlib.compress(np.ascontiguousarray(levels).tobytes(), 9)


def text_of(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def packed_views(views: dict[str, npt.NDArray[np.uint8]], most: int) -> dict[str, tuple[bytes, int]]:
    """Each view packed, and of how many steps one is kept, so that all of them together have at most `most` bytes."""
    every = dict.fromkeys(views, 1)
    found = {name: packed(levels) for name, levels in views.items()}
    while found and sum(map(len, found.values())) > most:
        largest = max(found, key=lambda name: len(found[name]))
        every[largest] *= 2
        found[largest] = packed(views[largest][:: every[largest]])
        if every[largest] >= len(views[largest]):
            break
    return {name: (data, every[name]) for name, data in found.items()}


def pictures(frames: Sequence[npt.NDArray[np.uint8]], most: int) -> tuple[str, list[bytes], list[int]]:
    """Type, distinct images, and the index of the image of each frame; together at most `most` bytes.

    Without an encoder, or if they stay too large, there are none.
    """
    distinct: list[npt.NDArray[np.uint8]] = []
    known: dict[bytes, int] = {}
    order: list[int] = []
    for frame in frames:
        key = hashlib.sha256(frame.tobytes()).digest()
        if key not in known:
            known[key] = len(distinct)
            distinct.append(frame)
        order.append(known[key])
    sample = distinct[:: -(-len(distinct) // _SAMPLED) or 1]  # tells what is not worth trying with all of them
    for scale, quality in _QUALITIES if distinct else ():
        if _mean_bytes(_encoded(sample, scale, quality)[1]) * len(distinct) > 1.1 * most:
            continue
        kind, images = _encoded(distinct, scale, quality)
        if images and sum(map(len, images)) <= most:
            return kind, images, order
    return "", [], []


def _mean_bytes(images: Sequence[bytes]) -> float:
    return sum(map(len, images)) / max(1, len(images))


def _encoded(frames: Sequence[npt.NDArray[np.uint8]], scale: float, quality: int) -> tuple[str, list[bytes]]:
    """The frames as WebP, or as JPEG where the encoder has none."""
    height, width = (max(16, round(side * scale)) for side in frames[0].shape[:2])
    jpeg = max(2, round((100 - quality) / 4))
    for kind, codec in (
        ("webp", ["-c:v", "libwebp", "-quality", str(quality), "-compression_level", "4"]),
        ("jpeg", ["-c:v", "mjpeg", "-q:v", str(jpeg), "-pix_fmt", "yuvj420p"]),
    ):
        with tempfile.TemporaryDirectory(prefix="dqngui-report-") as folder, contextlib.suppress(OSError):
            if _encode(frames, height, width, codec, f"{folder}/%06d.{kind}"):
                return kind, [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    return "", []


def _encode(frames: Sequence[npt.NDArray[np.uint8]], height: int, width: int, codec: list[str], out: str) -> bool:
    high, wide = frames[0].shape[:2]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{wide}x{high}",
        "-i", "-", "-fps_mode", "passthrough", "-vf", f"scale={width}:{height}:flags=area", *codec, "-f", "image2", out,
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: its status says so
            for frame in frames:
                process.stdin.write(np.ascontiguousarray(fitted(frame, high, wide)).tobytes())
            process.stdin.close()
        return process.wait() == 0


def rounded(value: float, digits: int = 5) -> float | None:
    """A number with so many significant digits, as the report holds it; None if it is not finite."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
