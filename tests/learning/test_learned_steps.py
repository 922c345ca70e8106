"""Every stored step is learned equally often: of each age, in each episode, at the ring's edge, by priority or not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.learning.batches import Batch
from dqngui.learning.replay import Replay
from dqngui.learning.windows import WindowRule
from tests.thinned import thinned

SPACES = Spaces(parts=(ObservationPart("x", "vector", (3,), "float32"),), actions=2)
ENVS = 3
MOST = 0.1  # largest deviation from the uniform frequency


def rule_of(memory: str, length: int, *, n_step: int = 3, from_start: bool = False) -> WindowRule:
    """`memory` is `finite CONTEXT` or `recurrent STRIDE BURN_IN`."""
    kind, *numbers = memory.split()
    if kind == "finite":
        return WindowRule(length=length, n_step=n_step, context=int(numbers[0]), from_start=from_start)
    stride, burn_in = map(int, numbers)
    return WindowRule(length=length, n_step=n_step, burn_in=burn_in, stride=stride, context=None, from_start=from_start)


def filled(
    rule: WindowRule, lengths: Iterator[int], *, capacity: int, steps: int, prioritized: bool = False
) -> tuple[Replay, dict[tuple[int, int], int]]:
    """A replay after `steps` steps of each environment, and the lengths of all episodes by environment and number.

    Observations are (environment, episode, age). A running episode's length is negative.
    """
    initial = [np.zeros((1, 1), dtype=np.float32)] if rule.context is None else None
    replay = Replay(
        SPACES,
        num_envs=ENVS,
        capacity=capacity,
        generator=np.random.default_rng(0),
        initial_state=initial,
        stride=rule.stride,
        prioritized=prioritized,
    )
    number, age = np.zeros(ENVS, dtype=int), np.zeros(ENVS, dtype=int)
    length = np.array([next(lengths) for _ in range(ENVS)])
    found: dict[tuple[int, int], int] = {}

    def observation() -> dict[str, NDArray[np.float32]]:
        return {"x": np.stack([np.arange(ENVS), number, age], -1).astype(np.float32)}

    for _ in range(steps):
        states = [age[:, None].astype(np.float32)] if initial else None
        replay.add(observation(), np.zeros(ENVS, dtype=np.int64), np.zeros(ENVS), states, rule)
        age += 1
        ended = np.flatnonzero(age == length)
        if len(ended):
            replay.end_episodes(ended, observation(), np.zeros(ENVS, dtype=bool))
        for env in ended:
            found[int(env), int(number[env])] = int(length[env])
            number[env], age[env], length[env] = number[env] + 1, 0, next(lengths)
    for env in range(ENVS):
        found[env, int(number[env])] = -int(age[env])
    return replay, found


def appearances(replay: Replay, rule: WindowRule, draws: int) -> dict[tuple[int, int, int], int]:
    """How often each step (environment, episode, age) is learned in `draws` batches of 4,096 windows."""
    seen = []
    for _ in range(draws):
        batch = replay.sample(4096, rule, 0.9, 1.0)
        assert batch is not None
        if isinstance(batch, Batch):
            seen.append(batch.observation["x"][batch.mask])
        else:
            seen.append(batch.now[0]["x"])
        if batch.weights is not None:
            assert (batch.weights == 1.0).all()
    steps = np.concatenate(seen).astype(int)
    sizes = tuple(steps.max(0) + 1)
    counts = np.bincount(np.ravel_multi_index(tuple(steps.T), sizes), minlength=int(np.prod(sizes))).reshape(sizes)
    return {(int(e), int(n), int(a)): int(counts[e, n, a]) for e, n, a in np.argwhere(counts)}


def deviations(
    replay: Replay, found: dict[tuple[int, int], int], rule: WindowRule, draws: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Relative deviations from the mean frequency: of each step, and of each age that at least ten episodes have.

    Of an episode whose first rows are overwritten, all steps from the first that is learned on must be learned.
    """
    counts = appearances(replay, rule, draws)
    steps: list[int] = []
    by_age: dict[int, list[int]] = {}
    for (env, number), length in found.items():
        rows = slice(env * replay.rows, (env + 1) * replay.rows)
        stored = replay.observation["x"][rows]
        ages = np.sort(stored[stored[:, 1] == number, 2].astype(int))
        if number == 0 and ages.size and not replay.full:
            ages = ages[: abs(length)]
        if not ages.size:
            continue
        stop = length if length > 0 else -length - rule.n_step
        if rule.from_start:
            stop = min(stop, rule.length)
        first = 0
        if ages[0] > 0:  # cut by the ring's edge
            before = rule.context if rule.context is not None else rule.burn_in + rule.stride - 1
            first = next((a for a in range(stop) if counts.get((env, number, a))), stop)
            assert first <= ages[0] + 1 + before or rule.from_start
        for age in range(first, stop):
            count = counts.pop((env, number, age), 0)
            steps.append(count)
            by_age.setdefault(age, []).append(count)
    assert not counts, "steps that cannot be learned are learned"
    each = np.array(steps)
    ages = np.array([np.mean(some) for some in by_age.values() if len(some) >= 10])
    return each / each.mean() - 1, ages / each.mean() - 1


MEMORIES = (
    "recurrent 1 0",
    "recurrent 1 8",
    "recurrent 4 0",
    "recurrent 4 8",
    "recurrent 7 0",
    "recurrent 7 8",
    "recurrent 4 40",
    "finite 16",
    "finite 0",
)


@pytest.mark.parametrize("prioritized", [False, True])
@pytest.mark.parametrize("length", thinned([16, 32], quick=[16]))
@pytest.mark.parametrize("episode", [7, 50])
@pytest.mark.parametrize("memory", thinned(MEMORIES, one_of=2))
def test_each_age_is_learned_equally_often(memory: str, episode: int, length: int, prioritized: bool) -> None:
    rule = rule_of(memory, length)
    replay, found = filled(rule, repeat(episode), capacity=1800, steps=1200, prioritized=prioritized)
    _, by_age = deviations(replay, found, rule, draws=3)
    assert np.abs(by_age).max() < MOST


@pytest.mark.parametrize("prioritized", [False, True])
@pytest.mark.parametrize("memory", ["recurrent 1 0", "recurrent 4 8", "recurrent 7 8", "finite 16", "finite 0"])
def test_each_step_is_learned_equally_often_at_the_edges_too(memory: str, prioritized: bool) -> None:
    """Episodes of mixed lengths, some running, some with overwritten beginnings."""
    rule = rule_of(memory, 16)
    replay, found = filled(rule, cycle((50, 7, 1, 33, 2, 18)), capacity=360, steps=800, prioritized=prioritized)
    each, _ = deviations(replay, found, rule, draws=20)
    assert len(each) > 200
    assert np.abs(each).max() < MOST


@pytest.mark.parametrize("prioritized", [False, True])
@pytest.mark.parametrize("memory", ["recurrent 4 8", "finite 16"])
def test_a_running_episode_longer_than_the_ring_is_learned_equally_often(memory: str, prioritized: bool) -> None:
    rule = rule_of(memory, 32)
    replay, found = filled(rule, repeat(10_000), capacity=450, steps=700, prioritized=prioritized)
    each, _ = deviations(replay, found, rule, draws=20)
    assert len(each) > 300
    assert np.abs(each).max() < MOST


@pytest.mark.parametrize("prioritized", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_single_steps_are_learned_equally_often(full: bool, prioritized: bool) -> None:
    rule = WindowRule(length=1, n_step=3)
    replay, found = filled(rule, cycle((50, 7, 1)), capacity=240, steps=300 if full else 60, prioritized=prioritized)
    each, _ = deviations(replay, found, rule, draws=120)
    assert np.abs(each).max() < MOST


@pytest.mark.parametrize("prioritized", [False, True])
@pytest.mark.parametrize("memory", ["recurrent 4 0", "finite 16"])
def test_windows_from_the_start_learn_the_first_steps_of_all_episodes_equally_often(
    memory: str, prioritized: bool
) -> None:
    """An episode of 50 steps is not drawn more often than one of 7; its steps after the window are never learned."""
    rule = rule_of(memory, 16, from_start=True)
    replay, found = filled(rule, cycle((50, 7, 16)), capacity=600, steps=500, prioritized=prioritized)
    each, _ = deviations(replay, found, rule, draws=30)
    assert np.abs(each).max() < MOST


@settings(max_examples=15, deadline=None)
@given(
    length=st.integers(1, 12),
    burn_in=st.integers(0, 9),
    stride=st.integers(1, 6),
    n_step=st.integers(1, 4),
    recurrent=st.booleans(),
    prioritized=st.booleans(),
    episodes=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    steps=st.integers(20, 200),
)
def test_any_rule_learns_each_step_equally_often(
    length: int,
    burn_in: int,
    stride: int,
    n_step: int,
    recurrent: bool,
    prioritized: bool,
    episodes: list[int],
    steps: int,
) -> None:
    memory = f"recurrent {stride} {burn_in}" if recurrent else f"finite {burn_in}"
    rule = rule_of(memory, length, n_step=n_step)
    replay, found = filled(rule, cycle(episodes), capacity=180, steps=steps, prioritized=prioritized)
    if replay.sample(1, rule, 0.9) is None:
        return
    each, _ = deviations(replay, found, rule, draws=10)
    counts = 10 * 4096 / len(each)  # the least number of times that a step is learned, if windows have one step
    assert np.abs(each).max() < 6 / np.sqrt(counts)


def test_another_length_moves_the_priorities() -> None:
    """Equal priorities stay uniform after the length, which is a live setting, has changed."""
    before, after = rule_of("recurrent 4 8", 32), rule_of("recurrent 4 4", 12)
    replay, found = filled(before, repeat(20), capacity=360, steps=500, prioritized=True)
    for rule in (before, after, before):
        each, _ = deviations(replay, found, rule, draws=12)
        assert np.abs(each).max() < MOST


def test_importance_weights_correct_towards_uniform_steps() -> None:
    """With β = 1 the weighted frequencies of all ages are equal, whatever the priorities."""
    rule = rule_of("finite 4", 8)
    replay, _ = filled(rule, repeat(20), capacity=1200, steps=800, prioritized=True)
    random = np.random.default_rng(1)
    for _ in range(5):
        batch = replay.sample(4096, rule, 0.9)
        assert isinstance(batch, Batch)
        replay.set_priorities(batch.indices, random.uniform(0.2, 2.0, size=4096))
    weighted, plain = np.zeros(20), np.zeros(20)
    for _ in range(60):
        batch = replay.sample(4096, rule, 0.9, 1.0)
        assert isinstance(batch, Batch) and batch.weights is not None
        # The weights of a batch are divided by the largest of them.
        smallest = replay.priorities.priority[batch.indices].min()  # type: ignore[union-attr]
        rows, windows = np.nonzero(batch.mask)
        ages = batch.observation["x"][rows, windows, 2].astype(int)
        np.add.at(weighted, ages, batch.weights[windows] / smallest)
        np.add.at(plain, ages, 1.0)
    assert np.abs(weighted[:17] / weighted[:17].mean() - 1).max() < 0.03
    assert np.abs(plain[:17] / plain[:17].mean() - 1).max() > 0.01
