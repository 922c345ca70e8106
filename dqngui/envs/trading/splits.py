"""Walk-forward splits: training sees the past, selection what follows, the test what follows that.

The role of an episode is told by its seed (`envs.seeds`): selection draws from the second part, the test from the
third; watching and studying from the second, so that nobody looks at the test before it counts; all others train.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from dqngui.envs.seeds import MEASURE_SEEDS, PLAY_SEEDS, SELECTION_SEEDS, TEST_SEEDS

Part = Literal["training", "selection", "test"]
PARTS: tuple[Part, ...] = ("training", "selection", "test")
TRAINING_SHARE = 0.6
"""Share of the bars in the training part of the first fold; each further fold adds one block to it."""


class Span(NamedTuple):
    """Bars from `first` up to `end`, which is the first one that does not belong to it."""

    first: int
    end: int


def split(bars: int, folds: int, fold: int) -> dict[Part, Span]:
    """The parts of one fold: of the last 40 % of the bars, cut into folds + 1 blocks, block `fold` selects and the
    next one tests; training sees all bars before them.
    """
    start = round(bars * TRAINING_SHARE)
    edges = [start + round((bars - start) * block / (folds + 1)) for block in range(folds + 2)]
    return {
        "training": Span(0, edges[fold]),
        "selection": Span(edges[fold], edges[fold + 1]),
        "test": Span(edges[fold + 1], edges[fold + 2]),
    }


def part_of(seed: int) -> Part:
    """The part from which the episode of this seed is drawn."""
    if TEST_SEEDS <= seed < PLAY_SEEDS:
        return "test"
    if SELECTION_SEEDS <= seed < TEST_SEEDS or PLAY_SEEDS <= seed < MEASURE_SEEDS:
        return "selection"
    return "training"
