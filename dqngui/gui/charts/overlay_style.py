"""The colour and dash pattern of an overlaid run, by its slot."""

from __future__ import annotations

from dqngui.gui.style.palette import OVERLAYS

Dash = tuple[int, int]
DASHES: tuple[Dash, ...] = ((1, 0), (9, 5), (2, 4))  # places drawn and left out


def token(slot: int) -> str:
    """The colour of an overlay; none is that of the open run or of its evaluations."""
    return f"overlay{slot % OVERLAYS}"


def dash(slot: int) -> Dash:
    """The dash pattern of an overlay: solid while the colours suffice."""
    return DASHES[slot // OVERLAYS % len(DASHES)]
