"""The colour of a group, by its slot and the number of groups."""

from __future__ import annotations

from dqngui.gui.charts.overlay_style import DASHES, Dash, dash
from dqngui.gui.charts.overlay_style import token as overlay_token

SERIES = 4
"""Colours of series: the most different ones, for comparisons of few groups."""


def group_token(slot: int, count: int) -> str:
    """The colour of the group at `slot` of `count` groups."""
    return f"series{slot}" if count <= SERIES else overlay_token(slot)


def group_dash(slot: int, count: int) -> Dash:
    """Its dash pattern: solid while the colours suffice."""
    return DASHES[0] if count <= SERIES else dash(slot)
