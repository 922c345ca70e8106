"""In which order a memory's units are drawn: by number, by variance, or by what they go along with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.lab.playback.episode import PlayedEpisode

ENOUGH = 32
"""Steps after which a new episode's units are sorted."""
JUDGED = 1_000_000
"""Values that units are judged by; of a larger memory steps are left out evenly."""
SAME = 1e-5
"""A spread below this share of the values is rounding: such a unit is constant."""

PLAIN = {"index": "by index", "variance": "by variance"}
ALONG = {"reward": "reward", "time": "time"}


def orders(playing: PlayedEpisode) -> tuple[dict[str, str], dict[str, str]]:
    """What rows can be ordered by, in words: plainly, and by their correlation with something of the episode."""
    return PLAIN, ALONG | {f"entry {index}": name for index, name in enumerate(playing.ready.features)}


def companion(key: str, playing: PlayedEpisode) -> npt.NDArray[np.float64] | None:
    """What units are compared with (length,): the reward that followed, the step, or an entry of what was seen."""
    if key == "reward":
        return np.asarray(playing.reward, np.float64)
    if key == "time":
        return np.arange(playing.length, dtype=np.float64)
    if key.startswith("entry "):
        index = int(key.removeprefix("entry "))
        seen = playing.observation
        return seen[:, index].astype(np.float64) if seen.ndim == 2 and index < seen.shape[1] else None
    return None


def correlation(values: npt.NDArray[Any], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Pearson's r of every row of values (steps, rows) with (steps,); NaN where one of both does not vary.

    Steps at which either is not finite are left out.
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
    varies = (spread > SAME * scale) & (spread_of > SAME * np.abs(y).max(initial=0.0))
    r = (x * y_of).sum(axis=0) / count / np.where(varies, spread * spread_of, 1.0)
    return np.where(varies, np.clip(r, -1.0, 1.0), np.nan)


def by_variance(values: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Rows of values (steps, rows), the most variable first."""
    values = values[:: _stride(values)]
    known = np.where(np.isfinite(values), values, 0.0)
    return np.argsort(-known.var(axis=0), kind="stable")


def by_correlation(values: npt.NDArray[np.float32], other: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Rows of values (steps, rows), the largest |r| with (steps,) first, those without any r last."""
    stride = _stride(values)
    r = correlation(values[::stride], other[: len(values)][::stride])
    return np.argsort(-np.where(np.isnan(r), -1.0, np.abs(r)), kind="stable")


def _stride(values: npt.NDArray[np.float32]) -> int:
    return max(1, math.ceil(values.size / JUDGED))


class Ordering:
    """The order of the rows: decided at an episode's start, at its end and when asked, so that rows hold still.

    Attributes:
        key: what it goes by, one of `orders`.
    """

    def __init__(self) -> None:
        self.key = "index"
        self._order: npt.NDArray[np.intp] | None = None
        self._final = False

    def begin(self) -> None:
        """Another episode, or other rows."""
        self._order, self._final = None, False

    def ask(self, key: str, values: npt.NDArray[np.float32] | None, playing: PlayedEpisode | None) -> None:
        """Go by something from now on, judged by the steps so far."""
        self.key = key
        self.begin()
        if values is not None and playing is not None:
            self._order = self._judge(values, playing)

    def order(self, values: npt.NDArray[np.float32], playing: PlayedEpisode) -> npt.NDArray[np.intp]:
        """Which row of values (steps, rows) stands at each place."""
        if self._order is None and len(values) >= ENOUGH:
            self._order = self._judge(values[:ENOUGH], playing)
        if playing.ended and not self._final:
            self._order, self._final = self._judge(values, playing), True
        return np.arange(values.shape[1]) if self._order is None else self._order

    def _judge(self, values: npt.NDArray[np.float32], playing: PlayedEpisode) -> npt.NDArray[np.intp]:
        if self.key == "variance":
            return by_variance(values)
        other = companion(self.key, playing)
        return np.arange(values.shape[1]) if other is None else by_correlation(values, other)

    def words(self, playing: PlayedEpisode) -> str:
        """What the order goes by, in words; empty for the rows' own order."""
        along = orders(playing)[1]
        return "variance" if self.key == "variance" else along.get(self.key, "")

    def told(self, curve: npt.NDArray[np.float32], playing: PlayedEpisode) -> str:
        """How a row (steps,) goes along with what the order goes by: `r 0.83 with reward`; empty without such."""
        other = companion(self.key, playing)
        if other is None or len(curve) < 3:
            return ""
        r = float(correlation(curve[:, None], other)[0])
        what = orders(playing)[1].get(self.key, "")
        return f"no r with {what}" if math.isnan(r) else f"r {r:.2f} with {what}".replace("-", "−")
