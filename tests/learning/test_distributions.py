"""Distributions of returns against slow loops written from the papers, and against numbers computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dqngui.config import ConfigError, LearnConfig
from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.learning.acting import inputs_of
from dqngui.learning.batches import Batch, OneStepBatch
from dqngui.learning.distributions import (
    CategoricalObjective,
    Objective,
    QuantileObjective,
    objective_of,
    project,
    quantile_huber,
)
from dqngui.learning.dqn import DQN
from dqngui.learning.replay import Replay
from dqngui.learning.targets import rescaled, unscaled
from dqngui.nets.heads import MEAN, Categorical, Quantiles
from dqngui.settings import experiment_from

GENERATOR = torch.Generator().manual_seed(0)


def slow_projection(shares: list[float], moved: list[float], reading: Categorical) -> list[float]:
    """Algorithm 1 of Bellemare et al. 2017, one atom at a time."""
    projected = [0.0] * reading.atoms
    for share, value in zip(shares, moved, strict=True):
        place = (min(max(value, reading.low), reading.high) - reading.low) / reading.gap
        below, above = int(np.floor(place)), int(np.ceil(place))
        if below == above:  # the paper's algorithm would lose it
            projected[below] += share
        else:
            projected[below] += share * (above - place)
            projected[above] += share * (place - below)
    return projected


def test_projection_is_the_papers() -> None:
    reading = Categorical(11, -1.0, 3.0)
    shares = torch.rand(4, 5, 11, generator=GENERATOR, dtype=torch.float64).softmax(-1)
    moved = torch.empty(4, 5, 11, dtype=torch.float64).uniform_(-3, 5, generator=GENERATOR)
    moved[0, 0] = reading.support(moved)
    fast = project(shares, moved, reading)
    for index in np.ndindex(4, 5):
        slow = slow_projection(shares[index].tolist(), moved[index].tolist(), reading)
        assert fast[index].tolist() == pytest.approx(slow, abs=1e-12)
    assert torch.allclose(fast.sum(-1), torch.ones((), dtype=torch.float64))
    assert torch.allclose(fast[0, 0], shares[0, 0])


def test_projection_by_hand() -> None:
    reading = Categorical(3, 0.0, 2.0)
    shares, moved = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.25, 1.0, 9.0])
    assert project(shares, moved, reading).tolist() == pytest.approx([0.375, 0.125 + 0.3, 0.2])


def test_a_nan_return_gives_a_nan_loss() -> None:
    reading = Categorical(3, 0.0, 2.0)
    assert project(torch.full((3,), 1 / 3), torch.full((3,), torch.nan), reading).isnan().any()


@pytest.mark.parametrize("kappa", [0.0, 0.5, 1.0])
def test_quantile_loss_is_the_papers(kappa: float) -> None:
    quantiles, wanted = (torch.randn(3, 2, n, generator=GENERATOR, dtype=torch.float64) for n in (5, 7))
    fast = quantile_huber(quantiles, wanted, Quantiles(5).midpoints(quantiles), kappa)
    for index in np.ndindex(3, 2):
        total = 0.0
        for i, theta in enumerate(quantiles[index].tolist()):
            for target in wanted[index].tolist():
                u = target - theta
                size = abs(u)
                if kappa:
                    size = (0.5 * u * u if abs(u) <= kappa else kappa * (abs(u) - 0.5 * kappa)) / kappa
                total += abs((i + 0.5) / 5 - (u < 0)) * size / 7
        assert float(fast[index]) == pytest.approx(total)


@pytest.mark.parametrize("kappa", [0.0, 0.5])
def test_the_gradient_of_the_quantile_loss_is_its_slope(kappa: float) -> None:
    quantiles, wanted = (torch.randn(4, n, generator=GENERATOR, dtype=torch.float64) for n in (5, 7))
    midpoints = Quantiles(5).midpoints(quantiles)
    assert torch.autograd.gradcheck(
        lambda theta: quantile_huber(theta, wanted, midpoints, kappa), quantiles.requires_grad_()
    )


def test_quantiles_converge_to_the_quantiles_of_the_returns() -> None:
    reading = Quantiles(4)
    returns = torch.arange(100, dtype=torch.float64)
    theta = torch.full((4,), 50.0, dtype=torch.float64, requires_grad=True)
    for _ in range(600):
        (gradient,) = torch.autograd.grad(quantile_huber(theta, returns, reading.midpoints(theta), 0.0), theta)
        with torch.no_grad():
            theta -= 2 * gradient
    assert theta.tolist() == pytest.approx([12.5, 37.5, 62.5, 87.5], abs=1.5)


def test_categorical_loss_is_a_divergence_with_the_gradient_of_the_cross_entropy() -> None:
    reading = Categorical(5, 0.0, 4.0)
    objective = CategoricalObjective(reading)
    logits = torch.randn(6, 2, 5, generator=GENERATOR, dtype=torch.float64, requires_grad=True)
    actions = torch.tensor([0, 1, 1, 0, 1, 0])
    returns = torch.rand(6, generator=GENERATOR, dtype=torch.float64)
    discount = torch.tensor([0.9, 0.0, 0.81, 0.9, 0.9, 0.0], dtype=torch.float64)
    later = objective.bootstrap(logits.detach().flip(0), None)
    losses, predicted, wanted = objective.losses(logits, actions, returns, discount, later, LearnConfig())
    chosen = logits[torch.arange(6), actions].softmax(-1)
    target = project(later, returns[:, None] + discount[:, None] * torch.arange(5.0), reading)
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert torch.allclose(gradient[torch.arange(6), actions], (chosen - target).detach())
    assert (losses > 0).all()
    assert torch.allclose(predicted, chosen.detach() @ torch.arange(5.0, dtype=torch.float64))
    assert wanted[[1, 5]].tolist() == pytest.approx(returns[[1, 5]].tolist())  # a terminated step is worth its reward
    same = torch.log(target[None, 0]).unsqueeze(1)
    none, _, _ = objective.losses(same, actions[:1], returns[:1], discount[:1], later[:1], LearnConfig())
    assert float(none.abs().max()) < 1e-12


@pytest.mark.parametrize("kind", ["categorical", "quantile"])
def test_double_takes_the_online_choice_and_the_target_distribution(kind: str) -> None:
    objective: Any = CategoricalObjective(Categorical(2, 0.0, 1.0)) if kind == "categorical" else None
    objective = objective or QuantileObjective(Quantiles(2))
    target, online = torch.tensor([[[0.0, 1.0], [3.0, 4.0]]]), torch.tensor([[[0.0, 9.0], [0.0, 1.0]]])
    wanted = target.softmax(-1) if kind == "categorical" else target
    better = int(objective.reading.values(target).argmax(-1))
    assert objective.bootstrap(target, None).equal(wanted[:, better])
    assert objective.bootstrap(target, online).equal(wanted[:, 0])


def test_rescaling_and_back() -> None:
    assert float(rescaled(torch.tensor(3.0))) == pytest.approx(1.003)
    assert float(rescaled(torch.tensor(-8.0))) == pytest.approx(-2.008)
    x = torch.cat([-torch.logspace(-4, 6, 200), torch.zeros(1), torch.logspace(-4, 6, 200)])
    assert torch.allclose(unscaled(rescaled(x)), x, rtol=1e-4, atol=1e-6)
    exact = x.double()
    e = 1e-3  # proposition A.2 of Pohlen et al. 2018 as it stands
    papers = exact.sign() * ((((1 + 4 * e * (exact.abs() + 1 + e)).sqrt() - 1) / (2 * e)) ** 2 - 1)
    assert torch.allclose(unscaled(exact), papers, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("reading", [MEAN, Categorical(201, -10.0, 10.0), Quantiles(1)])
def test_rescaled_targets(reading: Any) -> None:
    """h(3 + ½·h⁻¹(h(10))) = h(8)."""
    objective = objective_of(reading)
    learn = LearnConfig(rescale=True)
    h10, h8 = float(rescaled(torch.tensor(10.0))), float(rescaled(torch.tensor(8.0)))
    actions, returns, discount = torch.tensor([0]), torch.tensor([3.0]), torch.tensor([0.5])
    if isinstance(reading, Categorical):
        certain = -40 * (reading.support(returns) - h10).abs()
        estimate = certain.view(1, 1, -1)
    else:
        estimate = torch.full((1, 1) if reading is MEAN else (1, 1, 1), h10)
    later = objective.bootstrap(estimate, None)
    _, _, wanted = objective.losses(estimate, actions, returns, discount, later, learn)
    assert wanted.tolist() == pytest.approx([h8], abs=0.02)


# -- through the learner --------------------------------------------------------------------------

SPACES = Spaces(parts=(ObservationPart("x", "vector", (3,), "float32"),), actions=3)


def learner_of(**data: dict[str, Any]) -> tuple[DQN, Any]:
    net = {"attention": "none", "memory": "none", "tokens": "one", "width": 8, "atoms": 7, **data.get("net", {})}
    learn = {
        "window": 4,
        "burn_in": 0,
        "n_step": 2,
        "reward_scale": 1.0,
        "replay_capacity": 4096,
        **data.get("learn", {}),
    }
    experiment = experiment_from({"net": net, "learn": learn})
    return DQN(SPACES, experiment, torch.device("cpu"), torch.Generator().manual_seed(3)), experiment


def filled(learner: DQN, experiment: Any) -> Replay:
    """Episodes of 7 and 9 steps, ended by turns by termination and truncation."""
    numbers = np.random.default_rng(1)
    initial = [part.numpy() for part in learner.online.initial_state(1)]
    replay = Replay(
        SPACES,
        num_envs=2,
        capacity=400,
        generator=numbers,
        initial_state=initial if learner.context is None else None,
        stride=experiment.learn.state_stride,
        prioritized=experiment.learn.prioritized,
    )
    rule = learner.rule(experiment)
    for step in range(120):
        look = {"x": numbers.normal(size=(2, 3)).astype(np.float32)}
        states = [numbers.normal(size=(2, *part.shape[1:])).astype(np.float32) * 0.1 for part in initial]
        replay.add(look, numbers.integers(3, size=2), numbers.normal(size=2), states or None, rule)
        ended = np.flatnonzero((step + 1) % np.array([7, 9]) == 0)
        replay.end_episodes(ended, look, np.full(2, step % 2 == 0))
    return replay


def distribution(learner: DQN, estimate: Tensor, action: int) -> list[tuple[float, float]]:
    """(probability, return) of an action."""
    reading = learner.online.head.reading
    if isinstance(reading, Categorical):
        return list(zip(estimate[action].softmax(-1).tolist(), reading.support(estimate).tolist(), strict=True))
    return [(1 / reading.atoms, value) for value in estimate[action].tolist()]


def slow_loss(
    learner: DQN, estimate: Tensor, later: Tensor, choice: Tensor, actions: int, ret: float, g: float
) -> float:
    """The loss of one step, atom by atom."""
    reading: Any = learner.online.head.reading
    means = [sum(p * v for p, v in distribution(learner, choice, action)) for action in range(3)]
    target = [(p, ret + g * v) for p, v in distribution(learner, later, int(np.argmax(means)))]
    mine = distribution(learner, estimate, actions)
    if isinstance(reading, Categorical):
        wanted = slow_projection([p for p, _ in target], [v for _, v in target], reading)
        return sum(m * (np.log(m) - np.log(p)) for m, (p, _) in zip(wanted, mine, strict=True) if m > 0)
    total = 0.0
    for i, (_, theta) in enumerate(mine):
        for p, value in target:
            u = value - theta
            huber = 0.5 * u * u if abs(u) <= 1 else abs(u) - 0.5
            total += p * abs((i + 0.5) / reading.atoms - (u < 0)) * huber
    return total


@pytest.mark.parametrize("memory", ["none", "gru"])
@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("head", ["linear", "dueling"])
@pytest.mark.parametrize("values", ["categorical", "quantile"])
def test_an_update_on_windows_has_the_loss_of_a_slow_loop(values: str, head: str, double: bool, memory: str) -> None:
    learner, experiment = learner_of(
        net={"values": values, "head": head, "memory": memory, "v_min": -4.0, "v_max": 4.0}, learn={"double": double}
    )
    batch = filled(learner, experiment).sample(24, learner.rule(experiment), 0.9)
    assert isinstance(batch, Batch)
    assert 0 < batch.mask.sum() < batch.mask.size and (batch.discount[batch.mask] == 0).any()
    inputs = learner.network_inputs(batch.observation, batch.prev_action, batch.prev_reward)
    state = None if batch.state is None else tuple(torch.from_numpy(part) for part in batch.state)
    with torch.no_grad():
        learner.flat_target.values.mul_(1.1)
        online, target = (network.estimate(inputs, state)[0] for network in (learner.online, learner.target))
    total = 0.0
    for t, b in np.argwhere(batch.mask):
        row = batch.bootstrap_row[t, b]
        choice = (online if double else target)[row, b]
        number = (int(batch.action[t, b]), float(batch.returns[t, b]), float(batch.discount[t, b]))
        total += slow_loss(learner, online[t, b], target[row, b], choice, *number)
    stats, priorities = learner.update(batch, experiment)
    assert stats.loss == pytest.approx(total / batch.mask.sum(), rel=1e-4)
    assert stats.grad_norm > 0 and priorities is None


@pytest.mark.parametrize("values", ["categorical", "quantile"])
def test_single_steps_are_learned_like_windows_of_one_step(values: str) -> None:
    learner, experiment = learner_of(
        net={"values": values, "v_min": -4.0, "v_max": 4.0}, learn={"window": 1, "prioritized": True}
    )
    pairs = filled(learner, experiment).sample(16, learner.rule(experiment), 0.9)
    assert isinstance(pairs, OneStepBatch) and pairs.weights is not None
    with torch.no_grad():
        shown = (inputs_of(*part, learner.device) for part in (pairs.now, pairs.later))
        estimates = [learner.online.estimate(inputs, None)[0][0] for inputs in shown]
    losses = [
        slow_loss(
            learner, estimates[0][i], estimates[1][i], estimates[1][i],
            int(pairs.action[i]), float(pairs.returns[i]), float(pairs.discount[i]),
        )
        for i in range(16)
    ]  # fmt: skip
    (stats,), priorities = learner.update_one_steps(pairs, 1, experiment)
    assert stats.loss == pytest.approx(float(np.mean(losses * pairs.weights)), rel=1e-4)
    assert priorities == pytest.approx((np.array(losses) + 1e-6) ** 0.6, rel=1e-3)


def test_a_windows_priority_comes_from_its_losses() -> None:
    learner, experiment = learner_of(net={"values": "quantile"}, learn={"prioritized": True, "priority_alpha": 1.0})
    batch = filled(learner, experiment).sample(5, learner.rule(experiment), 0.9)
    assert isinstance(batch, Batch)
    estimate, bootstrap, _ = learner.unroll(batch, torch.from_numpy(batch.mask), experiment.learn)
    columns = (torch.from_numpy(each) for each in (batch.action, batch.returns, batch.discount))
    losses = learner.objective.losses(estimate, *columns, bootstrap, experiment.learn)[0].detach().numpy() * batch.mask
    _, priorities = learner.update(batch, experiment)
    expected = 0.9 * losses.max(0) + 0.1 * losses.sum(0) / batch.mask.sum(0)
    assert priorities == pytest.approx(expected + 1e-6, rel=1e-4)


def test_values_stay_plain_by_default() -> None:
    learner, _ = learner_of()
    assert type(learner.objective) is Objective
    assert learner.online.values(torch.ones(2, 3)).equal(torch.ones(2, 3))


def test_the_lowest_return_must_lie_below_the_highest() -> None:
    with pytest.raises(ConfigError, match=r"`net\.v_min`"):
        experiment_from({"net": {"values": "categorical", "v_min": 5.0, "v_max": 5.0}})
