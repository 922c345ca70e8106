"""The colour and dash pattern of an overlaid run, by its slot."""

from __future__ import annotations

SERIES = (2, 3, 1)  # the first is the run's own, and the second its evaluations'
Dash = tuple[int, int]
DASHES: tuple[Dash, ...] = ((1, 0), (9, 5), (2, 4))  # places drawn and left out


def token(slot: int) -> str:
    """The colour of an overlay: a series other than the open run's."""
    return f"series{SERIES[slot % len(SERIES)]}"


def dash(slot: int) -> Dash:
    """The dash pattern of an overlay: solid while the colours suffice."""
    return DASHES[slot // len(SERIES) % len(DASHES)]
