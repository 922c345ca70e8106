"""The transformer memory: blocks equal the whole, gates start near the identity, a state is never written to."""

from __future__ import annotations

import math

import pytest
import torch

from dqngui.catalog.memories import TransformerOptions
from dqngui.nets.initialise import build
from dqngui.nets.memory import banded
from dqngui.nets.memory.gating import GRUGate
from dqngui.nets.memory.transformer import Transformer

B, D = 2, 8


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def plain(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lag_bias: torch.Tensor, empty: torch.Tensor | None
) -> torch.Tensor:
    """Step by step, head by head."""
    heads, length = lag_bias.shape
    before, d = k.shape[1] - q.shape[1], q.shape[-1] // heads
    out = torch.zeros_like(q)
    for b in range(len(q)):
        for t in range(q.shape[1]):
            seen = [
                s
                for s in range(max(0, before + t - length + 1), before + t + 1)
                if empty is None or s >= before or not empty[b, s]
            ]
            for h in range(heads):
                part = slice(h * d, (h + 1) * d)
                lags = torch.tensor([before + t - s for s in seen])
                scores = k[b, seen, part] @ q[b, t, part] / math.sqrt(d) + lag_bias[h, lags]
                out[b, t, part] = torch.softmax(scores, 0) @ v[b, seen, part]
    return out


@pytest.mark.parametrize("length", [2, 3, 5])
@pytest.mark.parametrize("steps", [1, 4, 13, 15])
@pytest.mark.parametrize("cached", [False, True])
def test_blocks_and_whole_are_the_plain_formula(
    length: int, steps: int, cached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(banded, "LEAST_BLOCK", 1)
    before = length - 1 if cached else 0
    q, k, v = drawn(B, steps, D, seed=1), drawn(B, steps + before, D, seed=2), drawn(B, steps + before, D, seed=3)
    lag_bias = drawn(2, length, seed=4)
    empty = torch.arange(before) < torch.tensor([[before], [1]]) if cached else None
    expected = plain(q, k, v, lag_bias, empty)
    for explicit in (False, True):
        out, weights = banded.attend(q, k, v, lag_bias, empty, explicit)
        assert torch.allclose(out, expected, atol=1e-9)
        assert (weights is not None) is explicit


def test_long_windows_have_the_same_gradients_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = []
    for least in (1, 1000):
        monkeypatch.setattr(banded, "LEAST_BLOCK", least)
        leaves = [drawn(B, 20, D, seed=seed).requires_grad_() for seed in (1, 2, 3)]
        bias = drawn(2, 4, seed=4).requires_grad_()
        banded.attend(*leaves, bias, None, False)[0].square().sum().backward()
        gradients.append([leaf.grad for leaf in (*leaves, bias)])
    for a, b in zip(*gradients, strict=True):
        assert a is not None and b is not None and torch.allclose(a, b, atol=1e-9)


def make(**options: object) -> Transformer:
    chosen = TransformerOptions(heads=2, length=4, **options)  # type: ignore[arg-type]
    return build(lambda: Transformer(width=D, options=chosen), torch.Generator().manual_seed(0)).double()


def test_a_long_window_equals_its_pieces() -> None:
    memory, x = make(layers=2), drawn(150, B, D)
    with torch.no_grad():
        whole, _ = memory(x, None)
        first, state = memory(x[:40], None)
        second, _ = memory(x[40:], state)
    assert torch.allclose(whole, torch.cat([first, second]), atol=1e-9)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_state_is_never_written_to(steps: int) -> None:
    memory, x = make(layers=2), drawn(10, B, D)
    with torch.no_grad():
        _, state = memory(x[:6], None)
        before = [part.clone() for part in state]
        memory(x[6 : 6 + steps], state)
    assert all(torch.equal(a, b) for a, b in zip(before, state, strict=True))


def test_a_gate_starts_close_to_the_identity_and_equals_the_paper() -> None:
    gate = build(lambda: GRUGate(D), torch.Generator().manual_seed(0)).double()
    x, answer = drawn(5, D), drawn(5, D, seed=1)
    with torch.no_grad():
        y = torch.relu(answer)
        w_r, w_z, w = gate.answer.weight.chunk(3)
        u_r, u_z = gate.stream.weight.chunk(2)
        r, z = torch.sigmoid(y @ w_r.T + x @ u_r.T), torch.sigmoid(y @ w_z.T + x @ u_z.T - 2.0)
        new = torch.tanh(y @ w.T + (r * x) @ gate.reset.weight.T)
        out = gate(x, answer)
    assert torch.allclose(out, (1 - z) * x + z * new, atol=1e-12)
    assert float(z.mean()) < 0.25


def test_every_layer_has_gates_of_its_own() -> None:
    memory = make(layers=2, gate="gru")
    gates = [gate for layer in memory.layers for gate in (layer.gate_attention, layer.gate_forward)]
    assert all(isinstance(gate, GRUGate) for gate in gates)
    assert len({gate.answer.weight.data_ptr() for gate in gates}) == 4
    x = drawn(6, B, D)
    memory(x, None)[0].square().sum().backward()
    assert all(parameter.grad is not None for parameter in memory.parameters())


def test_dropout_does_nothing_without_a_generator() -> None:
    memory, x = make(dropout=0.5), drawn(6, B, D)
    with torch.no_grad():
        quiet, still = memory(x, None)[0], make()(x, None)[0]
        memory.layers[0].dropout.generator = torch.Generator().manual_seed(0)
        loud = memory(x, None)[0]
    assert torch.equal(quiet, still) and not torch.allclose(quiet, loud)
