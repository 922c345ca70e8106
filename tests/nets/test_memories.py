"""The contract of every memory in the catalog."""

from __future__ import annotations

import pytest
import torch

from dqngui import catalog
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import Memory, State
from dqngui.nets.record import Record

WIDTH, T, B = 16, 23, 3
SEEN = 3
OPTIONS = {
    "lru": {"layers": 2},
    "mingru": {"layers": 2, "chrono": 10},
    "transformer": {"heads": 4, "layers": 2, "length": 5, "gate": "gru"},
    "sarima": {"p": 2, "d": 1, "q": 1, "seasonal_p": 1, "seasonal_d": 1, "seasonal_q": 1, "season": 4},
    "mann": {"slots": 5, "slot_width": 6, "read_heads": 2, "write_heads": 2},
    "dnc": {"slots": 5, "slot_width": 6, "read_heads": 2},
}


def make(name: str, dtype: torch.dtype = torch.float64, **options: int) -> Memory:
    entry = catalog.MEMORIES[name]
    chosen = entry.options(**{**OPTIONS.get(name, {}), **options})
    kind = catalog.load(entry)
    observed = {"observation": SEEN} if kind.sees_observation else {}
    memory: Memory = build(lambda: kind(width=WIDTH, options=chosen, **observed), torch.Generator().manual_seed(3))
    if observed:  # the same numbers serve as the raw observation that follows x
        memory.register_forward_pre_hook(lambda _, args: (torch.cat([args[0], args[0][..., :SEEN]], -1), *args[1:]))
    # Biases that start at zero would hide a position that is read wrongly.
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return memory.to(dtype)


def steps(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(T, B, WIDTH, dtype=dtype, generator=torch.Generator().manual_seed(5))


def one_by_one(memory: Memory, x: torch.Tensor, state: State, record: bool = False) -> tuple[torch.Tensor, State]:
    outputs = []
    for step in x:
        y, state = memory(step.unsqueeze(0), state, Record() if record else None)
        outputs.append(y)
    return torch.cat(outputs), state


@pytest.fixture(params=sorted(catalog.MEMORIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
@pytest.mark.parametrize("record", [False, True])
def test_step_by_step_equals_one_long_call(name: str, dtype: torch.dtype, tolerance: float, record: bool) -> None:
    memory, x = make(name, dtype), steps(dtype)
    state = memory.initial_state(B)
    with torch.no_grad():
        whole, last = memory(x, state)
        single, state = one_by_one(memory, x, state, record)
    assert torch.allclose(whole, single, atol=tolerance, rtol=0)
    for a, b in zip(last, state, strict=True):
        assert a.shape == b.shape
        assert torch.allclose(a.to(dtype), b.to(dtype), atol=tolerance, rtol=0)


def test_none_is_the_initial_state(name: str) -> None:
    memory, x = make(name), steps()
    with torch.no_grad():
        a, state_a = memory(x, None)
        b, state_b = memory(x, memory.initial_state(B))
    assert torch.allclose(a, b, atol=1e-12)
    assert all(torch.allclose(p.double(), q.double(), atol=1e-12) for p, q in zip(state_a, state_b, strict=True))


def test_a_call_cut_anywhere_continues(name: str) -> None:
    memory, x = make(name), steps()
    with torch.no_grad():
        whole, _ = memory(x, None)
        for cut in (1, 4, 7, T - 1):
            first, state = memory(x[:cut], None)
            second, _ = memory(x[cut:], state)
            assert torch.allclose(whole, torch.cat([first, second]), atol=1e-9)


def test_outputs_depend_on_the_past_only(name: str) -> None:
    memory, x = make(name), steps()
    changed = x.clone()
    changed[11:] *= -1.0  # a constant added would vanish in a layer norm
    with torch.no_grad():
        before, map_size = memory(x, None)[0], memory(changed, None)[0]
    assert torch.equal(before[:11], map_size[:11])
    assert not torch.allclose(before[11:], map_size[11:])


def test_context_is_how_far_it_sees(name: str) -> None:
    memory, x = make(name), steps()
    changed = x.clone()
    changed[0] *= -1.0
    with torch.no_grad():
        difference = (memory(x, None)[0] - memory(changed, None)[0]).abs().amax((1, 2))
    if memory.context is None:
        assert difference[-1] > 0
    else:
        assert (difference[: memory.context + 1] > 0).all()
        assert (difference[memory.context + 1 :] == 0).all()


def test_episodes_of_a_batch_do_not_mix(name: str) -> None:
    memory, x = make(name), steps()
    with torch.no_grad():
        together, _ = memory(x, None)
        alone, _ = memory(x[:, 1:2], None)
    assert torch.allclose(together[:, 1:2], alone, atol=1e-12)


def test_every_parameter_gets_a_gradient_and_none_is_shared(name: str) -> None:
    memory = make(name)
    x = steps().requires_grad_()
    memory(x, None)[0].square().sum().backward()
    for key, parameter in memory.named_parameters():
        assert parameter.grad is not None, key
        if not key.endswith("lag_bias"):  # lags beyond the window's first steps may have none
            assert parameter.grad.abs().max() > 0, key
    places = [p.data_ptr() for p in memory.parameters()]
    assert len(places) == len(set(places))


def test_announced_views_are_recorded(name: str) -> None:
    memory, x = make(name), steps()
    record = Record()
    with torch.no_grad():
        recorded, _ = memory(x, None, record)
        plain, _ = memory(x, None)
    assert torch.allclose(recorded, plain, atol=1e-9)
    assert set(record.values) == {spec.name for spec in memory.views()}
    for spec in memory.views():
        value = record.values[spec.name]
        assert value.shape[:2] == (T, B) and value.ndim == 2 + len(spec.axes)
        if not spec.signed:
            assert value.min() >= 0 and value.max() <= 1 + 1e-9
        if "attention" in spec.name:
            assert torch.allclose(value.sum(-1), torch.ones(value.shape[:-1], dtype=value.dtype), atol=1e-9)


def test_a_thousand_steps_stay_finite(name: str) -> None:
    memory = make(name, torch.float32)
    x = torch.randn(1000, 2, WIDTH, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        y, state = memory(x, None)
    assert torch.isfinite(y).all() and all(torch.isfinite(part.double()).all() for part in state)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_chrono_initialisation_spreads_time_constants(name: str) -> None:
    entry = catalog.MEMORIES[name]
    memory = build(
        lambda: catalog.load(entry)(width=256, options=entry.options(chrono=100)), torch.Generator().manual_seed(0)
    )
    bias_in, bias_back = list(memory.core.parameters())[2:]
    gate = (bias_in + bias_back)[256:512].detach()
    assert gate.min() >= 0 and gate.max() <= 4.61  # log 100
    assert abs(float(gate.exp().mean()) - 50) < 8  # log U(1, 100)


def test_building_draws_only_from_its_generator() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    first, second = make("lstm"), make("lstm")
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
