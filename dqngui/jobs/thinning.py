"""Keeps the events `Advanced` of a job rare."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TypeVar

from dqngui.messages import Advanced

ADVANCED_S = 0.1
"""`Advanced` is passed on only if nothing else was for so long."""
Item = TypeVar("Item")


def thinned(items: Generator[Item, None, None]) -> Iterator[Item]:
    """All items but those `Advanced` that come less than `ADVANCED_S` seconds after another item.

    So a host that runs the job in its caller's thread gives control back several times a second, whatever the job does.
    """
    passed = time.perf_counter()
    with closing(items):
        for item in items:
            if isinstance(item, Advanced) and time.perf_counter() - passed < ADVANCED_S:
                continue
            yield item
            passed = time.perf_counter()
