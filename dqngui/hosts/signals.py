"""Signals that ask a process to end: Ctrl+C, SIGTERM (log-out, Slurm) and SIGHUP (the terminal was closed)."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]


def ending_signals() -> tuple[int, ...]:
    """The signals that ask this process to end, Ctrl+C first; not SIGHUP where `nohup` had it ignored."""
    hang_up: int | None = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is None or signal.getsignal(hang_up) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, hang_up


@contextmanager
def caught(handler: Handler) -> Iterator[Callable[[], None]]:
    """Let `handler` take these signals while the block runs.

    Gives a function that sets it again, for an environment may have set a handler of its own.
    """
    before = {number: signal.getsignal(number) for number in ending_signals()}

    def hold() -> None:
        for number in before:
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)

    hold()
    try:
        yield hold
    finally:
        for number, former in before.items():
            with contextlib.suppress(TypeError):  # a handler that was not set from Python
                signal.signal(number, former)
