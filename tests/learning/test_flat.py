"""All parameters in one vector, and Adam on that vector against torch's own Adam."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from dqngui.learning import flat as flat_module
from dqngui.learning.flat import FlatAdam, FlatParameters, in_layout
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


class Recurrent(nn.Module):
    """An LSTM or GRU of two layers between two other layers."""

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU]) -> None:
        super().__init__()
        self.before, self.core, self.after = nn.Linear(3, 4), kind(4, 5, num_layers=2), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.after(self.core(self.before(x))[0])
        return y


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_recurrent_parameters_lie_where_cudnn_reads_them(kind: type[nn.LSTM] | type[nn.GRU]) -> None:
    torch.manual_seed(0)
    module = Recurrent(kind)
    x = torch.randn(6, 2, 3)
    before = module(x)
    flat = FlatParameters(module, recurrent_first=True)
    layers = module.core.all_weights
    matrices, biases = [w for layer in layers for w in layer[:2]], [b for layer in layers for b in layer[2:]]
    address = flat.values.data_ptr()
    assert flat.values.storage_offset() == 0
    for parameter in (*matrices, *biases):
        assert parameter.data_ptr() == address
        assert parameter.is_contiguous()
        assert parameter.untyped_storage().data_ptr() == flat.values.data_ptr()
        address += parameter.numel() * parameter.element_size()
    assert torch.equal(module(x), before)
    assert sorted(flat.layout) == sorted((name, tuple(p.shape)) for name, p in module.named_parameters())
    module(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in module.parameters())
    assert flat.gradient.norm() > 0


def test_vectors_of_another_order_are_mapped_by_their_layout() -> None:
    torch.manual_seed(0)
    old, new = Recurrent(nn.GRU), Recurrent(nn.GRU)
    theirs, ours = FlatParameters(old), FlatParameters(new, recurrent_first=True)
    assert list(theirs.layout) != list(ours.layout)
    saved = {"online": theirs.values.detach(), "adam.first": theirs.values.detach() * 2, "updates": torch.tensor(3)}
    for layout in (theirs.layout, [[name, list(shape)] for name, shape in theirs.layout], None):
        moved = in_layout(saved, layout, ours)  # type: ignore[arg-type]
        ours.values.data.copy_(moved["online"])
        for a, b in zip(old.parameters(), new.parameters(), strict=True):
            assert torch.equal(a, b)
        assert torch.equal(moved["adam.first"], 2 * moved["online"])
        assert moved["updates"] == 3
    assert torch.equal(in_layout(moved, ours.layout, theirs)["online"], theirs.values)
    with pytest.raises(ValueError, match="another network"):
        in_layout(saved, [("a", (2,))], ours)
