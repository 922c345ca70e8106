"""The best checkpoint is chosen by more than one noisy evaluation, and its reported score does not flatter it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np

from dqngui.learning.best import MAX_CONFIRMATIONS, confirm, is_candidate

EPISODES = 10


def run(values: list[float], rng: np.random.Generator) -> tuple[float, float, float]:
    """Evaluate agents with these true values one after another: the report, value of the chosen agent, and the number
    of further blocks for each evaluation.
    """
    report = rank = last = None
    chosen, further = 0.0, 0
    for index, value in enumerate(values):

        def play(value: float = value) -> tuple[tuple[float, ...], tuple[int, ...]]:
            return tuple(rng.normal(value, 1, EPISODES)), (1,) * EPISODES

        first = play()[0]
        spare = index + 1 - further
        if is_candidate(float(np.mean(first)), rank, last, spare):
            found = confirm(first, rank, spare, play)
            further += found.blocks
            if found.best:
                report, rank, chosen = found.report, found.rank, value
        last = float(np.mean(first))
    assert report is not None
    return report, chosen, further / len(values)


def test_the_report_of_the_best_of_many_equal_agents_is_not_flattered() -> None:
    rng = np.random.default_rng(0)
    error = EPISODES**-0.5
    for count in (10, 30, 100):
        reports = [run([0.0] * count, rng)[0] for _ in range(300)]
        assert abs(np.mean(reports)) < 0.5 * error
        assert abs(np.mean(reports)) < 4 * error / 300**0.5  # there is no bias at all


def test_an_agent_that_is_truly_better_is_taken() -> None:
    rng = np.random.default_rng(1)
    assert np.mean([run([0.0] * 29 + [1.0], rng)[1] for _ in range(200)]) > 0.9
    steady = [run(list(np.linspace(0, 3, 30)), rng)[1] for _ in range(100)]
    assert np.mean(steady) > 2.7


def test_the_share_of_further_episodes_is_bounded() -> None:
    rng = np.random.default_rng(2)
    assert max(run(list(np.linspace(0, 300, 30)), rng)[2] for _ in range(5)) <= 2.1  # each of them is a new best
    assert np.mean([run([0.0] * 30, rng)[2] for _ in range(100)]) < 0.75


def test_a_candidate_that_falls_back_plays_one_block_only() -> None:
    found = confirm((5.0, 5.0), 4.0, 9, lambda: ((1.0, 1.0), (1, 1)))
    assert (found.best, found.blocks, found.rank, found.report) == (False, 1, 3.0, None)


def test_the_report_is_the_last_block_alone() -> None:
    blocks = iter([((6.0,), (1,)), ((8.0,), (2,)), ((1.0,), (3,))])
    found = confirm((5.0,), 4.0, 9, lambda: next(blocks))
    assert found.blocks == MAX_CONFIRMATIONS + 1 and found.best
    assert (found.report, found.rank, found.returns, found.lengths) == (1.0, 19 / 3, (6.0, 8.0, 1.0), (1, 2, 3))


def test_of_agents_that_reach_the_largest_return_in_every_episode_a_later_one_is_kept() -> None:
    """The first one fails in a tenth of its episodes, and was lucky in those that chose it; the others never fail."""
    lucky = [(500.0,) * EPISODES] * 3

    def blocks_of(index: int) -> Iterator[tuple[tuple[float, ...], tuple[int, ...]]]:
        for returns in lucky if index == 0 else repeat((500.0,) * EPISODES):
            yield returns, (500,) * EPISODES

    rank, kept, further = None, [], 0
    for index in range(20):
        blocks = blocks_of(index)
        first, spare = next(blocks)[0], 1 + index - further  # as many further blocks as first ones
        if is_candidate(500.0, rank, 500.0 if index else None, spare):
            found = confirm(first, rank, spare, lambda blocks=blocks: next(blocks))
            further += found.blocks
            if found.best:
                rank = found.rank
                kept.append(index)
    assert kept[0] == 0 and len(kept) >= 4 and kept[-1] >= 15


def test_an_equal_candidate_that_has_just_recovered_is_not_kept() -> None:
    assert not is_candidate(500.0, 500.0, 170.0, 9)
    assert not is_candidate(500.0, 500.0, None, 9)


def test_an_equal_candidate_leaves_further_blocks_for_a_better_one_and_must_not_fall_back() -> None:
    assert not is_candidate(500.0, 500.0, 500.0, MAX_CONFIRMATIONS)
    assert is_candidate(500.0, 500.0, 500.0, MAX_CONFIRMATIONS + 1)
    assert is_candidate(500.1, 500.0, 300.0, 0)
    assert not is_candidate(499.9, 500.0, 500.0, 9)
    found = confirm((500.0,), 500.0, 9, lambda: ((499.0,), (499,)))
    assert (found.best, found.blocks) == (False, 1)
