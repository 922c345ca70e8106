"""The leak test: it passes the market, and catches every kind of look-ahead that is planted in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dqngui.config import ConfigError
from dqngui.envs.trading.account import Account
from dqngui.envs.trading.leaks import check_without_leaks, find_leaks
from dqngui.envs.trading.market import Trading
from dqngui.envs.trading.prices import Prices


class ScaledByAll(Trading):
    """Changes are divided by the deviation of the whole series."""

    def use(self, prices: Prices) -> None:
        super().use(prices)
        changes = prices.returns()
        self._seen = (changes / changes.std()).astype(np.float32)


class ScaledByTest(Trading):
    """The scale was fitted on the test part."""

    def use(self, prices: Prices) -> None:
        super().use(prices)
        span, changes = self.parts["test"], prices.returns()
        self._seen = (changes / (changes[span.first : span.end].std() + 1e-9)).astype(np.float32)


class OneBarTooFar(Trading):
    """The window ends with tomorrow's change."""

    def use(self, prices: Prices) -> None:
        super().use(prices)
        self._seen = np.roll(self._seen, -1)


class Smoothed(Trading):
    """A centred average, as smoothing filters make them: half of it lies in the future."""

    def use(self, prices: Prices) -> None:
        super().use(prices)
        self._seen = np.convolve(self._seen, np.ones(5) / 5, "same").astype(np.float32)


class FilledWhenDecided(Trading):
    """Orders are filled at the close with which they were decided."""

    def use(self, prices: Prices) -> None:
        super().use(prices)
        self._fills = np.roll(prices.closes, 1)


class PaidTomorrow(Trading):
    """The reward counts the change of the bar after the one that the position was held for."""

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        observation, _, terminated, truncated, info = super().step(action)
        ahead = self.prices.returns()[min(self.bar + 1, len(self.prices) - 1)]
        return observation, 100 * float(ahead) * self.positions[action], terminated, truncated, info


class SoldWhenDecided(Trading):
    """Only the exits are filled at the close with which they were decided."""

    def order(self, account: Account, position: int, equity: int) -> None:
        if position == 0 and account.shares:
            account.trade(0, int(self.prices.closes[self.bar]), self._cost, self._slippage)
        else:
            super().order(account, position, equity)


class ShortAtTheBetterPrice(Trading):
    """Short positions are sold at this close or the next open, whichever is higher."""

    def order(self, account: Account, position: int, equity: int) -> None:
        fills = self._fills
        if position < 0:
            self._fills = np.maximum(fills, np.roll(self.prices.closes, 1))
        super().order(account, position, equity)
        self._fills = fills


LEAKS = [
    ScaledByAll,
    ScaledByTest,
    OneBarTooFar,
    Smoothed,
    FilledWhenDecided,
    PaidTomorrow,
    SoldWhenDecided,
    ShortAtTheBetterPrice,
]
KINDS = ["observation", "observation", "observation", "observation", "fill", "reward", "fill", "fill"]


@pytest.mark.parametrize(("market", "kind"), list(zip(LEAKS, KINDS, strict=True)))
def test_a_planted_leak_is_caught_before_training(market: type[Trading], kind: str) -> None:
    with pytest.raises(ConfigError, match=f"looks into the future: {kind} at bar"):
        market()


@pytest.mark.parametrize("market", [OneBarTooFar, PaidTomorrow, SoldWhenDecided])
@pytest.mark.parametrize("steps", [2, 10])
def test_short_episodes_hide_no_leak(market: type[Trading], steps: int) -> None:
    with pytest.raises(ConfigError, match="looks into the future"):
        market(steps=steps)


def test_the_highest_costs_are_no_leak() -> None:
    for short in (True, False):
        assert find_leaks(Trading(short=short, cost=100.0, slippage=100.0, steps=2)) == []


@pytest.mark.parametrize("window", [1, 20])
@pytest.mark.parametrize("short", [True, False])
def test_the_market_has_no_leak(window: int, short: bool) -> None:
    market = Trading(window=window, short=short, steps=100)
    assert find_leaks(market, seed=1) == [] and find_leaks(market, lambda seen: int(seen[0] > 0)) == []


def test_a_policy_that_looks_elsewhere_is_caught() -> None:
    market = Trading()
    found = find_leaks(market, lambda seen: 2 if market.prices.closes[-1] > market.prices.closes[market.bar] else 0)
    assert "decision" in [leak.kind for leak in found]


def test_the_market_keeps_its_prices() -> None:
    market = Trading()
    before, parts = market.prices, dict(market.parts)
    find_leaks(market, seed=3)
    assert market.prices is before and market.parts == parts
    check_without_leaks(market, ("asked again",))
