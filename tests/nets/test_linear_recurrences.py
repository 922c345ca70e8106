"""LRU and minGRU against their papers' equations, written as plain loops in numpy, and how they start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dqngui import catalog
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import Memory
from dqngui.nets.record import Record

Array = NDArray[Any]
T, B = 40, 2


def make(name: str, width: int, **options: Any) -> Memory:
    entry = catalog.MEMORIES[name]
    memory: Memory = build(
        lambda: catalog.load(entry)(width=width, options=entry.options(**options)), torch.Generator().manual_seed(2)
    )
    return memory.double()


def normed(x: Array) -> Array:
    """Layer norm as it starts: no scale, no shift."""
    result: Array = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return result


def sigmoid(x: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-x))
    return result


def parameters(memory: Memory) -> dict[str, Array]:
    return {name.removeprefix("layers.0."): value.detach().numpy() for name, value in memory.named_parameters()}


def output(p: dict[str, Array], x: Array, u: Array, h: Array) -> Array:
    gate = u @ p["gate.weight"].T + p["gate.bias"]
    return normed(x + (h * gate * sigmoid(gate)) @ p["out.weight"].T + p["out.bias"])


@pytest.mark.parametrize("width", [6, 7])
def test_lru_is_the_papers_recurrence(width: int) -> None:
    memory = make("lru", width)
    p = parameters(memory)
    x = np.random.default_rng(0).normal(size=(T, B, width))
    factors = np.exp(-np.exp(p["log_decay"]) + 1j * np.exp(p["log_phase"]))
    drive = p["drive.weight"][0::2] + 1j * p["drive.weight"][1::2]  # (N, D)
    h, rows = np.zeros((B, len(factors)), dtype=complex), []
    for step in normed(x):
        h = factors * h + np.exp(p["log_gain"]) * (step @ drive.T)
        rows.append(h)
    hidden = np.stack(rows)
    flat = np.stack([hidden.real, hidden.imag], -1).reshape(T, B, -1)
    record = Record()
    with torch.no_grad():
        y, (state,) = memory(torch.from_numpy(x), None, record)
    assert np.allclose(y.numpy(), output(p, x, normed(x), flat), atol=1e-10)
    assert np.allclose(state[:, 0].numpy(), flat[-1], atol=1e-10)
    shown = np.concatenate([hidden.real, hidden.imag], -1)
    assert np.allclose(record.values["memory/hidden/0"].numpy(), shown, atol=1e-10)


def test_mingru_is_the_papers_recurrence() -> None:
    memory = make("mingru", 6, chrono=20)
    p = parameters(memory)
    x = np.random.default_rng(0).normal(size=(T, B, 6))
    h, rows = np.zeros((B, 6)), []
    for step in normed(x):
        keep, candidate = np.split(step @ p["drive.weight"].T + p["drive.bias"], 2, axis=-1)
        z = 1 - sigmoid(keep)
        h = (1 - z) * h + z * candidate
        rows.append(h)
    with torch.no_grad():
        y, (state,) = memory(torch.from_numpy(x), None)
    assert np.allclose(y.numpy(), output(p, x, normed(x), np.stack(rows)), atol=1e-10)
    assert np.allclose(state[:, 0].numpy(), rows[-1], atol=1e-10)


@pytest.mark.parametrize("options", [{}, {"max_radius": 0.5}, {"chrono": 100}, {"chrono": 1}])
def test_lru_starts_inside_the_circle_it_is_asked_for(options: dict[str, Any]) -> None:
    p = parameters(make("lru", 512, **options))
    radius = np.exp(-np.exp(p["log_decay"]))
    if options.get("chrono", 0) > 1:
        times = -1 / np.log(radius)
        assert times.min() >= 1 and times.max() <= 100.001
        assert abs(times.mean() - 50.5) < 6  # spread evenly over 1 … 100
    else:
        largest = options.get("max_radius", 0.99)
        assert radius.max() <= largest + 1e-6
        assert abs((radius**2).mean() - largest**2 / 2) < 0.06  # a disc filled evenly
    assert np.allclose(np.exp(p["log_gain"]), np.sqrt(1 - radius**2), atol=1e-4)


def test_lru_units_are_as_large_as_their_input() -> None:
    """White noise of variance 1, driven with unit weights, gives |h|² about 1 for short and for long memories."""
    memory = make("lru", 64, chrono=50)
    layer = memory.layers[0]
    with torch.no_grad():
        layer.drive.weight.zero_()
        layer.drive.weight[:, 0] = 1 / np.sqrt(2)  # real and imaginary part
        x = torch.randn(2_000, 8, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        _, hidden = layer(x, None)
    power = hidden[200:].square().mean((0, 1)).view(-1, 2).sum(-1)
    assert power.min() > 0.6 and power.max() < 1.5
    assert abs(float(power.mean()) - 1) < 0.1


def test_mingru_takes_some_inputs_in_and_holds_them_through_others() -> None:
    """With a horizon some unit opens for an input and stays nearly shut for another; without, none does."""
    a, b = torch.randn(2, 1, 1, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    apart = []
    for chrono in (0, 100):
        layer = make("mingru", 64, chrono=chrono).layers[0]
        with torch.no_grad():
            keep_a, keep_b = (layer(x, None)[2] for x in (a, b))
        apart.append(float(((1 - keep_a) * keep_b**50).max()))
    assert apart[1] > 0.1 > apart[0]
