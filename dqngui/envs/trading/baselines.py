"""What needs no learning: holding, staying out, random positions, and crossing moving averages (Brock et al. 1992).

All are walked over the same bars as an agent: windows of a part one after another, each with a new account.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dqngui.envs.trading.market import YEAR, Trading, drawdown, sharpe_ratio
from dqngui.envs.trading.splits import Part
from dqngui.statistics import Interval, mean_interval

MONTH = 21  # bars
FAST, SLOW = 20, 100
"""Bars of the two averages that cross."""
Decide = Callable[[Trading, np.random.Generator], int]
"""The index of the action at the close of `market.bar`, from prices up to there."""


def hold(market: Trading, draw: np.random.Generator) -> int:
    """Always long."""
    return len(market.positions) - 1


def stay_out(market: Trading, draw: np.random.Generator) -> int:
    """Always flat."""
    return market.positions.index(0)


def at_random(market: Trading, draw: np.random.Generator) -> int:
    """Every position equally often."""
    return int(draw.integers(len(market.positions)))


def crossing(market: Trading, draw: np.random.Generator) -> int:
    """Long while the mean of the last `FAST` closes is above that of the last `SLOW`, else short, or flat."""
    closes = market.prices.closes[max(0, market.bar - SLOW + 1) : market.bar + 1]
    return len(market.positions) - 1 if closes[-FAST:].mean() > closes.mean() else 0


BASELINES: Mapping[str, Decide] = {
    "hold": hold,
    "stay out": stay_out,
    "moving averages": crossing,
    "at random": at_random,
}


@dataclass(frozen=True)
class Walk:
    """What one policy earned in the windows of a part.

    Attributes:
        returns: (N,) daily log returns, window after window.
    """

    returns: np.ndarray

    @property
    def yearly(self) -> float:
        """Percent a year, as a log return."""
        return 100 * YEAR * float(self.returns.mean())

    @property
    def sharpe(self) -> float:
        """Annualised Sharpe ratio."""
        return sharpe_ratio(self.returns)

    @property
    def drawdown(self) -> float:
        """Largest fall from a peak in percent, over all windows in a row."""
        return drawdown(np.exp(np.concatenate([[0.0], np.cumsum(self.returns)])))

    def beyond(self, other: Walk) -> tuple[float, Interval | None, int]:
        """Percent a year beyond another policy on the same bars, its 95 % interval, and the months that it is from.

        Daily differences are neither independent nor normal; sums over months nearly are, and there are enough of them.
        """
        months = _months(self.returns - other.returns)
        found = mean_interval(months)
        year = 100 * YEAR / MONTH
        scaled = None if found is None else Interval(year * found.low, year * found.high)
        return year * float(months.mean()), scaled, len(months)


def _months(daily: np.ndarray) -> np.ndarray:
    count = max(1, len(daily) // MONTH)
    return np.array([part.sum() for part in np.array_split(daily, count)])


def window_starts(market: Trading, part: Part) -> Iterator[int]:
    """The bars at which the windows of a part begin, one after another; what is left of it at its end is not used."""
    span = market.parts[part]
    first = max(span.first, market.window)
    return iter(range(first, span.end - market.steps, market.steps))


def walk(market: Trading, decide: Decide, part: Part, seed: int = 0) -> Walk:
    """Let a baseline trade through a part."""
    draw, found = np.random.default_rng(seed), []
    for start in window_starts(market, part):
        market.reset(seed=0, options={"bar": start})
        ended = False
        while not ended:
            _, _, terminated, truncated, _ = market.step(decide(market, draw))
            ended = terminated or truncated
        found.append(daily_returns(market))
    return Walk(np.concatenate(found))


def daily_returns(market: Trading) -> np.ndarray:
    """(steps,) log returns of the episode that has ended; after a ruin the account stays where it was."""
    returns = np.diff(np.log(market.equity.astype(np.float64)))
    return np.pad(returns, (0, market.steps - len(returns)))


def fitting_steps(market: Trading, part: Part) -> int:
    """Bars of a window so that whole windows of about the trained length fill the part."""
    span = market.parts[part]
    bars = span.end - max(span.first, market.window) - 1
    return max(1, bars // max(1, math.floor(bars / market.steps + 0.5)))
