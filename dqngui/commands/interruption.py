"""What a command does when it is asked to end: it answers at once, lets the job save, and ends even if a step hangs."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from dqngui.envs.interrupt import UserInterrupt
from dqngui.hosts.signals import caught
from dqngui.texts import Text, say

NUDGE_SECONDS = 10.0
"""After SIGTERM or SIGHUP nobody presses Ctrl+C: every so many seconds a step that hangs is interrupted."""
ANSWER_SECONDS = 0.5
"""So long may a step in C keep Python from the handler of a signal, before another thread answers the user."""


class Jobs(Protocol):
    """One job or several, which a signal ends."""

    def stop(self) -> None:
        """Ask to save and end."""

    def interrupt(self) -> None:
        """Interrupt an environment's step that does not return; may raise KeyboardInterrupt."""


class Interruption:
    """The signals that have come: the first one stops the jobs, the second one also interrupts a step that hangs, and
    the third one raises KeyboardInterrupt wherever that loses something.

    Attributes:
        requested: whether the command was asked to end.
    """

    def __init__(self, jobs: Jobs, stopping: Text) -> None:
        self.requested = False
        self._jobs, self._stopping = jobs, stopping
        self._count = 0
        self._nudged = False
        self._answered = False
        self._over = threading.Event()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signals."""
        if self._nudged:
            self._nudged = False
            self._jobs.interrupt()
            return
        self._count += 1
        if self._count == 1:
            self.requested = True
            self.answer()
            self._jobs.stop()
            if number != signal.SIGINT:
                threading.Thread(target=self._nudge, args=(number,), name="nudge", daemon=True).start()
        elif self._count == 2:
            self._jobs.interrupt()
            _tell(say("shown.still_saving"))
        else:
            raise UserInterrupt

    def answer(self) -> None:
        """Say that the command is ending, once."""
        if not self._answered:
            self._answered = True
            _tell(self._stopping, "\n")

    def close(self) -> None:
        """The jobs have ended."""
        self._over.set()

    def _nudge(self, number: int) -> None:
        """Send the signal to this process again, which also wakes a step that waits for something."""
        while not self._over.wait(NUDGE_SECONDS):
            self._nudged = True
            if hasattr(signal, "pthread_kill"):
                with contextlib.suppress(OSError):
                    signal.pthread_kill(threading.main_thread().ident or 0, number)


@contextmanager
def interruption(jobs: Jobs, stopping: Text) -> Iterator[tuple[Interruption, Callable[[], None]]]:
    """Catch the signals that ask this process to end while the block runs.

    Gives what has come, and a function that catches them again if an environment has set handlers of its own.
    `stopping` is what the user is told.
    """
    request = Interruption(jobs, stopping)
    with caught(request) as hold, _answered_soon(request):
        try:
            yield request, hold
        finally:
            request.close()


@contextmanager
def _answered_soon(request: Interruption) -> Iterator[None]:
    """Answer a signal from another thread while a step in C keeps the main thread from doing so."""
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def watch() -> None:
        while os.read(reading, 1) not in (b"", b"\0"):
            time.sleep(ANSWER_SECONDS)
            request.answer()

    thread = threading.Thread(target=watch, name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.write(writing, b"\0")
        thread.join()
        os.close(reading)
        os.close(writing)


def _tell(text: Text, before: str = "") -> None:
    """Write a line to standard error from a signal handler; the terminal may be closed already."""
    with contextlib.suppress(Exception):
        if sys.stderr.fileno() == 2:
            os.write(2, f"{before}{text}\n".encode(sys.stderr.encoding or "utf-8", "replace"))
        else:
            print(f"{before}{text}", file=sys.stderr, flush=True)
