"""MANN against the paper's equations, its gradient, and properties of its heads."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from reference_external import mann
from torch import Tensor, nn

from dqngui.catalog.memories import MannOptions
from dqngui.nets.initialise import build
from dqngui.nets.memory.mann import MANN, TuringHeads
from dqngui.nets.record import Record

WIDTH = 5
SETTINGS = [
    {"slots": 6, "slot_width": 4, "read_heads": 2, "write_heads": 3, "shift": 1},
    {"slots": 7, "slot_width": 3, "read_heads": 1, "write_heads": 1, "shift": 2},
    {"slots": 5, "slot_width": 4, "read_heads": 1, "write_heads": 1, "shift": 0},
]


def make(seed: int = 1, **options: int) -> MANN:
    """A memory in float64 with parameters large enough to use all of its parts."""
    memory = build(lambda: MANN(width=WIDTH, options=MannOptions(**options)), torch.Generator().manual_seed(seed))
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter += 0.7 * torch.randn(parameter.shape, generator=generator)
    return memory.double()


def steps(T: int, B: int, seed: int = 3) -> Tensor:
    return torch.randn(T, B, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("options", SETTINGS)
def test_equals_the_papers_equations(options: dict[str, int]) -> None:
    memory, x, record = make(**options), steps(12, 2), Record()
    with torch.no_grad():
        y, _ = memory(x, None, record)
    parameters = {name: value.numpy() for name, value in memory.state_dict().items()}
    for episode in range(2):
        wanted, kept = mann(
            parameters,
            x[:, episode].numpy(),
            slots=options["slots"],
            units=options["slot_width"],
            readers=options["read_heads"],
            writers=options["write_heads"],
            shift=options["shift"],
        )
        weights = torch.cat([record.values["memory/read"], record.values["memory/write"]], dim=2)
        np.testing.assert_allclose(y[:, episode], wanted, rtol=0, atol=1e-9)
        np.testing.assert_allclose(weights[:, episode], kept["weights"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(record.values["memory/matrix"][:, episode], kept["matrix"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("options", SETTINGS)
def test_gradients_are_those_of_differences(options: dict[str, int]) -> None:
    memory = make(**options)
    with torch.no_grad():
        _, state = memory(steps(3, 2, seed=4), None)
    check_gradients(memory, steps(3, 2), state)


def check_gradients(memory: nn.Module, x: Tensor, state: tuple[Tensor, ...]) -> None:
    """Of the outputs and the next state, by the input, the state and every parameter, along a random direction each."""
    generator = torch.Generator().manual_seed(7)
    leaves = [part.clone().requires_grad_() for part in (x, *state)]
    names = ["x", *(f"state {index}" for index in range(len(state)))]
    leaves += memory.parameters()
    names += [name for name, _ in memory.named_parameters()]

    def outputs() -> tuple[Tensor, ...]:
        y, map_size = memory(leaves[0], tuple(leaves[1 : 1 + len(state)]))
        return y, *map_size

    pulls = [torch.randn(part.shape, dtype=part.dtype, generator=generator) for part in outputs()]
    gradients = torch.autograd.grad(outputs(), leaves, pulls)

    def along(leaf: Tensor, direction: Tensor, far: float) -> float:
        with torch.no_grad():
            leaf += far * direction
            value = sum(float((part * pull).sum()) for part, pull in zip(outputs(), pulls, strict=True))
            leaf -= far * direction
        return value

    for name, leaf, gradient in zip(names, leaves, gradients, strict=True):
        direction = torch.randn(leaf.shape, dtype=leaf.dtype, generator=generator)
        slope = (along(leaf, direction, 1e-6) - along(leaf, direction, -1e-6)) / 2e-6
        assert float((gradient * direction).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-6), name


def test_weights_are_shares() -> None:
    record = Record()
    with torch.no_grad():
        make(**SETTINGS[0])(steps(200, 2), None, record)
    for name in ("memory/read", "memory/write"):
        assert torch.allclose(record.values[name].sum(-1), torch.ones(1, dtype=torch.float64), atol=1e-9)


def set_interface(memory: MANN, **values: Any) -> None:
    """Let the controller give the same interface vector at every step."""
    with torch.no_grad():
        memory.controller.ask.weight.zero_()
        memory.controller.ask.bias.zero_()
        parts = memory.controller.ask.bias.split(memory.layout.sizes)
        for (name, value), part in ((item, parts[PARTS.index(item[0])]) for item in values.items()):
            assert name in PARTS
            part.copy_(torch.as_tensor(value, dtype=torch.float64).expand(len(part)))


PARTS = ["keys", "positive", "gate", "erase", "shift", "add"]
FAR = 60.0  # opens or closes a gate for good


def test_erasing_erases_where_the_head_is() -> None:
    memory = make(slots=4, slot_width=3, read_heads=1, write_heads=1, shift=1)
    stay = torch.tensor([-FAR, FAR, -FAR]).repeat(2)
    set_interface(memory, gate=-FAR, erase=FAR, shift=stay, positive=-FAR, add=0.0)
    hidden, cell, matrix, weights = memory.initial_state(1)
    matrix = matrix + 1.0
    with torch.no_grad():
        _, (_, _, map_size, _) = memory(steps(1, 1), (hidden, cell, matrix, weights))
    assert map_size[0, 0].abs().max() < 1e-9  # both heads begin at slot 0
    assert torch.equal(map_size[0, 1:], matrix[0, 1:])


def test_a_head_that_moves_on_writes_a_tape() -> None:
    memory = make(slots=6, slot_width=2, read_heads=1, write_heads=1, shift=1)
    set_interface(memory, gate=-FAR, erase=FAR, shift=torch.tensor([FAR, -FAR, -FAR]).repeat(2), positive=-FAR, add=1.0)
    record = Record()
    with torch.no_grad():
        memory(steps(7, 1), None, record)
    at = record.values["memory/write"][:, 0, 0].argmax(-1)
    assert at.tolist() == [1, 2, 3, 4, 5, 0, 1]  # round at the end
    assert torch.allclose(record.values["memory/matrix"][2, 0, 1:4], torch.ones(3, 2, dtype=torch.float64))


def test_what_was_kept_for_the_gradient_goes_with_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[TuringHeads]] = []

    class Watched(TuringHeads):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            alive.append(weakref.ref(self))

    monkeypatch.setattr("dqngui.nets.memory.mann.TuringHeads", Watched)
    outputs = make(**SETTINGS[0])(steps(3, 2), None)
    assert alive[0]() is not None
    gc.disable()  # a circle would wait for it, and training makes garbage faster
    try:
        del outputs
        assert alive[0]() is None
    finally:
        gc.enable()
