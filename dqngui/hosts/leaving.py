"""Ends a process that has done its work, although threads that an environment left behind may go on for ever."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
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
    if not joined.wait(PATIENCE_SECONDS):
        late.set()
        cleaning.join(PATIENCE_SECONDS)
        os._exit(status)
