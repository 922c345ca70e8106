"""The leak test: nothing that an environment shows or pays up to a bar may depend on what happens later.

Trading environments are easily wrong in a way that looks like success: a scale that was fitted on all prices, a window
that reaches one bar too far, an order that is filled at the price with which it was decided. Three questions find them,
of any environment that offers what `Market` asks for:

1. *The future is exchanged* after a bar: every observation and reward up to that bar must stay as it was.
2. *The price jumps* up or down right after a decision and then stays: whatever was held, no decision may earn more of
   it than another. That finds entries as well as exits, and orders that get the better of two prices.
3. With a policy, its decisions up to that bar must stay too, which follows from the observations unless it looks
   elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from dqngui.config import ConfigError
from dqngui.envs.trading.prices import Prices

BARS, CUTS = 24, 4
"""Bars that are played before a cut, fewer where episodes are shorter, and cuts in each part."""
LEVEL, JUMP = 10_000, 1.5
"""Cents that a price stays at before it jumps, so that neither real losses nor whole cents matter, and its factor."""
MOST_EARNED = 15.0
"""Percent by which two decisions may differ after a jump: the highest costs take 13 from an account that was short."""
Policy = Callable[[np.ndarray], int]


class Market(Protocol):
    """What the leak test asks of an environment besides gymnasium's `reset` and `step`.

    `reset(options={"bar": t})` begins an episode at whose first step the agent decides at the close of bar t; each step
    goes one bar on. The first and the last action are opposite positions.
    """

    prices: Prices
    parts: Any
    window: int
    action_space: Any

    def use(self, prices: Prices) -> None:
        """Trade at other prices from the next reset on."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's."""

    def step(self, action: int) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """As gymnasium's."""


@dataclass(frozen=True)
class Leak:
    """What depended on the future.

    Attributes:
        kind: `observation`, `reward` or `decision` at `bar` depends on later prices; `fill`: an order decided at the
            close of `bar` was filled at that price.
        bar: index of the bar whose close was the last thing that could be known.
        date: of that bar.
    """

    kind: str
    bar: int
    date: str


def find_leaks(market: Market, policy: Policy | None = None, *, seed: int = 0) -> list[Leak]:
    """The first leak of each kind; an empty list if nothing depends on the future. The market keeps its prices.

    Args:
        policy: chooses actions from observations; without it they are random.
    """
    whole, draw = market.prices, np.random.default_rng(seed)
    found: dict[str, Leak] = {}
    try:
        bars = _bars(market)
        for cut in _cuts(market, draw):
            for kind, bar in (*_exchanged(market, whole, cut, bars, policy, draw), *_jumped(market, whole, cut)):
                found.setdefault(kind, Leak(kind, bar, str(whole.dates[bar])))
    finally:
        market.use(whole)
    return list(found.values())


@lru_cache(maxsize=32)
def _checked(_settings: tuple[Any, ...]) -> list[bool]:
    return []


def check_without_leaks(market: Market, settings: tuple[Any, ...]) -> None:
    """Raises ConfigError if the market leaks; asked once for the same settings in a process."""
    done = _checked((type(market), *settings))
    if done:
        return
    done.append(True)  # before: the test makes episodes of the same market
    if leaks := find_leaks(market):
        done.clear()
        raise ConfigError("trading.leak", what=leaks[0].kind, bar=leaks[0].bar, date=leaks[0].date)


def _cuts(market: Market, draw: np.random.Generator) -> list[int]:
    """Bars in every part, the last one of the training part among them: what is fitted there must end there."""
    cuts: list[int] = []
    for span in market.parts.values():
        first, end = max(span.first, market.window) + BARS, span.end - 3
        if end > first:
            cuts += [int(cut) for cut in draw.integers(first, end, CUTS)]
    training = next(iter(market.parts.values()))
    return [*cuts, training.end - 1]


def _bars(market: Market) -> int:
    """Bars that are played before a cut: an episode that ends earlier would say nothing of the cut itself."""
    market.reset(seed=0, options={"bar": next(iter(market.parts.values())).first + market.window})
    for bars in range(1, BARS):
        if market.step(0)[3]:
            return bars
    return BARS


def _exchanged(
    market: Market, whole: Prices, cut: int, bars: int, policy: Policy | None, draw: np.random.Generator
) -> list[tuple[str, int]]:
    """What differs up to `cut` if all prices after it are others: the real changes, larger, in another order."""
    later = np.diff(np.log(whole.closes[cut:].astype(np.float64)))
    factors = np.exp(np.cumsum(2 * draw.permutation(later) + 0.01))
    closes = np.maximum(1, np.round(whole.closes[cut] * np.clip(factors, 1e-3, 1e3))).astype(np.int64)
    opens = np.concatenate([whole.closes[cut : cut + 1], closes[:-1]])
    actions = draw.integers(0, int(market.action_space.n), bars)
    one = _played(market, whole, cut, policy, actions)
    other = _played(market, whole.with_bars(cut + 1, opens, closes), cut, policy, actions)
    different = [  # at the same bar, a cause before its effect
        (cut - bars + step, order, kind)
        for order, kind in enumerate(("observation", "reward", "decision"))
        for step, (mine, theirs) in enumerate(zip(one[kind], other[kind], strict=False))
        if not np.array_equal(mine, theirs)
    ]
    return [(kind, bar) for bar, _, kind in sorted(different)[:1]]


def _played(
    market: Market, prices: Prices, cut: int, policy: Policy | None, actions: np.ndarray
) -> dict[str, list[Any]]:
    """Observations, rewards and decisions of the bars up to `cut`, from one step for each action before it."""
    market.use(prices)
    observation, _ = market.reset(seed=0, options={"bar": cut - len(actions)})
    seen: dict[str, list[Any]] = {"observation": [np.array(observation)], "reward": [0.0], "decision": []}
    for action in actions.tolist():
        chosen = action if policy is None else policy(observation)
        seen["decision"].append(chosen)
        observation, reward, terminated, truncated, _ = market.step(chosen)
        seen["observation"].append(np.array(observation))
        seen["reward"].append(float(reward))
        if terminated or truncated:
            break
    if policy is not None:
        seen["decision"].append(policy(observation))
    return seen


def _jumped(market: Market, whole: Prices, cut: int) -> list[tuple[str, int]]:
    """Whether decisions at the close of `cut` earn differently from a jump that follows at once."""
    choices = range(int(market.action_space.n))
    for factor in (JUMP, 1 / JUMP):
        made = np.full(len(whole) - cut + 1, LEVEL, np.int64)
        made[2:] = round(LEVEL * factor)
        market.use(whole.with_bars(cut - 1, made, made))
        for held in (None, *choices):
            totals = [_earned(market, cut, held, action) for action in choices]
            if max(totals) - min(totals) > MOST_EARNED:
                return [("fill", cut)]
    return []


def _earned(market: Market, cut: int, held: int | None, action: int) -> float:
    """The rewards of a decision at the close of `cut`, with a position held since the bar before or a new account."""
    market.reset(seed=0, options={"bar": cut if held is None else cut - 1})
    ended = held is not None and any(market.step(held)[2:4])
    total = 0.0
    for _ in range(2):
        if not ended:
            _, reward, terminated, truncated, _ = market.step(action)
            total, ended = total + float(reward), terminated or truncated
    return total
