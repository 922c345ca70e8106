"""What a person chose in the header of the Compare card."""

from __future__ import annotations

from dataclasses import dataclass

from dqngui.comparison.curves import Axis, Statistic
from dqngui.comparison.scores import Score


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of all views.

    Attributes:
        setting: that of the horizontal axis of the scatter chart.
        rows, columns: settings of the heat map.
    """

    score: Score
    axis: Axis = "steps"
    statistic: Statistic = "iqm"
    smoothed: int = 1
    runs: bool = True
    setting: str = ""
    rows: str = ""
    columns: str = ""
