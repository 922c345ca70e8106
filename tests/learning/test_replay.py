"""Replay against a slow reference that keeps every episode as a list."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dqngui.config import ConfigError
from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.learning.batches import Batch, OneStepBatch
from dqngui.learning.replay import Replay
from dqngui.learning.sumtree import SumTree
from dqngui.learning.windows import WindowRule
from dqngui.settings import experiment_from

SPACES = Spaces(parts=(ObservationPart("x", "vector", (2,), "float32"),), actions=100)


class Recorded:
    """Feeds a replay with episodes whose every number tells where it belongs, and remembers them."""

    def __init__(
        self, *, envs: int, capacity: int, stride: int = 1, recurrent: bool = False, **options: object
    ) -> None:
        initial = [np.full((1, 2), -7.0, dtype=np.float32)] if recurrent else None
        self.replay = Replay(
            SPACES,
            num_envs=envs,
            capacity=capacity,
            generator=np.random.default_rng(0),
            initial_state=initial,
            stride=stride,
            **options,  # type: ignore[arg-type]
        )
        self.envs, self.recurrent = envs, recurrent
        self.age = np.zeros(envs, dtype=int)
        self.number = np.zeros(envs, dtype=int)
        self.lengths: dict[tuple[int, int], tuple[int, bool]] = {}

    def observation(self) -> dict[str, np.ndarray]:
        """(episode, step) of each environment; environments differ by 1000 in the episode."""
        return {"x": np.stack([self.number + 1000 * np.arange(self.envs), self.age], -1).astype(np.float32)}

    def run(self, steps: int, length: int, truncate: bool, rule: WindowRule | None = None) -> None:
        """Steps in which environment e ends its episodes after length + e."""
        for _ in range(steps):
            before = self.observation()
            state = [np.stack([self.number, self.age], -1).astype(np.float32)]
            reward = self.age + 1.0
            self.replay.add(before, self.age % 100, reward, state if self.recurrent else None, rule)
            self.age += 1
            ended = self.age >= length + np.arange(self.envs)
            if ended.any():
                self.replay.end_episodes(np.flatnonzero(ended), self.observation(), np.full(self.envs, truncate))
                for env in np.flatnonzero(ended):
                    self.lengths[env, self.number[env]] = (int(self.age[env]), truncate)
                self.number[ended] += 1
                self.age[ended] = 0

    def oldest_stored(self, env: int) -> int:
        """The oldest episode of an environment of which rows are stored."""
        replay = self.replay
        rows = slice(env * replay.rows, env * replay.rows + min(int(replay.head[env]), replay.rows))
        return int(replay.observation["x"][rows, 0].min()) - 1000 * env

    def length_of(self, env: int, number: int) -> tuple[int, str]:
        if (env, number) in self.lengths:
            length, truncated = self.lengths[env, number]
            return length, "truncated" if truncated else "terminated"
        return int(self.age[env]), "running"


def check(batch: Batch | OneStepBatch, recorded: Recorded, rule: WindowRule, gamma: float) -> None:
    """Every learned row of every window is what the reference says."""
    if isinstance(batch, OneStepBatch):
        check_pairs(batch, recorded, rule, gamma)
        return
    B = batch.mask.shape[1]
    assert batch.mask.any(0).all(), "a window with nothing to learn"
    for b in range(B):
        learned = np.flatnonzero(batch.mask[:, b])
        assert (np.diff(learned) == 1).all() and len(learned) <= rule.length
        env, number = divmod(int(batch.observation["x"][0, b, 0]), 1000)
        length, ending = recorded.length_of(env, number)
        first = int(batch.observation["x"][0, b, 1])
        s = first + learned[0]
        if rule.from_start:
            assert s == 0
        if rule.context is not None:
            assert first == max(0, s - rule.context)
        last = learned[-1]
        limit = length if ending != "running" else length - rule.n_step
        assert first + last <= min(s + rule.length, limit) - 1
        if s > rule.burn_in and number > recorded.oldest_stored(env):  # others are cut at their beginning
            assert first + last == min(s + rule.length, limit) - 1
        for row in learned:
            t = first + row
            assert batch.observation["x"][row, b].tolist() == [number + 1000 * env, t]
            assert batch.action[row, b] == t % 100
            assert batch.prev_action[row, b] == (-1 if t == 0 else (t - 1) % 100)
            assert batch.prev_reward[row, b] == t
            k = min(rule.n_step, length - t) if ending != "running" else rule.n_step
            assert batch.returns[row, b] == pytest.approx(sum(gamma**i * (t + i + 1) for i in range(k)), rel=1e-5)
            boots = not (ending == "terminated" and t + k == length)
            assert batch.discount[row, b] == pytest.approx(gamma**k if boots else 0.0, rel=1e-6)
            if boots:
                assert batch.observation["x"][batch.bootstrap_row[row, b], b].tolist() == [number + 1000 * env, t + k]
        if batch.state is not None:
            check_state(batch, b, number, first, s, rule)


def check_pairs(pairs: OneStepBatch, recorded: Recorded, rule: WindowRule, gamma: float) -> None:
    """The same for single steps."""
    for b in range(len(pairs.indices)):
        env, number = divmod(int(pairs.now[0]["x"][b, 0]), 1000)
        t = int(pairs.now[0]["x"][b, 1])
        length, ending = recorded.length_of(env, number)
        assert t < (length if ending != "running" else length - rule.n_step)
        k = min(rule.n_step, length - t) if ending != "running" else rule.n_step
        assert pairs.action[b] == t % 100
        assert pairs.now[1][b] == (-1 if t == 0 else (t - 1) % 100)
        assert pairs.now[2][b] == t
        assert pairs.returns[b] == pytest.approx(sum(gamma**i * (t + i + 1) for i in range(k)), rel=1e-5)
        boots = not (ending == "terminated" and t + k == length)
        assert pairs.discount[b] == pytest.approx(gamma**k if boots else 0.0, rel=1e-6)
        if boots:
            assert pairs.later[0]["x"][b].tolist() == [number + 1000 * env, t + k]
            assert (pairs.later[1][b], pairs.later[2][b]) == ((t + k - 1) % 100, t + k)


def check_state(batch: Batch, b: int, number: int, first: int, s: int, rule: WindowRule) -> None:
    """The stored state is that of the row with which the burn-in begins, or of the first row without one."""
    assert batch.state is not None
    burned = batch.burned is not None and bool(batch.burned[b])
    begins = first - rule.burn_in if burned else first
    assert begins == 0 or begins <= s - rule.burn_in
    expected = [-7.0, -7.0] if begins == 0 else [number, begins]
    assert batch.state[0][b].tolist() == expected
    assert begins % rule.stride == 0
    if burned:
        assert batch.burn is not None
        observation, action, _ = batch.burn
        assert observation["x"][:, b, 1].tolist() == list(range(begins, first))
        assert action[0, b] == (-1 if begins == 0 else (begins - 1) % 100)


RULES = {
    "plain": WindowRule(length=1, n_step=1),
    "n-step": WindowRule(length=1, n_step=5),
    "stateless window": WindowRule(length=6, n_step=3),
    "finite": WindowRule(length=5, n_step=2, context=4),
    "recurrent": WindowRule(length=5, n_step=3, burn_in=4, stride=3, context=None),
    "no burn-in": WindowRule(length=5, n_step=3, burn_in=0, stride=2, context=None),
    "from start": WindowRule(length=12, n_step=1, context=None, from_start=True),
    "from start, finite": WindowRule(length=12, n_step=2, context=6, from_start=True),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("truncate", [False, True])
@pytest.mark.parametrize("prioritized", [False, True])
def test_windows_equal_the_reference(rule: WindowRule, truncate: bool, prioritized: bool) -> None:
    recorded = Recorded(
        envs=3, capacity=300, stride=rule.stride, recurrent=rule.context is None, prioritized=prioritized
    )
    for steps in (4, 9, 20, 60, 200):  # before the first end, then wrapped around
        recorded.run(steps, length=11, truncate=truncate, rule=rule)
        batch = recorded.replay.sample(40, rule, 0.9)
        if batch is not None:
            check(batch, recorded, rule, 0.9)
    assert batch is not None


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(1, 8),
    n_step=st.integers(1, 6),
    burn_in=st.integers(0, 6),
    stride=st.integers(1, 5),
    recurrent=st.booleans(),
    episode=st.integers(1, 30),
    steps=st.integers(1, 150),
    truncate=st.booleans(),
)
def test_any_rule(
    length: int, n_step: int, burn_in: int, stride: int, recurrent: bool, episode: int, steps: int, truncate: bool
) -> None:
    context = None if recurrent else burn_in
    rule = WindowRule(length=length, n_step=n_step, burn_in=burn_in, stride=stride, context=context)
    recorded = Recorded(envs=2, capacity=90, stride=stride, recurrent=recurrent)
    recorded.run(steps, length=episode, truncate=truncate)
    batch = recorded.replay.sample(20, rule, 0.97)
    if batch is not None:
        check(batch, recorded, rule, 0.97)


def test_every_learnable_step_is_learned() -> None:
    rule = WindowRule(length=5, n_step=2, burn_in=3, stride=2, context=None)
    recorded = Recorded(envs=1, capacity=400, stride=2, recurrent=True)
    recorded.run(150, length=30, truncate=True)
    seen = set()
    for _ in range(60):
        batch = recorded.replay.sample(32, rule, 0.9)
        assert isinstance(batch, Batch)
        for row, b in zip(*np.nonzero(batch.mask), strict=True):
            seen.add(tuple(batch.observation["x"][row, b].astype(int).tolist()))
    ended = {(number, t) for number in range(5) for t in range(30)}
    assert ended <= seen


def test_a_replay_too_small_for_what_the_memory_sees_is_refused() -> None:
    data: dict[str, Any] = {
        "env": {"num_envs": 4},
        "net": {"memory": "transformer", "memory_options": {"layers": 2, "length": 60}},
        "learn": {"replay_capacity": 800},
    }
    with pytest.raises(ConfigError, match="replay_capacity"):
        experiment_from(data)
    data["learn"]["replay_capacity"] = 4 * 2 * (32 + 2 * 59 + 5)
    experiment_from(data)


def test_burn_in_longer_than_the_episode_leaves_something_to_learn() -> None:
    rule = WindowRule(length=4, n_step=1, burn_in=50, stride=1, context=None)
    recorded = Recorded(envs=2, capacity=600, recurrent=True)
    recorded.run(100, length=5, truncate=False)
    batch = recorded.replay.sample(32, rule, 0.9)
    assert isinstance(batch, Batch)
    assert batch.mask.any(0).all()


def test_nothing_to_sample_yet() -> None:
    recorded = Recorded(envs=2, capacity=100)
    assert recorded.replay.sample(4, RULES["plain"], 0.9) is None
    recorded.run(2, length=50, truncate=False)
    assert recorded.replay.sample(4, RULES["n-step"], 0.9) is None


def test_priorities_shift_the_draw() -> None:
    recorded = Recorded(envs=1, capacity=64, prioritized=True)
    rule = RULES["plain"]
    recorded.run(40, length=100, truncate=False, rule=rule)
    recorded.replay.set_priorities(np.arange(40), np.full(40, 1e-6))
    recorded.replay.set_priorities(np.array([17]), np.array([1.0]))
    batch = recorded.replay.sample(32, rule, 0.9, beta=1.0)
    assert batch is not None and (batch.action[0] == 17).mean() > 0.9
    assert batch.weights is not None and batch.weights.max() == 1.0


def test_another_burn_in_moves_the_priorities_to_the_windows_it_names() -> None:
    before = WindowRule(length=5, n_step=2, burn_in=8, stride=4, context=None)
    after = WindowRule(length=5, n_step=2, burn_in=6, stride=4, context=None)
    recorded = Recorded(envs=2, capacity=200, stride=4, recurrent=True, prioritized=True)
    recorded.run(150, length=31, truncate=True, rule=before)
    for _ in range(5):  # all windows get a small priority
        batch = recorded.replay.sample(64, before, 0.9)
        assert batch is not None
        recorded.replay.set_priorities(batch.indices, np.full(64, 0.1))
    for rule in (after, before, after):
        batch = recorded.replay.sample(64, rule, 0.9)
        assert batch is not None and batch.weights is not None
        check(batch, recorded, rule, 0.9)
        assert np.isfinite(batch.weights).all() and (batch.weights > 0).all()


def test_sum_tree_draws_in_proportion() -> None:
    tree = SumTree(5)
    tree.set(np.arange(5), np.array([1.0, 0.0, 3.0, 0.0, 6.0]))
    assert tree.total == 10.0
    drawn = tree.draw(np.linspace(0, 1, 1000, endpoint=False))
    assert [int((drawn == leaf).sum()) for leaf in range(5)] == [100, 0, 300, 0, 600]


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 70), data=st.data())
def test_sum_tree_keeps_its_sums(size: int, data: st.DataObject) -> None:
    """Also if a leaf is given twice, or all of them are given."""
    tree, weights = SumTree(size), np.zeros(size)
    for _ in range(4):
        leaves = np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=2 * size)))
        given_weights = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(leaves), max_size=len(leaves))))
        tree.set(leaves, given_weights.astype(float))
        for leaf, weight in zip(leaves, given_weights, strict=True):
            weights[leaf] = weight
        assert tree.total == weights.sum()
        assert (tree[np.arange(size)] == weights).all()
        if tree.total:
            middles = (np.arange(int(tree.total)) + 0.5) / tree.total
            assert (np.bincount(tree.draw(middles), minlength=size) == weights).all()


def test_restored_replay_samples_the_same() -> None:
    rule = RULES["recurrent"]
    a = Recorded(envs=3, capacity=300, stride=3, recurrent=True, prioritized=True)
    a.run(170, length=11, truncate=True, rule=rule)
    b = Recorded(envs=3, capacity=300, stride=3, recurrent=True, prioritized=True)
    b.replay.restore(a.replay.arrays())
    b.replay.generator.bit_generator.state = a.replay.generator.bit_generator.state
    x, y = a.replay.sample(16, rule, 0.9), b.replay.sample(16, rule, 0.9)
    assert x is not None and y is not None
    assert (
        np.array_equal(x.action, y.action)
        and np.array_equal(x.returns, y.returns)
        and np.array_equal(x.indices, y.indices)
    )
