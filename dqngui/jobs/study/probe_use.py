"""The numbers that say whether a fact is used: how actions follow a moved memory, and what return is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from dqngui.jobs.study.linear import Array
from dqngui.jobs.study.moved_states import Following
from dqngui.jobs.study.thresholds import MIN_EPISODES
from dqngui.messages import Measured, Moved
from dqngui.statistics import Interval, clustered_mean_interval, clustered_proportion_interval, mean_interval

Play = Literal["own", "moved", "random", "chance"]
"""How episodes were played: as the agent does, with its memory moved to another value of the fact or in random
directions, or with random actions.
"""
Returns = dict[Play, Array]
"""Returns of the same N episodes for each way of playing, (N,)."""


def use_of(following: Following, returns: Returns) -> Moved:
    """The numbers, at the steps where the choice matters if there are enough of them, else at all steps."""
    matters = int((following.at_choices.expected > 0).sum()) >= MIN_EPISODES
    counts = following.at_choices if matters else following.anywhere
    own, moved, random, chance = (returns[play] for play in ("own", "moved", "random", "chance"))
    return Moved(
        at_choices=matters,
        steps=int(counts.steps.sum()),
        expected=int(counts.expected.sum()),
        episodes=int((counts.expected > 0).sum()),
        effect=_share(counts.moved, counts.expected, clustered_proportion_interval),
        random=float(counts.random.sum() / max(counts.expected.sum(), 1.0)),
        beyond_random=_share(counts.moved - counts.random, counts.expected, clustered_mean_interval),
        own_return=float(own.mean()),
        moved_return=float(moved.mean()),
        random_return=float(random.mean()),
        chance_return=float(chance.mean()),
        lost=measured_mean(random - moved),
        achieved=measured_mean(own - chance),
    )


def measured_mean(values: Array) -> Measured:
    """The mean (N,) with its interval; of zero width if at least MIN_EPISODES values are all the same."""
    return Measured(float(values.mean()), _ends(values, mean_interval(values)))


def _share(parts: Array, counts: Array, interval: Callable[[Array, Array], Interval | None]) -> Measured:
    there = counts > 0
    if not there.any():
        return Measured(0.0)
    return Measured(float(parts.sum() / counts.sum()), _ends(parts[there] / counts[there], interval(parts, counts)))


def _ends(values: Array, found: Interval | None) -> tuple[float, float] | None:
    if found is not None:
        return found.low, found.high
    same = len(values) >= MIN_EPISODES and float(np.ptp(values)) == 0
    return (float(values[0]), float(values[0])) if same else None
