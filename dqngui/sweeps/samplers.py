"""Samplers: which trials a sweep makes. Each trial of `grid` and `random` depends on the sweep and its number alone."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import msgspec

from dqngui.config import ConfigError
from dqngui.sweeps.axes import Point, at_share, merged, points, setting_point
from dqngui.sweeps.sweep_file import MOST_TRIALS, Axis, Sweep


class Trial(msgspec.Struct, frozen=True):
    """One setting of all axes.

    Attributes:
        number: from 0.
        label: the values of its axes, as they are shown.
        settings, agent: what differs from the base.
        shares: of `tpe`, where each axis stands: the index of a value, or the share of a range.
    """

    number: int
    label: str
    settings: dict[str, object] = {}
    agent: str = ""
    shares: tuple[float, ...] = ()


def trial_count(sweep: Sweep) -> int:
    """How many trials a sweep makes at most. Raises ConfigError if they are too many."""
    count = math.prod(len(points(axis)) for axis in sweep.axes) if sweep.sampler == "grid" else sweep.trials or 0
    if count > MOST_TRIALS:
        raise ConfigError("sweep.too_many_trials", count=count, most=MOST_TRIALS)
    return count


def known_trials(sweep: Sweep) -> list[Trial]:
    """All trials of a sweep that does not learn from its results; of one that does, none. Raises ConfigError."""
    count = trial_count(sweep)
    if sweep.sampler == "tpe":
        return []
    choose = _of_grid if sweep.sampler == "grid" else _at_random
    return [trial_of(number, choose(sweep, number)) for number in range(count)]


def trial_of(number: int, chosen: Sequence[Point], shares: tuple[float, ...] = ()) -> Trial:
    """The trial with these values, one of each axis."""
    settings, agent = merged(list(chosen))
    return Trial(number, ", ".join(point.label for point in chosen), settings, agent, shares)


def _of_grid(sweep: Sweep, number: int) -> list[Point]:
    chosen: list[Point] = []
    for axis in reversed(sweep.axes):  # the last axis varies fastest
        values = points(axis)
        number, index = divmod(number, len(values))
        chosen.append(values[index])
    return chosen[::-1]


def _at_random(sweep: Sweep, number: int) -> list[Point]:
    draw = random.Random(f"{sweep.sampler_seed}/{number}")  # a string, so that every trial has a stream of its own
    return [point_at(axis, draw.random()) for axis in sweep.axes]


def point_at(axis: Axis, share: float) -> Point:
    """The value of an axis at a share, from 0 to 1, of its values or of its range."""
    if axis.values or axis.choices:
        values = points(axis)
        return values[min(len(values) - 1, int(share * len(values)))]
    return setting_point(axis.setting, at_share(axis, share))
