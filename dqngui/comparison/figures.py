"""The final figures of groups: mean, interquartile mean and median with intervals, and which group is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dqngui.comparison.groups import Group, Grouping
from dqngui.comparison.results import Floats
from dqngui.comparison.scores import Score
from dqngui.statistics import (
    Interval,
    Profile,
    improvement_interval,
    iqm,
    iqm_interval,
    mean_interval,
    mean_of,
    median_interval,
    performance_profile,
    probability_of_improvement,
)

Verdict = Literal["better", "worse"]
PROFILE_POINTS = 121
UNEVEN = 0.05
"""Share of the longest run by which another may be shorter without a word."""
ALL_PAIRS = 6
"""Most groups of which each is compared with each other."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval; `interval` is None where none would hold what it says."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, eq=False, slots=True)
class GroupFigures:
    """The final figures of one group.

    Attributes:
        group: the group.
        scores: the score of each of its runs, in their order; NaN for one without a score.
        ranked: the same where a run that never reached its return counts as the worst (`Score.missing_is_worst`).
        count: number of runs with a score: what the figures are of.
    """

    group: Group
    scores: Floats
    ranked: Floats
    mean: Estimate
    iqm: Estimate
    median: Estimate

    @property
    def count(self) -> int:
        return int(np.isfinite(self.scores).sum())


@dataclass(frozen=True, slots=True)
class Improvement:
    """How often a run of one group beats one of another.

    Attributes:
        first, second: indices of the groups.
        probability: of improvement of the first over the second.
        verdict: what the interval allows to say of the first: `better` if it lies above one half, `worse` if below;
            None if it contains one half, or if there is none.
    """

    first: int
    second: int
    probability: Estimate
    verdict: Verdict | None


def figures(grouping: Grouping, score: Score) -> list[GroupFigures]:
    """The final figures of each group. Mean and the like are of the runs with a score; their number is `count`."""
    return [group_figures(group, score) for group in grouping.groups]


def group_figures(group: Group, score: Score) -> GroupFigures:
    """The final figures of one group."""
    scores = np.array([score(run) for run in group.runs], dtype=np.float64)
    known = scores[np.isfinite(scores)]
    worst = -np.inf if score.larger_is_better else np.inf
    ranked = np.where(np.isnan(scores) & _was_evaluated(group), worst, scores) if score.missing_is_worst else scores
    mean = mean_of(known.tolist()) if len(known) else float("nan")
    return GroupFigures(
        group,
        scores,
        ranked,
        Estimate(mean, mean_interval(known)),
        Estimate(iqm(known), iqm_interval(known)),
        Estimate(float(np.median(known)) if len(known) else float("nan"), median_interval(known)),
    )


def _was_evaluated(group: Group) -> np.ndarray:
    return np.array([len(run.evaluations.step) > 0 for run in group.runs], dtype=bool)


def improvements(found: Sequence[GroupFigures], score: Score) -> list[Improvement]:
    """The probability of improvement of each group over each later one; of more than ALL_PAIRS groups, of the best one
    by interquartile mean over each other. Each interval holds alone, not all together.
    """
    count = len(found)
    pairs = [(first, second) for first in range(count) for second in range(first + 1, count)]
    if count > ALL_PAIRS:
        best = best_group(found, score)
        pairs = [(best, other) for other in range(count) if other != best]
    return [improvement(found, first, second, score) for first, second in pairs]


def best_group(found: Sequence[GroupFigures], score: Score) -> int:
    """Index of the group with the best interquartile mean; of those without a score, the first one."""
    sign = 1.0 if score.larger_is_better else -1.0
    values = [sign * each.iqm.value if np.isfinite(each.iqm.value) else -np.inf for each in found]
    return int(np.argmax(values))


def improvement(found: Sequence[GroupFigures], first: int, second: int, score: Score) -> Improvement:
    """The probability of improvement of one group over another; a smaller score improves where it counts steps."""
    sign = 1 if score.larger_is_better else -1
    a, b = sign * found[first].ranked, sign * found[second].ranked
    interval = improvement_interval(a, b)
    verdict: Verdict | None = None
    if interval is not None and (interval.low > 0.5 or interval.high < 0.5):
        verdict = "better" if interval.low > 0.5 else "worse"
    return Improvement(first, second, Estimate(probability_of_improvement(a, b), interval), verdict)


def uneven_ends(grouping: Grouping) -> tuple[int, int] | None:
    """Steps of the earliest and the latest last evaluation, if runs end so differently that their figures do."""
    ends = [
        int(run.evaluations.step.max()) for group in grouping.groups for run in group.runs if len(run.evaluations.step)
    ]
    return (min(ends), max(ends)) if ends and min(ends) < (1 - UNEVEN) * max(ends) else None


def profile_thresholds(found: Sequence[GroupFigures]) -> Floats:
    """Thresholds for the profiles of these groups (T,), over the range of their scores; none without scores."""
    known = np.concatenate([each.scores[np.isfinite(each.scores)] for each in found]) if found else np.empty(0)
    if not len(known):
        return np.empty(0)
    low, high = float(known.min()), float(known.max())
    margin = (high - low) * 0.05 or max(abs(high), 1.0) * 0.05
    even = np.linspace(low - margin, high + margin, PROFILE_POINTS)
    return np.unique(np.concatenate([even, known]))


def profiles(found: Sequence[GroupFigures], thresholds: Floats) -> list[Profile]:
    """The performance profile of each group: the share of its runs whose score is above each threshold."""
    return [performance_profile(each.ranked, thresholds) for each in found]
