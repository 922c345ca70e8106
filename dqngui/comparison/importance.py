"""How much of the scores' spread each setting explains alone, and whether chance would explain as much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dqngui.comparison.dimensions import Dimension
from dqngui.comparison.figures import GroupFigures
from dqngui.comparison.results import Floats

MIN_RUNS = 8
"""Fewest runs with a score of which shares are given."""
MOST_PARTS = 4
"""A setting with more values, such as one drawn at random, is divided into so many parts of equally many runs."""
PERMUTATIONS = 999
CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Importance:
    """What one setting explains.

    Attributes:
        share: of the variance of the scores that lies between the values of the setting, from 0 to 1: the main effect
            of the functional analysis of variance where all values were tried equally often with all others. Settings
            that always differ together explain the same. Corrected for what few runs explain by chance (epsilon
            squared, Kelley 1935, PNAS 21(9)).
        probability: share of random orders of the scores that explain as much; below CHANCE, it is more than chance.
    """

    share: float
    probability: float

    @property
    def told(self) -> bool:
        """Whether the setting explains more than chance does."""
        return self.probability < CHANCE


def importances(settings: Sequence[Dimension], found: Sequence[GroupFigures]) -> dict[str, Importance]:
    """What each setting explains, by its dotted name; settings of fewer than two values among at least MIN_RUNS runs
    with a score are left out.
    """
    scores = np.concatenate([each.scores for each in found]) if found else np.empty(0)
    explained = {}
    for setting in settings:
        known = np.isfinite(scores) & np.isfinite(setting.places)
        parts = parts_of(setting.places[known])
        if known.sum() >= MIN_RUNS and 2 <= len(np.unique(parts)) < known.sum() and np.ptp(scores[known]) > 0:
            explained[setting.path] = importance(parts, scores[known])
    return explained


def parts_of(places: Floats) -> npt.NDArray[np.int64]:
    """The part of each run, (N,): its value, or one of a few parts of neighbouring values if there are many."""
    values, parts = np.unique(places, return_inverse=True)
    if len(values) <= MOST_PARTS or len(places) >= 3 * len(values):  # some runs for each value
        return parts.ravel()
    ends = np.quantile(places, np.arange(1, MOST_PARTS) / MOST_PARTS)
    return np.searchsorted(ends, places, "right")


def importance(parts: npt.NDArray[np.int64], scores: Floats, seed: int = 0) -> Importance:
    """What the parts (N,) explain of the scores (N,)."""
    rng = np.random.default_rng(seed)
    orders = np.stack([scores, *(rng.permutation(scores) for _ in range(PERMUTATIONS))], 1)  # (N, 1 + permutations)
    orders = orders - scores.mean()
    total = float((orders[:, 0] ** 2).sum())
    kinds = np.unique(parts)
    between = np.sum([orders[parts == kind].sum(0) ** 2 / (parts == kind).sum() for kind in kinds], axis=0) / total
    degrees = len(scores) - len(kinds)
    share = between[0] - (len(kinds) - 1) * (1 - between[0]) / degrees
    return Importance(float(max(share, 0.0)), float((between >= between[0] - 1e-12).mean()))
