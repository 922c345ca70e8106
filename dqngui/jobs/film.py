"""Writing frames into an MP4 file with the ffmpeg that imageio-ffmpeg brings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from types import TracebackType

import imageio_ffmpeg
import numpy as np

from dqngui.config import ConfigError


class Film:
    """An MP4 (H.264) of frames that all have the first one's size; a context manager."""

    def __init__(self, path: Path, fps: float) -> None:
        """Raises ConfigError when the file cannot be written."""
        if path.suffix.lower() != ".mp4":
            raise ConfigError(f"`{path}`: a film's name ends in .mp4")
        if not path.parent.is_dir():
            raise ConfigError(f"`{path}`: there is no folder `{path.parent}`")
        self.path, self.fps = path, fps
        self._writer: Generator[None, np.ndarray | None, None] | None = None

    def __enter__(self) -> Film:
        return self

    def add(self, frame: np.ndarray) -> None:
        """Append one frame (H, W, 3) uint8; odd sizes lose their last row or column, as H.264 needs even ones.

        Raises ConfigError when it cannot be written.
        """
        height, width = frame.shape[0] // 2 * 2, frame.shape[1] // 2 * 2
        if self._writer is None:
            self._writer = imageio_ffmpeg.write_frames(
                str(self.path), (width, height), fps=self.fps, macro_block_size=2, ffmpeg_log_level="error"
            )
            self._writer.send(None)
        try:
            self._writer.send(np.ascontiguousarray(frame[:height, :width]))
        except OSError:
            raise self._broken() from None

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
        return ConfigError(f"`{self.path}`: the film could not be written; the disk may be full")
