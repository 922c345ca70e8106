"""Learning from tables does not depend on the units of their numbers; absent entities stay zeros."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from dqngui.jobs.training import Training
from dqngui.learning.acting import inputs_of
from dqngui.nets.network import build_network
from dqngui.settings import experiment_from
from tests.thinned import thinned

ROWS, COLUMNS = 5, 3
UNITS = {"factor": 1000.0, "shift": 50.0}


class Cars(gymnasium.Env[NDArray[np.float32], int]):
    """Five cars, of which the last ones may be absent, and all numbers are then 0. Is the first car left of the second?

    Args:
        presence: the first number of a car is 1 if it is present.
        own: the row that is the agent itself; "none": the rows are in a fixed order, and all are present.
        factor, shift: all numbers of present cars are multiplied by the one, and the other is then added.
    """

    action_space = spaces.Discrete(2)

    def __init__(
        self, presence: bool = True, own: int | str | None = None, factor: float = 1.0, shift: float = 0.0
    ) -> None:
        self.presence, self.factor, self.shift = presence, factor, shift
        self.fewest = ROWS if own == "none" else 2
        self.observation_space = spaces.Box(-np.inf, np.inf, (ROWS, COLUMNS), np.float32)
        self.feature_names = ("presence" if presence else "w", "x", "y")
        if own != "none":
            self.entity_sets = {"observation": own}

    def _cars(self) -> NDArray[np.float32]:
        cars = self.np_random.normal((0.2, 2.0, -30.0), (1.0, 0.5, 6.0), (ROWS, COLUMNS))
        self.left = int(cars[0, 1] < cars[1, 1])
        first = int(self.presence)
        cars[:, first:] = cars[:, first:] * self.factor + self.shift
        cars[:, :first] = 1.0
        cars[int(self.np_random.integers(self.fewest, ROWS + 1)) :] = 0.0
        return cars.astype(np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self.age = 0
        return self._cars(), {}

    def step(self, action: int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        reward = float(int(action) == self.left)
        self.age += 1
        return self._cars(), reward, self.age == 10, False, {}


gymnasium.register("tests/Cars-v0", entry_point=Cars)


def trained(tokens: str, kwargs: dict[str, Any], steps: int = 800) -> Training:
    """After some updates; all actions were random, so they are the same whatever was learned."""
    training = Training(
        experiment_from(
            {
                "env": {"id": "tests/Cars-v0", "num_envs": 4, "kwargs": kwargs},
                "net": {"attention": "self", "memory": "none", "tokens": tokens, "width": 16},
                "learn": {
                    "window": 1, "burn_in": 0, "n_step": 1, "batch_size": 16, "warmup": 200, "update_every": 16,
                    "replay_capacity": 4000, "epsilon": 1.0,
                },
                "run": {"device": "cpu", "eval_every": 0, "total_steps": steps},
            }
        )
    )  # fmt: skip
    training.begin()
    while training.counters.step < steps:
        training.act()
        training.learn()
    training.close()
    return training


def values(network: Any, shown: NDArray[np.float32]) -> torch.Tensor:
    """Action values (B, A) of cars (B, 5, 3)."""
    count = len(shown)
    parts = {"observation": shown.reshape(count, -1)}
    with torch.no_grad():
        q, _ = network(inputs_of(parts, np.full(count, -1), np.zeros(count, np.float32), torch.device("cpu")), None)
    found: torch.Tensor = q[0]
    return found


def cars(**kwargs: Any) -> NDArray[np.float32]:
    env = Cars(**kwargs)
    return np.stack([env.reset(seed=seed)[0] for seed in range(40)])


@pytest.mark.parametrize("tokens", thinned(["feature", "one"], quick=["feature"]))
@pytest.mark.parametrize(
    "kwargs",
    [{}, {"own": 0}, {"presence": False}, {"presence": False, "own": 1}, {"presence": False, "own": "none"}],
    ids=["presence", "own row", "zeros", "zeros and own row", "ordered"],
)
def test_tables_in_other_units_train_the_same_agent(tokens: str, kwargs: dict[str, Any]) -> None:
    own, other = trained(tokens, kwargs), trained(tokens, {**kwargs, **UNITS})
    there = values(own.learner.policy, cars(**kwargs))
    assert there.std(dim=0).min() > 1e-3
    torch.testing.assert_close(values(other.learner.policy, cars(**kwargs, **UNITS)), there, rtol=0.01, atol=2e-3)


@pytest.mark.parametrize("tokens", ["feature", "one"])
@pytest.mark.parametrize("presence", [True, False])
def test_present_rows_are_standardised_and_absent_ones_stay_zeros(presence: bool, tokens: str) -> None:
    training = trained(tokens, {"presence": presence, **UNITS})
    encoder = training.learner.policy.encoder
    shown = cars(presence=presence, **UNITS)
    raw = encoder.raw({"observation": torch.from_numpy(shown).reshape(1, 40, -1)}).reshape(40, ROWS, COLUMNS)
    there = torch.from_numpy(shown.any(axis=-1))
    assert 40 < int(there.sum()) < 40 * ROWS
    assert raw[~there].abs().max() == 0
    quantities = raw[there][:, int(presence) :]
    assert quantities.mean(dim=0).abs().max() < 0.2 and (quantities.std(dim=0) - 1).abs().max() < 0.2
    if presence:
        assert bool((raw[there][:, 0] == 1).all())


def test_a_checkpoint_holds_the_units_of_entities() -> None:
    training = trained("feature", UNITS, 400)
    policy, shown = training.learner.policy, cars(**UNITS)
    opened = build_network(training.spaces, training.experiment, torch.Generator().manual_seed(9))
    assert not torch.allclose(values(opened, shown), values(policy, shown))
    opened.load_state_dict({name: value.clone() for name, value in policy.state_dict().items()})
    assert torch.equal(values(opened, shown), values(policy, shown))
