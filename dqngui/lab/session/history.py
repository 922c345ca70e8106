"""What a run has told so far: kept once, as growing numpy columns, and drawn from by every panel.

A curve of any length is asked for by range and width in pixels (`Curve.query`) and answers with a few
points per pixel, so that a million points draw as fast as a thousand. Answers depend only on the
points and the question, never on when it is asked: a panel that was hidden draws what one that was
always visible draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dqngui.messages import (
    BreakpointHit,
    EpisodeEnded,
    Evaluated,
    Event,
    Forked,
    KnobChanged,
    KnobRefused,
    Learned,
    Warned,
)

Floats = npt.NDArray[np.float64]
STORY = (Evaluated, KnobChanged, KnobRefused, Warned, Forked, BreakpointHit)
FACTOR = 4  # points of one pyramid level in one of the next
LEARNED_FIELDS = ("loss", "td_error", "q_mean", "grad_norm", "epsilon", "steps_per_second", "updates_per_second")
POLICY_FIELDS = ("policy_loss", "value_error", "entropy", "kl", "clip_share", "explained")
"""Told by algorithms with a policy only; these curves have no gaps, so that other runs keep nothing of them."""


class GrowingColumn:
    """A growing column of float64; doubling keeps an append cheap."""

    def __init__(self) -> None:
        self._data: Floats = np.empty(1024)
        self.size = 0

    def extend(self, values: Floats) -> None:
        end = self.size + len(values)
        if end > len(self._data):
            grown = np.empty(max(end, 2 * len(self._data)))
            grown[: self.size] = self._data[: self.size]
            self._data = grown
        self._data[self.size : end] = values
        self.size = end

    @property
    def values(self) -> Floats:
        """The values so far, as a view (N,)."""
        return self._data[: self.size]


class Curve:
    """Points (x, y) in order of x, with a pyramid of minima and maxima and running sums of y.

    A y that is missing, NaN or infinite is a gap.

    Attributes:
        x, y: growing columns (N,).
    """

    def __init__(self) -> None:
        self.x, self.y = GrowingColumn(), GrowingColumn()
        self._levels: list[tuple[GrowingColumn, GrowingColumn]] = []  # level k: blocks of FACTOR ** (k + 1) points
        self._count, self._sum, self._squares = GrowingColumn(), GrowingColumn(), GrowingColumn()
        self._shift: float | None = None  # first y; squares of y - shift lose fewer digits

    def __len__(self) -> int:
        return self.x.size

    def extend(self, x: Sequence[float] | Floats, y: Sequence[float | None] | Floats) -> None:
        """Append points; x never decreases."""
        xs = np.asarray(x, dtype=float)
        ys = np.array(y, dtype=float)  # a copy, and None becomes NaN
        ys[~np.isfinite(ys)] = np.nan
        self.x.extend(xs)
        self.y.extend(ys)
        self._grow_sums(ys)
        self._grow_levels()

    def _grow_sums(self, ys: Floats) -> None:
        known = np.isfinite(ys)
        if self._shift is None and known.any():
            self._shift = float(ys[known.argmax()])
        shifted = np.where(known, ys - (self._shift or 0.0), 0.0)
        for column, values in ((self._count, known), (self._sum, shifted), (self._squares, shifted**2)):
            last = column.values[-1] if column.size else 0.0
            column.extend(last + np.cumsum(values, dtype=float))

    def _grow_levels(self) -> None:
        low, high = self.y, self.y
        for level in range(40):
            if low.size < FACTOR:
                return
            if level == len(self._levels):
                self._levels.append((GrowingColumn(), GrowingColumn()))
            lows, highs = self._levels[level]
            start, stop = lows.size * FACTOR, low.size - low.size % FACTOR
            lows.extend(np.fmin.reduce(low.values[start:stop].reshape(-1, FACTOR), axis=1))
            highs.extend(np.fmax.reduce(high.values[start:stop].reshape(-1, FACTOR), axis=1))
            low, high = lows, highs

    @property
    def known(self) -> bool:
        """Some y is."""
        return self._shift is not None

    def span(self, x0: float, x1: float) -> tuple[int, int]:
        """Indices [first, stop) of the points with x0 <= x <= x1 and one more on either side."""
        x = self.x.values
        first = max(0, int(np.searchsorted(x, x0, "left")) - 1)
        return first, min(len(x), int(np.searchsorted(x, x1, "right")) + 1)

    def blocks(self, x0: float, x1: float, pixels: int) -> tuple[int, int, int]:
        """(first, stop, block): the span, widened to whole blocks of a size that leaves at most `pixels` of them."""
        first, stop = self.span(x0, x1)
        block = 1
        while (stop - first) > block * max(1, pixels):
            block *= FACTOR
        return first - first % block, stop, block

    def query(self, x0: float, x1: float, pixels: int) -> tuple[Floats, Floats]:
        """At most 2 * pixels + 2 points that look like the curve between x0 and x1: each block's lowest and highest."""
        first, stop, block = self.blocks(x0, x1, pixels)
        if block == 1:
            return self.x.values[first:stop].copy(), self.y.values[first:stop].copy()
        level = self._levels[round(np.log(block) / np.log(FACTOR)) - 1]
        begin, end = first // block, stop // block
        low, high = level[0].values[begin:end], level[1].values[begin:end]
        x = self.x.values
        left, right = x[begin * block : end * block : block], x[begin * block + block - 1 : end * block : block]
        if stop > end * block:  # the last block is still growing
            tail = self.y.values[end * block : stop]
            low, high = np.append(low, np.fmin.reduce(tail)), np.append(high, np.fmax.reduce(tail))
            left, right = np.append(left, x[end * block]), np.append(right, x[stop - 1])
        # A falling block is drawn from its highest point to its lowest, or a slope would look like a saw.
        y = self.y.values
        last = np.minimum(np.arange(begin + 1, begin + 1 + len(low)) * block, stop) - 1
        falls = y[begin * block : stop : block] > y[last]
        xs, ys = np.empty(2 * len(low)), np.empty(2 * len(low))
        xs[0::2], xs[1::2] = left, right
        ys[0::2], ys[1::2] = np.where(falls, high, low), np.where(falls, low, high)
        return xs, ys

    def scattered(self, x0: float, x1: float, places: int) -> tuple[Floats, Floats]:
        """At most 3 * places + 2 points to draw as dots: extremes, and one of each block for the crowd between them."""
        first, stop, block = self.blocks(x0, x1, places)
        x, y = self.query(x0, x1, places)
        if block > 1:
            x = np.append(x, self.x.values[first + block // 2 : stop : block])
            y = np.append(y, self.y.values[first + block // 2 : stop : block])
        known = np.isfinite(y)
        return x[known], y[known]

    def smoothed(self, x0: float, x1: float, places: int, window: int) -> tuple[Floats, Floats, Floats]:
        """(x, mean, sd) over the last `window` points, at up to `places` + 2 places evenly spread over x.

        Where a place stands for more points than the window, the mean is over all of these.
        """
        first, stop = self.span(x0, x1)
        if first >= stop:
            return np.empty(0), np.empty(0), np.empty(0)
        x = self.x.values
        inner = np.linspace(max(x0, x[first]), min(x1, x[stop - 1]), places)
        at = np.searchsorted(x, inner, "right") - 1
        at = np.unique(np.concatenate([[first], at[(at >= first) & (at < stop)], [stop - 1]]))
        mean, sd = self._moments(at, np.minimum(at - window, np.concatenate([[at[0]], at[:-1]])))
        return x[at], mean, sd

    def moments_at(self, index: int, window: int) -> tuple[float, float]:
        """Mean and standard deviation of the `window` points up to an index; NaN where all are gaps."""
        mean, sd = self._moments(np.array([index]), np.array([index - window]))
        return float(mean[0]), float(sd[0])

    def means_at(self, steps: Floats, window: int) -> Floats:
        """Mean over the last `window` points at each of these ascending steps (P,), NaN outside the curve.

        Between two points it is interpolated. As in `smoothed`, a step that stands for more points than the
        window has the mean of all of these.
        """
        x = self.x.values
        if not len(x) or not len(steps):
            return np.full(len(steps), np.nan)
        right = np.clip(np.searchsorted(x, steps, "right"), 1, max(1, len(x) - 1))
        left = right - 1
        right = np.minimum(right, len(x) - 1)  # a curve of one point
        last = np.concatenate([left[:1], left[:-1]])
        ends = [
            self._moments(at, np.minimum(at - window, np.where(at > last, last, at - 1)))[0] for at in (left, right)
        ]
        gap = x[right] - x[left]
        share = np.where(gap > 0, (steps - x[left]) / np.where(gap > 0, gap, 1.0), 1.0)
        means = np.where(share >= 1, ends[1], np.where(share <= 0, ends[0], ends[0] + share * (ends[1] - ends[0])))
        return np.where((steps >= x[0]) & (steps <= x[-1]), means, np.nan)

    def _moments(self, at: npt.NDArray[np.int64], before: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Mean and deviation of the points after `before` up to `at`."""
        count, total, squares = (
            column.values[at] - np.where(before >= 0, column.values[np.maximum(before, 0)], 0.0)
            for column in (self._count, self._sum, self._squares)
        )
        known = np.where(count > 0, count, np.nan)
        mean = total / known
        return mean + (self._shift or 0.0), np.sqrt(np.maximum(squares / known - mean**2, 0.0))

    def range(self, x0: float = -np.inf, x1: float = np.inf) -> tuple[float, float] | None:
        """Lowest and highest y between x0 and x1, or None where there is none."""
        ys = self.query(x0, x1, 256)[1]
        ys = ys[np.isfinite(ys)]
        return (float(ys.min()), float(ys.max())) if len(ys) else None

    def latest(self) -> float | None:
        """The newest y that is known."""
        for stop in range(self.y.size, 0, -256):
            part = self.y.values[max(0, stop - 256) : stop]
            known = np.flatnonzero(np.isfinite(part))
            if len(known):
                return float(part[known[-1]])
        return None

    def near(self, x: float) -> int | None:
        """Index of the point nearest to x; None where there are none."""
        values = self.x.values
        if not len(values):
            return None
        right = min(int(np.searchsorted(values, x)), len(values) - 1)
        left = max(0, right - 1)
        return left if abs(values[left] - x) <= abs(values[right] - x) else right


class History:
    """Everything that panels draw of one run.

    Attributes:
        returns, lengths: of training episodes, by environment step.
        learned: a curve for each of `LEARNED_FIELDS` and `POLICY_FIELDS`.
        evaluations, knobs, forks, hits: the events themselves (few).
        story: these, refused knobs and warnings, in the order of the log.
        best: the evaluation of the best checkpoint.
        last_step: environment steps of the newest event.
        version: grows with every `take` that brought something.
    """

    def __init__(self) -> None:
        self.returns, self.lengths = Curve(), Curve()
        self.learned = {name: Curve() for name in (*LEARNED_FIELDS, *POLICY_FIELDS)}
        self.evaluations: list[Evaluated] = []
        self.knobs: list[KnobChanged] = []
        self.story: list[Event] = []
        self.forks: list[Forked] = []
        self.hits: list[BreakpointHit] = []
        self.best: Evaluated | None = None
        self.last_step = 0
        self.version = 0

    @property
    def empty(self) -> bool:
        return self.version == 0

    @property
    def marks(self) -> list[Forked | BreakpointHit | KnobChanged]:
        """What is marked at the curves; where two labels collide, a later one in this list stays."""
        return [*self.forks, *self.hits, *self.knobs]

    def take(self, events: Iterable[Event]) -> None:
        """Keep events, once and in the order of the log; kinds that no panel draws are passed over."""
        episodes: list[EpisodeEnded] = []
        learned: list[Learned] = []
        news = False
        for event in events:
            if isinstance(event, EpisodeEnded):  # by far the most
                episodes.append(event)
                continue
            if isinstance(event, Learned):
                learned.append(event)
                continue
            if isinstance(event, Evaluated):
                self.evaluations.append(event)
                if event.best:
                    self.best = event
            elif isinstance(event, KnobChanged):
                self.knobs.append(event)
            elif isinstance(event, Forked):
                self.forks.append(event)
            elif isinstance(event, BreakpointHit):
                self.hits.append(event)
            elif not isinstance(event, STORY):
                continue
            if isinstance(event, STORY):
                self.story.append(event)
            news = True
            self.last_step = max(self.last_step, event.step)
        if episodes:
            steps = np.array([event.step for event in episodes], dtype=float)
            self.returns.extend(steps, [event.ret for event in episodes])
            self.lengths.extend(steps, [event.length for event in episodes])
        if learned:
            steps = np.array([event.step for event in learned], dtype=float)
            for name in LEARNED_FIELDS:
                self.learned[name].extend(steps, [getattr(event, name) for event in learned])
            for name in POLICY_FIELDS:
                known = [(event.step, value) for event in learned if (value := getattr(event, name)) is not None]
                if known:
                    self.learned[name].extend(*zip(*known, strict=True))
        for kept in (episodes, learned):
            if kept:
                news = True
                self.last_step = max(self.last_step, kept[-1].step)
        self.version += news

    def until(self, step: int) -> History:
        """What was known after `step` environment steps, as a history of its own."""
        past = History()
        for mine, other in zip(self._curves(), past._curves(), strict=True):
            stop = int(np.searchsorted(mine.x.values, step, "right"))
            other.extend(mine.x.values[:stop], mine.y.values[:stop])
            if stop:
                past.last_step = max(past.last_step, int(mine.x.values[stop - 1]))
        past.evaluations = [event for event in self.evaluations if event.step <= step]
        past.knobs = [event for event in self.knobs if event.step <= step]
        past.forks = [event for event in self.forks if event.step <= step]
        past.hits = [event for event in self.hits if event.step <= step]
        past.story = [event for event in self.story if event.step <= step]
        past.best = next((event for event in reversed(past.evaluations) if event.best), None)
        past.last_step = max([past.last_step, *(event.step for event in past.story)])
        past.version = int(past.last_step > 0)
        return past

    def _curves(self) -> list[Curve]:
        return [self.returns, self.lengths, *self.learned.values()]

    @classmethod
    def of(cls, events: Iterable[Event], chunk: int = 20_000) -> History:
        """The history of a stored log; `take` it in pieces instead to show progress."""
        history = cls()
        pending: list[Any] = []
        for event in events:
            pending.append(event)
            if len(pending) >= chunk:
                history.take(pending)
                pending.clear()
        history.take(pending)
        return history
