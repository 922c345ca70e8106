"""Ends a process that has done its work, although threads and processes that an environment left may go on for ever."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
from typing import NoReturn

PATIENCE_SECONDS = 2.0
"""How long a process waits for threads that are left, and then for the functions that `atexit` calls."""


def leave(status: int) -> NoReturn:
    """End this process with an exit status. Raises SystemExit; the process ends a few seconds later at the latest.

    Functions registered with `atexit` are called in any case: a simulator may end its server there.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # nobody reads it any more
            stream.flush()
    joined, late = threading.Event(), threading.Event()
    atexit.register(joined.set)  # the last one registered is the first one called, after all threads have ended
    cleaning = threading.Thread(target=_clean_up, args=(late,), name="leave-clean", daemon=True)
    ending = threading.Thread(target=_end, args=(joined, late, cleaning, status), name="leave", daemon=True)
    for thread in (cleaning, ending):
        thread.start()
    sys.exit(status)


def _clean_up(late: threading.Event) -> None:
    late.wait()
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()


def _end(joined: threading.Event, late: threading.Event, cleaning: threading.Thread, status: int) -> None:
    if joined.wait(PATIENCE_SECONDS):
        time.sleep(PATIENCE_SECONDS)  # the process ends meanwhile, unless a function of `atexit` waits for something
        _end_children()
        time.sleep(PATIENCE_SECONDS)
    else:
        late.set()
        cleaning.join(PATIENCE_SECONDS)
        _end_children()
    os._exit(status)


def _end_children() -> None:
    """End the processes that were started with `multiprocessing`, for which its own function of `atexit` waits."""
    started = sys.modules.get("multiprocessing.process")
    for child in [] if started is None else started.active_children():
        with contextlib.suppress(Exception):
            child.kill()
