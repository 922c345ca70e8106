"""DNC against the paper's equations, its gradient, and properties of usage, allocation and links."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from reference_external import allocation, dnc
from test_mann import WIDTH, check_gradients, steps
from torch import Tensor

from dqngui.catalog.memories import DncOptions
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import State
from dqngui.nets.memory.dnc import DNC, Allocation
from dqngui.nets.record import Record

SETTINGS = [
    {"slots": 6, "slot_width": 4, "read_heads": 2},
    {"slots": 5, "slot_width": 3, "read_heads": 1},
]
PARTS = ["keys", "strength", "free", "allocate", "write_gate", "erase", "modes", "add"]
FAR = 60.0  # opens or closes a gate for good
BACKWARD, CONTENT, FORWARD = (torch.full((3,), -FAR).index_fill(0, torch.tensor(way), FAR) for way in range(3))


def make(seed: int = 1, **options: int) -> DNC:
    """A memory in float64 with parameters large enough to use all of its parts."""
    memory = build(lambda: DNC(width=WIDTH, options=DncOptions(**options)), torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter += 0.7 * torch.randn(parameter.shape, generator=generator)
    return memory.double()


@pytest.mark.parametrize("options", SETTINGS)
def test_equals_the_papers_equations(options: dict[str, int]) -> None:
    memory, x, record = make(**options), steps(12, 2), Record()
    with torch.no_grad():
        y, _ = memory(x, None, record)
    parameters = {name: value.numpy() for name, value in memory.state_dict().items()}
    for episode in range(2):
        wanted, kept = dnc(
            parameters,
            x[:, episode].numpy(),
            slots=options["slots"],
            units=options["slot_width"],
            readers=options["read_heads"],
        )
        kept["write"] = kept["write"][:, None]
        np.testing.assert_allclose(y[:, episode], wanted, rtol=0, atol=1e-9)
        for name, value in kept.items():
            shown = record.values[f"memory/{name}"][:, episode]
            np.testing.assert_allclose(shown, value, rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("options", SETTINGS)
def test_gradients_are_those_of_differences(options: dict[str, int]) -> None:
    memory = make(**options)
    with torch.no_grad():
        _, state = memory(steps(3, 2, seed=4), None)
    check_gradients(memory, steps(3, 2), state)


def test_shares_stay_shares() -> None:
    record = Record()
    with torch.no_grad():
        _, last = make(**SETTINGS[0])(steps(200, 2), None, record)
    seen = record.values
    for name in ("memory/read", "memory/write", "memory/precedence"):
        assert seen[name].min() >= 0 and seen[name].sum(-1).max() <= 1 + 1e-9
    assert seen["memory/usage"].min() >= 0 and seen["memory/usage"].max() <= 1 + 1e-9
    link = seen["memory/link"]
    assert link.min() >= 0 and link.sum(-1).max() <= 1 + 1e-9 and link.sum(-2).max() <= 1 + 1e-9
    assert link.diagonal(dim1=-2, dim2=-1).abs().max() == 0
    # What is shown is clamped against rounding; the state is not.
    assert all(torch.allclose(a, b[-1], atol=1e-12) for a, b in zip(last[3:6], list(seen.values())[1:4], strict=True))


def test_allocation_takes_the_least_used_slot() -> None:
    usage = torch.tensor([[0.9, 1.0, 0.05, 0.5], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    weights = Allocation(usage, torch.arange(4) * 1e-5).weights
    assert weights[0].argmax() == 2 and weights[0, 2] > 0.94
    assert weights[1].abs().max() < 1e-12  # nothing is free, so nothing is written
    assert weights[2, 0] > 0.999_99  # among equals the first
    for row in range(3):
        np.testing.assert_allclose(weights[row], allocation(usage[row].numpy()), atol=1e-12)


def set_interface(memory: DNC, **values: Any) -> None:
    """Let the controller give the same interface vector at every step."""
    with torch.no_grad():
        memory.controller.ask.weight.zero_()
        memory.controller.ask.bias.zero_()
        parts = dict(zip(PARTS, memory.controller.ask.bias.split(memory.layout.sizes), strict=True))
        for name, value in values.items():
            parts[name].copy_(torch.as_tensor(value, dtype=torch.float64).expand(len(parts[name])))


def run(memory: DNC, count: int, state: State | None) -> tuple[dict[str, Tensor], State]:
    record = Record()
    with torch.no_grad():
        _, state = memory(steps(count, 1), state, record)
    return record.values, state


def test_reading_forward_follows_the_order_of_writing_and_backward_returns() -> None:
    memory = make(slots=6, slot_width=2, read_heads=1)
    # Writes at three slots in an order of its own: the least used come first.
    *front, _, link, precedence, weights = memory.initial_state(1)
    usage = torch.tensor([[1.0, 0.002, 1.0, 0.001, 1.0, 0.003]], dtype=torch.float64)
    set_interface(memory, allocate=FAR, write_gate=FAR, free=-FAR, erase=FAR, add=1.0, modes=CONTENT)
    shown, (hidden, cell, matrix, usage, link, precedence, weights) = run(
        memory, 3, (*front, usage, link, precedence, weights)
    )
    order = shown["memory/write"][:, 0, 0].argmax(-1).tolist()
    assert order == [3, 1, 5]

    # From the first, forward along the links, without writing; then back.
    weights = torch.zeros_like(weights)
    weights[0, 0, order[0]] = 1.0
    set_interface(memory, write_gate=-FAR, free=-FAR, modes=FORWARD)
    shown, state = run(memory, 2, (hidden, cell, matrix, usage, link, precedence, weights))
    assert shown["memory/read"][:, 0, 0].argmax(-1).tolist() == order[1:]
    assert shown["memory/read"][:, 0, 0].max(-1).values.min() > 0.9
    set_interface(memory, write_gate=-FAR, free=-FAR, modes=BACKWARD)
    shown, _ = run(memory, 2, state)
    assert shown["memory/read"][:, 0, 0].argmax(-1).tolist() == [order[1], order[0]]


def test_rounding_does_not_choose_between_slots_that_are_used_alike() -> None:
    usage = torch.full((1, 4), 0.3, dtype=torch.float64) - torch.tensor([0.0, 1e-12, 3e-12, 2e-12])
    order = Allocation(usage, torch.arange(4) * 1e-5).order
    assert order.tolist() == [[0, 1, 2, 3]]


def test_erasing_erases_and_an_open_free_gate_releases_what_was_read() -> None:
    memory = make(slots=4, slot_width=3, read_heads=1)
    hidden, cell, matrix, usage, link, precedence, weights = memory.initial_state(1)
    matrix = matrix + 1.0
    usage = usage + 1.0
    weights[0, 0, 2] = 1.0  # slot 2 was read a step before
    set_interface(memory, allocate=FAR, write_gate=FAR, free=FAR, erase=FAR, add=0.0, modes=CONTENT)
    shown, (_, _, map_size, *_) = run(memory, 1, (hidden, cell, matrix, usage, link, precedence, weights))
    assert shown["memory/usage"][0, 0, 2] < 1e-9
    assert shown["memory/write"][0, 0, 0].argmax() == 2
    assert map_size[0, 2].abs().max() < 1e-5
    assert torch.allclose(map_size[0, [0, 1, 3]], matrix[0, [0, 1, 3]], atol=1e-5)
