"""Lets this process keep the memory that it has freed, instead of giving it back to the system at once.

Each update makes and frees tensors of some megabytes. glibc gives such memory back and asks for it anew each time, and
the system clears every page of it: with pictures, that took up to a fifth of the time of an update.
"""

from __future__ import annotations

import ctypes
import sys

KEPT = 256 * 2**20
"""Bytes at the end of the heap that are kept at most."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGEST = 32 * 2**20  # bytes; glibc takes no larger threshold


def keep_freed_memory() -> None:
    """Set it for the whole process; other systems than Linux with glibc stay as they are."""
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST)
    mallopt(_TRIM_THRESHOLD, KEPT)
