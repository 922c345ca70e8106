"""Thins out the cases of a test: some are checked each time, the others by `make test-slow`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def thinned(cases: Iterable[Any], *, one_of: int = 3, quick: Sequence[Any] = ()) -> list[Any]:
    """Cases of one parameter: the first, the last and one of so many between are checked each time.

    Args:
        quick: the cases that are checked each time instead.
    """
    every = list(cases)
    if quick:
        kept = [case in quick for case in every]
    else:
        kept = [number % one_of == 0 or number == len(every) - 1 for number in range(len(every))]
    return [
        case if keep else pytest.param(case, marks=pytest.mark.slow) for case, keep in zip(every, kept, strict=True)
    ]
