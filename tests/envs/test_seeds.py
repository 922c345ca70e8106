"""Episode seeds are deterministic, in their range, and unrelated."""

from __future__ import annotations

import numpy as np

from dqngui.envs.seeds import PLAY_SEEDS, SELECTION_SEEDS, TEST_SEEDS, TRAINING_SEEDS, episode_seed


def test_the_same_on_every_machine() -> None:
    assert episode_seed(0, "train", 0, 0) == 545_389_750
    assert episode_seed(0, "train", 0, 0) == episode_seed(0, "train", 0, 0)


def test_every_argument_counts() -> None:
    keys = [(0, "train", 0, 0), (1, "train", 0, 0), (0, "play", 0, 0), (0, "train", 1, 0), (0, "train", 0, 1)]
    assert len({episode_seed(*key) for key in keys}) == 5
    assert episode_seed(1, "train", 11, 1) != episode_seed(11, "train", 1, 1)


def test_training_seeds_do_not_overlap_those_of_evaluations_and_are_spread() -> None:
    seeds = np.array(
        [episode_seed(run, "train", env, episode) for run in range(2) for env in range(16) for episode in range(100)]
    )
    assert seeds.min() >= TRAINING_SEEDS > PLAY_SEEDS > TEST_SEEDS > SELECTION_SEEDS
    assert seeds.max() < 2**31
    assert len(np.unique(seeds)) >= len(seeds) - 1  # 3,200 draws from 2e9 rarely meet
    counts, _ = np.histogram(seeds, bins=8, range=(TRAINING_SEEDS, 2**31))
    assert counts.min() > 320
    assert counts.max() < 480
    assert abs(np.corrcoef(seeds[:-1], seeds[1:])[0, 1]) < 0.05
