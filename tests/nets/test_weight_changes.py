"""Changed attention weights, and views of the state, for every attention and memory in the catalog."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dqngui import catalog
from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.jobs.interventions import removing_by_row, without_places
from dqngui.nets.initialise import build
from dqngui.nets.memory.contract import State
from dqngui.nets.network import Inputs, build_network
from dqngui.nets.record import Record
from dqngui.nets.trunk import Trunk
from dqngui.settings import experiment_from

B, STEPS, WIDTH = 4, 6, 16
SPACES = Spaces(parts=(ObservationPart("numbers", "vector", (4,), "float32"),), actions=3)
OPTIONS = {
    "lru": {"layers": 2},
    "mingru": {"layers": 2},
    "transformer": {"layers": 2, "length": 4},
    "sarima": {"p": 1, "q": 2, "seasonal_p": 0},  # so short that it forecasts within a few steps
    "mann": {"slots": 5, "slot_width": 6, "read_heads": 2},
    "dnc": {"slots": 5, "slot_width": 6, "read_heads": 2},
}
PAIRS = [
    *((attention, "lstm") for attention in sorted(catalog.ATTENTIONS)),
    *itertools.product(["self", "recurrent"], sorted(catalog.MEMORIES)),
]
WEIGHING = [name for name in sorted(catalog.ATTENTIONS) if name != "none"]
Step = Callable[[State, Record | None], tuple[Tensor, State]]


def network_of(attention: str, memory: str) -> Trunk:
    net = {"attention": attention, "memory": memory, "memory_options": OPTIONS.get(memory, {}), "width": WIDTH}
    experiment = experiment_from({"net": {**net, "tokens": "feature"}})
    return build_network(SPACES, experiment, torch.Generator().manual_seed(1)).double().eval()


def drawn(*shape: int, seed: int = 2) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def stepping(network: Trunk, batch: int = B) -> tuple[Step, State]:
    """One more step of the network, the same one for everybody, and the state that some steps before left."""
    numbers, action, reward = drawn(STEPS + 1, B, 4), torch.arange(B).expand(STEPS + 1, B) % 3, drawn(STEPS + 1, B)

    def inputs(t: int) -> Inputs:
        return Inputs({"numbers": numbers[t : t + 1, :batch]}, action[t : t + 1, :batch], reward[t : t + 1, :batch])

    state = network.initial_state(batch)
    for t in range(STEPS):
        _, state = network(inputs(t), state, Record())
    return lambda state, record: network(inputs(STEPS), state, record), state


@pytest.fixture(autouse=True)
def _without_gradients() -> object:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize(("attention", "memory"), PAIRS)
def test_changes_that_change_nothing_leave_every_bit(attention: str, memory: str) -> None:
    network = network_of(attention, memory)
    step, state = stepping(network)
    passed: dict[str, Tensor] = {}

    def kept(name: str) -> Callable[[Tensor], Tensor]:
        def change(weights: Tensor) -> Tensor:
            passed[name] = weights
            return weights.clone().mul_(1.0)

        return change

    plain, changed = Record(), Record(changes={spec.name: kept(spec.name) for spec in network.views()})
    (q, map_size), (same, also) = step(state, plain), step(state, changed)
    assert torch.equal(q, same) and all(torch.equal(a, b) for a, b in zip(map_size, also, strict=True))
    assert all(torch.equal(plain.values[name], value) for name, value in changed.values.items())
    # Exactly the views of weights are changed, and each is seen in its own shape.
    assert set(passed) == {spec.name for spec in network.views() if spec.weights}
    for name, weights in passed.items():
        assert torch.allclose(weights, changed.values[name][0], atol=1e-12) and len(weights) == B


@pytest.mark.parametrize(("attention", "memory"), PAIRS)
def test_what_is_changed_is_used_and_shown(attention: str, memory: str) -> None:
    network = network_of(attention, memory)
    step, state = stepping(network)
    q, _ = step(state, None)
    for spec in network.views():
        if not spec.weights:
            continue
        record = Record(changes={spec.name: lambda weights: weights.flip(-1)})
        before, other = Record(), step(state, record)[0]
        step(state, before)
        shown = record.values[spec.name]
        assert torch.allclose(shown, before.values[spec.name].flip(-1), atol=1e-9), spec.name
        map_size = step(state, Record(changes=record.changes))[1]
        followed = (q - other).abs().max() > 1e-9 or any(
            not torch.equal(a, b) for a, b in zip(map_size, step(state, None)[1], strict=True)
        )
        assert followed, spec.name


@pytest.mark.parametrize("name", WEIGHING)
def test_removing_tokens_from_all_attention_is_their_absence(name: str) -> None:
    entry, tokens = catalog.ATTENTIONS[name], 5
    attention = build(
        lambda: catalog.load(entry)(width=WIDTH, tokens=tokens, actions=3, options=entry.options()),
        torch.Generator().manual_seed(3),
    ).double()
    content, query = drawn(1, B, tokens, WIDTH), drawn(B, WIDTH, seed=4) if attention.queries_memory else None
    gone = torch.tensor([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], dtype=torch.bool)
    absent, removed = Record(), Record(changes=removing_by_row(attention.views(), "attention/*", gone))
    expected = attention(content, ~gone.unsqueeze(0), query, absent)
    for a, b in zip(expected, attention(content, None, query, removed), strict=True):
        assert (a is None and b is None) or torch.allclose(a, b, atol=1e-12, rtol=0)
    key_views = [spec.name for spec in attention.views() if spec.axes == ("head", "key")]
    rows = removed.values[key_views[0]][0]
    assert (rows[gone.unsqueeze(1).expand_as(rows)] == 0).all()
    assert torch.allclose(rows.sum(-1), (~gone).any(-1, keepdim=True).double().expand(rows.shape[:-1]))


@pytest.mark.parametrize(("attention", "memory"), PAIRS)
def test_rows_of_a_batch_are_removed_from_one_by_one(attention: str, memory: str) -> None:
    network = network_of(attention, memory)
    step, state = stepping(network)
    shapes = Record()
    step(state, shapes)
    for spec in network.views():
        if not spec.weights:
            continue
        n = shapes.values[spec.name].shape[-1]
        gone = torch.arange(n).expand(B, n) == torch.arange(B).unsqueeze(1) % n
        together, _ = step(state, Record(changes=removing_by_row(network.views(), spec.name, gone)))
        for row in range(B):
            everywhere = removing_by_row(network.views(), spec.name, gone[row].expand(B, n))
            assert torch.equal(together[:, row], step(state, Record(changes=everywhere))[0][:, row]), spec.name


@pytest.mark.parametrize(("attention", "memory"), PAIRS)
def test_a_head_without_weights_gives_zeros(attention: str, memory: str) -> None:
    network = network_of(attention, memory)
    step, state = stepping(network)

    def first_head_removed(weights: Tensor) -> Tensor:
        gone = torch.zeros(weights.shape[1:], dtype=torch.bool)
        gone[0] = True
        return without_places(weights, gone)

    names = [spec.name for spec in network.views() if spec.weights]
    record = Record(changes=dict.fromkeys(names, first_head_removed))
    q, map_size = step(state, record)
    assert torch.isfinite(q).all() and all(torch.isfinite(part.double()).all() for part in map_size)
    for name in names:
        rows = record.values[name][0]
        assert (rows[:, 0] == 0).all() and ((rows[:, 1:].sum(-1) > 0.5).all() or memory == "dnc"), name


@pytest.mark.parametrize("lags", [1, 3])
def test_a_transformer_without_its_past_is_one_that_has_none(lags: int) -> None:
    network = network_of("self", "transformer")
    step, state = stepping(network)
    gone = (torch.arange(4) >= lags).expand(B, 4)
    removed, _ = step(state, Record(changes=removing_by_row(network.views(), "memory/attention/*", gone)))
    *caches, count = state
    forgotten, _ = step((*caches, torch.full_like(count, lags - 1)), None)
    assert torch.allclose(removed, forgotten, atol=1e-12, rtol=0)


@pytest.mark.parametrize("given", [True, False])
def test_a_lag_that_no_step_has_stays_without_weight(given: bool) -> None:
    network = network_of("self", "transformer")
    step, _ = stepping(network)
    raised = Record(changes={"memory/attention/0": lambda weights: weights + 1})
    state = network.initial_state(B) if given else None
    step(state, raised)  # type: ignore[arg-type]  # None is an episode's start, too
    weights = raised.values["memory/attention/0"]
    assert (weights[..., 0] == 2).all() and (weights[..., 1:] == 0).all()


@pytest.mark.parametrize("name", WEIGHING)
def test_a_token_that_is_absent_stays_without_weight(name: str) -> None:
    entry, there = catalog.ATTENTIONS[name], torch.tensor([True, False, True])
    attention = build(
        lambda: catalog.load(entry)(width=WIDTH, tokens=3, actions=3, options=entry.options()),
        torch.Generator().manual_seed(3),
    ).double()
    query = drawn(B, WIDTH, seed=4) if attention.queries_memory else None
    record = Record(changes={spec.name: lambda weights: weights + 1 for spec in attention.views()})
    attention(drawn(1, B, 3, WIDTH), there.expand(1, B, 3), query, record)
    for weights in record.values.values():
        assert (weights[..., 1] == 0).all() and (weights[..., 0] > 1).all()


@pytest.mark.parametrize("memory", ["mann", "dnc"])
def test_heads_without_write_weights_do_not_change_the_matrix(memory: str) -> None:
    network = network_of("self", memory)
    step, state = stepping(network)
    record = Record(changes={"memory/write": torch.zeros_like})
    _, map_size = step(state, record)
    matrix = network.state_views()["memory/matrix"]
    assert torch.equal(matrix.of(map_size), matrix.of(state))
    assert (record.values["memory/write"] == 0).all() and (record.values["memory/read"] > 0).any()


# -- what is carried ------------------------------------------------------------------------------


@pytest.mark.parametrize(("attention", "memory"), PAIRS)
def test_state_views_show_the_state(attention: str, memory: str) -> None:
    network = network_of(attention, memory)
    step, state = stepping(network)
    record = Record()
    _, map_size = step(state, record)
    assert set(network.state_views()) <= {spec.name for spec in network.views()}
    for name, held in network.state_views().items():
        assert torch.allclose(held.of(map_size), record.values[name][0], atol=1e-12, rtol=0), name
        kept = tuple(part.clone() for part in state)
        other = held.put(torch.full_like(held.of(state), 0.5), state)
        assert (held.of(other) == 0.5).all()
        assert all(torch.equal(a, b) for a, b in zip(state, kept, strict=True))
        back = held.put(held.of(state), other)
        assert all(torch.equal(a, b) for a, b in zip(state, back, strict=True)), name
        changed, also = step(other, None)
        plain, unchanged = step(state, None)
        assert (changed - plain).abs().max() > 1e-12 or any(
            not torch.equal(a, b) for a, b in zip(also, unchanged, strict=True)
        ), name


@pytest.mark.parametrize("attention", ["self", "recurrent"])
@pytest.mark.parametrize("memory", ["none", "lstm", "gru", "lru", "mingru"])
def test_nothing_is_left_of_a_memory_that_was_erased(attention: str, memory: str) -> None:
    network = network_of(attention, memory)
    step, state = stepping(network)
    for held in network.state_views().values():
        state = held.put(torch.zeros_like(held.of(state)), state)
    assert torch.equal(step(state, None)[0], step(network.initial_state(B), None)[0])


def test_erasing_an_lstm_also_erases_the_query() -> None:
    network = network_of("recurrent", "lstm")
    step, state = stepping(network)
    hidden = network.state_views()["memory/hidden"]
    state = hidden.put(torch.zeros_like(hidden.of(state)), state)
    first, second = Record(), Record()
    step(state, first)
    step(network.initial_state(B), second)
    assert torch.equal(first.values["attention/recurrent"], second.values["attention/recurrent"])


# -- removing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_rest_of_a_row_grows_in_proportion(dtype: torch.dtype) -> None:
    weights = torch.softmax(3 * drawn(6, 2, 5).to(dtype), dim=-1)
    weights[5] *= 0.25  # a head that writes only a little
    gone = torch.zeros(6, 1, 5, dtype=torch.bool)
    gone[1, 0, 2] = gone[2, 0, 1:] = gone[3] = gone[5, 0, 0] = True
    rest = without_places(weights, gone)
    assert torch.equal(rest[[0, 4]], weights[[0, 4]])
    assert (rest[3] == 0).all() and (rest[gone.expand_as(rest)] == 0).all()
    torch.testing.assert_close(rest[[1, 2, 5]].sum(-1), weights[[1, 2, 5]].sum(-1))
    torch.testing.assert_close(rest[1, :, 3] / rest[1, :, 4], weights[1, :, 3] / weights[1, :, 4])


def test_a_rest_near_zero_counts_as_zero() -> None:
    weights = torch.tensor([[1.0, 1e-42, 0.0], [1.0, 1e-30, 0.0]])
    rest = without_places(weights, torch.tensor([True, False, False]))
    assert torch.equal(rest, torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
