"""Targets, losses and exploration against numbers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dqngui.learning.exploration import Exploration, epsilon_ladder
from dqngui.learning.targets import bootstrap_value, elementwise_loss, td_target, window_priority


def test_td_target() -> None:
    returns, discount, value = torch.tensor([1.0, 1.0]), torch.tensor([0.5, 0.0]), torch.tensor([10.0, 10.0])
    assert td_target(returns, discount, value).tolist() == [6.0, 1.0]


def test_double_dqn_takes_the_online_choice_at_the_target_value() -> None:
    target_q, online_q = torch.tensor([[1.0, 5.0]]), torch.tensor([[3.0, 2.0]])
    assert bootstrap_value(target_q, None).tolist() == [5.0]
    assert bootstrap_value(target_q, online_q).tolist() == [1.0]


@pytest.mark.parametrize(("kind", "expected"), [("huber", [0.125, 2.5]), ("squared", [0.125, 4.5])])
def test_losses(kind: str, expected: list[float]) -> None:
    assert elementwise_loss(torch.tensor([1.5, -2.0]), torch.tensor([1.0, 1.0]), kind).tolist() == expected


def test_window_priority_mixes_largest_and_mean_over_the_mask() -> None:
    error, mask = torch.tensor([[1.0], [-3.0], [9.0]]), torch.tensor([[True], [True], [False]])
    assert window_priority(error, mask, 0.9).tolist() == pytest.approx([0.9 * 3 + 0.1 * 2])


def test_ladder() -> None:
    assert epsilon_ladder(0.1, 16, 7.0)[[0, 15]].tolist() == pytest.approx([0.1, 1e-8])
    assert epsilon_ladder(0.1, 16, 7.0)[5] == pytest.approx(0.1 ** (1 + 35 / 15))
    assert epsilon_ladder(0.3, 4, 0.0).tolist() == [0.3] * 4
    assert epsilon_ladder(0.3, 1, 7.0).tolist() == [0.3]


def test_exploration_rate() -> None:
    generator = np.random.default_rng(0)
    greedy = np.zeros(20_000, dtype=np.int64)
    chosen = Exploration(20_000, 4, 1, generator).replace(greedy, np.full(20_000, 0.4))
    assert np.mean(chosen != 0) == pytest.approx(0.4 * 3 / 4, abs=0.02)
    assert set(chosen) == {0, 1, 2, 3}
    assert (Exploration(20_000, 4, 1, generator).replace(greedy, np.zeros(20_000)) == 0).all()
