"""That memories remember: the passive T-maze, judged strictly (`tests.evidence.strict` says what that means)."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dqngui.envs.seeds import SELECTION_SEEDS
from dqngui.jobs.training import Training
from dqngui.presets import read_experiment
from dqngui.settings import with_settings
from tests.evidence.strict import Outcome, strictly

EVERY = 4_000


def train(memory: str, length: int, seed: int, most: int) -> Outcome:
    """Train until the strict test is passed, or for `most` steps."""
    changes: dict[str, Any] = {
        "env.kwargs": {"length": length},
        "net.memory": memory,
        "net.horizon": length,
        "learn.window": length + 1,
        "run.seed": seed,
        "run.device": "cpu",
    }
    torch.set_num_threads(1)
    training = Training(with_settings(read_experiment("tmaze"), changes))
    training.begin()
    due, outcome = EVERY, Outcome(0, (0.0, 0.0), 0.0)
    while not outcome.remembers and training.counters.step < most:
        training.act()
        training.learn()
        if training.counters.step >= due:
            due += EVERY
            first = SELECTION_SEEDS + 1_000 * training.counters.step // EVERY
            outcome = strictly(training.learner.policy, training.experiment, first, training.counters.step)
    training.close()
    return outcome


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "memory",
    [
        "lstm",
        "transformer",
        "lru",
        # GRU and minGRU are gated as LSTM is; MANN and DNC take minutes.
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("gru", "mingru", "mann", "dnc")),
    ],
)
def test_remembers_a_cue_for_ten_steps(memory: str) -> None:
    outcome = train(memory, length=10, seed=0, most=40_000)
    assert outcome.remembers, outcome


@pytest.mark.timeout(300)
def test_without_memory_the_cue_is_lost() -> None:
    outcome = train("none", length=10, seed=0, most=20_000)
    assert max(outcome.right) <= 0.7, outcome
    assert outcome.gap <= 0, outcome


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [10, 11, 12])
@pytest.mark.parametrize("memory", ["lstm", "transformer"])
def test_remembers_a_cue_for_thirty_steps(memory: str, seed: int) -> None:
    outcome = train(memory, length=30, seed=seed, most=100_000)
    print(f"\n{memory}, corridor 30, seed {seed}: {outcome}")
    assert outcome.remembers, outcome
