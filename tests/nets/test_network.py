"""The whole network: every attention with every memory, heads, recorded attention."""

from __future__ import annotations

import itertools

import pytest
import torch

from dqngui import catalog
from dqngui.config import ConfigError, Experiment
from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.nets.attention import products
from dqngui.nets.heads import DuelingHead
from dqngui.nets.network import Inputs, QNetwork, build_network
from dqngui.nets.record import Record
from dqngui.settings import experiment_from

T, B = 7, 4
SPACES = Spaces(
    parts=(
        ObservationPart("sensors", "vector", (3,), "float32"),
        ObservationPart("picture", "vector", (4,), "uint8", scale=1 / 255),
        ObservationPart("place", "discrete", (2,), "int32", sizes=(5, 3)),
    ),
    actions=3,
)
PAIRS = list(itertools.product(sorted(catalog.ATTENTIONS), sorted(catalog.MEMORIES), ["one", "feature"]))


def network_of(attention: str, memory: str, tokens: str = "feature", **net: object) -> QNetwork:
    options = {"sarima": {"p": 1, "season": 2}}.get(memory, {})  # so short that a few steps tell of every coefficient
    data = {
        "net": {
            "attention": attention,
            "memory": memory,
            "memory_options": options,
            "tokens": tokens,
            "width": 16,
            **net,
        }
    }
    return build_network(SPACES, experiment_from(data), torch.Generator().manual_seed(1))


def inputs() -> Inputs:
    generator = torch.Generator().manual_seed(2)
    observation = {
        "sensors": torch.randn(T, B, 3, generator=generator),
        "picture": torch.randint(0, 256, (T, B, 4), generator=generator, dtype=torch.uint8),
        "place": torch.stack(
            [torch.randint(0, 5, (T, B), generator=generator), torch.randint(0, 3, (T, B), generator=generator)], -1
        ).int(),
    }
    action = torch.randint(-1, 3, (T, B), generator=generator)
    return Inputs(observation, action, torch.randn(T, B, generator=generator))


def cut(whole: Inputs, t: int) -> Inputs:
    return Inputs(
        {k: v[t : t + 1] for k, v in whole.observation.items()},
        whole.prev_action[t : t + 1],
        whole.prev_reward[t : t + 1],
    )


@pytest.mark.parametrize(("attention", "memory", "tokens"), PAIRS)
def test_acting_step_by_step_equals_training_unroll(attention: str, memory: str, tokens: str) -> None:
    network, whole = network_of(attention, memory, tokens), inputs()
    state = network.initial_state(B)
    with torch.no_grad():
        q, _ = network(whole, None)
        single = []
        for t in range(T):
            step, state = network(cut(whole, t), state)
            single.append(step)
    assert q.shape == (T, B, 3)
    assert torch.allclose(q, torch.cat(single), atol=1e-5)


@pytest.mark.parametrize(("attention", "memory", "tokens"), PAIRS)
def test_every_parameter_gets_a_gradient(attention: str, memory: str, tokens: str) -> None:
    # What an action's answer adds to all advantages alike cancels in a dueling head.
    head = "linear" if catalog.load(catalog.ATTENTIONS[attention]).per_action else "dueling"
    network = network_of(attention, memory, tokens, head=head)
    network(inputs(), None)[0].square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize(("attention", "memory", "tokens"), PAIRS)
def test_recording_changes_nothing_and_attention_sums_to_one(attention: str, memory: str, tokens: str) -> None:
    network, whole, record = network_of(attention, memory, tokens), inputs(), Record()
    with torch.no_grad():
        plain, recorded = network(whole, None)[0], network(whole, None, record)[0]
    assert torch.allclose(plain, recorded, atol=1e-5)
    assert set(record.values) == {spec.name for spec in network.views()}
    for spec in network.views():
        value = record.values[spec.name]
        assert value.shape[:2] == (T, B) and value.ndim == 2 + len(spec.axes), spec.name
        if "attention" in spec.name:
            assert torch.allclose(value.sum(-1), torch.ones(()), atol=1e-5), spec.name


@pytest.mark.parametrize("tokens", [2, 3, 5])
def test_the_three_ways_to_attend_agree(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    q, k, v = (torch.randn(6, tokens, 16, generator=torch.Generator().manual_seed(i)) for i in range(3))
    explicit, weights = products.attend(q, k, v, 4, True)
    monkeypatch.setattr(products, "FEW_PAIRS", 0)
    fused, _ = products.attend(q, k, v, 4, False)
    monkeypatch.setattr(products, "FEW_PAIRS", 1000)
    few, _ = products.attend(q, k, v, 4, False)
    assert weights is not None and weights.shape == (6, 4, tokens, tokens)
    assert torch.allclose(explicit, fused, atol=1e-6) and torch.allclose(explicit, few, atol=1e-6)


def test_attention_divides_by_the_root_of_the_head_size() -> None:
    q = k = torch.ones(1, 2, 8)
    k = torch.cat([torch.ones(1, 1, 8), torch.zeros(1, 1, 8)], dim=1)
    _, weights = products.attend(q, k, torch.ones(1, 2, 8), 2, True)
    assert weights is not None
    share = torch.softmax(torch.tensor([4 / 4**0.5, 0.0]), 0)[0]
    assert torch.allclose(weights[0, 0, 0, 0], share)


def test_previous_action_and_reward_reach_the_values_unless_switched_off() -> None:
    whole = inputs()
    other = Inputs(whole.observation, torch.zeros_like(whole.prev_action), whole.prev_reward + 1)
    for seen in (True, False):
        network = network_of("self", "none", previous_action=seen, previous_reward=seen)
        with torch.no_grad():
            same = torch.equal(network(whole, None)[0], network(other, None)[0])
        assert same is not seen


def test_dueling_advantages_have_mean_zero() -> None:
    head = DuelingHead(8, 3, per_action=False)
    h = torch.randn(2, 5, 8)
    assert torch.allclose(head(h, None).mean(-1, keepdim=True), head.value(h), atol=1e-6)


def test_equal_generators_build_equal_networks() -> None:
    a, b = network_of("self", "gru"), network_of("self", "gru")
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_default_experiment_builds() -> None:
    network = build_network(SPACES, experiment_from({}), torch.Generator().manual_seed(0))
    assert isinstance(network, QNetwork) and isinstance(Experiment(), Experiment)


@pytest.mark.parametrize("attention", sorted(catalog.ATTENTIONS))
def test_what_is_remembered_changes_which_action_is_better(attention: str) -> None:
    network, whole = network_of(attention, "lstm"), inputs()
    past = torch.cat([whole.prev_reward[:3] + 2, whole.prev_reward[3:]])
    with torch.no_grad():
        before, map_size = (
            network(Inputs(whole.observation, whole.prev_action, r), None)[0] for r in (whole.prev_reward, past)
        )
    apart = (before - before.mean(-1, keepdim=True)) - (map_size - map_size.mean(-1, keepdim=True))
    assert apart[4].abs().amax(-1).min() > 1e-5  # a step whose own inputs are the same


def test_recurrent_attention_depends_on_the_memory() -> None:
    network, whole, first, second = network_of("recurrent", "lstm"), inputs(), Record(), Record()
    network(whole, None, first)
    past = torch.cat([whole.prev_reward[:3] + 2, whole.prev_reward[3:]])
    network(Inputs(whole.observation, whole.prev_action, past), None, second)
    difference = (first.values["attention/recurrent"] - second.values["attention/recurrent"]).abs().amax((1, 2, 3))
    assert difference[0] == 0 and (difference[1:] > 1e-6).all()


def test_a_memory_that_needs_numbers_is_refused_if_there_are_none() -> None:
    mission = Spaces(parts=(ObservationPart("mission", "text", (32,), "int32", sizes=(1024,)),), actions=2)
    experiment = experiment_from({"net": {"memory": "sarima"}})
    with pytest.raises(ConfigError, match=r"`net.memory`: sarima .* numbers"):
        build_network(mission, experiment, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("attention", ["self", "recurrent"])
def test_the_shortcut_brings_the_present_past_a_memory_that_gives_nothing(attention: str) -> None:
    one, other = inputs(), inputs()
    other.observation["sensors"] = other.observation["sensors"] + 1

    def apart(shortcut: bool) -> float:
        network = network_of(attention, "gru", shortcut=shortcut)
        with torch.no_grad():
            for parameter in network.memory.parameters():
                parameter.zero_()  # its output is zero whatever it sees
            return float((network(one, None)[0] - network(other, None)[0]).abs().max())

    assert apart(False) == 0
    assert apart(True) > 1e-3
