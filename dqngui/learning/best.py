"""The rule by which the best checkpoint is chosen, and the number that is reported of it.

The largest of many noisy evaluations flatters the agent that made it. So a candidate, whose evaluation is not below the
present best's, plays further blocks of episodes, and all its episodes count in the choice; what is reported is the mean
of one more block that no choice used, so it does not flatter. Of equal ones a later is kept that was as good in the
evaluation before: where every episode can reach the largest return, the first agent that does so has learned least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dqngui.statistics import mean_of

MAX_CONFIRMATIONS = 2
"""Largest number of further blocks that decide about a candidate."""


class Block(NamedTuple):
    """A block of episodes: return and length of each, and what its task says beside them."""

    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    measures: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a candidate's further blocks say.

    Attributes:
        returns, lengths, measures: of the further episodes; of the best, the last block is the report.
        blocks: number of further blocks, the report included.
        rank: mean over all episodes but the report's: the next candidates are compared with it.
        best: whether the candidate is the best now.
        report: mean of the block that no choice used; None if it is not the best.
        reported: number of episodes of that block; 0 if it is not the best.
    """

    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    blocks: int
    rank: float
    best: bool
    report: float | None
    reported: int
    measures: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What an evaluation is compared with; None where there is nothing yet.

    Attributes:
        rank: of the best checkpoint (`Verdict.rank`).
        last, lowest: means of the evaluation before and of the worst one so far.
    """

    rank: float | None
    last: float | None
    lowest: float | None


def is_candidate(mean: float, standing: Standing, spare: int) -> bool:
    """Whether the agent with this mean in an evaluation may be the best, or as good as the best and steadier.

    A mean that is not a finite number is never the best.

    An agent that is only as good as the best must have been so in the evaluation before: one that has just recovered
    often fails where it was not evaluated. It must be better than some earlier one, because where nothing was learned
    yet all are equal. And it must leave further blocks for a better one.

    Args:
        spare: number of further blocks that remain.
    """
    if not math.isfinite(mean):
        return False
    if standing.rank is None or mean > standing.rank:
        return True
    steady = mean == standing.rank == standing.last
    return steady and standing.lowest is not None and mean > standing.lowest and spare > MAX_CONFIRMATIONS + 1


def confirmation(
    first: tuple[float, ...], rank_of_best: float | None, spare: int, affordable: Callable[[], bool] = lambda: True
) -> Generator[None, Block, Verdict]:
    """Decide about a candidate whose first block had these returns; gives the verdict at the end.

    Yields wherever a further block is wanted, and is sent that block. One block is always wanted, more while the
    candidate is not below the best and as long as `spare` blocks remain, and one for the report of a new best. Where no
    block that decides is `affordable` any more, what was played so far decides. A candidate with a return that is not a
    finite number is not the best.
    """
    pooled, lengths, measures, blocks = list(first), list[int](), list[Mapping[str, float]](), 0
    better = _not_below(pooled, rank_of_best)
    while affordable():
        block = yield
        pooled += block.returns
        lengths += block.lengths
        measures += block.measures
        blocks += 1
        better = _not_below(pooled, rank_of_best)
        if not better or blocks >= min(MAX_CONFIRMATIONS, max(spare, 1)):
            break
    rank, report, reported = mean_of(pooled), None, 0
    if better:
        block = yield
        pooled += block.returns
        lengths += block.lengths
        measures += block.measures
        blocks, report, reported = blocks + 1, mean_of(block.returns), len(block.returns)
        if not math.isfinite(report):
            better, report, reported = False, None, 0
    further = tuple(pooled[len(first) :])
    return Verdict(further, tuple(lengths), blocks, rank, better, report, reported, tuple(measures))


def _not_below(returns: list[float], rank_of_best: float | None) -> bool:
    mean = mean_of(returns)
    return math.isfinite(mean) and (rank_of_best is None or mean >= rank_of_best)
