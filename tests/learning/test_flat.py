"""All parameters in one vector, and Adam on that vector against torch's own Adam."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dqngui.learning import flat as flat_module
from dqngui.learning.flat import FlatAdam, FlatParameters
from dqngui.nets.noise import NoisyLinear


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


@pytest.mark.parametrize("fused", [True, False])
def test_adam_is_torchs(fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not fused:
        monkeypatch.setattr(flat_module, "FUSED_ADAM", None)
    ours, theirs = network(), network()
    flat = FlatParameters(ours)
    adam = FlatAdam(flat, eps=1e-5)
    reference = torch.optim.Adam(theirs.parameters(), lr=3e-3, eps=1e-5)
    for step in range(30):
        x = torch.randn(7, 3, generator=torch.Generator().manual_seed(step))
        flat.clear_gradient()
        ours(x).square().sum().backward()
        adam.step(3e-3)
        reference.zero_grad()
        theirs(x).square().sum().backward()
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("fused", [True, False])
def test_decay_is_torchs_for_matrices_and_leaves_the_rest(fused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not fused:
        monkeypatch.setattr(flat_module, "FUSED_ADAM", None)
    ours, theirs = network(), network()
    adam = FlatAdam(FlatParameters(ours), eps=1e-5)
    matrices = [p for p in theirs.parameters() if p.ndim > 1]
    others = [p for p in theirs.parameters() if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.3}, {"params": others, "weight_decay": 0.0}]
    reference = torch.optim.AdamW(groups, lr=3e-3, eps=1e-5)
    for step in range(30):
        x = torch.randn(7, 3, generator=torch.Generator().manual_seed(step))
        for module in (ours, theirs):
            for parameter in module.parameters():
                if parameter.grad is not None:
                    parameter.grad.zero_()
            module(x).square().sum().backward()
        adam.step(3e-3, 0.3)
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_sizes_of_noise_do_not_decay() -> None:
    layer = NoisyLinear(3, 2, 0.5)
    layer.initialise(torch.Generator().manual_seed(0))
    assert FlatParameters(layer).decaying().tolist() == [1.0] * 6 + [0.0] * (2 + 6 + 2)


def test_no_bias_decays_whatever_its_shape() -> None:
    layer = nn.Module()
    layer.slope, layer.bias, layer.lag_bias = (nn.Parameter(torch.zeros(2, 3)) for _ in range(3))
    assert FlatParameters(layer).decaying().tolist() == [1.0] * 6 + [0.0] * 12


def test_the_network_sees_the_vector_and_its_gradient() -> None:
    module = network()
    flat = FlatParameters(module)
    flat.values.data.zero_()
    assert all(not parameter.any() for parameter in module.parameters())
    module(torch.ones(1, 3)).sum().backward()
    assert flat.gradient.abs().sum() > 0


@pytest.mark.parametrize("largest", [0.5, 1e6, 0.0])
def test_clipping_is_torchs(largest: float) -> None:
    ours, theirs = network(), network()
    flat = FlatParameters(ours)
    for module in (ours, theirs):
        module(torch.ones(4, 3)).square().sum().backward()
    norm = flat.clip_gradient(largest)
    expected = nn.utils.clip_grad_norm_(theirs.parameters(), largest or float("inf"))
    assert torch.allclose(norm, expected)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert a.grad is not None
        assert b.grad is not None
        assert torch.allclose(a.grad, b.grad, atol=1e-6)
