"""Derived views: attention rollout computed by hand, saliency by its axioms, in every network."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces as gym_spaces

from dqngui import catalog
from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.jobs import derived
from dqngui.jobs.agent import CPU, LoadedAgent
from dqngui.jobs.episode import SimulatedEpisode
from dqngui.learning.acting import inputs_of
from dqngui.messages import BeginEpisode, OpenAgent
from dqngui.settings import experiment_from


def test_rollout_is_the_product_of_the_layers_with_their_residuals() -> None:
    first = torch.tensor([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])  # two heads, mean [[.5, .5], [.5, .5]]
    second = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    # A_1 = [[.75, .25], [.25, .75]], A_2 = [[.5, .5], [.5, .5]]
    assert torch.allclose(derived.rollout([first]), torch.tensor([[0.75, 0.25], [0.25, 0.75]]))
    assert torch.allclose(derived.rollout([first, second]), torch.full((2, 2), 0.5))
    third = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])  # A = [[1, 0], [.5, .5]]
    assert torch.allclose(derived.rollout([first, third]), torch.tensor([[0.75, 0.25], [0.5, 0.5]]))
    with pytest.raises(ValueError, match="at least one layer"):
        derived.rollout([])


def test_a_row_without_any_token_keeps_only_itself() -> None:
    assert torch.allclose(derived.rollout([torch.zeros(1, 2, 2)]), torch.eye(2))


def agent_of(env: dict[str, Any], **net: Any) -> tuple[LoadedAgent, Any]:
    experiment: Experiment = experiment_from({"env": {"num_envs": 1, **env}, "net": {"width": 16, **net}})
    envs = make_vector(experiment.env, 1)
    agent = LoadedAgent(OpenAgent(experiment=experiment), experiment, envs.spaces)
    agent.offer_weights(0, agent.network.state_dict())
    agent.use_offered_weights()
    return agent, envs


CARTPOLE = {"id": "CartPole-v1"}


def play(agent: LoadedAgent, envs: Any, steps: int = 3, **asked: Any) -> dict[str, Any]:
    episode = SimulatedEpisode(agent, envs, BeginEpisode(number=1, seed=3, **asked))
    return episode.advance(steps, 1e9).tensors


def test_rollout_comes_with_two_layers_and_pools() -> None:
    agent, envs = agent_of(CARTPOLE, attention="self", attention_options={"layers": 2, "heads": 2}, tokens="feature")
    named = {view.name: view for view in agent.views()}
    assert named["attention/rollout"].shape == (4, 4)
    assert named["attention/rollout/pool"].axes == ("key",)
    recorded = play(agent, envs)
    layers = [torch.from_numpy(recorded[f"view/attention/self/{index}"]) for index in range(2)]
    assert np.allclose(recorded["view/attention/rollout"], derived.rollout(layers), atol=1e-6)
    assert np.allclose(recorded["view/attention/rollout"].sum(-1), 1.0, atol=1e-5)
    assert np.allclose(recorded["view/attention/rollout/pool"].sum(-1), 1.0, atol=1e-5)
    one, _ = agent_of(CARTPOLE, attention="self", attention_options={"layers": 1, "heads": 2}, tokens="feature")
    assert not [view for view in one.views() if "rollout" in view.name]


def test_saliency_comes_only_when_asked_for_and_changes_nothing() -> None:
    agent, envs = agent_of(CARTPOLE, memory="gru")
    assert [(view.name, view.axes, view.shape, view.signed) for view in agent.derivable] == [
        ("saliency/gradient", ("feature",), (4,), True),
        ("saliency/integrated", ("feature",), (4,), True),
    ]
    without = play(agent, envs)
    assert not [name for name in without if "saliency" in name]
    asked = play(agent, envs, derive=("saliency/integrated",))
    assert asked.keys() - without.keys() == {"view/saliency/integrated"}
    assert all(np.array_equal(asked[name], values) for name, values in without.items())
    assert "view/saliency/integrated" not in play(agent, envs, derive=("saliency/integrated",), record=False)


def test_saliency_of_a_linear_agent_is_weight_times_entry() -> None:
    agent, envs = agent_of(CARTPOLE, hidden=(), tokens="one", memory="none", attention="none")
    network: Any = agent.network
    parts = envs.reset([1])
    encoder = network.encoder.parts[0]
    with torch.no_grad():
        for layer in encoder.layers:
            layer.bias.fill_(20.0)  # every ReLU stays open
    inputs = inputs_of(parts, np.full(1, -1), np.zeros(1, np.float32), CPU)
    found = agent.saliency.of(parts, inputs, (), 1)
    x = torch.from_numpy(parts["observation"])[0]
    step = 0.5
    for index in range(4):
        higher, lower = x.clone(), x.clone()
        higher[index] += step
        lower[index] -= step
        with torch.no_grad():
            q = [network(inputs_of({"observation": y[None].numpy()}, np.full(1, -1), np.zeros(1, np.float32), CPU), ())
                 for y in (higher, lower)]  # fmt: skip
        slope = float(q[0][0][0, 0, 1] - q[1][0][0, 0, 1]) / (2 * step)
        for name in ("saliency/gradient", "saliency/integrated"):
            assert found[name][0, 0, index] == pytest.approx(slope * float(x[index]), rel=0.05, abs=2e-3)


@pytest.mark.parametrize("memory", list(catalog.MEMORIES))
@pytest.mark.parametrize("attention", ["none", "self", "recurrent"])
def test_integrated_gradients_add_up_to_the_difference(
    memory: str, attention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Completeness (Sundararajan et al. 2017, arXiv:1703.01365): they sum to q of what is seen less q of zeros."""
    monkeypatch.setattr(derived, "STEPS", 64)
    agent, envs = agent_of(CARTPOLE, memory=memory, attention=attention, tokens="feature")
    assert_complete(agent, envs)


@pytest.mark.parametrize(("memory", "attention"), [("gru", "self"), ("sarima", "none"), ("none", "none")])
def test_integrated_gradients_begin_at_the_mean_where_numbers_are_standardised(
    memory: str, attention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prices around 1,000 that vary by 1: from zeros on, nearly all of the way would be clipped."""
    monkeypatch.setattr(derived, "STEPS", 64)
    agent, _ = agent_of(CARTPOLE, memory=memory, attention=attention)
    network = agent.network
    mean, deviation = np.array([1000.0, -1000.0, 50.0, 0.0]), np.array([1.0, 2.0, 0.5, 1.0])
    network.encoder.standardised["observation"].set(mean, deviation)
    away = np.array([[1.0, -1.5, 0.3, 2.0]])
    seen, baseline = ({"observation": (mean + each * deviation).astype(np.float32)} for each in (away, 0 * away))
    state, previous = network.initial_state(1), (np.full(1, -1), np.zeros(1, np.float32))
    with torch.inference_mode():
        q, q_of_mean = (network(inputs_of(each, *previous, CPU), state)[0][0, 0, 1] for each in (seen, baseline))
    found = agent.saliency.of(seen, inputs_of(seen, *previous, CPU), state, 1)["saliency/integrated"]
    assert float(found.sum()) == pytest.approx(float(q - q_of_mean), rel=0.02, abs=2e-3)


def assert_complete(agent: LoadedAgent, envs: Any, steps: int = 2) -> None:
    network, action, reward = agent.network, np.full(1, -1), np.zeros(1, np.float32)
    parts = envs.reset([5])
    state = network.initial_state(1)
    with torch.inference_mode():
        for _ in range(steps):
            inputs = inputs_of(parts, action, reward, CPU)
            _, state = network(inputs, state)
            parts, *_ = envs.step(np.zeros(1, np.int64))
            action = np.zeros(1, np.int64)
        inputs = inputs_of(parts, action, reward, CPU)
        q, _ = network(inputs, state)
        encoder = network.encoder
        seen = {name: torch.from_numpy(values)[None] for name, values in parts.items()}
        texts = {part.name: seen[part.name] for part in agent.spaces.parts if part.kind == "text"}
        nothing = {
            part.name: torch.zeros_like(encoder.embedded(part.name, seen[part.name]))
            for part in agent.spaces.parts
            if part.kind != "text"
        }
        baseline, _ = network(type(inputs)({**texts, **nothing}, inputs.prev_action, inputs.prev_reward), state)
        found = agent.saliency.of(parts, inputs, state, 1)
    difference = float(q[0, 0, 1] - baseline[0, 0, 1])
    assert float(found["saliency/integrated"].sum()) == pytest.approx(difference, abs=0.02 * abs(difference) + 2e-3)
    assert found["saliency/gradient"].shape[2:] == agent.derivable[0].shape


class Shown(gymnasium.Env[Any, Any]):
    """Shows a sample of a space at every step."""

    def __init__(self, kind: str = "image") -> None:
        self.observation_space = {
            "image": gym_spaces.Box(0, 255, (9, 8, 3), np.uint8),
            "grid": gym_spaces.MultiDiscrete(np.full((5, 4), 3)),
            "discrete": gym_spaces.MultiDiscrete([3, 4]),
            "mixed": gym_spaces.Dict({"a": gym_spaces.Discrete(3), "b": gym_spaces.Box(-1, 1, (2,), np.float32)}),
        }[kind]
        self.action_space = gym_spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.observation_space.sample(), 1.0, False, False, {}


gymnasium.register("tests/Shown-v0", entry_point=Shown)


@pytest.mark.parametrize(
    ("kind", "tokens", "axes", "shape"),
    [
        ("image", "feature", ("row", "column"), (9, 8)),
        ("image", "one", ("row", "column"), (9, 8)),
        ("grid", "feature", ("row", "column"), (5, 4)),
        ("grid", "one", ("row", "column"), (5, 4)),
        ("discrete", "one", ("feature",), (2,)),
        ("mixed", "feature", ("feature",), (3,)),
    ],
)
def test_pictures_categories_and_mixtures_are_attributed(
    kind: str, tokens: str, axes: tuple[str, ...], shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "STEPS", 64)
    agent, envs = agent_of({"id": "tests/Shown-v0", "kwargs": {"kind": kind}}, tokens=tokens, memory="gru")
    assert [(view.axes, view.shape) for view in agent.derivable] == [(axes, shape)] * 2
    assert_complete(agent, envs)
