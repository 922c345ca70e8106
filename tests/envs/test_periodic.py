"""Periodic: the return that each length of memory can earn, and the exact value of the best forecast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reproducing import reproduces

from dqngui.config import EnvConfig
from dqngui.envs.make import make_env
from dqngui.envs.periodic import LONG, Periodic, expected_return

Forecast = Callable[[np.ndarray], float]
"""Of the next change, from all values seen so far."""


def returns(forecast: Forecast, episodes: int = 400, **options: Any) -> np.ndarray:
    env, totals = Periodic(**options), []
    for seed in range(episodes):
        observation, _ = env.reset(seed=seed)
        seen, total, truncated = [observation[0]], 0.0, False
        while not truncated:
            observation, reward, terminated, truncated, _ = env.step(int(forecast(np.array(seen)) > 0))
            assert not terminated
            seen.append(observation[0])
            total += reward
        assert len(seen) == env.steps + 1
        totals.append(total)
    return np.array(totals)


def about(values: np.ndarray, expected: float) -> None:
    assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(len(values)) + 1e-9


def persistent(period: int) -> Forecast:
    return lambda x: x[len(x) - period] if len(x) >= period else 0.0


def best(period: int) -> Forecast:
    """The mean of all earlier changes in the same phase."""
    return lambda x: x[len(x) % period :: period].mean() if len(x) >= period else 0.0


def test_without_noise_one_season_determines_all_others() -> None:
    env = Periodic(period=5, noise=0.0, steps=24)
    observation, _ = env.reset(seed=0)
    seen, rewards = [observation[0]], []
    for _ in range(24):
        x = np.array(seen)
        observation, reward, *_ = env.step(int(persistent(5)(x) > 0))
        seen.append(observation[0])
        rewards.append(reward)
    assert rewards[4:] == [1.0] * 20
    assert -1.0 in rewards[:4]
    assert expected_return(5, 0.0, 24) == pytest.approx(20.0)
    assert seen[:5] == seen[5:10] == seen[20:25]


@pytest.mark.parametrize(("period", "noise", "steps"), [(8, 0.1, 64), (4, 1.0, 24), (1, 0.5, 12)])
@pytest.mark.parametrize("reward", ["sign", "profit"])
def test_expected_returns(period: int, noise: float, steps: int, reward: str) -> None:
    options = {"period": period, "noise": noise, "steps": steps, "reward": reward}
    about(returns(best(period), **options), expected_return(period, noise, steps, reward))
    about(returns(persistent(period), **options), expected_return(period, noise, steps, reward, persistent=True))


def test_a_memory_shorter_than_a_season_earns_nothing() -> None:
    """Every linear and sign rule on up to s − 1 changes is at chance; one more change, and all is known."""
    period = 4
    for lag in range(1, period):
        about(returns(lambda x, lag=lag: x[-lag] if len(x) >= lag else 0.0, 200, period=period), 0.0)
    about(returns(lambda x: x[-period + 1 :].sum(), period=period), 0.0)
    full = returns(lambda x: x[-period] if len(x) >= period else 0.0, period=period)
    about(full, expected_return(period, 0.1, 64, persistent=True))
    assert full.mean() > 50


def test_the_best_fitted_autoregression_of_a_shorter_order_finds_nothing() -> None:
    rows, targets = [], []
    env = Periodic(period=6, noise=0.1, steps=60)
    for seed in range(300):
        x = [env.reset(seed=seed)[0][0]] + [env.step(0)[0][0] for _ in range(60)]
        rows += [x[t - 5 : t] for t in range(12, 60)]
        targets += [x[t] for t in range(12, 60)]
    coefficients, *_ = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)
    explained = np.corrcoef(np.array(rows) @ coefficients, targets)[0, 1] ** 2
    assert explained < 0.02


def test_price_is_the_sum_of_changes() -> None:
    changes, prices = Periodic(), Periodic(price=True)
    x, y = [changes.reset(seed=2)[0][0]], [prices.reset(seed=2)[0][0]]
    for _ in range(64):
        one, other = changes.step(LONG), prices.step(LONG)
        assert one[1] == other[1]
        x.append(one[0][0])
        y.append(other[0][0])
    np.testing.assert_allclose(np.cumsum(x), y, atol=1e-4)

    def differenced(seen: np.ndarray) -> float:
        return best(8)(np.diff(seen, prepend=0.0))

    about(returns(differenced, price=True), expected_return(8, 0.1, 64))
    alone = returns(lambda seen: seen[-1], price=True).mean() / 64
    assert 0.1 < alone < 0.25  # as the specification says


def test_the_answer_is_what_earns() -> None:
    env = Periodic(steps=20, reward="profit", noise=0.3)
    seen, info = env.reset(seed=1)
    for step in range(20):
        assert info["asked"] and np.isfinite(seen).all()
        seen, reward, _, truncated, info = env.step(info["answer"])
        assert reward > 0
        assert truncated == (step == 19)
    assert not info["asked"]
    assert np.isfinite(seen).all()


def test_seeds_and_mistakes() -> None:
    assert reproduces(EnvConfig(id="dqngui/Periodic-v0", kwargs={"steps": 9}), seed=4)
    with pytest.raises(ValueError, match="noise"):
        Periodic(noise=-1)


@pytest.mark.parametrize("kwargs", [{}, {"steps": 2000, "period": 1}, {"steps": 1, "period": 8, "price": True}])
def test_pictures_show_the_season(kwargs: dict[str, Any]) -> None:
    env = make_env(EnvConfig(id="dqngui/Periodic-v0", kwargs=kwargs), "rgb_array")
    _, info = env.reset(seed=3)
    pictures = [env.render()]
    while info["asked"]:
        info = env.step(info["answer"])[-1]
        if info["asked"]:
            continue
        pictures.append(env.render())
    for picture in pictures:
        assert (picture.shape, picture.dtype) == ((200, 480, 3), np.uint8)
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[1] == [63, 191, 138]).all(-1).any()
    assert not (pictures[1] == [239, 106, 106]).all(-1).any()
