"""Measures: figures of an episode that its task names beside the return, such as success, collision or mean speed.

A message without measures is written as before there were any: the field is then absent. Names and numbers are checked
where an environment tells them and again where a stored log is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from dqngui.statistics import mean_interval, mean_of

MOST = 16
"""Largest number of measures of an episode, and of a run."""
LONGEST = 40
"""Characters of a name."""
_NAME = re.compile(r"\w(?:[\w .()/%+-]*[\w)%+])?")

Measures = dict[str, float] | msgspec.UnsetType
"""The measures of one episode by name; UNSET if its task names none."""
EpisodeMeasures = dict[str, tuple[float | None, ...]] | msgspec.UnsetType
"""By name the value of each of several episodes, None for one without it; UNSET if no episode has a measure."""


class MeasureMean(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of a measure over episodes.

    Attributes:
        episodes: number of episodes that have the measure.
        low, high: ends of the 95 % interval of the mean (`statistics.mean_interval`); None where there is none.
    """

    mean: float
    episodes: int
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> MeasureMean | None:
        """From the values of episodes; None if no episode has one."""
        known = _finite(values)
        if not known:
            return None
        low, high = mean_interval(known) or (None, None)
        return cls(mean=mean_of(known), episodes=len(known), low=low, high=high)


def is_name(name: Any) -> bool:
    """Whether a measure may have this name: a short line of letters, digits, spaces and few other signs."""
    return isinstance(name, str) and len(name) <= LONGEST and _NAME.fullmatch(name) is not None


def checked(given: Mapping[Any, Any]) -> tuple[dict[str, float], bool]:
    """The measures that can be kept, the first `MOST` of them, and whether others were left out. Never raises."""
    kept: dict[str, float] = {}
    left_out = False
    try:
        for name, value in islice(given.items(), 4 * MOST):
            number = _number(value)
            if len(kept) < MOST and number is not None and is_name(name):
                kept[str.__str__(name)] = number
            else:
                left_out = True
        left_out = left_out or len(given) > 4 * MOST
    except Exception:  # an object of another package, of any kind
        left_out = True
    return kept, left_out


def _number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, (str, bytes)) or value is None:
        return None
    try:
        number = float(value)
    except Exception:
        return None
    return number if math.isfinite(number) and abs(number) < 1e15 else None


def by_name(episodes: Sequence[Mapping[str, float]]) -> EpisodeMeasures:
    """The measures of several episodes by name; UNSET if none has one."""
    names = list(islice(dict.fromkeys(name for episode in episodes for name in episode), MOST))
    return {name: tuple(episode.get(name) for episode in episodes) for name in names} or msgspec.UNSET


def known(measures: Measures) -> dict[str, float]:
    """The measures of an episode of a log that can be shown."""
    return checked(measures)[0] if measures else {}


def averages(measures: EpisodeMeasures, last: int | None = None) -> dict[str, float]:
    """The mean of each measure over the `last` episodes or all of them, of those that have it."""
    found: dict[str, float] = {}
    for name, values in islice((measures or {}).items(), MOST):
        numbers = _finite(values if last is None else values[-last:])
        if numbers and is_name(name):
            found[name] = mean_of(numbers)
    return found


def means(measures: EpisodeMeasures, last: int | None = None) -> dict[str, MeasureMean]:
    """The same with intervals."""
    found: dict[str, MeasureMean] = {}
    for name, values in islice((measures or {}).items(), MOST):
        mean = MeasureMean.of(values if last is None else values[-last:])
        if mean is not None and is_name(name):
            found[name] = mean
    return found


def _finite(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]
