"""Learning does not depend on the units of rewards and observations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from dqngui.hosts import run_inline
from dqngui.jobs.training import Training
from dqngui.learning.acting import inputs_of
from dqngui.learning.evaluation import evaluated
from dqngui.learning.exploration import Exploration
from dqngui.learning.scaling import LARGEST_RETURN, ReturnMoments, discounted
from dqngui.messages import EpisodeEnded, Event, Learned, Request, without_clock
from dqngui.settings import experiment_from, with_settings

SMALL: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "num_envs": 4},
    "net": {"attention": "none", "tokens": "one", "memory": "gru", "width": 16},
    "learn": {"window": 8, "burn_in": 2, "batch_size": 8, "warmup": 200, "update_every": 16, "replay_capacity": 4000},
    "run": {"device": "cpu", "eval_every": 0, "total_steps": 1000, "log_every": 200},
}
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "mean": {},
    "no memory": {"net": {"memory": "none", "values": "mean"}, "learn": {"window": 1, "burn_in": 0}},
    "quantile": {"net": {"values": "quantile", "atoms": 11}},
    "categorical": {"net": {"values": "categorical", "atoms": 21}},
    "dueling": {"net": {"head": "dueling"}},
    "prioritised": {"learn": {"prioritized": True}},
    "ppo": {"learn": {"algorithm": "ppo", "rollout": 32, "epsilon": {"start": 1.0, "end": 0.1, "steps": 800}}},
}


def experiment(kind: str, factor: float = 1.0, **run: Any) -> Any:
    data = {section: {**SMALL[section], **KINDS[kind].get(section, {})} for section in SMALL}
    if factor != 1.0:
        data["env"]["wrappers"] = [{"name": "reward_scale", "options": {"factor": factor}}]
    data["run"] |= run
    return experiment_from(data)


@cache
def trained(kind: str, factor: float) -> list[Event]:
    return list(run_inline(Request(job="train", experiment=experiment(kind, factor))))


@pytest.mark.parametrize(
    ("kind", "factor"),
    [
        pytest.param(kind, factor, id=f"{kind}-{factor}", marks=() if kind == "mean" or quick else pytest.mark.slow)
        for number, kind in enumerate(KINDS)
        for factor, quick in ((0.01, number % 2), (100.0, not number % 2))  # each kind with one of the two
    ],
)
def test_rewards_in_another_unit_train_the_same_agent(kind: str, factor: float) -> None:
    """Episode by episode: the actions were the same. Values are in the unit of the rewards."""
    own, other = (trained(kind, each) for each in (1.0, factor))
    lengths = [[(e.step, e.env, e.length) for e in events if isinstance(e, EpisodeEnded)] for events in (own, other)]
    assert lengths[0] == lengths[1] and len(lengths[0]) > 20
    rows = [[e for e in events if isinstance(e, Learned)] for events in (own, other)]
    assert rows[0] and [row.loss for row in rows[0]] == [row.loss for row in rows[1]]
    if kind != "ppo":
        for mine, theirs in zip(*rows, strict=True):
            assert theirs.q_mean == pytest.approx(mine.q_mean * factor, rel=1e-6)
            assert theirs.td_error == pytest.approx(mine.td_error * factor, rel=1e-6)


@pytest.mark.parametrize("kind", ["mean", "dueling", "quantile", "no memory"])
def test_a_change_of_the_unit_leaves_all_values_as_they_were(kind: str) -> None:
    training = Training(experiment(kind))
    network = training.learner.policy
    inputs = training.algorithm.learner.network_inputs(  # type: ignore[attr-defined]
        {part.name: np.ones((1, 3, *part.shape), part.dtype) for part in training.spaces.parts},
        np.zeros((1, 3), np.int64),
        np.zeros((1, 3)),
    )
    with torch.no_grad():
        before, _ = network(inputs, None)
        network.reward_unit.unit = 7.0
        network.divide_values(7.0)
        after, _ = network(inputs, None)
    training.close()
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
def test_the_spread_of_returns_is_that_of_all_steps(gamma: float) -> None:
    numbers = np.random.default_rng(0)
    moments = ReturnMoments(2)
    episodes: list[list[float]] = [[], []]
    returns: list[float] = []
    for _ in range(300):
        reward, ended = numbers.normal(1.0, 2.0, 2), numbers.random(2) < 0.1
        moments.observe(reward, ended, gamma)
        for env in range(2):
            episodes[env].append(reward[env])
            if ended[env]:
                returns += discounted(episodes[env], gamma).tolist()
                episodes[env] = []
    returns += [each for rewards in episodes if rewards for each in discounted(rewards, gamma)]
    spread, largest = moments.measured(gamma)
    assert spread == pytest.approx(np.hypot(np.std(returns), 0.1 * np.mean(returns)))
    assert largest == pytest.approx(np.abs(returns).max())


def test_no_reward_is_more_than_ten_units() -> None:
    """One reward among thousands of steps would make a tiny spread."""
    training = Training(experiment("mean"))
    scaling = training.algorithm.scaling
    assert scaling.returns is not None
    for step in range(2000):
        scaling.returns.observe(np.full(4, float(step == 1500) * 3), np.full(4, step % 10 == 0), 0.99)
    scaling.seen = 2000
    scaling.set_units(0.99)
    assert 3 / training.learner.policy.reward_unit.unit <= LARGEST_RETURN * 1.0001
    training.close()


def test_observations_in_another_unit_are_the_same_to_the_network() -> None:
    training = Training(experiment("mean"))
    (standardise,) = training.learner.policy.encoder.standardised.values()
    x = np.random.default_rng(1).normal(2, 3, (500, 4)).astype(np.float32)
    x[:, 3] = 5.0  # never varies
    seen = []
    for factor, shift in ((1.0, 0.0), (1000.0, 50.0)):
        (numbers,) = training.algorithm.scaling.numbers
        fresh = type(numbers)(training.spaces.parts[0])
        shown = (x.astype(np.float64) * factor + shift).astype(np.float32)
        for rows in np.split(shown, 50):
            fresh.observe(rows)
        measured = fresh.measured()
        assert measured is not None
        standardise.set(*measured)
        seen.append(standardise(torch.from_numpy(shown)))
    training.close()
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-3, atol=1e-4)
    assert seen[0][:, 3].abs().max() == 0 and seen[0][:, :3].std() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("longest", [1, 10, 100])
def test_the_share_of_random_actions_is_epsilon(longest: int, power: float) -> None:
    exploration = Exploration(200, 1_000_000, longest, np.random.default_rng(0), power)
    greedy = np.full(200, -1)
    random = np.mean([exploration.replace(greedy, np.full(200, 0.2)) >= 0 for _ in range(3000)])
    assert random == pytest.approx(0.2, abs=0.01)
    exploration.restart(np.ones(200, bool))
    assert (exploration.replace(greedy, np.zeros(200)) == -1).all()


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_the_lengths_of_repetitions_follow_their_power(power: float) -> None:
    exploration = Exploration(2_000, 1_000_000, 8, np.random.default_rng(0), power)
    taken = np.array([exploration.replace(np.zeros(2_000, np.int64), np.ones(2_000)) for _ in range(400)])
    lengths: list[int] = []
    for column in taken.T:
        ends = np.flatnonzero(np.diff(column)) + 1
        lengths += np.diff(ends).tolist()  # between changes, so that the first and last are whole
    shares = 1 / np.arange(1, 9) ** power
    counted = np.bincount(lengths, minlength=9)[1:9] / len(lengths)
    np.testing.assert_allclose(counted, shares / shares.sum(), atol=0.01)


def scaled_cartpole(factor: float) -> gymnasium.Env[Any, Any]:
    """CartPole with observations multiplied by a factor."""
    env = gymnasium.make("CartPole-v1")
    space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    return gymnasium.wrappers.TransformObservation(env, lambda seen: np.float32(factor) * seen, space)


@pytest.fixture
def scaled() -> Iterator[str]:
    gymnasium.register("ScaledCartPole-v0", scaled_cartpole)
    yield "ScaledCartPole-v0"
    gymnasium.registry.pop("ScaledCartPole-v0")


@pytest.mark.parametrize(("kind", "factor"), [("mean", 2.0**-12), ("mean", 2.0**12), ("ppo", 2.0**12)])
def test_observations_in_another_unit_train_the_same_agent_from_the_first_step(
    scaled: str, kind: str, factor: float
) -> None:
    """Bit for bit, because the factor is a power of two: a memory's states before the first units too."""
    rows = []
    for each in (1.0, factor):
        changes = {"env.id": scaled, "env.kwargs": {"factor": each}, "run.total_steps": 800}
        events = run_inline(Request(job="train", experiment=with_settings(experiment(kind), changes)))
        rows.append([without_clock(event) for event in events if isinstance(event, (EpisodeEnded, Learned))])
    assert rows[0] == rows[1] and len(rows[0]) > 20


def test_nothing_but_rare_outliers_is_clipped_before_the_first_units_are_set() -> None:
    training = Training(experiment("mean"))
    scaling = training.algorithm.scaling
    (standardise,) = training.learner.policy.encoder.standardised.values()
    numbers = np.random.default_rng(0)
    for _ in range(25):  # up to 100 rows
        shown = (numbers.standard_normal((4, 4)) * 1e5 + 1e6).astype(np.float32)
        scaling.observe({training.spaces.parts[0].name: shown})
        mean, deviation = standardise.measured()
        torch.testing.assert_close(standardise(torch.from_numpy(shown)), torch.from_numpy((shown - mean) / deviation))
    training.close()


def test_units_of_another_run_stay_until_new_ones_are_measured() -> None:
    training = Training(experiment("mean"))
    scaling, name = training.algorithm.scaling, training.spaces.parts[0].name
    units = {f"{name}.mean": np.full(4, 3.0), f"{name}.deviation": np.full(4, 2.0)}
    scaling.take_over(units)
    scaling.observe({name: np.ones((4, 4), np.float32)})
    (standardise,) = training.learner.policy.encoder.standardised.values()
    assert [each.tolist() for each in standardise.measured()] == [[3.0] * 4, [2.0] * 4]
    training.close()


def test_the_greedy_action_is_that_of_the_learned_values_where_shown_ones_are_equal() -> None:
    """A product with the unit is rounded: two values that differ can become equal, of which the first is no choice."""
    training = Training(experiment("no memory"))
    training.begin()
    actor, envs = training.algorithm.actor, training.algorithm.envs
    network = actor.network
    low = torch.tensor(0.7)
    values = torch.stack([low, torch.nextafter(low, torch.tensor(1.0))])
    units = np.random.default_rng(0).uniform(0.5, 2.0, 1000)
    unit = next(unit for unit in units if len((values * unit).unique()) == 1)
    with torch.no_grad():
        for parameter in network.head.parameters():
            parameter.copy_(values if parameter.shape == (2,) else torch.zeros_like(parameter))
    network.reward_unit.unit = unit
    q, _ = network(inputs_of(actor.parts, actor.prev_action, np.zeros(4, np.float32), torch.device("cpu")), None)
    assert (q[..., 0] == q[..., 1]).all()
    assert (actor.step(np.zeros(4), None).action == 1).all()
    lengths = evaluated(network, envs, [7], device=torch.device("cpu")).lengths
    assert lengths[0] <= 11, "always to the right, the pole falls at once"
    training.close()
