"""Trading: the account to the cent, what is known when, the parts of the prices, and files that are no prices."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from dqngui.config import ConfigError, EnvConfig
from dqngui.envs.make import make_env
from dqngui.envs.trading.account import START_CENTS
from dqngui.envs.trading.baselines import BASELINES, MONTH, at_random, hold, stay_out, walk
from dqngui.envs.trading.market import YEAR, Trading, drawdown, sharpe_ratio
from dqngui.envs.trading.prices import SEASON, read_prices
from dqngui.envs.trading.splits import split

LONG, FLAT, SHORT = 2, 1, 0


def played(market: Trading, actions: list[int], seed: int = 2_000_000) -> tuple[list[float], dict[str, object]]:
    market.reset(seed=seed)
    rewards: list[float] = []
    info: dict[str, object] = {}
    for action in actions:
        _, reward, _, _, info = market.step(action)
        rewards.append(reward)
    return rewards, info


def csv_file(tmp_path: Path, lines: list[str], header: str = "Date,Open,Close") -> str:
    path = tmp_path / "prices.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path)


def days(count: int) -> list[str]:
    first = np.datetime64("2001-01-01")
    return [f"{first + each},{100 + each % 7}.50,{101 + each % 5}.25" for each in range(count)]


# -- the account ----------------------------------------------------------------------------------


def test_after_a_thousand_decisions_every_cent_is_accounted_for() -> None:
    market = Trading(steps=900, cost=3.0, slippage=1.7)
    draw = np.random.default_rng(0)
    market.reset(seed=2_000_000)
    cash, shares, paid = START_CENTS, 0, 0
    for action in draw.integers(0, 3, 900).tolist():
        equity = cash + shares * int(market.prices.closes[market.bar])
        fill, wanted = int(market.prices.opens[market.bar + 1]), action - 1
        new = wanted * (equity // int(market.prices.closes[market.bar]))
        if wanted != (shares > 0) - (shares < 0):
            value = abs(new - shares) * fill
            fee = math.ceil(value * 3000 / 10_000_000) + math.ceil(value * 1700 / 10_000_000)
            cash, paid, shares = cash - (new - shares) * fill - fee, paid + fee, new
        market.step(action)
        assert (market.account.cash, market.account.shares, market.account.paid) == (cash, shares, paid)
    assert paid > 0


def test_rewards_add_up_to_the_growth_of_the_account() -> None:
    market = Trading(steps=200)
    rewards, info = played(market, np.random.default_rng(1).integers(0, 3, 200).tolist())
    assert sum(rewards) == pytest.approx(100 * math.log(int(info["equity"]) / START_CENTS), abs=1e-9)  # type: ignore[call-overload]
    assert info["measures"] == {
        "Sharpe ratio": pytest.approx(np.mean(rewards) / np.std(rewards) * math.sqrt(YEAR)),
        "drawdown (%)": pytest.approx(drawdown(market.equity)),
        "beyond holding (%)": pytest.approx(sum(rewards) - sum(played(market, [LONG] * 200)[0])),
    }


def test_an_order_is_filled_at_the_next_open_and_not_before(tmp_path: Path) -> None:
    flat = [f"{np.datetime64('2001-01-01') + each},100,100" for each in range(400)]
    for bar in range(320, 400):
        flat[bar] = f"{np.datetime64('2001-01-01') + bar},120,130"  # a jump overnight, and one in the day
    market = Trading(csv_file(tmp_path, flat), steps=10, cost=0, slippage=0)
    market.begin_at = 319
    market.reset(seed=2_000_000)
    _, reward, *_ = market.step(LONG)
    shares = START_CENTS // 10_000
    assert reward == pytest.approx(100 * math.log((START_CENTS + shares * 1_000) / START_CENTS))  # 120 → 130


def test_a_short_account_that_is_lost_ends_the_episode(tmp_path: Path) -> None:
    rising = [f"{np.datetime64('2001-01-01') + each},{1.05**each:.2f},{1.05**each:.2f}" for each in range(200)]
    market = Trading(csv_file(tmp_path, rising), steps=30)
    market.reset(seed=2_000_000)
    ended = [market.step(SHORT)[2] for _ in range(25)]
    assert True in ended and not ended[0]


def test_figures_of_an_account() -> None:
    assert drawdown([100, 120, 90, 130, 104]) == pytest.approx(25)
    assert sharpe_ratio(np.array([0.01, 0.03])) == pytest.approx(2 * math.sqrt(252))
    assert sharpe_ratio(np.zeros(5)) == 0


# -- the parts ------------------------------------------------------------------------------------


def test_training_lies_before_selection_and_selection_before_the_test_in_every_fold() -> None:
    for folds in (1, 3):
        parts = [split(1000, folds, fold) for fold in range(folds)]
        for each in parts:
            assert each["training"].first == 0 and each["training"].end == each["selection"].first
            assert each["selection"].end == each["test"].first
        assert parts[-1]["test"].end == 1000
        assert all(before["test"] == after["selection"] for before, after in itertools.pairwise(parts))


@pytest.mark.parametrize(
    ("seed", "part"), [(7, "training"), (10_000_007, "training"), (1_000_003, "selection"), (2_000_003, "test")]
)
def test_the_seed_says_from_which_part_an_episode_is(seed: int, part: str) -> None:
    market = Trading(steps=60)
    span = market.parts[part]  # type: ignore[index]
    for each in range(seed, seed + 20):
        market.reset(seed=each)
        assert span.first <= market.bar and market.bar + 60 < span.end


# -- the planted season ---------------------------------------------------------------------------


def test_the_season_pays_who_knows_it_and_nobody_who_sees_one_change() -> None:
    market = Trading()
    season = np.array(SEASON)

    def oracle(market: Trading, draw: np.random.Generator) -> int:
        return int(1 + season[(market.bar + 1) % len(season)])

    def same_sign(market: Trading, draw: np.random.Generator) -> int:
        return LONG if market.prices.returns()[market.bar] > 0 else SHORT

    holding = walk(market, hold, "test")
    assert walk(market, oracle, "test").beyond(holding)[1].low > 70  # type: ignore[union-attr]
    assert walk(market, same_sign, "test").yearly < 10
    assert abs(holding.yearly) < 10 and walk(market, stay_out, "test").yearly == 0


def test_months_of_independent_days_have_the_right_interval() -> None:
    """A policy that only adds noise to holding: the true difference is 0, and 95 % of the intervals contain it."""
    from dqngui.envs.trading.baselines import Walk

    draw, covered = np.random.default_rng(0), 0
    for _ in range(400):
        daily = draw.standard_t(4, 48 * MONTH) * 0.01
        difference = 0.02 * np.convolve(draw.standard_normal(48 * MONTH + 2), [0.5, 0.5, 0.5], "valid")
        interval = Walk(daily + difference).beyond(Walk(daily))[1]
        assert interval is not None
        covered += interval.low <= 0 <= interval.high
    assert 0.92 <= covered / 400 <= 0.98


def test_baselines_trade_through_all_windows() -> None:
    market = Trading(steps=100)
    found = {name: walk(market, decide, "test") for name, decide in BASELINES.items()}
    assert {len(each.returns) for each in found.values()} == {900}
    assert walk(market, at_random, "test", seed=1).yearly != found["at random"].yearly


# -- prices ---------------------------------------------------------------------------------------


def test_a_file_is_read_with_its_adjusted_prices(tmp_path: Path) -> None:
    rows = [f"{line.split(',')[0]},18,20,10" for line in days(300)]
    found = read_prices(csv_file(tmp_path, rows, "date,Open,Close,Adj Close"))
    assert (found.opens == 90_000).all() and (found.closes == 100_000).all() and len(found) == 300


@pytest.mark.parametrize("price", [0.0043, 1.08, 43_210.0])
def test_prices_of_any_size_keep_their_changes(price: float, tmp_path: Path) -> None:
    changes = np.random.default_rng(0).normal(scale=0.005, size=300)
    lines = [
        f"{np.datetime64('2001-01-01') + day},{price * math.exp(level)!r}"
        for day, level in enumerate(changes.cumsum().tolist())
    ]
    market = Trading(csv_file(tmp_path, lines, "date,close"), steps=20, cost=0, slippage=0)
    np.testing.assert_allclose(market.prices.returns()[1:], changes[1:], atol=2e-5)
    market.reset(seed=2_000_000)
    market.step(LONG)
    assert market.account.shares > 500


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = csv_file(tmp_path, days(300))
    before = read_prices(path)
    csv_file(tmp_path, days(310))
    assert (len(before), len(read_prices(path))) == (300, 310)


WRONG = {
    "a gap": (lambda rows: rows[:100] + rows[160:], "60 days are missing after 2001-04-10"),
    "order": (lambda rows: rows[:50] + rows[51:60] + rows[50:51] + rows[60:], "sort the bars by date"),
    "twice": (lambda rows: rows[:50] + rows[49:], "comes twice"),
    "NaN": (lambda rows: [*rows[:50], "2001-02-20,nan,100", *rows[51:]], "line 52: the open is `nan`"),
    "zero": (lambda rows: [*rows[:50], "2001-02-20,100,0", *rows[51:]], "a price must be a number above 0"),
    "empty": (lambda rows: [*rows[:50], "2001-02-20,,", *rows[51:]], "the close is ``"),
    "split": (lambda rows: [*rows[:50], *(f"{row.split(',')[0]},50,50" for row in rows[50:])], "looks like a split"),
    "no date": (lambda rows: [*rows[:50], "yesterday,100,100", *rows[51:]], "`yesterday` is no date"),
    "huge": (lambda rows: [*rows[:50], "2001-02-20,100,1e300", *rows[51:]], "line 52"),
    "short": (lambda rows: rows[:20], "at least 200 are needed"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_with_a_mistake_is_refused_with_a_sentence(kind: str, tmp_path: Path) -> None:
    change, sentence = WRONG[kind]
    with pytest.raises(ConfigError, match=r"prices\.csv") as error:
        make_env(EnvConfig(id="dqngui/Trading-v0", kwargs={"prices": csv_file(tmp_path, change(days(400)))}))
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("kwargs", "sentence"),
    [
        ({"prices": "no/such.csv"}, "there is no file `no/such.csv`"),
        ({"fold": 3}, "counted from 0"),
        ({"steps": 2000}, "too few for episodes of 2,000 bars"),
    ],
)
def test_settings_that_do_not_fit_are_refused(kwargs: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=r"env\.kwargs") as error:
        make_env(EnvConfig(id="dqngui/Trading-v0", kwargs=kwargs))
    assert sentence in str(error.value)


def test_dates_with_slashes_need_a_number_that_tells_day_from_month(tmp_path: Path) -> None:
    def slashed(count: int) -> list[str]:
        first = np.datetime64("2001-01-01")
        dates = [str(first + each).split("-") for each in range(count)]
        return [f"{int(month)}/{int(day)}/{year},100,100" for year, month, day in dates]

    assert str(read_prices(csv_file(tmp_path, slashed(300))).dates[31]) == "2001-02-01"


def test_it_is_drawn() -> None:
    env = make_env(EnvConfig(id="dqngui/Trading-v0"), "rgb_array")
    env.reset(seed=0)
    for action in (0, 1, 2, 2):
        env.step(action)
    picture = np.asarray(env.render())
    assert picture.shape == (220, 480, 3) and len(np.unique(picture.reshape(-1, 3), axis=0)) > 4
