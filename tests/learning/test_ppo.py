"""PPO against hand-computed numbers and a slow reference: advantages, losses, windows cut from a rollout."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dqngui.config import LearnConfig
from dqngui.envs.make import make_vector
from dqngui.jobs.training import Training
from dqngui.learning.acting import inputs_of
from dqngui.learning.on_policy import OnPolicy, sampled_actions
from dqngui.learning.ppo import PolicyStats, normalised, policy_losses, value_losses
from dqngui.learning.rollout import RolloutWindows, advantages
from dqngui.nets.actor_critic import ActorCritic
from dqngui.nets.initialise import build
from dqngui.nets.trunk import Inputs
from dqngui.settings import experiment_from

SMALL: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "num_envs": 3},
    "net": {"attention": "none", "memory": "gru", "width": 8, "tokens": "one", "standardise": False, "shortcut": False},
    "learn": {"algorithm": "ppo", "reward_scale": 0.1, "rollout": 24, "window": 5, "batch_size": 4, "epochs": 2},
    "run": {"device": "cpu", "eval_every": 0},
}


def training_of(net: dict[str, Any] | None = None, env: dict[str, Any] | None = None, **learn: Any) -> Training:
    data = {**SMALL, "net": {**SMALL["net"], **(net or {})}, "env": {**SMALL["env"], **(env or {})}}
    training = Training(experiment_from({**data, "learn": {**SMALL["learn"], **learn}}))
    training.begin()
    return training


def windows_of(training: Training, last_value: NDArray[np.float32] | None = None) -> RolloutWindows:
    algorithm = training.algorithm
    assert isinstance(algorithm, OnPolicy)
    value = np.zeros(len(training.envs), np.float32) if last_value is None else last_value
    return algorithm.store.windows(gamma=0.9, trace=0.8, unit=training.learner.policy.reward_unit, last_value=value)


def test_advantages_by_hand() -> None:
    """Two environments, γ = ½ and λ = ½: one runs on, one is truncated after its second step."""
    reward = np.array([[1, 1], [2, 2], [3, 3]], np.float32)
    value = np.array([[4, 4], [2, 2], [6, 6]], np.float32)
    ended = np.array([[False, False], [False, True], [False, False]])
    bootstrap_value = np.array([[0, 0], [0, 8], [0, 0]], np.float32)
    last_value = np.array([10, 10], np.float32)
    found = advantages(reward, value, ended, bootstrap_value, last_value, gamma=0.5, trace=0.5)
    # δ of the first: 1 + 1 − 4 = −2, 2 + 3 − 2 = 3, 3 + 5 − 6 = 2; of the second: −2, 2 + 4 − 2 = 4, 2.
    wanted = [[-2 + 0.25 * 3.5, -2 + 0.25 * 4], [3 + 0.25 * 2, 4], [2, 2]]
    np.testing.assert_allclose(found, wanted)
    bootstrap_value[1, 1] = 0  # as after a termination
    assert advantages(reward, value, ended, bootstrap_value, last_value, gamma=0.5, trace=0.5)[1, 1] == 0


@pytest.mark.parametrize("trace", [0.0, 0.7, 1.0])
def test_advantages_equal_the_sum_over_all_later_errors(trace: float) -> None:
    rng = np.random.default_rng(0)
    shape, gamma = (30, 4), 0.9
    reward, value, bootstrap_value = (rng.normal(size=shape).astype(np.float32) for _ in range(3))
    ended = rng.random(shape) < 0.15
    last_value = rng.normal(size=4).astype(np.float32)
    found = advantages(reward, value, ended, bootstrap_value, last_value, gamma=gamma, trace=trace)
    for n in range(4):
        for t in range(30):
            total, factor = 0.0, 1.0
            for later in range(t, 30):
                last = later == 29
                following = (
                    bootstrap_value[later, n] if ended[later, n] else last_value[n] if last else value[later + 1, n]
                )
                total += factor * float(reward[later, n] + gamma * following - value[later, n])
                factor *= gamma * trace
                if ended[later, n]:
                    break
            assert found[t, n] == pytest.approx(total, abs=1e-4)


def test_the_clipped_objective_by_hand() -> None:
    ratio = torch.tensor([1.5, 0.5, 1.5, 0.5, 1.1])
    advantage = torch.tensor([2.0, 2.0, -2.0, -2.0, 3.0])
    wanted = torch.tensor([-1.2 * 2, -0.5 * 2, 1.5 * 2, 0.8 * 2, -1.1 * 3])
    torch.testing.assert_close(policy_losses(ratio, advantage, 0.2), wanted)


def test_the_critics_loss_by_hand() -> None:
    value, old_value, returns = (
        torch.tensor([1.0, 1.0, 0.5]),
        torch.tensor([0.0, 0.9, 0.0]),
        torch.tensor([1.0, 3.0, 2.0]),
    )
    free = LearnConfig(loss="squared", clip=0.2)
    torch.testing.assert_close(value_losses(value, old_value, returns, free), torch.tensor([0.0, 2.0, 1.125]))
    kept = LearnConfig(loss="squared", clip=0.2, value_clip=True)  # within 0.2 of what it was: 0.2, 1.0, 0.2
    torch.testing.assert_close(value_losses(value, old_value, returns, kept), torch.tensor([0.32, 2.0, 1.62]))


def test_advantages_are_normalised_over_the_learned_steps_alone() -> None:
    advantage = torch.tensor([[1.0, 5.0], [3.0, 100.0]])
    mask = torch.tensor([[True, True], [True, False]])
    found = normalised(advantage, mask)
    torch.testing.assert_close(found[mask], torch.tensor([-2.0, 0.0, 2.0])[torch.tensor([0, 2, 1])] / 2)
    one = torch.tensor([[True, False], [False, False]])
    torch.testing.assert_close(normalised(advantage, one), advantage)


def test_actions_are_drawn_as_often_as_their_probabilities_say() -> None:
    log_probs = np.log(np.array([[0.1, 0.2, 0.7]] * 20_000 + [[0.0, 1.0, 0.0]] * 10, np.float32) + 1e-30)
    actions = sampled_actions(log_probs.astype(np.float32), np.random.default_rng(3))
    shares = np.bincount(actions[:20_000], minlength=3) / 20_000
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.7], atol=0.01)
    assert (actions[20_000:] == 1).all()


@pytest.mark.parametrize("memory", ["none", "gru", "transformer"])
def test_windows_hold_every_step_once_and_never_two_episodes(memory: str) -> None:
    options = {"length": 4} if memory == "transformer" else {}
    training = training_of({"memory": memory, "memory_options": options})
    context = {"none": 0, "gru": 0, "transformer": 3}[memory]
    recorded_rows: list[dict[str, Any]] = []
    for turn in range(2):
        for _ in range(24):
            before = {name: part.copy() for name, part in training.algorithm.actor.parts.items()}
            numbers = training.algorithm.actor.numbers.copy()
            training.act()
            recorded_rows.append({"parts": before, "episode": numbers})
        windows = windows_of(training)
        every = windows.minibatch(np.arange(len(windows)))
        seen = set()
        for b, (begin, stop, env) in enumerate(zip(windows.begin, windows.stop, windows.env, strict=True)):
            first = int(windows.first[b])
            offset = 24 * turn - min(context, 24) * turn  # of the rollout's rows in all that was told
            assert stop - begin <= 5
            for position in range(first, stop):
                row = recorded_rows[offset + position]
                shown = every.observation["observation"][position - first, b]
                np.testing.assert_array_equal(shown, row["parts"]["observation"][env])
                assert every.mask[position - first, b] == (position >= begin)
                assert row["episode"][env] == recorded_rows[offset + begin]["episode"][env]
                if position >= begin:
                    assert (position, env) not in seen
                    seen.add((position, env))
            assert not every.mask[stop - first :, b].any()
            known = (
                recorded_rows[offset + first]["episode"][env]
                == recorded_rows[offset + max(first - 1, -offset)]["episode"][env]
            )
            if begin - first < context and offset + first > 0:
                assert not known, "context reaches back as far as the episode and the memory do"
        assert len(seen) == 24 * 3
        assert isinstance(training.algorithm, OnPolicy)
        training.algorithm.store.clear()
    training.close()


@pytest.mark.parametrize("net", [{"memory": "lstm"}, {"memory": "transformer", "memory_options": {"length": 4}}, {}])
def test_windows_give_the_probabilities_and_values_that_acting_gave(net: dict[str, Any]) -> None:
    """Stored states and readable context: the network says of a window what it said step by step."""
    training = training_of(net)
    assert isinstance(training.algorithm, OnPolicy)
    for turn in range(2):
        for _ in range(24):
            training.act()
        windows = windows_of(training)
        batch = windows.minibatch(np.arange(len(windows))[::-1].copy())
        parts = {name: torch.from_numpy(part) for name, part in batch.observation.items()}
        state = None if batch.state is None else tuple(torch.from_numpy(part) for part in batch.state)
        inputs = Inputs(parts, torch.from_numpy(batch.prev_action), torch.from_numpy(batch.prev_reward))
        with torch.inference_mode():
            log_probs, value, _ = training.algorithm.learner.network.policy_and_value(inputs, state)
        chosen = log_probs.gather(-1, torch.from_numpy(batch.action).unsqueeze(-1)).squeeze(-1).numpy()
        np.testing.assert_allclose(chosen[batch.mask], batch.log_prob[batch.mask], atol=1e-5)
        np.testing.assert_allclose(value.numpy()[batch.mask], batch.value[batch.mask], atol=1e-5)
        assert int(batch.mask.sum()) == 24 * 3, turn
        training.algorithm.store.clear()
    training.close()


def test_a_truncated_episode_bootstraps_from_its_real_last_observation() -> None:
    training = training_of({"memory": "none"}, {"kwargs": {"max_episode_steps": 6}, "num_envs": 1})
    assert isinstance(training.algorithm, OnPolicy)
    network, envs = training.algorithm.learner.network, make_vector(training.experiment.env, 1)
    parts = envs.reset(training.algorithm.actor.seeds)
    for _ in range(6):
        training.act()
    rows = training.algorithm.store.rows
    for row in rows:
        parts, *_ = envs.step(row.action)
    assert rows[-1].ended[0] and not rows[-2].ended[0]
    with torch.inference_mode():
        inputs = inputs_of(parts, rows[-1].action, np.full(1, 0.1, np.float32), torch.device("cpu"))
        _, value, _ = network.policy_and_value(inputs, None)
    assert rows[-1].bootstrap_value[0] == pytest.approx(float(value), abs=1e-6)
    assert abs(float(value) - float(rows[-1].value[0])) > 1e-4, "the test could not tell it from another step's"
    training.close()
    envs.close()


def test_one_update_equals_the_loss_written_out() -> None:
    """Total loss and figures of one minibatch against sums over its steps."""
    training = training_of({"memory": "gru"}, loss="squared", entropy_weight=0.03, value_weight=0.7, clip=0.1)
    assert isinstance(training.algorithm, OnPolicy)
    for _ in range(24):
        training.act()
    network, learn = training.algorithm.learner.network, training.experiment.learn
    windows = windows_of(training, np.array([1.0, 2.0, 3.0], np.float32))
    batch = windows.minibatch(np.arange(6))
    with torch.no_grad():  # so that ratios are not all one
        network.policy.q.weight.add_(0.3 * torch.randn(network.policy.q.weight.shape, generator=_generator()))
        parts = {name: torch.from_numpy(part) for name, part in batch.observation.items()}
        assert batch.state is not None
        state = tuple(torch.from_numpy(part) for part in batch.state)
        inputs = Inputs(parts, torch.from_numpy(batch.prev_action), torch.from_numpy(batch.prev_reward))
        log_probs, values, _ = network.policy_and_value(inputs, state)
    places = [(int(t), int(b)) for t, b in zip(*np.nonzero(batch.mask), strict=True)]
    raw = np.array([batch.advantage[place] for place in places], np.float64)
    scaled = (raw - raw.mean()) / raw.std(ddof=1)
    sums = np.zeros(6)
    for place, advantage in zip(places, scaled, strict=True):
        p = log_probs[place].double().exp()
        change = math.log(p[batch.action[place]]) - float(batch.log_prob[place])
        ratio = math.exp(change)
        policy = -min(ratio * advantage, min(max(ratio, 0.9), 1.1) * advantage)
        off = float(values[place]) - float(batch.returns[place])
        entropy = -float((p * p.log()).sum())
        total = policy + 0.7 * 0.5 * off**2 - 0.03 * entropy
        sums += [total, policy, abs(off), entropy, ratio - 1 - change, abs(ratio - 1) > 0.1]
    found = training.algorithm.learner.update(batch, training.experiment, 0.5)
    wanted = sums / len(places)
    got = [found.loss, found.policy_loss, found.value_error, found.entropy, found.kl, found.clip_share]
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    assert found.explained == 0.5 and 0 < found.clip_share < 1 and learn.normalise_advantages
    training.close()


def test_the_policy_starts_nearly_uniform_and_gives_probabilities() -> None:
    training = training_of({"attention": "action", "tokens": "feature"})
    network = build(lambda: ActorCritic(training.spaces, training.experiment), _generator())
    inputs = inputs_of(training.envs.reset([1, 2, 3]), np.full(3, -1), np.zeros(3, np.float32), torch.device("cpu"))
    probabilities, _ = network(inputs, None)
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(1, 3))
    assert float((probabilities - 0.5).detach().abs().max()) < 0.05
    log_probs, _, _ = network.policy_and_value(inputs, None)
    torch.testing.assert_close(log_probs.exp(), probabilities)
    training.close()


def test_how_much_the_critic_explains() -> None:
    training = training_of()
    for _ in range(24):
        training.act()
    windows = windows_of(training)
    explained = windows.explained
    returns, value = (windows.columns[name].astype(np.float64) for name in ("returns", "value"))
    assert explained == pytest.approx(1 - (returns - value).var() / returns.var())
    windows.columns["returns"][:] = 1.0
    assert windows.explained is None
    training.close()


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def stats_of_a_rollout(target_kl: float) -> tuple[Training, list[PolicyStats]]:
    """The statistics of the updates of one rollout; the learning rate is so high that the policy moves far."""
    training = training_of(lr=0.03, epochs=10, target_kl=target_kl)
    made: list[PolicyStats] = []
    while not made:
        training.algorithm.act(training.present, training.counters, None)
        training.counters.step += len(training.envs)
        made = list(training.algorithm.learn(training.present, training.counters))  # type: ignore[arg-type]
    return training, made


def test_a_kl_divergence_above_the_limit_stops_the_remaining_epochs() -> None:
    _, whole = stats_of_a_rollout(0.0)
    limit = sorted(stats.kl for stats in whole)[len(whole) // 2]
    first_above = next(index for index, stats in enumerate(whole) if stats.kl > limit)
    training, stopped = stats_of_a_rollout(limit)
    assert 0 < first_above < len(whole) - 1
    assert [stats.kl for stats in stopped] == [stats.kl for stats in whole[: first_above + 1]]
    minibatches = len(whole) / 10
    assert stopped[-1].epochs == pytest.approx(len(stopped) / minibatches)
    assert all(stats.epochs is None for stats in (*stopped[:-1], *whole))
    algorithm = training.algorithm
    assert isinstance(algorithm, OnPolicy) and len(algorithm.store) == 0, "the next rollout begins"
    _, unlimited = stats_of_a_rollout(10.0)
    assert (len(unlimited), unlimited[-1].epochs) == (len(whole), 10.0)


def test_the_log_has_the_mean_number_of_epochs_of_its_rollouts() -> None:
    training = training_of(lr=0.03, epochs=10, target_kl=0.01)
    made: list[float] = []
    for _ in range(4 * 24):
        training.act()
        before = training.counters.sums.get("epochs", 0.0)
        if training.learn():
            made.append(training.counters.sums["epochs"] - before)
    assert len(made) == 4 and training.counters.counts["epochs"] == 4
    assert training.counters.counts["kl"] == training.counters.rows > 4
    assert min(made) < 10
