"""A model of a drawn observation: lines with bars, texts and a picture. It needs no widget and no screen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.gui.charts.layout.text import Letters
from dqngui.gui.charts.value_ranges import step_above
from dqngui.lab.analysis.overlay import StepOverlay
from dqngui.lab.playback.episode import PlayedEpisode
from dqngui.lab.playback.step_descriptions import texts_of
from dqngui.texts.numbers import measured

ROW = 18  # pixels of a line's height
_CELL = re.compile(r"\[\d+, \d+")
"""Matches names of numbers that are cells of a picture."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a name, a value, and a bar.

    Attributes:
        value: the observed value; None for a token that is not a number.
        bar: the value of the bar.
        reach: the value at the end of the bar.
        signed: whether the bar begins in the middle.
        weight: whether the bar shows a weight of the overlay instead of the value.
    """

    name: str
    value: float | None
    bar: float
    reach: float
    signed: bool
    weight: bool

    @property
    def number(self) -> str:
        """The text after the bar."""
        return f"{100 * self.bar:.0f} %" if self.weight and not self.signed else three_digits(self.bar)

    @property
    def share(self) -> float | None:
        """The filled share of the bar, -1 … 1; None: no bar."""
        return min(max(self.bar / self.reach, -1.0), 1.0) if np.isfinite(self.bar) and self.reach else None


@dataclass(frozen=True, slots=True, eq=False)
class ObservationDrawn:
    """The drawn parts of one step.

    Attributes:
        reason: why the environment draws no picture; empty if it does.
        caption: name of the overlay.
        texts: texts in the observation, by name.
        rows: a line for each number, or for each token of the overlay.
        picture: observed picture (rows, columns, 3); None without one.
        overlay: weights over the picture; None without an overlay.
    """

    reason: str = ""
    caption: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    picture: npt.NDArray[np.uint8] | None = None
    overlay: StepOverlay | None = None

    @property
    def lines_of_text(self) -> tuple[str, ...]:
        """The texts at the top, the reason first."""
        return tuple(text for text in (self.reason, *self.texts.values()) if text)

    @property
    def empty(self) -> bool:
        """Whether only a sentence is drawn."""
        return not self.rows and self.picture is None and not self.texts

    @property
    def wanted_height(self) -> int | None:
        """Height in pixels for all parts; None if a picture uses all available room."""
        if self.picture is not None or self.texts or not self.rows:
            return None
        return 16 + ROW * len(self.rows) + (ROW + 2 if self.caption else 0) + (ROW + 6 if self.reason else 0)


class EpisodeExtent:
    """The largest magnitude and the sign of each observed number in an episode so far; magnitudes are rounded up."""

    def __init__(self) -> None:
        self.most: npt.NDArray[Any] = np.zeros(0)
        self.signed: npt.NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._known: tuple[int, int] | None = None

    def take(self, playing: PlayedEpisode) -> npt.NDArray[Any]:
        """Update from all known steps, and return their numbers (steps, F); (0, 0) if they are not plain numbers."""
        rows = playing.observation
        count = len(playing.ready.features)
        if rows.ndim != 2 or not len(rows) or rows.shape[1] != count:
            rows = np.zeros((0, count), np.float32)
        if self._known != (playing.number, len(rows)):
            self._known = playing.number, len(rows)
            finite = np.nan_to_num(rows)
            self.most = np.array([step_above(value) for value in np.abs(finite).max(axis=0, initial=0.0)])
            self.signed = np.asarray(finite.min(axis=0, initial=0.0) < 0)
        return rows


def observation_drawn(
    playing: PlayedEpisode,
    t: int,
    described: Mapping[str, Any],
    overlay: StepOverlay | None,
    reach: EpisodeExtent,
    *,
    caption: str,
    alone: bool,
) -> ObservationDrawn:
    """The model of step t, or of the last known step.

    Args:
        described: description of the step (`dqngui.lab.playback.step_descriptions`).
        reach: the ends of the bars, kept from step to step.
        caption: name of the overlay.
        alone: drawn instead of the environment's picture, with the reason why there is none.
    """
    ready = playing.ready
    name = ready.environment or "This environment"
    reason = f"{ready.no_picture_in_words or f'{name}: the picture of this step was not kept'}." if alone else ""
    picture = described.get("picture")
    picture = None if picture is None or not picture.size else picture
    values = _values_at(reach.take(playing), t, described, len(ready.features))
    if overlay is not None:
        rows = _weighed(ready.features, values, overlay)
    else:
        rows = _valued(ready.features, values, reach, pictured=picture is not None)
    return ObservationDrawn(reason, caption, texts_of(dict(described)), rows, picture, overlay)


def _values_at(rows: npt.NDArray[Any], t: int, described: Mapping[str, Any], count: int) -> npt.NDArray[Any]:
    found = np.asarray(described.get("observation", ()))
    if t >= len(rows) and found.shape == (count,):
        return found
    values: npt.NDArray[Any] = rows[min(t, len(rows) - 1)] if len(rows) else np.zeros(0)
    return values


def _valued(
    features: Sequence[str], values: npt.NDArray[Any], reach: EpisodeExtent, *, pictured: bool
) -> tuple[Row, ...]:
    return tuple(
        Row(name, float(value), float(value), float(most), bool(signed), weight=False)
        for name, value, most, signed in zip(features, values, reach.most, reach.signed, strict=False)
        if not (pictured and _CELL.search(name))
    )


def _weighed(features: Sequence[str], values: npt.NDArray[Any], overlay: StepOverlay) -> tuple[Row, ...]:
    known, full = dict(zip(features, values.tolist(), strict=False)), overlay.full
    return tuple(
        Row(name, known.get(name), float(weight), full, overlay.signed, weight=True)
        for name, weight in zip(overlay.names, overlay.weights, strict=True)
    )


def width_of_numbers(letters: Letters, rows: Sequence[Row]) -> int:
    """Width of the numbers, at least that of usual numbers, so that it seldom changes."""
    return int(max(letters.width(text) for text in ("−0.0000", *(row.number for row in rows))))


@dataclass(frozen=True, slots=True)
class RowColumns:
    """Widths in pixels of the parts of a line: name, value (if weights are shown), number after the bar."""

    name: int
    value: int
    number: int


def row_columns(rows: Sequence[Row], width: int, letters: Letters) -> RowColumns:
    """Divide the width of lines; narrow lines have no column for values."""
    widest = max((letters.width(row.name) for row in rows), default=0) + 4  # eliding is strict
    texts = ["−0.0000", *(three_digits(row.value) for row in rows if row.weight and row.value is not None)]
    valued = any(row.weight and row.value is not None for row in rows) and width > 220
    value = max(letters.width(text) for text in texts) + 10 if valued else 0
    return RowColumns(int(min(widest, width * 2 // 5)), int(value), width_of_numbers(letters, rows))


def three_digits(value: float) -> str:
    """A number with three digits."""
    return measured(value, 3)
