"""The test of the checkpoint that a run keeps, on episodes that did not choose it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from dqngui.statistics import mean_interval, mean_of, reason, unseen_share
from dqngui.texts import Text, say

ENOUGH = 30
"""With so many episodes nothing is said of outcomes that none shows: it has a share below 10 %."""


class CheckpointTest(msgspec.Struct, frozen=True, kw_only=True):
    """What the kept checkpoint returned on fresh episodes, and what it was chosen by.

    Attributes:
        mean: mean return of the fresh episodes.
        episodes: their number.
        low, high: ends of the 95 % interval of the mean (`statistics.mean_interval`); None where there is none.
        chosen_at: mean return of the evaluations that chose the checkpoint, the highest mean of repeated evaluations
            (`learning.best`): it flatters. A single evaluation may be higher. None in the logs of earlier versions.
    """

    mean: float
    episodes: int
    low: float | None = None
    high: float | None = None
    chosen_at: float | None = None

    @classmethod
    def of(cls, returns: Sequence[float], chosen_at: float | None = None) -> CheckpointTest | None:
        """From the returns of fresh episodes; None if there are none or if one is not finite."""
        if not returns or not all(map(math.isfinite, returns)):
            return None
        low, high = mean_interval(returns) or (None, None)
        return cls(mean=mean_of(returns), episodes=len(returns), low=low, high=high, chosen_at=chosen_at)

    def text(self) -> Text:
        """The test with its interval, or why there is none, and then what the checkpoint was chosen by."""
        test = self._test()
        return test if self.chosen_at is None else say("tested.chosen", test=test, chosen=self.chosen_at)

    def _test(self) -> Text:
        if self.low is not None and self.high is not None:
            return say("tested.interval", mean=self.mean, count=self.episodes, low=self.low, high=self.high)
        if reason([self.mean] * self.episodes) == "few":
            return say("tested.few", mean=self.mean, count=self.episodes)
        return say("tested.equal", mean=self.mean, count=self.episodes)


def unseen(count: int, of: Literal["episodes", "seeds"] = "episodes") -> Text | None:
    """What so few episodes or seeds leave open: outcomes that none of them shows. None with ENOUGH of them."""
    if not 1 < count < ENOUGH:
        return None
    percent = 100 * unseen_share(count)
    if of == "seeds":
        return say("tested.unseen_seeds", count=count, percent=percent)
    return say("tested.unseen", count=count, percent=percent)
