"""Learning curves of a group on one axis: the runs, and their mean, interquartile mean or median with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dqngui.comparison.results import Floats, Ints, RunResult
from dqngui.statistics import iqm_intervals, iqms, mean_intervals, median_intervals, medians

Axis = Literal["steps", "episodes", "time", "updates"]
Statistic = Literal["mean", "iqm", "median"]
AXES: tuple[Axis, ...] = ("steps", "episodes", "time", "updates")
STATISTICS: tuple[Statistic, ...] = ("mean", "iqm", "median")
MOST_POINTS = 400
"""Points of a common axis; more are drawn no differently."""


@dataclass(frozen=True, eq=False, slots=True)
class RunCurve:
    """The learning curve of one run: mean return of its evaluations (N,) at each place of the axis (N,)."""

    x: Floats
    y: Floats
    seed: int


@dataclass(frozen=True, eq=False, slots=True)
class GroupCurve:
    """The curves of a group's runs, and what they have in common at each place of one axis, (P,).

    Attributes:
        runs: the curves of the runs that were evaluated.
        x: places of the axis.
        y: mean, interquartile mean or median of the runs that have data there.
        low, high: ends of its 95 % interval, of each place alone; NaN where too few runs have data for one.
        count: number of runs that have data there.
    """

    runs: tuple[RunCurve, ...]
    x: Floats
    y: Floats
    low: Floats
    high: Floats
    count: Ints

    @property
    def whole(self) -> Floats:
        """`y` where every run has data, else NaN: elsewhere it moves because a run began or ended."""
        return np.where(self.count == len(self.runs), self.y, np.nan)


def run_curve(result: RunResult, axis: Axis = "steps", smoothed: int = 1, measure: str = "") -> RunCurve:
    """The learning curve of a run.

    Args:
        axis: environment steps; training episodes, seconds of training (without pauses and evaluations), or updates
            until then.
        smoothed: evaluations in the centred running mean; 1 leaves the curve as it is.
        measure: the mean of this measure and not of the return.
    """
    steps, means = result.evaluations.of_role(measure=measure)
    x = along(result, steps.astype(np.float64), axis)
    return RunCurve(x, running_mean(means, smoothed), result.experiment.run.seed)


def along(result: RunResult, steps: Floats, axis: Axis) -> Floats:
    """Where environment steps (N,) of a run lie on an axis, (N,); NaN on one of which its log says nothing."""
    match axis:
        case "steps":
            return steps
        case "episodes":
            return np.searchsorted(result.episodes.step, steps, "right").astype(np.float64)
        case "time":
            known = result.rows.seconds
        case "updates":
            known = result.rows.updates.astype(np.float64)
    if not len(known):
        return np.full(len(steps), np.nan)
    began = 0.0 if result.fork is None else float(result.fork.step)
    return np.interp(steps, np.append(began, result.rows.step), np.append(0.0, known))


def running_mean(values: Floats, window: int) -> Floats:
    """Centred mean of `window` values (N,), of those that exist at the ends; an even window has one more before."""
    if window <= 1 or len(values) < 2:
        return values
    sums = np.append(0.0, np.cumsum(values))
    at = np.arange(len(values))
    first = np.maximum(at - window // 2, 0)
    last = np.minimum(at + (window - 1) // 2 + 1, len(values))
    found: Floats = (sums[last] - sums[first]) / (last - first)
    return found


def group_curve(
    results: Sequence[RunResult],
    axis: Axis = "steps",
    statistic: Statistic = "mean",
    smoothed: int = 1,
    measure: str = "",
) -> GroupCurve:
    """The curves of these runs and their statistic. Each run's curve is smoothed before, so that the interval is one of
    the smoothed curve.
    """
    found = [run_curve(result, axis, smoothed, measure) for result in results]
    runs = tuple(each for each in found if np.isfinite(each.x).any())
    x = common_axis(runs)
    values = np.stack([on_axis(each, x) for each in runs]) if runs else np.empty((0, 0))
    y, low, high = of_columns(values, statistic)
    return GroupCurve(runs, x, y, low, high, np.isfinite(values).sum(0))


def common_axis(curves: Sequence[RunCurve]) -> Floats:
    """The places at which curves are compared (P,): all of theirs, or evenly spaced ones if these are too many."""
    known = [each.x[np.isfinite(each.x)] for each in curves]
    places = np.unique(np.concatenate(known)) if known else np.empty(0)
    if len(places) <= MOST_POINTS:
        return places
    return np.linspace(places[0], places[-1], MOST_POINTS)


def on_axis(curve: RunCurve, x: Floats) -> Floats:
    """A curve at these places (P,), linear between its own, NaN before its first and after its last."""
    known = np.isfinite(curve.x)
    if not known.any():
        return np.full(len(x), np.nan)
    places, first = np.unique(curve.x[known], return_index=True)
    return np.interp(x, places, curve.y[known][first], left=np.nan, right=np.nan)


def of_columns(values: Floats, statistic: Statistic) -> tuple[Floats, Floats, Floats]:
    """The statistic of the finite values of each column, (R, P) to (P,), and the ends of its interval."""
    match statistic:
        case "mean":
            count = np.isfinite(values).sum(0)
            middle = np.where(np.isfinite(values), values, 0.0).sum(0) / np.where(count > 0, count, np.nan)
            return middle, *mean_intervals(values)
        case "iqm":
            return iqms(values), *iqm_intervals(values)
        case "median":
            return medians(values), *median_intervals(values)
