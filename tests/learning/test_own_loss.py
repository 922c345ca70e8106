"""The own loss of a memory: independent of the unit of what is observed, bounded, saved with the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dqngui.catalog.memories import SarimaOptions
from dqngui.hosts import run_inline
from dqngui.learning.own_loss import OwnLoss
from dqngui.messages import Learned, Request, Stop, without_clock
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import Errors
from dqngui.nets.memory.sarima import Sarima
from dqngui.runs.folder import create, read_events
from dqngui.settings import experiment_from

WIDTH, CPU = 4, torch.device("cpu")
ORDERS = {
    "ar": SarimaOptions(p=2, q=1, seasonal_p=0),
    "season": SarimaOptions(p=1, q=1, seasonal_p=1, season=6),
    "differences": SarimaOptions(p=1, d=1, q=1, seasonal_p=1, seasonal_d=1, season=4),
}


def series(steps: int = 60, batch: int = 32, seed: int = 1, numbers: int = 2) -> Tensor:
    """Autoregressions x_t = 0.8 x_{t−1} + ε_t, (T, B, F)."""
    noise = torch.randn(steps, batch, numbers, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    rows = [noise[0]]
    for step in noise[1:]:
        rows.append(0.8 * rows[-1] + step)
    return torch.stack(rows)


def memory_of(options: SarimaOptions, numbers: int = 2) -> Sarima:
    generator = torch.Generator().manual_seed(0)
    return build(lambda: Sarima(width=WIDTH, options=options, observation=numbers), generator).double()


def own_loss(numbers: int = 2) -> OwnLoss:
    loss = OwnLoss(numbers, CPU)
    moments = loss.moments
    moments.mean, moments.variance, loss.mean_square = (
        each.double() for each in (moments.mean, moments.variance, loss.mean_square)
    )
    loss.count = loss.count.double()
    return loss


def loss_of(memory: Sarima, seen: Tensor, loss: OwnLoss) -> Tensor:
    errors = Errors()
    memory(torch.cat([seen.new_zeros(*seen.shape[:2], WIDTH), seen], -1), None, None, errors)
    return loss.of(errors, torch.ones(seen.shape[:2], dtype=torch.bool))


def gradients(memory: Sarima, seen: Tensor) -> tuple[float, Tensor]:
    """The loss of a first update, and its gradients by the coefficients of the forecast."""
    memory.zero_grad()
    value = loss_of(memory, seen, own_loss())
    value.backward()
    found = [parameter.grad for name, parameter in memory.named_parameters() if name in memory.kinds]
    assert all(each is not None for each in found)
    return float(value.detach()), torch.cat([each.flatten() for each in found if each is not None])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("units", [(1e3, 1e3), (1e-3, 1e3)], ids=["all", "each its own"])
def test_the_unit_of_the_observation_makes_no_difference(order: str, units: tuple[float, float]) -> None:
    memory, seen = memory_of(ORDERS[order]), series()
    value, gradient = gradients(memory, seen)
    other_value, other_gradient = gradients(memory, seen * torch.tensor(units, dtype=torch.float64))
    assert other_value == pytest.approx(value, rel=1e-9)
    torch.testing.assert_close(other_gradient, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_a_thousandfold_unit_and_an_offset_of_50_make_no_difference(order: str) -> None:
    memory, seen = memory_of(ORDERS[order]), series()
    value, gradient = gradients(memory, seen)
    other_value, other_gradient = gradients(memory, 1000 * seen + 50)
    assert other_value == pytest.approx(value, rel=0.01)
    assert float((other_gradient - gradient).norm() / gradient.norm()) < 0.01


@pytest.mark.parametrize("level", [0.0, 1.0, 100.0, 1e6])
@pytest.mark.parametrize("order", ORDERS)
def test_the_loss_of_a_series_far_from_zero_is_at_most_1_and_its_gradient_stays_small(order: str, level: float) -> None:
    memory = memory_of(ORDERS[order])
    value, gradient = gradients(memory, series() + level)
    assert 0.05 < value <= 1.0 + 1e-9
    assert 1e-3 < float(gradient.norm()) < 10.0


def test_the_same_steps_lead_to_the_same_coefficients_in_any_unit() -> None:
    found = []
    for unit in (1.0, 1000.0):
        memory, loss = memory_of(SarimaOptions(p=1, q=0, seasonal_p=0), numbers=1), own_loss(numbers=1)
        optimizer = torch.optim.Adam([memory.ar], lr=0.02)
        for step in range(150):
            optimizer.zero_grad()
            value = loss_of(memory, unit * series(numbers=1, seed=step), loss)
            value.backward()
            norm = torch.nn.utils.clip_grad_norm_([memory.ar], 1.0)
            assert float(norm) < 5.0
            optimizer.step()
        found.append((float(torch.tanh(memory.ar.detach())), float(value.detach())))
    assert found[1] == pytest.approx(found[0], rel=1e-6)
    coefficient, unexplained = found[0]
    assert coefficient == pytest.approx(0.8, abs=0.05)
    assert unexplained == pytest.approx(1 - 0.8**2, abs=0.1)  # the share of the variance that no forecast explains


def test_steps_without_a_forecast_or_outside_the_mask_count_for_nothing() -> None:
    loss, g = own_loss(), torch.Generator().manual_seed(0)
    shape = (5, 3, 2)
    error, drawn = (torch.randn(shape, dtype=torch.float64, generator=g) for _ in range(2))
    nothing = Errors(error=error, series=drawn, known=torch.zeros(5, 3, dtype=torch.bool))
    mask = torch.ones(5, 3, dtype=torch.bool)
    assert float(loss.of(nothing, mask)) == 0.0
    assert float(loss.count) == 0 and float(loss.moments.variance.sum()) == 0.0
    known, mask = torch.rand(5, 3, generator=g) < 0.5, torch.rand(5, 3, generator=g) < 0.7
    both = known & mask
    assert both.any() and not both.all()
    value = loss.of(Errors(error=error, series=drawn, known=known), mask)
    unit = torch.maximum(drawn[both].var(0, correction=0), error[both].square().mean(0))
    wanted = (error[both].square() / unit).mean(-1).sum() / mask.sum()
    assert float(value) == pytest.approx(float(wanted))


def test_the_running_variance_follows_the_series() -> None:
    loss, g = OwnLoss(2, CPU), torch.Generator().manual_seed(0)
    everywhere = torch.ones(20, 8, dtype=torch.bool)
    scale, level = torch.tensor([3.0, 0.01]), torch.tensor([1e4, -2.0])
    for _ in range(400):
        drawn = torch.randn(20, 8, 2, generator=g) * scale + level
        loss.of(Errors(error=torch.zeros_like(drawn), series=drawn, known=everywhere), everywhere)
    assert (loss.moments.variance.sqrt() / scale).tolist() == pytest.approx([1.0, 1.0], abs=0.03)
    constant = torch.ones(20, 8, 2)
    still = OwnLoss(2, CPU)
    value = still.of(Errors(error=torch.zeros_like(constant), series=constant, known=everywhere), everywhere)
    assert float(value) == 0.0, "what never changes and is forecast exactly costs nothing"


# -- in a run -----------------------------------------------------------------------------------------

SMALL: dict[str, Any] = {
    "env": {"num_envs": 4},
    "net": {"attention": "none", "memory": "sarima", "tokens": "one", "width": 8, "memory_options": {"season": 4}},
    "run": {"total_steps": 500, "log_every": 50, "eval_every": 0, "device": "cpu"},
}
LEARNS = {
    "dqn": {"window": 4, "burn_in": 2, "batch_size": 8, "warmup": 64, "update_every": 16, "replay_capacity": 2000},
    "ppo": {"algorithm": "ppo", "rollout": 16, "window": 4, "epochs": 2, "batch_size": 4},
}


@pytest.mark.parametrize("algorithm", LEARNS)
def test_the_running_variance_is_saved_and_resumed(algorithm: str, tmp_path: Path) -> None:
    asked = experiment_from({**SMALL, "learn": LEARNS[algorithm]})
    whole, stopped = create(tmp_path, asked), create(tmp_path, asked)
    list(run_inline(Request(job="train", experiment=asked, folder=str(whole))))
    list(run_inline(Request(job="train", experiment=asked, folder=str(stopped), schedule=(Stop(at=300),))))
    list(run_inline(Request(job="train", folder=str(stopped), resume=True)))
    assert rows(stopped) == rows(whole)
    assert rows(whole)[-1]["updates"] > 5


def rows(folder: Path) -> list[dict[str, Any]]:
    return [without_clock(event) for event in read_events(folder) if isinstance(event, Learned)]
