"""The order in which a memory's units are drawn: by index, by variance, or by correlation with another quantity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.lab.playback.episode import PlayedEpisode

FIRST_SORT_STEPS = 32
"""Steps after which the units of a new episode are sorted for the first time."""
MAX_VALUES = 1_000_000
"""Values that a sort uses at most; with more, steps are skipped evenly."""
CONSTANT_BELOW = 1e-5
"""A unit whose spread is below this share of its magnitude counts as constant (rounding errors)."""

PLAIN = {"index": "by index", "variance": "by variance"}
CORRELATED = {"reward": "reward", "time": "time"}


def orders(playing: PlayedEpisode) -> tuple[dict[str, str], dict[str, str]]:
    """Labels of the possible orders, by key: plain orders, and orders by correlation with a quantity of the episode."""
    return PLAIN, CORRELATED | {f"entry {index}": name for index, name in enumerate(playing.ready.features)}


def compared_quantity(key: str, playing: PlayedEpisode) -> npt.NDArray[np.float64] | None:
    """The quantity (length,) that units are correlated with: reward, step, or an entry of the observation."""
    if key == "reward":
        return np.asarray(playing.reward, np.float64)
    if key == "time":
        return np.arange(playing.length, dtype=np.float64)
    if key.startswith("entry "):
        index = int(key.removeprefix("entry "))
        observed = playing.observation
        return observed[:, index].astype(np.float64) if observed.ndim == 2 and index < observed.shape[1] else None
    return None


def correlation(values: npt.NDArray[Any], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Pearson's r of every row of values (steps, rows) with (steps,); NaN where one of the two is constant.

    Steps at which one of the two is not finite are left out.
    """
    values, other = values[: len(other)], other[: len(values)]
    known = np.isfinite(other)
    x, y = values[known].astype(np.float64), other[known]
    finite = np.isfinite(x)
    if finite.all():
        count: Any = max(len(x), 1)
        y_of = y[:, None] - (y.mean() if len(y) else 0.0)
        scale = np.abs(x).max(axis=0, initial=0.0)
        x -= x.mean(axis=0, keepdims=True) if len(x) else 0.0
    else:
        count = np.maximum(finite.sum(axis=0), 1)
        x = np.where(finite, x, 0.0)
        scale = np.abs(x).max(axis=0, initial=0.0)
        x = np.where(finite, x - x.sum(axis=0) / count, 0.0)
        y_of = np.where(finite, y[:, None] - np.where(finite, y[:, None], 0.0).sum(axis=0) / count, 0.0)
    spread = np.sqrt((x**2).sum(axis=0) / count)
    spread_of = np.sqrt((y_of**2).sum(axis=0) / count)
    varies = (spread > CONSTANT_BELOW * scale) & (spread_of > CONSTANT_BELOW * np.abs(y).max(initial=0.0))
    r = (x * y_of).sum(axis=0) / count / np.where(varies, spread * spread_of, 1.0)
    return np.where(varies, np.clip(r, -1.0, 1.0), np.nan)


def by_variance(values: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Indices of the rows of values (steps, rows), the largest variance first."""
    values = values[:: _stride(values)]
    known = np.where(np.isfinite(values), values, 0.0)
    return np.argsort(-known.var(axis=0), kind="stable")


def by_correlation(values: npt.NDArray[np.float32], other: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Indices of the rows of values (steps, rows), the largest |r| with (steps,) first, rows without r last."""
    stride = _stride(values)
    r = correlation(values[::stride], other[: len(values)][::stride])
    return np.argsort(-np.where(np.isnan(r), -1.0, np.abs(r)), kind="stable")


def _stride(values: npt.NDArray[np.float32]) -> int:
    return max(1, math.ceil(values.size / MAX_VALUES))


class Ordering:
    """The order of the rows. It is computed early in an episode, at its end and when the user changes it, so that rows
    do not move all the time.

    Attributes:
        key: a key of `orders`.
    """

    def __init__(self) -> None:
        self.key = "index"
        self._order: npt.NDArray[np.intp] | None = None
        self._final = False

    def begin(self) -> None:
        """Forget the order: another episode or other rows follow."""
        self._order, self._final = None, False

    def choose(self, key: str, values: npt.NDArray[np.float32] | None, playing: PlayedEpisode | None) -> None:
        """Choose another key, and sort by the steps known so far."""
        self.key = key
        self.begin()
        if values is not None and playing is not None:
            self._order = self._sort(values, playing)

    def order(self, values: npt.NDArray[np.float32], playing: PlayedEpisode) -> npt.NDArray[np.intp]:
        """The index of the row of values (steps, rows) to draw at each place."""
        if self._order is None and len(values) >= FIRST_SORT_STEPS:
            self._order = self._sort(values[:FIRST_SORT_STEPS], playing)
        if playing.ended and not self._final:
            self._order, self._final = self._sort(values, playing), True
        return np.arange(values.shape[1]) if self._order is None else self._order

    def _sort(self, values: npt.NDArray[np.float32], playing: PlayedEpisode) -> npt.NDArray[np.intp]:
        if self.key == "variance":
            return by_variance(values)
        other = compared_quantity(self.key, playing)
        return np.arange(values.shape[1]) if other is None else by_correlation(values, other)

    def words(self, playing: PlayedEpisode) -> str:
        """The label of the key; empty for the order by index."""
        correlated = orders(playing)[1]
        return "variance" if self.key == "variance" else correlated.get(self.key, "")

    def correlation_text(self, curve: npt.NDArray[np.float32], playing: PlayedEpisode) -> str:
        """Correlation of a row (steps,) with the quantity of the key: `r 0.83 with reward`; empty if there is none."""
        other = compared_quantity(self.key, playing)
        if other is None or len(curve) < 3:
            return ""
        r = float(correlation(curve[:, None], other)[0])
        label = orders(playing)[1].get(self.key, "")
        return f"no r with {label}" if math.isnan(r) else f"r {r:.2f} with {label}".replace("-", "−")
