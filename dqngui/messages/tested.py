"""The test of the checkpoint that a run keeps, on episodes that did not choose it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Literal

import msgspec

from dqngui.messages.measures import MOST, MeasureMean, by_name, is_name, means
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
        measures: means of the task's measures over the same episodes, by name.
    """

    mean: float
    episodes: int
    low: float | None = None
    high: float | None = None
    chosen_at: float | None = None
    measures: dict[str, MeasureMean] | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(
        cls, returns: Sequence[float], chosen_at: float | None = None, measures: Sequence[Mapping[str, float]] = ()
    ) -> CheckpointTest | None:
        """From the returns and measures of fresh episodes; None if there are none or if a return is not finite."""
        if not returns or not all(map(math.isfinite, returns)):
            return None
        low, high = mean_interval(returns) or (None, None)
        return cls(
            mean=mean_of(returns),
            episodes=len(returns),
            low=low,
            high=high,
            chosen_at=chosen_at,
            measures=means(by_name(measures)) or msgspec.UNSET,
        )

    @property
    def known_measures(self) -> dict[str, MeasureMean]:
        """The measures with names that can be shown; none if the task has none."""
        return {name: each for name, each in islice((self.measures or {}).items(), MOST) if is_name(name)}

    def text(self) -> Text:
        """The test with its interval, or why there is none, and then what the checkpoint was chosen by."""
        test = self._test()
        if said := measure_texts(self.known_measures):
            test = say("tested.measures", test=test, measures=said)
        return test if self.chosen_at is None else say("tested.chosen", test=test, chosen=self.chosen_at)

    def _test(self) -> Text:
        if self.low is not None and self.high is not None:
            return say("tested.interval", mean=self.mean, count=self.episodes, low=self.low, high=self.high)
        if reason([self.mean] * self.episodes) == "few":
            return say("tested.few", mean=self.mean, count=self.episodes)
        return say("tested.equal", mean=self.mean, count=self.episodes)


def measure_texts(measures: Mapping[str, MeasureMean]) -> list[Text]:
    """The mean of each measure with its interval, where it has one, and the number of episodes."""
    return [
        say("tested.measure", name=name, mean=each.mean, count=each.episodes)
        if each.low is None or each.high is None
        else say(
            "tested.measure_interval", name=name, mean=each.mean, low=each.low, high=each.high, count=each.episodes
        )
        for name, each in measures.items()
    ]


def unseen(count: int, of: Literal["episodes", "seeds"] = "episodes") -> Text | None:
    """What so few episodes or seeds leave open: outcomes that none of them shows. None with ENOUGH of them."""
    if not 1 < count < ENOUGH:
        return None
    percent = 100 * unseen_share(count)
    if of == "seeds":
        return say("tested.unseen_seeds", count=count, percent=percent)
    return say("tested.unseen", count=count, percent=percent)
