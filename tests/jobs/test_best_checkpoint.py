"""The best checkpoint is chosen by more than one noisy evaluation, and its reported score does not flatter it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dqngui.learning.best import MAX_CONFIRMATIONS, Block, Standing, Verdict, confirmation, is_candidate

EPISODES = 10


def confirm(
    first: tuple[float, ...],
    rank: float | None,
    spare: int,
    play: Callable[[], Block],
    affordable: Callable[[], bool] = lambda: True,
) -> Verdict:
    """The verdict on a candidate, when `play` gives every block that its confirmation wants."""
    confirming = confirmation(first, rank, spare, affordable)
    try:
        next(confirming)
        while True:
            confirming.send(play())
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict


def run(values: list[float], rng: np.random.Generator) -> tuple[float, float, float]:
    """Evaluate agents with these true values one after another: the report, value of the chosen agent, and the number
    of further blocks for each evaluation.
    """
    report, chosen, further, standing = None, 0.0, 0, Standing(None, None, None)
    for index, value in enumerate(values):

        def play(value: float = value) -> Block:
            return Block(tuple(rng.normal(value, 1, EPISODES)), (1,) * EPISODES)

        first, rank = play()[0], standing.rank
        spare, mean = index + 1 - further, float(np.mean(first))
        if is_candidate(mean, standing, spare):
            found = confirm(first, rank, spare, play)
            further += found.blocks
            if found.best:
                report, rank, chosen = found.report, found.rank, value
        standing = after(standing, mean, rank)
    assert report is not None
    return report, chosen, further / len(values)


def after(standing: Standing, mean: float, rank: float | None) -> Standing:
    """The standing after an evaluation with this mean, when the best has this rank."""
    return Standing(rank, mean, mean if standing.lowest is None else min(mean, standing.lowest))


def constant(values: list[float]) -> tuple[list[int], list[int]]:
    """Evaluate agents whose every episode has this return: the agents that were kept, one after another, and the number
    of further blocks of each agent.
    """
    kept: list[int] = []
    blocks: list[int] = []
    standing = Standing(None, None, None)
    for index, value in enumerate(values):
        first, spare, rank = (value,) * EPISODES, index + 1 - sum(blocks), standing.rank
        blocks.append(0)
        if is_candidate(value, standing, spare):
            found = confirm(first, rank, spare, lambda first=first: Block(first, (1,) * EPISODES))  # type: ignore[misc]
            blocks[-1] = found.blocks
            if found.best:
                rank = found.rank
                kept.append(index)
        standing = after(standing, value, rank)
    return kept, blocks


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
    found = confirm((5.0, 5.0), 4.0, 9, lambda: Block((1.0, 1.0), (1, 1)))
    assert (found.best, found.blocks, found.rank, found.report) == (False, 1, 3.0, None)


def test_the_report_is_the_last_block_alone() -> None:
    blocks = iter([Block((6.0,), (1,)), Block((8.0,), (2,)), Block((1.0,), (3,))])
    found = confirm((5.0,), 4.0, 9, lambda: next(blocks))
    assert found.blocks == MAX_CONFIRMATIONS + 1 and found.best
    assert (found.report, found.rank, found.returns, found.lengths) == (1.0, 19 / 3, (6.0, 8.0, 1.0), (1, 2, 3))


def test_of_agents_that_reach_the_largest_return_in_every_episode_a_later_one_is_kept() -> None:
    kept, blocks = constant([9.0, 300.0, *[500.0] * 20])
    assert kept[:3] == [0, 1, 2]
    assert len(kept) >= 5 and kept[-1] >= 17
    assert sum(blocks) <= 23


def test_where_nothing_is_learned_yet_no_blocks_are_used_for_equal_agents() -> None:
    for plateau in (5, 8, 11, 14, 17, 20):
        kept, blocks = constant([-200.0] * plateau + [-150.0])
        assert kept == [0, plateau] and sum(blocks[1:plateau]) == 0
        assert blocks[-1] == MAX_CONFIRMATIONS + 1  # the better one gets all of them


def test_after_equal_agents_a_better_one_still_gets_its_blocks() -> None:
    for equal in range(3, 20):
        kept, blocks = constant([9.0, *[400.0] * equal, 500.0])
        without = constant([9.0, 400.0, *[399.0] * (equal - 1), 500.0])[1]
        assert kept[-1] == equal + 1 and blocks[-1] == without[-1]


def test_an_equal_agent_that_has_just_recovered_is_not_kept() -> None:
    kept, _ = constant([9.0, *[500.0] * 4, 170.0, 500.0])
    assert 6 not in kept
    assert not is_candidate(500.0, Standing(500.0, 170.0, 9.0), 9)


def test_an_equal_agent_must_not_fall_back() -> None:
    found = confirm((500.0,), 500.0, 9, lambda: Block((499.0,), (499,)))
    assert (found.best, found.blocks) == (False, 1)


def test_without_steps_for_more_blocks_a_candidate_plays_only_its_report() -> None:
    blocks = iter([Block((1.0, 3.0), (4, 4))])
    found = confirm((5.0,), 4.0, 9, lambda: next(blocks), affordable=lambda: False)
    assert (found.best, found.blocks, found.rank, found.report, found.reported) == (True, 1, 5.0, 2.0, 2)
    worse = confirm((3.0,), 4.0, 9, lambda: next(blocks), affordable=lambda: False)
    assert (worse.best, worse.blocks, worse.returns) == (False, 0, ())
