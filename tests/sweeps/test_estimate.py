"""How long the queue takes, from speeds that were measured."""

from __future__ import annotations

from dqngui.config import Experiment
from dqngui.settings import with_settings
from dqngui.sweeps.estimate import Work, kinds_of, seconds_left

KINDS = kinds_of(with_settings(Experiment(), {}))


def work(id: int, state: str, *, step: int = 0, steps: int = 0, seconds: float = 0.0, kinds=KINDS, end: int = 1000):
    return Work(id, kinds, step, end, steps, seconds, state, end)


def test_entries_begin_as_places_become_free() -> None:
    works = [
        work(1, "running", step=500, steps=500, seconds=5.0),
        work(2, "waiting"),
        work(3, "waiting"),
        work(4, "paused"),
    ]
    left, whole = seconds_left(works, at_once=1)
    assert left == {1: 5.0, 2: 15.0, 3: 25.0} and whole == 25.0
    left, whole = seconds_left(works, at_once=2)
    assert left == {1: 5.0, 2: 10.0, 3: 15.0} and whole == 15.0


def test_nothing_is_said_without_a_measured_speed() -> None:
    assert seconds_left([work(1, "waiting")], 1) == ({}, None)
    assert seconds_left([work(1, "finished", step=1000)], 1) == ({}, 0.0)


def test_finished_runs_count_alone_since_the_first_steps_are_faster() -> None:
    works = [
        work(1, "finished", step=1000, steps=1000, seconds=20.0),
        work(2, "running", step=100, steps=100, seconds=0.5),
    ]
    left, _ = seconds_left(works, 1)
    assert left == {2: 18.0}


def test_runs_that_end_early_shorten_what_is_expected_of_others() -> None:
    works = [work(1, "finished", step=400, steps=400, seconds=4.0), work(2, "waiting")]
    left, _ = seconds_left(works, 1)
    assert left == {2: 4.0}


def test_another_seed_is_the_same_speed_and_another_agent_is_not() -> None:
    seed = kinds_of(with_settings(Experiment(), {"run.seed": 7}))
    other = kinds_of(with_settings(Experiment(), {"learn.lr": 0.01}))
    agent = kinds_of(with_settings(Experiment(), {"net.memory": "lstm"}))
    assert seed == KINDS and other[0] != KINDS[0] and other[1] == KINDS[1] and agent[1] != KINDS[1]
