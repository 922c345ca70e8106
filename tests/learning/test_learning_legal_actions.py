"""Legal actions in learning: targets computed by hand, exploration, policies, and what a replay keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.jobs.training import Training
from dqngui.learning.batches import Batch, OneStepBatch
from dqngui.learning.distributions import CategoricalObjective, Objective, QuantileObjective
from dqngui.learning.dqn import DQN
from dqngui.learning.exploration import Exploration
from dqngui.learning.on_policy import OnPolicy, sampled_actions
from dqngui.learning.ppo import PPO, entropies
from dqngui.learning.replay import Replay
from dqngui.learning.rollout import Minibatch
from dqngui.learning.targets import bootstrap_value
from dqngui.nets.choices import OneChoice
from dqngui.nets.heads import MEAN, Categorical, Quantiles
from dqngui.nets.legal import only_legal
from dqngui.nets.trunk import Inputs
from dqngui.settings import experiment_from
from tests.envs import fenced  # noqa: F401  # registers the environment

LEGAL = torch.tensor([[True, False, True], [False, True, False]])

# -- targets by hand -------------------------------------------------------------------------------


def test_the_greedy_action_is_legal() -> None:
    q = torch.tensor([[1.0, 9.0, 2.0], [7.0, -5.0, 8.0]])
    assert OneChoice().greedy(only_legal(q, LEGAL)).tolist() == [2, 1]
    assert OneChoice().greedy(only_legal(q, LEGAL.numpy())).tolist() == [2, 1]
    assert OneChoice().greedy(only_legal(q, None)).tolist() == [1, 2]
    assert only_legal(q, None) is q


def test_values_by_hand() -> None:
    target = torch.tensor([[1.0, 9.0, 2.0], [7.0, -5.0, 8.0]])
    online = torch.tensor([[3.0, 8.0, 0.0], [1.0, 0.0, 2.0]])
    for objective in (Objective(MEAN).bootstrap, bootstrap_value):
        assert objective(target, None, LEGAL).tolist() == [2.0, -5.0]
        assert objective(target, online, LEGAL).tolist() == [1.0, -5.0]  # the online network's best legal action is 0
        assert objective(target, online, None).tolist() == [9.0, 8.0]


def test_categorical_distributions_by_hand() -> None:
    objective = CategoricalObjective(Categorical(2, 0.0, 1.0))
    share = torch.tensor([[0.2, 0.9, 0.4], [0.8, 0.1, 0.7]])  # probability of the return 1, which is the value
    estimate = torch.stack([(1 - share).log(), share.log()], dim=-1)
    assert objective.bootstrap(estimate, None, LEGAL)[:, 1].tolist() == pytest.approx([0.4, 0.1])
    choosing = torch.stack([torch.zeros(2, 3), torch.tensor([[2.0, 3.0, 1.0], [3.0, 1.0, 2.0]])], dim=-1)
    assert objective.bootstrap(estimate, choosing, LEGAL)[:, 1].tolist() == pytest.approx([0.2, 0.1])


def test_quantiles_by_hand() -> None:
    objective = QuantileObjective(Quantiles(2))
    estimate = torch.tensor([[[0.0, 2.0], [8.0, 9.0], [1.0, 3.0]], [[7.0, 8.0], [-1.0, 1.0], [6.0, 7.0]]])
    assert objective.bootstrap(estimate, None, LEGAL).tolist() == [[1.0, 3.0], [-1.0, 1.0]]
    online = torch.tensor([[[5.0, 5.0], [8.0, 9.0], [1.0, 3.0]], [[7.0, 8.0], [0.0, 0.0], [6.0, 7.0]]])
    assert objective.bootstrap(estimate, online, LEGAL).tolist() == [[0.0, 2.0], [-1.0, 1.0]]


def test_a_policys_probabilities_and_entropy_by_hand() -> None:
    """Logits 0, 5 and ln 3 with the middle one illegal: probabilities ¼, 0 and ¾."""
    logits = torch.tensor([[0.0, 5.0, np.log(3.0)], [4.0, 1.0, 2.0]], dtype=torch.float32, requires_grad=True)
    log_probs = only_legal(logits, LEGAL).log_softmax(-1)
    np.testing.assert_allclose(log_probs.detach().exp().numpy(), [[0.25, 0, 0.75], [0, 1, 0]], rtol=1e-6)
    entropy = entropies(log_probs, illegal=True)
    assert entropy.tolist() == pytest.approx([-0.25 * np.log(0.25) - 0.75 * np.log(0.75), 0.0])
    (slope,) = torch.autograd.grad(entropy.sum(), logits)
    # dH/dz_i = −p_i (log p_i + H)
    wanted = [-p * (np.log(p) + float(entropy[0].detach())) for p in (0.25, 0.75)]
    assert slope[0].tolist() == pytest.approx([wanted[0], 0.0, wanted[1]], abs=1e-6)
    assert slope[1].tolist() == [0.0, 0.0, 0.0]


class Thresholds:
    """A generator whose numbers are given."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self, count: int) -> NDArray[np.float64]:
        return np.full(count, self.value)


@pytest.mark.parametrize("number", [0.0, 0.3, np.nextafter(1.0, 0.0)])
def test_no_number_samples_an_illegal_action(number: float) -> None:
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array([[0, 0.5, 0.5, 0], [0.1, 0, 0, 0.9], [0, 0, 1, 0]], np.float32))
    actions = sampled_actions(log_probs, Thresholds(number))  # type: ignore[arg-type]
    assert np.isfinite(log_probs[np.arange(3), actions]).all()


# -- exploration -----------------------------------------------------------------------------------


@pytest.mark.parametrize("longest", [1, 6])
@pytest.mark.parametrize("epsilon", [0.3, 1.0])
def test_explored_actions_are_legal_and_have_their_share(longest: int, epsilon: float) -> None:
    """The greedy action is 5 and always legal, so whatever else is taken was random; of k legal actions it is one."""
    generator, steps, count = np.random.default_rng(0), 3000, 4
    exploration = Exploration(count, 6, longest, np.random.default_rng(1))
    others, wanted = 0, 0.0
    for _ in range(steps):
        legal = generator.random((count, 6)) < 0.5
        legal[:, 5] = True
        actions = exploration.replace(np.full(count, 5), np.full(count, epsilon), legal)
        assert legal[np.arange(count), actions].all()
        others += int((actions != 5).sum())
        wanted += float((epsilon * (1 - 1 / legal.sum(1))).sum())
    if longest == 1:
        assert others == pytest.approx(wanted, rel=0.05)
    else:  # a held action is drawn again only where it is not legal, so 5, which always is, is held more often
        assert 0.6 * wanted < others < wanted


def test_a_held_action_goes_on_as_long_as_it_is_legal() -> None:
    exploration = Exploration(1, 3, 50, np.random.default_rng(2), power=0.0)
    everything, one = np.ones((1, 3), bool), np.ones(1)
    held = int(exploration.replace(np.zeros(1, np.int64), one, everything)[0])
    assert int(exploration.replace(np.zeros(1, np.int64), one, everything)[0]) == held
    without = everything.copy()
    without[0, held] = False
    other = int(exploration.replace(np.zeros(1, np.int64), one, without)[0])
    assert other != held
    assert int(exploration.replace(np.zeros(1, np.int64), one, everything)[0]) == other


# -- replay and updates ----------------------------------------------------------------------------

SPACES = Spaces(parts=(ObservationPart("x", "vector", (3,), "float32"),), actions=3)


def legal_of(seen: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The masks (…, 3) of the observations of `filled`: the largest number's action is legal, and those above 0."""
    return np.asarray((seen > 0) | (seen == seen.max(-1, keepdims=True)))


def learner_of(**data: dict[str, Any]) -> tuple[DQN, Any]:
    net = {"attention": "none", "memory": "none", "tokens": "one", "width": 8, "atoms": 9, "v_min": -50, "v_max": 50}
    learn = {"window": 4, "burn_in": 0, "n_step": 2, "reward_scale": 1.0, "replay_capacity": 4096}
    experiment = experiment_from({"net": {**net, **data.get("net", {})}, "learn": {**learn, **data.get("learn", {})}})
    return DQN(SPACES, experiment, torch.device("cpu"), torch.Generator().manual_seed(3)), experiment


def replay_of(learner: DQN, experiment: Any, capacity: int = 100) -> Replay:
    initial = [part.numpy() for part in learner.online.initial_state(1)]
    return Replay(
        SPACES,
        num_envs=2,
        capacity=capacity,
        generator=np.random.default_rng(1),
        initial_state=initial if learner.context is None else None,
        stride=experiment.learn.state_stride,
        prioritized=experiment.learn.prioritized,
    )


def fill(replay: Replay, learner: DQN, experiment: Any, silent: int = 0) -> None:
    """Episodes of 7 and 9 steps, ended by turns by termination and truncation; the first `silent` steps tell none."""
    numbers, initial = np.random.default_rng(1), replay.initial_state
    rule = learner.rule(experiment)
    for step in range(90):
        look = {"x": numbers.normal(size=(2, 3)).astype(np.float32)}
        legal = legal_of(look["x"]) if step >= silent else None
        states = [numbers.normal(size=(2, *part.shape[1:])).astype(np.float32) for part in initial or ()]
        replay.add(look, numbers.integers(3, size=2), numbers.normal(size=2), states or None, rule, legal)
        ended = np.flatnonzero((step + 1) % np.array([7, 9]) == 0)
        last = {"x": numbers.normal(size=(2, 3)).astype(np.float32)}
        replay.end_episodes(ended, last, np.full(2, step % 2 == 0), legal_of(last["x"]))


KINDS = ("mean", "categorical", "quantile")


def means(learner: DQN, estimate: torch.Tensor) -> NDArray[np.float64]:
    """Action values by hand: of logits their expectation, of quantiles their mean."""
    reading = learner.online.head.reading
    if isinstance(reading, Categorical):
        support = np.linspace(reading.low, reading.high, reading.atoms)
        return np.asarray((estimate.softmax(-1).double().numpy() * support).sum(-1))
    return np.asarray(estimate.double().numpy() if reading is MEAN else estimate.double().numpy().mean(-1))


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("target", ["soft", "hard"])
@pytest.mark.parametrize("values", KINDS)
def test_an_update_on_single_steps_bootstraps_from_legal_actions(values: str, target: str, double: bool) -> None:
    learner, experiment = learner_of(
        net={"values": values}, learn={"window": 1, "double": double, "target": target, "n_step": 3}
    )
    replay = replay_of(learner, experiment)
    fill(replay, learner, experiment)
    batch = replay.sample(40, learner.rule(experiment), 0.9)
    assert isinstance(batch, OneStepBatch) and batch.later_legal is not None
    assert batch.later_legal.tolist() == legal_of(batch.later[0]["x"]).tolist()
    with torch.no_grad():
        learner.flat_target.values.mul_(-1.3)
        now, later = (learner.network_inputs(*part) for part in (batch.now, batch.later))
        unsqueezed = [type(each)({"x": each.observation["x"][None]}, each.prev_action[None], each.prev_reward[None])
                      for each in (now, later)]  # fmt: skip
        mine = means(learner, learner.online.estimate(unsqueezed[0], None)[0][0])
        online, behind = (
            means(learner, each.estimate(unsqueezed[1], None)[0][0]) for each in (learner.online, learner.target)
        )
    errors, differs = [], 0
    for row in range(40):
        legal = np.flatnonzero(batch.later_legal[row])
        choice = legal[(online if double else behind)[row, legal].argmax()]
        differs += choice != (online if double else behind)[row].argmax()
        wanted = batch.returns[row] + batch.discount[row] * behind[row, choice]
        errors.append(abs(mine[row, batch.action[row]] - wanted))
    assert differs > 5  # the test can tell
    (stats,), _ = learner.update_one_steps(batch, 1, experiment)
    assert stats.td_error == pytest.approx(np.mean(errors), rel=1e-3)


@pytest.mark.parametrize("memory", ["none", "gru", "transformer"])
@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("values", KINDS)
def test_an_update_on_windows_bootstraps_from_legal_actions(values: str, double: bool, memory: str) -> None:
    learner, experiment = learner_of(net={"values": values, "memory": memory}, learn={"double": double})
    replay = replay_of(learner, experiment)
    fill(replay, learner, experiment)
    batch = replay.sample(24, learner.rule(experiment), 0.9)
    assert isinstance(batch, Batch) and batch.legal is not None
    assert batch.legal.tolist() == legal_of(batch.observation["x"]).tolist()
    inputs = learner.network_inputs(batch.observation, batch.prev_action, batch.prev_reward)
    state = None if batch.state is None else tuple(torch.from_numpy(part) for part in batch.state)
    with torch.no_grad():
        learner.flat_target.values.mul_(-1.3)
        online, behind = (means(learner, each.estimate(inputs, state)[0]) for each in (learner.online, learner.target))
    errors = []
    for t, b in np.argwhere(batch.mask):
        row = batch.bootstrap_row[t, b]
        legal = np.flatnonzero(batch.legal[row, b])
        choice = legal[(online if double else behind)[row, b, legal].argmax()]
        wanted = batch.returns[t, b] + batch.discount[t, b] * behind[row, b, choice]
        errors.append(abs(online[t, b, batch.action[t, b]] - wanted))
    stats, _ = learner.update(batch, experiment)
    assert stats.td_error == pytest.approx(np.mean(errors), rel=1e-3)


def test_a_replay_keeps_the_mask_of_a_truncated_episodes_last_observation() -> None:
    """So does the bootstrap of its last step, which comes from there."""
    learner, experiment = learner_of(learn={"window": 1, "n_step": 1})
    replay, mask = replay_of(learner, experiment), np.array([[True, False, False], [False, True, True]])
    seen = {"x": np.zeros((2, 3), np.float32)}
    replay.add(seen, np.zeros(2, np.int64), np.zeros(2), legal=np.ones((2, 3), bool))
    replay.end_episodes(np.arange(2), seen, np.ones(2, bool), mask)
    batch = replay.sample(30, learner.rule(experiment), 0.9)
    assert isinstance(batch, OneStepBatch) and batch.later_legal is not None
    assert {tuple(row) for row in batch.later_legal.tolist()} == {tuple(row) for row in mask.tolist()}
    assert (batch.discount == np.float32(0.9)).all()


def test_steps_before_the_first_mask_allow_everything() -> None:
    learner, experiment = learner_of(learn={"window": 1})
    replay = replay_of(learner, experiment, capacity=400)
    fill(replay, learner, experiment, silent=20)
    kept = replay.legal.at(np.arange(15))
    assert kept is not None
    last = np.arange(7, 15, 8)  # of the first episode, which tells
    assert np.delete(kept, last, axis=0).all()
    batch = replay.sample(200, learner.rule(experiment), 0.9)
    assert isinstance(batch, OneStepBatch) and batch.later_legal is not None
    assert 0.4 < batch.later_legal.mean() < 0.95


@pytest.mark.parametrize("told", [True, False])
def test_a_replay_is_restored_with_its_masks_and_saves_none_without_them(told: bool) -> None:
    learner, experiment = learner_of()
    replay = replay_of(learner, experiment)
    if told:
        fill(replay, learner, experiment)
    else:
        replay.add({"x": np.zeros((2, 3), np.float32)}, np.zeros(2, np.int64), np.zeros(2))
    saved = {name: array.copy() for name, array in replay.arrays().items()}
    assert ("legal" in saved) == told
    other = replay_of(learner, experiment)
    other.restore(saved)
    assert {name: array.tobytes() for name, array in other.arrays().items()} == {
        name: array.tobytes() for name, array in saved.items()
    }


def test_masks_of_another_shape_are_refused_and_not_broadcast() -> None:
    learner, experiment = learner_of()
    replay = replay_of(learner, experiment)
    fill(replay, learner, experiment)
    saved = replay.arrays()
    for wrong in (saved["legal"][:1], saved["legal"].astype(np.int64), np.concatenate([saved["legal"]] * 2, axis=1)):
        with pytest.raises(ValueError, match="legal actions"):
            replay_of(learner, experiment).restore({**saved, "legal": wrong})


def test_acting_stores_the_mask_of_every_observation_the_last_ones_included() -> None:
    """The environment's observation is its mask; episodes are truncated after five steps."""
    training = Training(
        experiment_from(
            {
                "env": {"id": "tests/Fenced-v0", "num_envs": 3, "kwargs": {"length": 5}},
                "net": {"attention": "none", "memory": "none", "width": 8, "tokens": "one", "standardise": False},
                "learn": {"window": 1, "burn_in": 0, "warmup": 1000, "replay_capacity": 300, "epsilon": 0.3},
                "run": {"device": "cpu", "eval_every": 0},
            }
        )
    )
    training.begin()
    for _ in range(40):
        training.act()
    replay: Any = training.algorithm.store
    rows = np.concatenate([offset + np.arange(head) for offset, head in zip(replay.offset, replay.head, strict=True)])
    assert len(rows) > 120  # with the last observations
    assert replay.legal.at(rows).tolist() == (replay.observation["observation"][rows] > 0).tolist()
    training.close()


# -- PPO -------------------------------------------------------------------------------------------


def test_ppo_updates_with_the_masks_that_the_policy_acted_with() -> None:
    """A minibatch of four steps against losses computed by hand from the network's logits."""
    experiment = experiment_from(
        {
            "net": {"attention": "none", "memory": "none", "tokens": "one", "width": 8, "standardise": False},
            "learn": {"algorithm": "ppo", "normalise_advantages": False, "value_weight": 0.0, "entropy_weight": 0.1,
                      "clip": 0.2},
        }
    )  # fmt: skip
    learner = PPO(SPACES, experiment, torch.device("cpu"), torch.Generator().manual_seed(0))
    with torch.no_grad():
        learner.network.policy.q.weight.mul_(200)  # the first policy is nearly even
    numbers = np.random.default_rng(0)
    seen = numbers.normal(size=(1, 4, 3)).astype(np.float32)
    legal = legal_of(seen)
    action = np.array([[row.argmax() for row in legal[0]]])
    batch = Minibatch(
        observation={"x": seen}, prev_action=np.full((1, 4), -1), prev_reward=np.zeros((1, 4), np.float32),
        action=action, log_prob=np.full((1, 4), -0.9, np.float32), value=np.zeros((1, 4), np.float32),
        advantage=np.array([[1.0, -2.0, 0.5, 3.0]], np.float32), returns=np.zeros((1, 4), np.float32),
        mask=np.ones((1, 4), bool), state=None, legal=legal,
    )  # fmt: skip
    inputs = learner_inputs(seen)
    with torch.no_grad():
        logits = learner.network.preferences(inputs, None)[0][0].double().numpy()
    policy_losses, entropy = [], []
    for row in range(4):
        power = np.exp(logits[row]) * legal[0, row]
        p = power / power.sum()
        ratio, advantage = p[action[0, row]] / np.exp(-0.9), float(batch.advantage[0, row])
        policy_losses.append(-min(ratio * advantage, float(np.clip(ratio, 0.8, 1.2)) * advantage))
        entropy.append(-sum(each * np.log(each) for each in p if each > 0))
    stats = learner.update(batch, experiment)
    assert stats.policy_loss == pytest.approx(np.mean(policy_losses), rel=1e-4)
    assert stats.entropy == pytest.approx(np.mean(entropy), rel=1e-4)
    assert stats.loss == pytest.approx(np.mean(policy_losses) - 0.1 * np.mean(entropy), rel=1e-4)
    assert np.isfinite(stats.grad_norm) and stats.grad_norm > 0


def learner_inputs(seen: NDArray[np.float32]) -> Any:
    count = seen.shape[1]
    return Inputs({"x": torch.from_numpy(seen)}, torch.full((1, count), -1), torch.zeros(1, count))


def test_a_rollout_keeps_the_masks_of_its_steps_through_saving_and_cutting() -> None:
    """The environment's observation is its mask."""
    training = Training(
        experiment_from(
            {
                "env": {"id": "tests/Fenced-v0", "num_envs": 3},
                "net": {"attention": "none", "memory": "gru", "width": 8, "tokens": "one", "standardise": False},
                "learn": {"algorithm": "ppo", "rollout": 64, "window": 5, "batch_size": 4, "reward_scale": 1.0},
                "run": {"device": "cpu", "eval_every": 0},
            }
        )
    )
    training.begin()
    for _ in range(30):
        training.act()
    algorithm = training.algorithm
    assert isinstance(algorithm, OnPolicy)
    saved = algorithm.store.arrays()
    assert saved["legal"].tolist() == (saved["observation.observation"] > 0).tolist()
    algorithm.store.restore(saved)
    windows = algorithm.store.windows(
        gamma=0.9, trace=0.9, unit=training.learner.policy.reward_unit, last_value=np.zeros(3, np.float32)
    )
    part = windows.minibatch(np.arange(len(windows)))
    assert part.legal is not None
    assert part.legal.tolist() == (part.observation["observation"] > 0).tolist()
    assert np.isfinite(part.log_prob).all()
    training.close()
