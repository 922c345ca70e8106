"""Writing frames into an MP4 or GIF file with the ffmpeg that imageio-ffmpeg brings."""

from __future__ import annotations

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
SMALLEST_SIDE, LARGEST_SIDE = 16, 16_384
"""Pixels of a side that H.264 can hold."""
_GIF_FILTER = (
    f"scale='min({GIF_WIDTH},iw)':-2:flags=lanczos,split[a][b];[a]palettegen=max_colors=128:stats_mode=diff[p];"
    "[b][p]paletteuse=dither=none:diff_mode=rectangle"
)
"""Scales down, then uses the colours of this film without dithering, so that still regions take no space."""


class Film:
    """Writes frames of equal size into an MP4 (H.264) or GIF file, by the file's name; a context manager."""

    def __init__(self, path: Path, fps: float) -> None:
        """Raises ConfigError when the file cannot be written."""
        if path.suffix.lower() not in SUFFIXES:
            raise ConfigError("film.suffix", path=path)
        if not path.parent.is_dir():
            raise ConfigError("film.no_folder", path=path, folder=path.parent)
        self.path, self.fps = path, fps
        self._size = (0, 0)
        self._writer: Generator[None, np.ndarray | None, None] | None = None

    def __enter__(self) -> Film:
        return self

    def add(self, frame: np.ndarray) -> None:
        """Append one frame (H, W, 3) uint8. The first one sets the size; others are scaled into it.

        An odd last row or column is cut off, since H.264 needs even sizes, and a tiny picture is enlarged.
        Raises ConfigError when it cannot be written.
        """
        if self._writer is None:
            times = -(-SMALLEST_SIDE // min(frame.shape[:2]))
            self._size = frame.shape[0] * times // 2 * 2, frame.shape[1] * times // 2 * 2
            if max(self._size) > LARGEST_SIDE:
                raise ConfigError("film.too_large", path=self.path, height=frame.shape[0], width=frame.shape[1])
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
            str(self.path), (width, height), fps=self.fps, ffmpeg_log_level="error", **how
        )
        return opened

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        self._writer.close()
        if kind is None:
            try:  # the encoder does not say whether it could write the end
                with closing(imageio_ffmpeg.read_frames(str(self.path))) as reader:
                    next(reader)
            except (OSError, RuntimeError, StopIteration):
                raise self._broken() from None

    def _broken(self) -> ConfigError:
        return ConfigError("film.broken", path=self.path)
