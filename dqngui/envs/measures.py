"""Measures: what a task tells of an episode beside its return, such as success, collision or mean speed.

A task gives `info["measures"]`, a dictionary of names and finite numbers, with the last step of an episode. Measures
reach evaluations, curves, tables and comparisons; the agent never sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dqngui.messages.measures import checked

KEY = "measures"


class MeasureReader:
    """Reads the measures of ended episodes.

    Attributes:
        left_out: something was told that cannot be kept: no number, not finite, too many, or an odd name.
    """

    def __init__(self) -> None:
        self.left_out = False

    def read(self, info: Mapping[str, Any]) -> dict[str, float]:
        """The measures in the `info` of an episode's last step; none if the task names none. Never raises."""
        if not info or KEY not in info:
            return {}
        given = info[KEY]
        if not isinstance(given, Mapping):
            self.left_out = True
            return {}
        found, left_out = checked(given)
        self.left_out = self.left_out or left_out
        return found
