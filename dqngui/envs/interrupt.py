"""The interruption by a user, told from a KeyboardInterrupt that an environment raises by itself."""

from __future__ import annotations

import signal
import threading


class UserInterrupt(KeyboardInterrupt):
    """A user asked this process to end: the handlers of signals here raise it."""


def is_users(error: BaseException) -> bool:
    """Whether an exception that came out of a call means that the user interrupted it.

    Where Python's own handler of Ctrl+C is set, its KeyboardInterrupt cannot be told from another one. It reaches the
    main thread only.
    """
    if isinstance(error, UserInterrupt):
        return True
    pythons = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return isinstance(error, KeyboardInterrupt) and pythons and threading.current_thread() is threading.main_thread()
