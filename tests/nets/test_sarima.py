"""SARIMA against the textbook's equations, and the range of its coefficients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dqngui.catalog.memories import SarimaOptions
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import Errors
from dqngui.nets.memory.polynomials import from_partial
from dqngui.nets.memory.sarima import Sarima
from dqngui.nets.record import Record

WIDTH, FEATURES = 4, 2
ORDERS = {
    "ar": SarimaOptions(p=2, q=0, seasonal_p=0),
    "ma": SarimaOptions(p=0, q=2, seasonal_p=0),
    "arma": SarimaOptions(p=1, q=1, seasonal_p=0),
    "walk": SarimaOptions(p=0, d=1, q=0, seasonal_p=0),
    "arima": SarimaOptions(p=2, d=2, q=1, seasonal_p=0),
    "season": SarimaOptions(p=0, q=0, seasonal_p=0, seasonal_d=1, season=5),
    "whole": SarimaOptions(p=2, d=1, q=2, seasonal_p=2, seasonal_d=1, seasonal_q=1, season=4),
}
Array = NDArray[np.float64]


def make(options: SarimaOptions, seed: int = 0) -> Sarima:
    generator = torch.Generator().manual_seed(seed)
    memory = build(lambda: Sarima(width=WIDTH, options=options, observation=FEATURES), generator).double()
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter += 0.5 * torch.randn(parameter.shape, dtype=torch.float64, generator=generator)
    return memory


def series(steps: int, batch: int = 2, seed: int = 1) -> torch.Tensor:
    draws = torch.randn(steps, batch, FEATURES, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return draws.cumsum(0) * 0.3 + draws


def run(memory: Sarima, seen: torch.Tensor) -> tuple[Array, Array, Array, Errors]:
    """Forecasts of the next step and residuals (T, B, F), coefficients (n, F) and the error."""
    record, errors = Record(), Errors()
    with torch.no_grad():
        encoded = torch.zeros(*seen.shape[:2], WIDTH, dtype=seen.dtype)
        memory(torch.cat([encoded, seen], -1), None, record, errors)
    values = record.values
    coefficients = values["memory/coefficients"][0, 0].numpy() if memory.kinds else np.zeros((0, FEATURES))
    return values["memory/forecast"].numpy(), values["memory/residual"].numpy(), coefficients, errors


def differenced(x: Array, d: int, D: int, s: int) -> Array:
    for _ in range(d):
        x = x[1:] - x[:-1]
    for _ in range(D):
        x = x[s:] - x[:-s]
    return x


def ago(past: Array, lag: int) -> float:
    """The value `lag` steps before the one that is to come; 0 before the first."""
    return float(past[-lag]) if lag <= len(past) else 0.0


def by_the_book(x: Array, o: SarimaOptions, coefficients: Array, mean: float) -> tuple[Array, Array]:
    """Forecasts x̂_0 … x̂_T of one series (T,), each from what came before, and residuals (T,).

    The series is differenced, the stationary process forecast term by term, and the forecast integrated back by
    asking which next value would have that difference. Zeros where the history is too short.
    """
    phi, theta, far_phi, far_theta = np.split(coefficients, np.cumsum([o.p, o.q, o.seasonal_p]).tolist())
    s, lost = o.season, o.d + o.seasonal_d * o.season
    forecast, residual = np.zeros(len(x) + 1), np.zeros(len(x))
    for t in range(lost + o.p + o.seasonal_p * s, len(x) + 1):
        w = differenced(x[:t], o.d, o.seasonal_d, s) - mean
        e = residual[:t]
        next_w = mean
        for i, coefficient in enumerate(phi, 1):
            next_w += coefficient * ago(w, i)
            next_w -= sum(coefficient * far * ago(w, i + j * s) for j, far in enumerate(far_phi, 1))
        next_w += sum(far * ago(w, j * s) for j, far in enumerate(far_phi, 1))
        for i, coefficient in enumerate(theta, 1):
            next_w += coefficient * ago(e, i)
            next_w += sum(coefficient * far * ago(e, i + j * s) for j, far in enumerate(far_theta, 1))
        next_w += sum(far * ago(e, j * s) for j, far in enumerate(far_theta, 1))
        forecast[t] = next_w - differenced(np.append(x[:t], 0.0), o.d, o.seasonal_d, s)[-1]
        if t < len(x):
            residual[t] = x[t] - forecast[t]
    return forecast, residual


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_forecasts_and_residuals_are_the_textbooks(order: str) -> None:
    options, seen = ORDERS[order], series(150)
    memory = make(options)
    forecast, residual, coefficients, errors = run(memory, seen)
    mean, first = memory.mean.detach().numpy(), memory.needs
    for b in range(seen.shape[1]):
        for f in range(FEATURES):
            expected, left = by_the_book(seen[:, b, f].numpy(), options, coefficients[:, f], float(mean[f]))
            known = max(first, 1)  # nothing tells of the forecast that was made before the first step
            assert np.allclose(forecast[known - 1 :, b, f], expected[known:], atol=1e-9)
            assert np.allclose(residual[:, b, f], left, atol=1e-9)
    assert (residual[:first] == 0).all()
    assert np.allclose(errors["error"].numpy(), residual)
    assert (errors["known"].numpy() == (np.arange(len(seen)) >= first)[:, None]).all()
    lost = options.d + options.seasonal_d * options.season
    for b in range(seen.shape[1]):
        wanted = differenced(seen[:, b].numpy(), options.d, options.seasonal_d, options.season)
        assert np.allclose(errors["series"][lost:, b].numpy(), wanted, atol=1e-9)


@pytest.mark.parametrize("order", ["season", "walk"])
def test_differences_are_integrated_back(order: str) -> None:
    options = ORDERS[order]
    memory, seen = make(options), series(30)
    with torch.no_grad():
        memory.mean.zero_()
    forecast, *_ = run(memory, seen)
    lag = options.season if options.seasonal_d else 1
    assert np.allclose(forecast[lag - 1 :], seen[: len(seen) - lag + 1].numpy(), atol=1e-12)


def roots(coefficients: Array) -> Array:
    """Moduli of the roots of 1 − c_1 z − … − c_n z^n."""
    return np.abs(np.roots(np.concatenate([-coefficients[::-1], [1.0]])))


@pytest.mark.parametrize("order", [1, 2, 5])
def test_whatever_is_learned_stays_stationary(order: int) -> None:
    partial = torch.tanh(2 * torch.randn(order, 200, dtype=torch.float64, generator=torch.Generator().manual_seed(7)))
    phi = from_partial(partial).numpy()
    assert min(roots(phi[:, f]).min() for f in range(phi.shape[1])) > 1.0
    assert np.allclose(phi[-1], partial[-1].numpy())  # the last coefficient is the last partial autocorrelation


def test_the_model_is_stationary_and_invertible() -> None:
    options = SarimaOptions(p=2, q=2, seasonal_p=1, seasonal_q=1, season=4)
    for seed in range(10):
        with torch.no_grad():
            model = make(options, seed).model()
        for f in range(FEATURES):
            assert roots(model.onto_inputs[1:, f].numpy()).min() > 1.0
            assert roots(-model.onto_residuals[1:, f].numpy()).min() > 1.0


def test_partial_autocorrelations_of_two_lags() -> None:
    first, second = 0.6, -0.3
    phi = from_partial(torch.tensor([[first], [second]], dtype=torch.float64))
    assert torch.allclose(phi[:, 0], torch.tensor([first * (1 - second), second], dtype=torch.float64))


def test_before_enough_is_known_the_past_is_the_mean_or_the_first_value() -> None:
    seen = series(4)
    plain = make(SarimaOptions(p=1, q=0, seasonal_p=1, season=10))
    forecast, *_, coefficients, _ = run(plain, seen)
    mean = plain.mean.detach().numpy()
    expected = mean + coefficients[0] * (seen[0].numpy() - mean)  # the season before counts as the mean
    assert np.allclose(forecast[0], expected, atol=1e-12)
    walk = make(SarimaOptions(p=0, q=0, seasonal_p=0, seasonal_d=1, season=10))
    forecast, *_ = run(walk, seen)
    assert np.allclose(forecast, (seen[:1] + walk.mean).detach().expand_as(seen).numpy(), atol=1e-12)


def test_it_learns_a_season_from_its_own_error_and_its_twin_cannot() -> None:
    generator = torch.Generator().manual_seed(3)
    pattern = torch.randn(6, 32, 1, generator=generator)
    seen = pattern.repeat(6, 1, 1) + 0.1 * torch.randn(36, 32, 1, generator=generator)
    left = {}
    for name, seasonal in (("season", 1), ("twin", 0)):
        options = SarimaOptions(p=1, q=0, seasonal_p=seasonal, season=6)
        memory = build(lambda o=options: Sarima(width=WIDTH, options=o, observation=1), generator)
        optimizer = torch.optim.Adam(memory.parameters(), lr=0.05)
        for _ in range(200):
            errors = Errors()
            memory(torch.cat([seen.new_zeros(36, 32, WIDTH), seen], -1), None, None, errors)
            loss = errors["error"][6:].square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        left[name] = float(loss.detach())
    assert left["season"] < 0.1 and left["twin"] > 0.6, left
