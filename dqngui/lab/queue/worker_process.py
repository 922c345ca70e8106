"""The worker that the window starts: `dqngui work` in a process of its own, which goes on when the window is closed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from dqngui.bounded import own_folder
from dqngui.safe_path import command_of, environment_of_child
from dqngui.sweeps.queue import QUEUE
from dqngui.texts import Text, say

LOGS = "logs"
MOST_LOGS = 20
LAST_BYTES, LONGEST_LINE = 4000, 300
INTERRUPTED = 130
"""Exit status of a worker that was asked to end, and has saved its runs."""


class WorkerProcess(Protocol):
    """A worker that was started. Nothing waits for it: it goes on when its window is gone."""

    @property
    def alive(self) -> bool: ...

    @property
    def problem(self) -> Text | str:
        """Why it ended without having done its work; empty while it lives, or if it has done it."""
        ...

    def end(self) -> None:
        """Ask it to save all runs and to end; returns at once."""
        ...

    def leave(self) -> None:
        """Let it go on without this process."""
        ...


StartWorker = Callable[[Path], WorkerProcess]
"""Starts a worker for a folder of runs. Raises OSError or ConfigError."""


class StartedWorker:
    """A worker in a process of its own session, so that neither Ctrl+C nor the end of the window reaches it.

    Attributes:
        log: the file that has its output.
        pid: its process id.
    """

    def __init__(self, runs: Path) -> None:
        """Start it. Raises OSError, or ConfigError if its log cannot be written where it belongs."""
        self.log, output = _new_log(runs)
        alone: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            alone = {"creationflags": flags}
        with output:
            self._process = subprocess.Popen(
                command_of(["work", "--runs", str(runs)]),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment_of_child(), **alone,
            )  # fmt: skip
        self.pid = self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def problem(self) -> Text | str:
        status = self._process.poll()
        if status in (None, 0, 1, INTERRUPTED):  # 1: some run has failed, and its entry says why
            return ""
        if status is not None and status < 0:
            return say("queue.worker_killed", signal=_signal_name(-status))
        return say("queue.worker_failed", problem=_last_line(self.log) or str(status))

    def end(self) -> None:
        if self.alive:
            with contextlib.suppress(OSError):
                self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))  # Windows has the first

    def leave(self) -> None:
        if self.alive:
            self._process.returncode = 0  # its parent does not wait for it any more


def _new_log(runs: Path) -> tuple[Path, BinaryIO]:
    """A new file for the output of a worker; the oldest ones are removed. Raises OSError, ConfigError."""
    folder = runs / QUEUE / LOGS
    folder.mkdir(parents=True, exist_ok=True)
    own_folder(folder.parent)
    own_folder(folder)
    logs = sorted(folder.glob("work-*.log"))
    for old in logs[: -MOST_LOGS + 1]:
        old.unlink(missing_ok=True)
    number = int(logs[-1].stem.rpartition("-")[2]) + 1 if logs and logs[-1].stem[5:].isdecimal() else 1
    while True:
        path = folder / f"work-{number:06d}.log"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except FileExistsError:  # of a worker that another window has just started
            number += 1
            continue
        return path, os.fdopen(descriptor, "wb")


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError), open(log, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - LAST_BYTES))
        lines = file.read(LAST_BYTES).decode("utf-8", "replace").split("\n")
        return next((line.strip()[:LONGEST_LINE] for line in reversed(lines) if line.strip()), "")
    return ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
