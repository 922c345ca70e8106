"""Several choices at once: values of their options, read, chosen, explored, learned, played and told."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from dqngui.config import ConfigError, EnvConfig, Experiment
from dqngui.envs.choices import Choices
from dqngui.envs.make import make_env, make_vector
from dqngui.hosts import run_inline
from dqngui.learning.distributions import Objective
from dqngui.learning.exploration import Exploration
from dqngui.learning.targets import bootstrap_value
from dqngui.messages import Evaluated, Failed, Finished, Request
from dqngui.nets.choices import SeveralChoices
from dqngui.nets.heads import MEAN, DuelingHead
from dqngui.presets import experiment_from, parse_experiment

SIZES = (3, 2, 4)
CHOICES = Choices(SIZES)
ALL = np.array(list(itertools.product(*map(range, SIZES))))


class Dials(gymnasium.Env[np.ndarray, np.ndarray]):
    """Twelve dials of three positions; the reward is the share of those that stand where the observation says."""

    metadata = {"render_modes": []}

    def __init__(self, count: int = 12, mask: bool = False, render_mode: str | None = None) -> None:
        self.observation_space: spaces.Space[Any] = spaces.Box(-1, 1, (count,), np.float32)
        self.action_space: spaces.Space[Any] = spaces.MultiDiscrete([3] * count)
        self.count, self.mask = count, mask

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._left = 8
        return self._shown()

    def _shown(self) -> tuple[Any, dict[str, Any]]:
        self.wanted = self.np_random.integers(0, 3, self.count)
        legal = np.ones((self.count, 3), np.int8)
        legal[:, 1] = 0
        return (self.wanted - 1).astype(np.float32), {"action_mask": legal.ravel()} if self.mask else {}

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert not (self.mask and (action == 1).any())
        reward = float((action == self.wanted).mean())
        self._left -= 1
        observation, info = self._shown()
        return observation, reward, self._left == 0, False, info


gymnasium.register("tests/Dials-v0", Dials)


def experiment(**changes: Any) -> Experiment:
    data: dict[str, Any] = {
        "env": {"id": "tests/Dials-v0", "num_envs": 8},
        "net": {"attention": "none", "memory": "none", "tokens": "one", "hidden": [64], "width": 64,
                "previous_action": False, "previous_reward": False},
        "learn": {"gamma": 0.0, "window": 1, "burn_in": 0, "n_step": 1, "batch_size": 128, "update_every": 8,
                  "warmup": 200, "epsilon": 0.3, "lr": 5e-3, "replay_capacity": 8_000},
        "run": {"total_steps": 6_000, "eval_every": 3_000, "eval_episodes": 8},
    }  # fmt: skip
    for path, value in changes.items():
        section, name = path.split("__")
        data[section][name] = value
    return experiment_from(data)


# -- numbers of combinations ----------------------------------------------------------------------


def test_a_combination_is_one_number_whose_last_choice_varies_fastest() -> None:
    numbers = np.arange(CHOICES.count)
    assert np.array_equal(CHOICES.split(numbers), ALL)
    assert np.array_equal(CHOICES.join(ALL), numbers)
    assert CHOICES.entries(23).tolist() == [2, 4, 8] and CHOICES.options == 9
    legal = np.ones(9, np.bool_)
    legal[[0, 8]] = False
    allowed = CHOICES.allows(numbers, np.broadcast_to(legal, (24, 9)))
    assert np.array_equal(allowed, (ALL[:, 0] != 0) & (ALL[:, 2] != 3))
    drawn = CHOICES.random(np.random.default_rng(0), 500, np.broadcast_to(legal, (500, 9)))
    assert set(drawn.tolist()) == set(numbers[allowed].tolist())


def test_a_value_is_the_mean_of_its_options_values_and_its_maximum_is_found_choice_by_choice() -> None:
    q = torch.randn(5, 7, 9, generator=torch.Generator().manual_seed(0))
    several = SeveralChoices(CHOICES)
    entries = torch.from_numpy(CHOICES.entries(np.arange(24)))  # (24, 3)
    joint = q[..., entries].mean(-1)  # (5, 7, 24)
    assert torch.equal(several.greedy(q), joint.argmax(-1))
    torch.testing.assert_close(several.largest(q), joint.amax(-1))
    action = torch.randint(24, (5, 7), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(several.value_of(q, action), joint.gather(-1, action.unsqueeze(-1)).squeeze(-1))
    atoms = torch.randn(5, 9, 4, generator=torch.Generator().manual_seed(2))
    expected = torch.stack([atoms[row, entries[action[row, 0]]].mean(0) for row in range(5)])
    torch.testing.assert_close(several.numbers_of(atoms, action[:, 0]), expected)
    marks = several.marked(torch.tensor([23, -1]))
    assert marks.nonzero().tolist() == [[0, 2], [0, 4], [0, 8]]
    large = SeveralChoices(Choices((3,) * 30))  # 2·10¹⁴ combinations
    wanted = torch.tensor([3**30 - 1])
    assert torch.equal(large.greedy(large.marked(wanted).float()), wanted)


def test_a_target_by_hand() -> None:
    """Two choices of two options. The online network takes option 1 and option 0, which the target values 3 and 10."""
    target, online = torch.tensor([[1.0, 3.0, 10.0, 20.0]]), torch.tensor([[0.0, 1.0, 5.0, 2.0]])
    several = SeveralChoices(Choices((2, 2)))
    assert bootstrap_value(target, online, None, several).tolist() == [6.5]
    assert bootstrap_value(target, None, None, several).tolist() == [11.5]
    legal = torch.tensor([[True, False, True, True]])
    assert bootstrap_value(target, online, legal, several).tolist() == [5.5]
    learn = experiment(learn__loss="squared").learn
    loss, predicted, value = Objective(MEAN, several).losses(
        online, torch.tensor([3]), torch.tensor([2.0]), torch.tensor([0.5]), torch.tensor([6.5]), learn
    )
    assert (predicted.item(), value.item(), loss.item()) == (1.5, 5.25, 0.5 * 3.75**2)


def test_a_dueling_head_is_centred_within_each_choice() -> None:
    head = DuelingHead(6, 9, False, sizes=SIZES)
    q = head(torch.randn(4, 6), None)
    means = torch.stack([part.mean(-1) for part in q.split(SIZES, -1)])
    torch.testing.assert_close(means[0], means[1])
    torch.testing.assert_close(means[1], means[2])


def test_each_choice_explores_for_itself() -> None:
    explore = Exploration(2_000, CHOICES.count, 1, np.random.default_rng(0), several=CHOICES)
    greedy = np.full(2_000, CHOICES.join(np.array([2, 1, 3])))
    changed = CHOICES.split(explore.replace(greedy, np.full(2_000, 0.3))) != [2, 1, 3]
    assert np.allclose(changed.mean(0), 0.3 * (1 - 1 / np.array(SIZES)), atol=0.03)
    assert abs(np.corrcoef(changed[:, 0], changed[:, 2])[0, 1]) < 0.1


# -- environments ---------------------------------------------------------------------------------


def test_few_combinations_stay_one_choice_unless_the_experiment_says_otherwise() -> None:
    def found(count: int, several: str) -> tuple[int, ...]:
        config = EnvConfig(id="tests/Dials-v0", kwargs={"count": count}, several=several)  # type: ignore[arg-type]
        return make_vector(config, 1).spaces.choices

    assert found(4, "auto") == () and found(5, "auto") == (3,) * 5
    assert found(4, "decoupled") == (3,) * 4 and found(8, "joint") == ()
    with pytest.raises(ConfigError, match="combinations"):
        found(12, "joint")


def test_bins_reach_the_bounds_if_they_are_asked_to() -> None:
    wrapper = {"name": "discretize", "options": {"bins": 3, "ends": True}}
    data = {"env": {"id": "Pendulum-v1", "wrappers": [wrapper]}}
    env = make_env(experiment_from(data).env)
    assert env.get_wrapper_attr("option_names") == ("-2", "0", "2")
    assert env.action_space == spaces.Discrete(3)


def test_a_run_of_an_earlier_version_keeps_its_joint_values() -> None:
    stored = '[env]\nid = "tests/Dials-v0"\n'
    assert parse_experiment(f"[about]\nschema = 3\n{stored}", "a run").env.several == "joint"
    assert parse_experiment(stored, "a file").env.several == "auto"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"net__values": "categorical"}, "take mean or quantile"), ({"learn__algorithm": "ppo"}, "Take dqn, fewer bins")],
)
def test_what_does_not_go_with_several_choices_is_said(changes: dict[str, Any], sentence: str) -> None:
    events = list(run_inline(Request(job="train", experiment=experiment(**changes))))
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.mistake and sentence in failed.words


# -- learning -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"net__head": "dueling", "net__values": "quantile", "net__atoms": 8, "run__total_steps": 600},
        {"net__memory": "gru", "net__attention": "action", "net__previous_action": True, "learn__window": 4,
         "learn__prioritized": True, "env__kwargs": {"mask": True}, "run__total_steps": 500},
    ],
    ids=["mean", "quantile", "memory, attention and legal options"],
)  # fmt: skip
def test_half_a_million_combinations_are_learned(changes: dict[str, Any]) -> None:
    events = list(run_inline(Request(job="train", experiment=experiment(**changes))))
    assert isinstance(events[-1], Finished) and events[-1].reason == "completed", events[-1]
    if not changes:
        tested = [event for event in events if isinstance(event, Evaluated)][-1]
        assert tested.mean > 5.8  # of 8; random dials give 2.7
