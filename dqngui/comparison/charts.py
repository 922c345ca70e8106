"""What the charts of a comparison draw, without a widget: the curves of groups, and their performance profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dqngui.comparison.curves import Axis, GroupCurve, Statistic, group_curve
from dqngui.comparison.figures import GroupFigures, profile_thresholds, profiles
from dqngui.comparison.groups import Grouping
from dqngui.comparison.results import Floats
from dqngui.statistics import MIN_VALUES


@dataclass(frozen=True, eq=False, slots=True)
class ChartLine:
    """The line of one group.

    Attributes:
        name: of the group; `count`: number of its runs in the chart; `slot`: selects colour and dash pattern.
        x, y: the line (P,); NaN is a gap.
        low, high: its band (P,); NaN where there is none.
        fewer: values (P,) where only some of the runs have data, else NaN, with one place more at each end.
        faint: (x, y) of each run, and of the line before it was smoothed.
    """

    name: str
    count: int
    slot: int
    x: Floats
    y: Floats
    low: Floats
    high: Floats
    fewer: Floats
    faint: tuple[tuple[Floats, Floats], ...] = ()

    @property
    def named(self) -> str:
        """The name in a legend: never without the number of runs."""
        return f"{self.name} · n = {self.count}"


@dataclass(frozen=True, eq=False, slots=True)
class Chart:
    """The lines of groups in one chart."""

    lines: tuple[ChartLine, ...]

    @property
    def lacks_bands(self) -> bool:
        """Whether a group has too few runs for a band."""
        return any(0 < line.count < MIN_VALUES for line in self.lines)

    @property
    def has_fewer(self) -> bool:
        """Whether some part of a line is of some of the runs only."""
        return any(np.isfinite(line.fewer).any() for line in self.lines)

    def range_of_x(self) -> tuple[float, float] | None:
        """The smallest and the largest x of all lines."""
        return _range([line.x for line in self.lines])

    def range_of_y(self, runs: bool = True) -> tuple[float, float] | None:
        """The smallest and the largest y of all lines, and of the runs.

        A band is left out where it leaves the range of the runs by more than a quarter of it: an interval of few runs
        may be very wide, and would flatten the curves.
        """
        inside = [each for line in self.lines for each in (line.y, line.fewer)]
        inside += [y for line in self.lines for _, y in line.faint] if runs else []
        known = _range(inside)
        if known is None:
            return None
        margin = 0.25 * (known[1] - known[0])
        bands = _range([each for line in self.lines for each in (line.low, line.high)]) or known
        return min(known[0], max(bands[0], known[0] - margin)), max(known[1], min(bands[1], known[1] + margin))


def _range(arrays: Sequence[Floats]) -> tuple[float, float] | None:
    known = [each[np.isfinite(each)] for each in arrays]
    values = np.concatenate(known) if known else np.empty(0)
    return (float(values.min()), float(values.max())) if len(values) else None


def curves_chart(
    grouping: Grouping,
    axis: Axis = "steps",
    statistic: Statistic = "iqm",
    smoothed: int = 1,
    runs: bool = True,
    measure: str = "",
) -> tuple[Chart, list[GroupCurve]]:
    """The learning curves of groups as a chart, and the curves themselves.

    Args:
        smoothed: evaluations in a running mean of each run's curve; the curves of before stay, faint.
        runs: draw each run, faint.
        measure: draw this measure and not the return.
    """
    curves = [group_curve(group.runs, axis, statistic, smoothed, measure) for group in grouping.groups]
    seen = _means_seen(curves) if measure else _returns_seen(grouping)
    lines = []
    for group, curve in zip(grouping.groups, curves, strict=True):
        raw = group_curve(group.runs, axis, statistic, measure=measure) if smoothed > 1 else curve
        faint = [(run.x, run.y) for run in raw.runs] if runs else []
        faint += [(raw.x, raw.whole)] if smoothed > 1 else []
        whole = np.isfinite(curve.whole)
        low, high = (_only(np.clip(each, *seen), whole) for each in (curve.low, curve.high))
        fewer = _only(curve.y, _widened(~whole))
        count = len(curve.runs)
        lines.append(ChartLine(group.name, count, group.slot, curve.x, curve.whole, low, high, fewer, tuple(faint)))
    return Chart(tuple(lines)), curves


def _returns_seen(grouping: Grouping) -> tuple[float, float]:
    """The smallest and the largest return of an episode of the evaluations: a mean of returns lies between the smallest
    and the largest possible one, which an interval of few runs may leave far.
    """
    returns = [each for group in grouping.groups for run in group.runs for each in run.evaluations.returns if each]
    finite = [value for each in returns for value in (min(each), max(each)) if np.isfinite(value)]
    return (min(finite), max(finite)) if finite else (-np.inf, np.inf)


def _means_seen(curves: Sequence[GroupCurve]) -> tuple[float, float]:
    """The smallest and the largest mean of a measure in the evaluations of these curves."""
    return _range([run.y for curve in curves for run in curve.runs]) or (-np.inf, np.inf)


def _only(values: Floats, where: np.ndarray) -> Floats:
    return np.where(where, values, np.nan)


def _widened(where: np.ndarray) -> np.ndarray:
    """The same with one place more at each end of each part; nothing if there is no place."""
    wider = where.copy()
    wider[1:] |= where[:-1]
    wider[:-1] |= where[1:]
    return wider


def profiles_chart(found: Sequence[GroupFigures]) -> Chart:
    """The performance profiles of groups: the share of runs above each score."""
    thresholds = profile_thresholds(found)
    lines = []
    for each, profile in zip(found, profiles(found, thresholds), strict=True):
        nothing = np.full(len(thresholds), np.nan)
        count = int((~np.isnan(each.ranked)).sum())
        lines.append(
            ChartLine(
                each.group.name, count, each.group.slot, thresholds, profile.share, profile.low, profile.high, nothing
            )
        )
    return Chart(tuple(lines))
