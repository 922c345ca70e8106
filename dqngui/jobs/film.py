"""Writing frames into an MP4 or GIF file with the ffmpeg that imageio-ffmpeg brings."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any

import imageio_ffmpeg
import numpy as np

from dqngui.config import ConfigError
from dqngui.envs.rendering import fitted

SUFFIXES = (".mp4", ".gif")
GIF_WIDTH = 800
"""Pixels; a wider picture is scaled down, since a GIF stores every pixel."""
SMALLEST_SIDE = 16
"""Pixels of the smallest side that H.264 can hold; smaller pictures are enlarged."""
LARGEST_SIDE = 1920
"""Pixels; a larger picture is scaled down, since it would take seconds to encode."""
_GIF_FILTER = (
    f"scale='min({GIF_WIDTH},iw)':-2:flags=lanczos,split[a][b];[a]palettegen=max_colors=128:stats_mode=diff[p];"
    "[b][p]paletteuse=dither=none:diff_mode=rectangle"
)
"""Scales down, then uses the colours of this film without dithering, so that still regions take no space."""


class Film:
    """Writes frames of equal size into an MP4 (H.264) or GIF file, by the file's name; a context manager.

    The file appears when it is whole: until then it has another name, and after an error there is none.
    """

    def __init__(self, path: Path, fps: float) -> None:
        """Raises ConfigError or OSError when the file cannot be written."""
        if path.suffix.lower() not in SUFFIXES:
            raise ConfigError("film.suffix", path=path)
        if not path.parent.is_dir():
            raise ConfigError("film.no_folder", path=path, folder=path.parent)
        self.path, self.fps = path, fps
        self._part = path.with_name(f".{path.stem}.part{path.suffix}")
        self._part.write_bytes(b"")
        self._size = (0, 0)
        self._writer: Generator[None, np.ndarray | None, None] | None = None

    def __enter__(self) -> Film:
        return self

    def add(self, frame: np.ndarray) -> None:
        """Append one frame (H, W, 3) uint8. The first one sets the size; others are scaled into it.

        An odd last row or column is cut off, since H.264 needs even sizes.
        Raises ConfigError when it cannot be written.
        """
        if self._writer is None:
            self._size = _size_of_film(*frame.shape[:2])
            self._writer = self._open(self._size[1], self._size[0])
            self._writer.send(None)
        height, width = self._size
        if frame.shape[0] // 2 * 2 != height or frame.shape[1] // 2 * 2 != width:
            frame = fitted(frame, height, width)
        try:
            self._writer.send(np.ascontiguousarray(frame[:height, :width]))
        except OSError:
            raise self._broken() from None

    def _open(self, width: int, height: int) -> Generator[None, np.ndarray | None, None]:
        how: dict[str, Any] = {"macro_block_size": 2}
        if self.path.suffix.lower() == ".gif":
            how |= {"codec": "gif", "pix_fmt_out": "pal8", "quality": None, "output_params": ["-vf", _GIF_FILTER]}
        opened: Generator[None, np.ndarray | None, None] = imageio_ffmpeg.write_frames(
            str(self._part), (width, height), fps=self.fps, ffmpeg_log_level="error", **how
        )
        return opened

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer is not None:
                self._writer.close()
            if kind is None and self._writer is not None:
                self._check_whole()
                os.replace(self._part, self.path)
        finally:
            self._part.unlink(missing_ok=True)

    def _check_whole(self) -> None:
        """Read the film: the encoder does not say whether it could write the end."""
        try:
            with closing(imageio_ffmpeg.read_frames(str(self._part))) as reader:
                next(reader)
        except (OSError, RuntimeError, StopIteration):
            raise self._broken() from None

    def _broken(self) -> ConfigError:
        return ConfigError("film.broken", path=self.path)


def _size_of_film(height: int, width: int) -> tuple[int, int]:
    """Height and width of a film, in pixels, from those of its first picture."""
    factor = min(float(-(-SMALLEST_SIDE // min(height, width))), LARGEST_SIDE / max(height, width))
    return tuple(max(SMALLEST_SIDE, int(side * factor)) // 2 * 2 for side in (height, width))  # type: ignore[return-value]
