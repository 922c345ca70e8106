"""Trading: hold, leave or sell short one asset at daily prices, and earn what the account earns after costs.

At the close of bar t the agent chooses a position: −1, 0 or +1 times the account (short, flat, long; without `short`
only flat and long). The order is filled at the open of bar t + 1, or at its close where the prices have no opens, in
whole shares, as many as the account at the close of bar t pays for; each trade pays `cost` and `slippage` in basis
points of the traded value. The account is kept in whole cents. The reward of the step is

    r = 100 (log E_{t+1} − log E_t),    E_t = cash + shares · close_t,

so the return of an episode is 100 log(E_end / E_start), in percent, with all costs in it. Holding a position of
the same kind and size costs nothing; it is not adjusted to the account. A short position pays no interest and no
dividends are paid. An account that falls to nothing ends the episode (terminated); after `steps` bars it is truncated.

Observation: float32 (window + 1,): the `window` latest changes of the log close, the newest last, each divided by the
root mean square of all changes up to its own bar, and the position (−1 ... 1) as a share of the account. Nothing of it
is known later than the close of bar t. When an environment is made, the leak test (`leaks`) checks that.

Episodes begin at a random bar of the part that their seed belongs to (`splits`). `info` at the end of an episode holds
`measures`: the annualised Sharpe ratio of the daily returns (Sharpe 1966, without a riskless rate), the largest fall
from a peak in percent, and the percent earned beyond holding the asset through the same bars with the same costs.
`info["facts"]` of the planted season tells its `phase`, which the agent does not see.

Rendering: the price, below it what was held at each bar (long upwards, short downwards), and the account against
holding.
"""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.config import ConfigError
from dqngui.envs.trading.account import START_CENTS, Account, affordable
from dqngui.envs.trading.leaks import check_without_leaks
from dqngui.envs.trading.picture import picture
from dqngui.envs.trading.prices import SEASON, SEASONAL, Prices, read_prices, stamp_of
from dqngui.envs.trading.splits import Span, part_of, split

YEAR = 252  # bars
FEWEST_STARTS = 2
PRIOR, PRIOR_BARS = 0.01, 20
"""A usual daily change of a price, which counts as that of so many bars before the first one."""


class Trading(gymnasium.Env[np.ndarray, int]):
    """The market of this module's specification.

    Attributes:
        prices: all bars.
        parts: the spans of training, selection and test.
        bar: the bar at whose close the agent decides next.
        begin_at: the bar at which all further episodes begin; None: at one drawn by their seed.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(
        self,
        prices: str = SEASONAL,
        window: int = 1,
        steps: int = YEAR,
        short: bool = True,
        cost: float = 1.0,
        slippage: float = 1.0,
        folds: int = 1,
        fold: int = 0,
        render_mode: str | None = None,
    ) -> None:
        """Raises ConfigError for prices that cannot be used, or that are too few for the episodes."""
        if not 0 <= fold < folds:
            raise ConfigError("trading.no_fold", fold=fold, folds=folds)
        self.render_mode = render_mode
        self.window, self.steps = window, steps
        self.positions = (-1, 0, 1) if short else (0, 1)
        self.action_names = ("short", "flat", "long") if short else ("flat", "long")
        self.feature_names = (
            *(f"change −{back}" if back else "change" for back in range(window - 1, -1, -1)),
            "position",
        )
        self._cost, self._slippage = round(1000 * cost), round(1000 * slippage)
        self._seasonal = prices == SEASONAL
        self.observation_space: spaces.Space[Any] = spaces.Box(-np.inf, np.inf, (window + 1,), np.float32)
        self.action_space: spaces.Space[Any] = spaces.Discrete(len(self.positions))
        self._folds, self._fold = folds, fold
        self._part = part_of(0)
        self.begin_at: int | None = None
        self.use(read_prices(prices))
        for part, span in self.parts.items():
            first, end = self._starts(span)
            if end - first < FEWEST_STARTS:
                bars = span.end - span.first
                raise ConfigError("trading.part_too_short", part=part, bars=bars, steps=steps, window=window)
        settings = (window, short, cost, slippage, folds, fold)
        check_without_leaks(self, (prices, stamp_of(prices), steps, *settings))
        self._begin(self.parts["training"].first + window)

    def use(self, prices: Prices) -> None:
        """Trade at other prices from the next reset on."""
        self.prices = prices
        self.parts = split(len(prices), self._folds, self._fold)
        self._seen = scaled(prices.returns()).astype(np.float32)
        self._fills = prices.opens if prices.has_opens else prices.closes

    # -- an episode --------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin at a random bar of the part that `seed` belongs to; `options["bar"]` chooses the bar."""
        super().reset(seed=seed)
        if seed is not None:
            self._part = part_of(seed)
        first, end = self._starts(self.parts[self._part])
        drawn = int(self.np_random.integers(first, end))
        chosen = self.begin_at if options is None or "bar" not in options else int(options["bar"])
        self._begin(drawn if chosen is None else chosen)
        return self._observation(), self._info()

    def _starts(self, span: Span) -> tuple[int, int]:
        """The bars at which an episode may begin: its window may lie before the part, which is in the past."""
        return max(span.first, self.window), span.end - self.steps

    def _begin(self, bar: int) -> None:
        self.begun = self.bar = bar
        self._account, self._holding = Account(), Account()
        self._equity = [START_CENTS]
        self._held_equity = [START_CENTS]
        self._positions: list[int] = []

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        position = self.positions[int(action)]
        before = self._equity[-1]
        self.order(self._account, position, before)
        if self.bar == self.begun:
            self.order(self._holding, 1, START_CENTS)
        self.bar += 1
        self._positions.append(position)
        close = int(self.prices.closes[self.bar])
        self._equity.append(max(1, self._account.equity(close)))
        self._held_equity.append(max(1, self._holding.equity(close)))
        reward = 100 * (math.log(self._equity[-1]) - math.log(before))
        terminated = self._equity[-1] <= 1
        truncated = not terminated and self.bar - self.begun >= self.steps
        return self._observation(), reward, terminated, truncated, self._info(ended=terminated or truncated)

    def order(self, account: Account, position: int, equity: int) -> None:
        """Fill at the next bar what was decided at the close of this one."""
        if position == (account.shares > 0) - (account.shares < 0):
            return
        shares = position * affordable(equity, int(self.prices.closes[self.bar]))
        account.trade(shares, int(self._fills[self.bar + 1]), self._cost, self._slippage)

    def _observation(self) -> np.ndarray:
        seen = self._seen[self.bar - self.window + 1 : self.bar + 1]
        value = self._account.shares * int(self.prices.closes[self.bar])
        return np.append(seen, np.float32(value / self._equity[-1]))

    # -- what is told of it ------------------------------------------------------------------------

    def _info(self, ended: bool = False) -> dict[str, Any]:
        info: dict[str, Any] = {"bar": self.bar, "equity": self._equity[-1], "paid": self._account.paid}
        if self._seasonal:
            info["facts"] = {"phase": self.bar % len(SEASON)}
        if ended:
            info["measures"] = {
                "Sharpe ratio": sharpe_ratio(np.diff(np.log(self._equity))),
                "drawdown (%)": drawdown(self._equity),
                "beyond holding (%)": 100 * math.log(self._equity[-1] / self._held_equity[-1]),
            }
        return info

    @property
    def equity(self) -> np.ndarray:
        """(T + 1,) cents of the account at each close of this episode so far."""
        return np.array(self._equity)

    @property
    def account(self) -> Account:
        """The account as it is now."""
        return self._account

    def render(self) -> np.ndarray | None:
        """A picture (H, W, 3) uint8, or None without a render mode."""
        if self.render_mode != "rgb_array":
            return None
        closes = self.prices.closes[self.begun : self.bar + 1]
        return picture(closes, self._positions, np.array(self._equity), np.array(self._held_equity), self.steps)


def scaled(changes: np.ndarray) -> np.ndarray:
    """Changes (N,), each divided by the root mean square of those up to its bar; `PRIOR` counts as so many before."""
    count = PRIOR_BARS + np.arange(1, len(changes) + 1)
    return changes / np.sqrt((PRIOR_BARS * PRIOR**2 + np.cumsum(changes**2)) / count)


def sharpe_ratio(returns: np.ndarray) -> float:
    """Annualised: mean by standard deviation of daily log returns (T,), times √252; 0 without any spread."""
    spread = float(returns.std())
    return float(returns.mean()) / spread * math.sqrt(YEAR) if spread > 0 else 0.0


def drawdown(equity: Any) -> float:
    """The largest fall from an earlier peak, in percent of the peak."""
    values = np.asarray(equity, np.float64)
    return float(100 * (1 - values / np.maximum.accumulate(values)).max())
