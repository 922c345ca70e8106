"""SARIMA(p,d,q)(P,D,Q)_s: a linear forecast of the observation, feature by feature, as a memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.catalog.memories import SarimaOptions
from dqngui.nets.memory.contract import Errors, Memory, State, StateView
from dqngui.nets.memory.polynomials import difference, from_partial, lagged, product
from dqngui.nets.record import Record, ViewSpec

_CHUNK = 64
"""Number of steps whose residuals are computed at once: the rows of one matrix per feature."""


@dataclass(frozen=True, slots=True)
class _Model:
    """A forecast x̂_t = intercept + Σ_i onto_inputs_i x_{t−i} + Σ_j onto_residuals_j e_{t−j}, coefficients (lag, F)."""

    intercept: Tensor
    onto_inputs: Tensor
    onto_residuals: Tensor
    coefficients: Tensor


class Sarima(Memory):
    """A SARIMA memory: y_t = x_t + W [o_t, ô_{t+1}, e_t], with the encoded step x_t, the raw observation o_t, its
    forecast ô_{t+1} and the last forecast's error e_t.

    φ(B) Φ(B^s) ((1−B)^d (1−B^s)^D o_t − μ) = θ(B) Θ(B^s) e_t for each feature separately (Box & Jenkins 1970), with
    φ = 1 − φ_1 B − …, θ = 1 + θ_1 B + …. Coefficients are computed from partial autocorrelations, the tanh of the
    parameters, and so stay stationary and invertible. Multiplied out, the forecast ô_{t+1} = o_{t+1} − e_{t+1} takes
    the last p + P·s + d + D·s inputs and q + Q·s residuals; this includes integrating a differenced series.

    Forecasts are conditional on the start of an episode, as in R's `arima(method = "CSS")`: until that many inputs are
    known residuals are zero and no error is counted. The forecasts until then take the mean μ for missing inputs, and
    the first observation if the series is differenced.

    State: last inputs (B, ·, F) and residuals (B, ·, F), newest last, and the number of inputs known (B,).
    It has its own loss, on the residuals e_t; the series that they belong to is the differenced one.
    Views: `memory/forecast` and `memory/residual` (feature), `memory/coefficients` (coefficient, feature) in the order
    φ, θ, Φ, Θ.
    """

    sees_observation = True
    has_own_loss = True

    def __init__(self, *, width: int, options: SarimaOptions, observation: int) -> None:
        super().__init__()
        self.width, self.features, self.options = width, observation, options
        o = options
        self.needs = o.p + o.d + (o.seasonal_p + o.seasonal_d) * o.season
        self.residuals_kept = o.q + o.seasonal_q * o.season
        # Lags with coefficients that are not zero by construction.
        self.input_lags = _lags(o.p + o.d, o.seasonal_p + o.seasonal_d, o.season)
        self.residual_lags = _lags(o.q, o.seasonal_q, o.season)
        orders = {"ar": o.p, "ma": o.q, "seasonal_ar": o.seasonal_p, "seasonal_ma": o.seasonal_q}
        self.kinds = [name for name, order in orders.items() if order]
        for name in self.kinds:
            self.register_parameter(name, nn.Parameter(torch.empty(orders[name], observation)))
        self.mean = nn.Parameter(torch.empty(observation))
        self.out = nn.Linear(3 * observation, width)

    def initialise(self, generator: Generator) -> None:
        nn.init.zeros_(self.mean)
        for name in self.kinds:
            nn.init.normal_(getattr(self, name), std=0.1, generator=generator)

    def initial_state(self, batch: int) -> State:
        inputs = self.mean.new_zeros(batch, max(1, self.needs), self.features)
        residuals = self.mean.new_zeros(batch, max(1, self.residuals_kept), self.features)
        return inputs, residuals, torch.zeros(batch, dtype=torch.int64, device=inputs.device)

    def state_views(self) -> Mapping[str, StateView]:
        """The newest residual, if forecasts use residuals."""
        return {"memory/residual": StateView((1,), (-1,))} if self.residuals_kept else {}

    def views(self) -> tuple[ViewSpec, ...]:
        series = (ViewSpec(f"memory/{name}", ("feature",), signed=True) for name in ("forecast", "residual"))
        coefficients = ViewSpec("memory/coefficients", ("coefficient", "feature"), signed=True)
        return (*series, coefficients) if self.kinds else tuple(series)

    def labels(self) -> dict[str, tuple[str, ...]]:
        signs = {"ar": "φ", "ma": "θ", "seasonal_ar": "Φ", "seasonal_ma": "Θ"}
        return {"coefficient": tuple(f"{signs[k]} {i + 1}" for k in self.kinds for i in range(len(getattr(self, k))))}

    def model(self) -> _Model:
        """The polynomials at the present parameters, multiplied out."""
        o, none = self.options, self.mean.new_zeros(0, self.features)

        def coefficients(name: str) -> Tensor:
            return from_partial(torch.tanh(getattr(self, name))) if name in self.kinds else none

        ar, ma = coefficients("ar"), -coefficients("ma")
        seasonal_ar, seasonal_ma = coefficients("seasonal_ar"), -coefficients("seasonal_ma")
        inputs = product(lagged(-ar), lagged(-seasonal_ar, o.season))
        intercept = self.mean * inputs.sum(0)
        if o.d:
            inputs = product(inputs, difference(inputs, o.d))
        if o.seasonal_d:
            inputs = product(inputs, difference(inputs, o.seasonal_d, o.season))
        residuals = product(lagged(ma), lagged(seasonal_ma, o.season))
        return _Model(intercept, -inputs, residuals, torch.cat([ar, ma, seasonal_ar, seasonal_ma]))

    def forward(
        self, x: Tensor, state: State | None, record: Record | None = None, errors: Errors | None = None
    ) -> tuple[Tensor, State]:
        encoded, seen = x.split([self.width, self.features], dim=-1)
        T, B, _ = seen.shape
        inputs, residuals, known = state or self.initial_state(B)
        model = self.model()
        history = torch.cat([inputs.transpose(0, 1), seen])  # (C + T, B, F)
        from_inputs = self._from_inputs(history, T, known, model)  # (T + 1, B, F)
        enough = (known + torch.arange(T, device=x.device).unsqueeze(1) >= self.needs).unsqueeze(-1)  # (T, B, 1)
        forecast_errors = (seen - from_inputs[:-1]) * enough
        all_residuals = self._residuals(residuals.transpose(0, 1), forecast_errors, model)  # (C' + T, B, F)
        residual = all_residuals[-T:]
        forecast = self._add_lags(from_inputs[1:], all_residuals, self.residual_lags, model.onto_residuals)
        if errors is not None:
            errors |= {"error": residual, "series": self._series(history, T), "known": enough.squeeze(-1).expand(T, B)}
        if record is not None:
            record.add("memory/forecast", forecast)
            record.add("memory/residual", residual)
            if self.kinds:
                record.add("memory/coefficients", model.coefficients.expand(T, B, -1, -1))
        y = encoded + self.out(torch.cat([seen, forecast, residual], dim=-1))
        kept = history[-inputs.shape[1] :].transpose(0, 1), all_residuals[-residuals.shape[1] :].transpose(0, 1)
        return y, (*kept, (known + T).clamp(max=self.needs))

    def _series(self, history: Tensor, T: int) -> Tensor:
        """The differenced series (1−B)^d (1−B^s)^D o_t of the window, (T, B, F), without gradient."""
        o = self.options
        with torch.no_grad():
            past = product(difference(self.mean, o.d), difference(self.mean, o.seasonal_d, o.season))
            series = history[-T:].clone()
            for lag in range(1, len(past)):
                series.addcmul_(past[lag], history[len(history) - T - lag : len(history) - lag])
        return series

    def _from_inputs(self, history: Tensor, T: int, known: Tensor, model: _Model) -> Tensor:
        """The inputs' part of the forecast of each step of the window and of the one after it, (T + 1, B, F)."""
        C = len(history) - T
        missing = C - known  # rows at the beginning that no step has filled, (B,)
        if self.options.d or self.options.seasonal_d:
            index = missing.view(1, -1, 1).expand(1, -1, self.features)
            stand_in = history.gather(0, index)
        else:
            stand_in = self.mean
        empty = (torch.arange(len(history), device=known.device).unsqueeze(1) < missing).unsqueeze(-1)
        history = torch.where(empty, stand_in, history)
        constant = model.intercept.expand(T + 1, *history.shape[1:])
        return self._add_lags(constant, history, self.input_lags, model.onto_inputs)

    @staticmethod
    def _add_lags(start: Tensor, series: Tensor, lags: list[int], coefficients: Tensor) -> Tensor:
        """start_t + Σ_i coefficients_i series_{t−i}; the last of `start` is one step after the last of `series`."""
        end, T = len(series) + 1, len(start)
        total = start
        for lag in lags:
            total = torch.addcmul(total, series[end - T - lag : end - lag], coefficients[lag])
        return total

    def _residuals(self, past: Tensor, forecast_errors: Tensor, model: _Model) -> Tensor:
        """Past residuals (C, B, F), followed by e_t = error_t − Σ_j θ_j e_{t−j} of the window.

        The recursion is solved as a triangular system for many steps at once.
        """
        if not self.residual_lags:
            return torch.cat([past, forecast_errors])
        for part in forecast_errors.split(_CHUNK):
            n = len(part)
            ahead = torch.cat([past, part.new_zeros(n - 1, *part.shape[1:])])
            wanted = part - self._add_lags(torch.zeros_like(part), ahead, self.residual_lags, model.onto_residuals)
            if n > 1:
                lag = torch.arange(n, device=part.device).unsqueeze(1) - torch.arange(n, device=part.device)
                columns = F.pad(model.onto_residuals, (0, 0, 0, max(0, n - len(model.onto_residuals)))).T  # (F, ≥ n)
                system = torch.where(lag >= 0, columns[:, lag.clamp(min=0)], 0.0)  # (F, n, n)
                solved = torch.linalg.solve_triangular(system, wanted.permute(2, 0, 1), upper=False, unitriangular=True)
                wanted = solved.permute(1, 2, 0)
            past = torch.cat([past, wanted])
        return past


def _lags(order: int, seasonal: int, season: int) -> list[int]:
    """Lags ≥ 1 of the product of a polynomial of degree `order` in B and one of degree `seasonal` in B^season."""
    return sorted({i + season * j for i in range(order + 1) for j in range(seasonal + 1)} - {0})
