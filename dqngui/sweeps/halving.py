"""Successive halving: at which steps trials are paused, and which of them go on.

Jamieson and Talwalkar 2016, arXiv:1502.07943. A rung is decided once all trials that reach it are there, so the choice
does not depend on how fast the runs are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dqngui.sweeps.sweep_file import Pruning


def rungs(pruning: Pruning, total_steps: int) -> list[int]:
    """Environment steps of the rungs, all before the end of a run."""
    found: list[int] = []
    step = pruning.first
    while step < total_steps:
        found.append(step)
        step *= pruning.factor
    return found


def kept(count: int, pruning: Pruning) -> int:
    """How many of so many trials go on: one of `factor`, at least one."""
    return max(1, math.ceil(count / pruning.factor))


def survivors(scores: Mapping[int, float], pruning: Pruning, *, maximize: bool) -> list[int]:
    """The trials that go on from a rung, by number; of equal ones those with the lower number."""
    order = sorted(scores, key=lambda number: (-scores[number] if maximize else scores[number], number))
    return sorted(order[: kept(len(scores), pruning)])


def planned_steps(pruning: Pruning | None, trials: int, seeds: int, total_steps: int) -> int:
    """Environment steps that a sweep makes in all."""
    if pruning is None:
        return trials * seeds * total_steps
    made, begun, left = 0, 0, trials
    for step in (*rungs(pruning, total_steps), total_steps):
        made += left * (step - begun)
        begun, left = step, kept(left, pruning)
    return made * seeds


def share_saved(pruned_steps: Sequence[int], total_steps: int, runs: int) -> float:
    """Share of the steps of all runs that pruning saved."""
    return sum(total_steps - step for step in pruned_steps) / max(1, runs * total_steps)
