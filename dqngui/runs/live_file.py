"""What a run's writer tells of the present moment and does not log: `live.jsonl`, begun anew by each writer.

The log keeps what belongs to the training, so that pausing, watching and saving leave no trace in it. Who watches a run
from elsewhere needs those moments too. Its first line names the writer and the length of the log at its begin: what the
log held beyond that is lost.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from dqngui.bounded import MEGABYTE
from dqngui.messages import (
    CheckpointSaved,
    Event,
    Failed,
    Finished,
    Opened,
    Paused,
    RunResumed,
    Unpaused,
    WriterBegan,
    encode,
)

LIVE = "live.jsonl"
MOST_LIVE = 16 * MEGABYTE
TOLD = (WriterBegan, Opened, RunResumed, Paused, Unpaused, CheckpointSaved, Failed, Finished)
"""The events that it may hold."""
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class LiveFile:
    """The file, for its writer. What cannot be written is left out: it is for those who watch, and training goes on."""

    def __init__(self, folder: Path, began: WriterBegan) -> None:
        self._fd, self._size = -1, 0
        with contextlib.suppress(OSError):
            (folder / LIVE).unlink(missing_ok=True)
            self._fd = os.open(folder / LIVE, _FLAGS, 0o666)
        self.tell(began)

    def tell(self, event: Event) -> None:
        """Write an event, if it belongs there."""
        if self._fd < 0 or not isinstance(event, TOLD):
            return
        line = encode(event) + b"\n"
        last = isinstance(event, (Failed, Finished))
        if self._size + len(line) > MOST_LIVE and not last:
            return
        with contextlib.suppress(OSError):
            self._size += os.write(self._fd, line)

    def close(self) -> None:
        """Close the file; may be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)
