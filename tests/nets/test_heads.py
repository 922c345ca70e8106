"""Heads: what their estimates mean, for all actions at once and for each action's own vector."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from dqngui.config import NetConfig
from dqngui.nets.heads import Categorical, DuelingHead, Head, LinearHead, Quantiles, make_head
from dqngui.nets.initialise import build
from dqngui.nets.noise import Dropout, NoisyLinear

KINDS = list(itertools.product(["linear", "dueling"], ["mean", "categorical", "quantile"], [False, True]))


def head_of(per_action: bool = False, **net: object) -> Head:
    options = NetConfig(width=8, atoms=5, v_min=-1.0, v_max=3.0, **net)  # type: ignore[arg-type]
    head = build(lambda: make_head(options, 3, per_action=per_action), torch.Generator().manual_seed(0))
    return head.double()


def features(per_action: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    generator = torch.Generator().manual_seed(1)
    h = torch.randn(4, 2, 8, generator=generator, dtype=torch.float64)
    return h, torch.randn(4, 2, 3, 8, generator=generator, dtype=torch.float64) if per_action else None


@pytest.mark.parametrize(("head", "values", "per_action"), KINDS)
def test_every_head_gives_a_value_for_each_action_and_a_gradient_to_each_parameter(
    head: str, values: str, per_action: bool
) -> None:
    module = head_of(per_action, head=head, values=values)
    estimate = module(*features(per_action))
    assert estimate.shape == ((4, 2, 3) if values == "mean" else (4, 2, 3, 5))
    q = module.values(estimate)
    assert q.shape == (4, 2, 3)
    q.square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize(("head", "values"), list(itertools.product(["linear", "dueling"], ["mean", "quantile"])))
def test_with_a_vector_per_action_the_head_weights_are_shared(head: str, values: str) -> None:
    module = head_of(True, head=head, values=values)
    h, z = features(True)
    assert z is not None
    order = [2, 0, 1]
    assert torch.allclose(module(h, z)[:, :, order], module(h, z[:, :, order]))


def test_the_parameters_of_values_have_the_names_they_had() -> None:
    assert [name for name, _ in head_of().named_parameters()] == ["q.weight", "q.bias"]
    names = [name for name, _ in head_of(head="dueling").named_parameters()]
    assert names == ["value.weight", "value.bias", "advantage.weight", "advantage.bias"]
    noisy = [name for name, _ in head_of(noisy=True).named_parameters()]
    assert noisy == ["q.weight", "q.bias", "q.weight_sigma", "q.bias_sigma"]


def test_values_of_distributions_by_hand() -> None:
    reading = Categorical(3, -1.0, 1.0)
    logits = torch.tensor([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]]).clamp(min=1e-30).log()
    assert reading.values(logits).tolist() == pytest.approx([0.3, 1.0])
    assert reading.gap == 1.0
    quantiles = Quantiles(4)
    assert quantiles.values(torch.tensor([[1.0, 2.0, 3.0, 6.0]])).tolist() == [3.0]
    assert quantiles.midpoints(torch.zeros(())).tolist() == [0.125, 0.375, 0.625, 0.875]


@pytest.mark.parametrize("values", ["mean", "quantile"])
def test_dueling_advantages_have_mean_zero_over_the_actions(values: str) -> None:
    module = head_of(head="dueling", values=values)
    assert isinstance(module, DuelingHead)
    h, _ = features(False)
    value = module.value(h)
    mean = module(h, None).mean(-1, keepdim=True) if values == "mean" else module(h, None).mean(-2)
    assert torch.allclose(mean, value)


# -- noise and dropout ---------------------------------------------------------------------------------------


def test_noisy_layers_are_the_papers() -> None:
    head = head_of(noisy=True, noise=0.4)
    assert isinstance(head, LinearHead)
    layer = head.q
    assert isinstance(layer, NoisyLinear)
    assert layer.weight_sigma.unique().tolist() == pytest.approx([0.4 / 8**0.5])
    h, _ = features(False)
    assert torch.equal(head(h, None), nn.functional.linear(h, layer.weight, layer.bias))
    layer.draw(torch.Generator().manual_seed(5))
    raw = torch.randn(11, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    into, out = ([x / abs(x) * abs(x) ** 0.5 for x in part.tolist()] for part in (raw[:8], raw[8:]))
    for o in range(3):
        expected = layer.bias[o] + layer.bias_sigma[o] * out[o]
        for i in range(8):
            expected = expected + (layer.weight[o, i] + layer.weight_sigma[o, i] * out[o] * into[i]) * h[..., i]
        assert torch.allclose(layer(h)[..., o], expected)
    before = layer(h)
    assert torch.equal(layer(h), before)
    layer.draw(torch.Generator().manual_seed(6))
    assert not torch.allclose(layer(h), before)


def test_the_size_of_the_noise_is_learned() -> None:
    head = head_of(noisy=True)
    head.q.draw(torch.Generator().manual_seed(0))  # type: ignore[union-attr]
    head(*features(False)).square().sum().backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_dropout_drops_its_share_and_only_with_a_generator() -> None:
    dropout, x = Dropout(0.3), torch.ones(100, 200)
    assert dropout(x) is x
    dropout.generator = torch.Generator().manual_seed(0)
    dropped = dropout(x)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert float((dropped == 0).double().mean()) == pytest.approx(0.3, abs=0.01)
    dropout.generator = torch.Generator().manual_seed(0)
    assert torch.equal(dropout(x), dropped)
