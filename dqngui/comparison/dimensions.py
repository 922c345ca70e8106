"""Runs along the settings in which they differ: the axes of parallel coordinates and of scatter charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from dqngui.comparison.figures import GroupFigures
from dqngui.comparison.groups import CHANGES, FORK, MISSING, Grouping, flat_settings
from dqngui.comparison.results import Floats
from dqngui.comparison.scores import Score
from dqngui.comparison.setting_words import module_name, plain_value
from dqngui.texts.numbers import exact, short
from dqngui.texts.plain import plain_line

LOGARITHMIC = 30.0
"""Ratio of the largest to the smallest positive number from which an axis is logarithmic."""
_TICKS = 5
_LONGEST = 40


@dataclass(frozen=True, eq=False, slots=True)
class Dimension:
    """An axis with a place for each run.

    Attributes:
        path: dotted name of the setting; the name of the score for the axis of scores.
        name: its short name.
        places: the place of each run, 0 to 1 (N,); NaN where a run has no such setting or score.
        texts: the value of each run in words.
        ticks: (place, text) to write at the axis.
    """

    path: str
    name: str
    places: Floats
    texts: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]


def slots(grouping: Grouping) -> list[int]:
    """The group's slot of each run, in the order of the dimensions."""
    return [group.slot for group in grouping.groups for _ in group.runs]


def setting_dimensions(grouping: Grouping) -> list[Dimension]:
    """An axis for each setting in which the groups differ and that somebody chose, in the order of the differences."""
    runs = [run for group in grouping.groups for run in group.runs]
    rows = [flat_settings(run.experiment) for run in runs]
    found = []
    for each in grouping.differing("names", "follows"):
        values = [row.get(each.path) for row in rows]
        if each.path in (CHANGES, FORK):
            texts = zip(grouping.groups, each.texts, strict=True)
            values = [text for group, text in texts for _ in group.runs]
        found.append(_dimension(each.path, each.name, values))
    return found


def score_dimension(found: Sequence[GroupFigures], score: Score) -> Dimension:
    """The axis of scores."""
    values = [None if math.isnan(value) else float(value) for each in found for value in each.scores]
    return _dimension(score.name, score.title, values, setting=False)


def _dimension(path: str, name: str, values: Sequence[Any], *, setting: bool = True) -> Dimension:
    if path in ("net.memory", "net.attention"):
        values = [None if value is None else module_name(path, str(value)) for value in values]
    known = [value for value in values if value is not None]
    texts = tuple(MISSING if value is None else plain_line(plain_value(value), _LONGEST) for value in values)
    if known and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        places, ticks = _numbers(np.array([math.nan if value is None else value for value in values], float), setting)
        return Dimension(path, name, places, texts, ticks)
    kinds = sorted({msgspec.json.encode(value): value for value in known}.items())
    places_of = {key: (index + 0.5) / len(kinds) for index, (key, _) in enumerate(kinds)}
    places = np.array([math.nan if value is None else places_of[msgspec.json.encode(value)] for value in values])
    ticks = tuple((places_of[key], plain_line(plain_value(value), _LONGEST)) for key, value in kinds)
    return Dimension(path, name, places, texts, ticks)


def _numbers(values: Floats, setting: bool) -> tuple[Floats, tuple[tuple[float, str], ...]]:
    finite = values[np.isfinite(values)]
    distinct = np.unique(finite)
    low, high = (float(distinct[0]), float(distinct[-1])) if len(distinct) else (0.0, 1.0)
    if low == high:
        return np.where(np.isfinite(values), 0.5, np.nan), ((0.5, exact(low) if setting else short(low)),)
    logarithmic = setting and low > 0 and high / low >= LOGARITHMIC
    scale: Any = np.log if logarithmic else np.asarray
    begin, end = float(scale(low)), float(scale(high))

    def place(value: Any) -> Any:
        return (scale(value) - begin) / (end - begin)

    if setting and len(distinct) <= 2 * _TICKS:
        marks = distinct
    elif logarithmic:
        marks = np.geomspace(low, high, _TICKS)
    else:
        marks = _even(low, high)
    places = np.full(len(values), np.nan)
    places[np.isfinite(values)] = place(finite)
    written = exact if setting and len(distinct) <= 2 * _TICKS else lambda mark: short(float(f"{mark:.3g}"))
    return places, tuple((float(place(mark)), written(float(mark))) for mark in marks)


def _even(low: float, high: float) -> Floats:
    """About `_TICKS` multiples of 1, 2 or 5 times a power of ten from low to high."""
    raw = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= raw)
    return np.arange(math.ceil(low / step), math.floor(high / step) + 1, dtype=np.float64) * step + 0.0
