"""The measured mean and deviation of observed numbers: what is usual decides, and rare outliers do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray

from dqngui.envs.spaces import ObservationLayout, ObservationPart
from dqngui.learning.number_moments import FARTHEST_OTHERS, MEMORY, NumberMoments

ENVS = 16


def part_of(shape: tuple[int, ...], dtype: Any = np.float32, bounds: tuple[float, float] = (-np.inf, np.inf)) -> Any:
    return ObservationLayout(spaces.Box(*bounds, shape, dtype)).parts[0]


def after(rows: NDArray[Any], part: ObservationPart | None = None, envs: int = ENVS) -> NumberMoments:
    moments = NumberMoments(part or part_of(rows.shape[1:]))
    for step in stepwise(rows, envs):
        moments.observe(step)
    return moments


def stepwise(rows: NDArray[Any], envs: int = ENVS) -> Iterator[NDArray[Any]]:
    for first in range(0, len(rows), envs):
        yield rows[first : first + envs]


def measured(moments: NumberMoments) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = moments.measured()
    assert found is not None
    return found


def normal(count: int, columns: int = 2, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(3.0, 2.0, (count, columns)).astype(np.float32)


# -- what is usual --------------------------------------------------------------------------------

USUAL = {
    "normal": lambda numbers, n: numbers.normal(3, 2, n),
    "uniform": lambda numbers, n: numbers.uniform(0, 1e6, n),
    "bits": lambda numbers, n: numbers.random(n) < 0.3,
    "seldom one, else zero": lambda numbers, n: numbers.random(n) < 0.01,
    "heavy tails": lambda numbers, n: numbers.standard_t(4, n),
    "a seldom contact": lambda numbers, n: numbers.random(n) < 0.001,
    "a seldom force": lambda numbers, n: (numbers.random(n) < 0.002) * numbers.exponential(50.0, n),
    "few with large numbers": lambda numbers, n: numbers.normal(0, 1 + 4 * (numbers.random(n) < 0.02)),
    "exponential": lambda numbers, n: numbers.exponential(1.0, n),
    "growing": lambda numbers, n: np.arange(n) + numbers.normal(size=n),
    "two levels": lambda numbers, n: np.where(numbers.random(n) < 0.1, 1e4, 0.0) + numbers.normal(size=n),
}


RARE = {"seldom one, else zero", "a seldom contact", "a seldom force"}
"""Nearly all rows have the same number."""


@pytest.mark.parametrize("count", [160, 960, 1600, 8000])
@pytest.mark.parametrize("kind", USUAL)
def test_usual_numbers_count_as_they_are(kind: str, count: int) -> None:
    for seed in range(5):
        rows = np.asarray(USUAL[kind](np.random.default_rng(seed), count), np.float32)[:, None]
        mean, deviation = measured(after(rows))
        assert mean[0] == pytest.approx(rows.mean(dtype=np.float64), rel=1e-6)
        if kind not in RARE:
            assert deviation[0] == pytest.approx(rows.std(dtype=np.float64) or 1.0, rel=1e-6)


@pytest.mark.parametrize("share", [0.002, 0.01, 0.04])
@pytest.mark.parametrize("usual", [0.0, -3.0, 1e4])
def test_a_rare_flag_is_four_units_high_however_rare_it_is(share: float, usual: float) -> None:
    rows = usual + 7.0 * (np.random.default_rng(0).random((20_000, 1)) < share)
    mean, deviation = measured(after(rows))
    assert mean[0] == pytest.approx(rows.mean(), rel=1e-6)
    assert 7.0 / deviation[0] == pytest.approx(FARTHEST_OTHERS, rel=0.03)


@pytest.mark.parametrize("share", [0.07, 0.3, 0.5, 0.7, 0.93])
def test_a_flag_that_is_not_rare_has_its_deviation_as_unit(share: float) -> None:
    rows = (np.random.default_rng(0).random((20_000, 1)) < share).astype(np.float64)
    assert measured(after(rows))[1][0] == pytest.approx(rows.std(), rel=1e-6)


@pytest.mark.parametrize("count", [1600, 8000, 300_000])
def test_rows_that_rarely_differ_are_four_units_away_as_their_root_mean_square(count: int) -> None:
    numbers = np.random.default_rng(0)
    forces = np.where(numbers.random((count, 1)) < 0.02, numbers.normal(50.0, 10.0, (count, 1)), 1.0)
    _, deviation = measured(after(forces, envs=40))
    others = forces[forces != 1.0] - 1.0
    assert deviation[0] == pytest.approx(np.sqrt(np.square(others).mean()) / FARTHEST_OTHERS, rel=0.1)


def test_a_cue_that_all_environments_show_in_their_first_step_is_not_the_usual_number() -> None:
    steps = np.zeros((500, ENVS, 1))
    steps[0] = np.where(np.arange(ENVS) % 2, 1.0, -1.0)[:, None]
    _, deviation = measured(after(steps.reshape(-1, 1)))
    assert 4.0 < 1 / deviation[0] < 6.0  # the second step counts as one that differs


@pytest.mark.parametrize("kind", ["rare", "normal"])
def test_another_usual_number_is_found_and_what_is_usual_no_more_keeps_its_deviation(kind: str) -> None:
    numbers = np.random.default_rng(0)
    first = (numbers.random((20_000, 1)) < 0.01).astype(np.float64)
    later = numbers.normal(0.0, 1.0, (400_000, 1))
    if kind == "rare":
        later = 5.0 + 3.0 * (numbers.random((1_000_000, 1)) < 0.01)
    _, deviation = measured(after(np.concatenate([first, later]), envs=200))
    assert deviation[0] == pytest.approx(3.0 / FARTHEST_OTHERS if kind == "rare" else 1.0, rel=0.05)


def test_what_no_longer_is_seldom_gets_limits() -> None:
    numbers = np.random.default_rng(0)
    rows = np.concatenate([numbers.random((2000, 1)) < 0.01, numbers.normal(0, 1, (18_000, 1))]).astype(np.float64)
    rows[[8000, 15_000]] = 1e6
    _, deviation = measured(after(rows))
    assert 0.8 < deviation[0] < 1.2


def test_a_number_that_never_varied_keeps_the_deviation_1() -> None:
    for constant in (0.0, 7.0, 1e9):
        mean, deviation = measured(after(np.full((3000, 1), constant, np.float32)))
        assert (mean[0], deviation[0]) == (constant, 1.0)


def test_a_number_that_starts_to_vary_is_measured() -> None:
    rows = np.concatenate([np.zeros((5000, 1)), np.random.default_rng(0).normal(0, 100, (20_000, 1))])
    _, deviation = measured(after(rows.astype(np.float32)))
    assert deviation[0] == pytest.approx(rows.std(), rel=0.05)


@pytest.mark.parametrize("factor", [100.0, 1e6])
def test_numbers_that_move_to_another_place_for_good_are_measured_there(factor: float) -> None:
    """As when an agent gets to a part of the task that it never saw: these are no outliers."""
    numbers = np.random.default_rng(0)
    rows = np.concatenate([numbers.normal(0, 1, (5000, 1)), numbers.normal(factor, factor / 10, (45_000, 1))])
    mean, deviation = measured(after(rows.astype(np.float32)))
    assert mean[0] == pytest.approx(rows.mean(), rel=0.2)
    assert deviation[0] == pytest.approx(rows.std(), rel=0.2)


def test_what_comes_more_often_than_seldom_is_no_outlier() -> None:
    """One step in fifty has a large number, of which the network has to see the size."""
    numbers = np.random.default_rng(0)
    rows = np.where(numbers.random((60_000, 1)) < 0.02, numbers.uniform(50, 100, (60_000, 1)), 0.0)
    rows += numbers.normal(0, 1e-3, rows.shape)
    _, deviation = measured(after(rows.astype(np.float32)))
    assert deviation[0] == pytest.approx(rows.std(), rel=0.1)


# -- outliers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("envs", "seeds"), [(1, range(1)), pytest.param(1, range(1, 10), marks=pytest.mark.slow), (16, range(10))]
)
@pytest.mark.parametrize("size", [1e3, -1e6, 1e12])
def test_rare_outliers_hardly_change_the_deviation(size: float, envs: int, seeds: range) -> None:
    """With one step in a thousand at 1e6, the plain deviation is about 3e4: all that is usual becomes the same."""
    for seed in seeds:
        rows = normal(20_000, 1, seed).astype(np.float64)
        rows[np.random.default_rng(seed + 100).random(len(rows)) < 1e-3] = size
        mean, deviation = measured(after(rows, envs=envs))
        assert abs(mean[0] - 3.0) < 0.2
        assert 1.9 < deviation[0] < 3.0


@pytest.mark.parametrize("at", [0, 1, 5, 40, 70, 300, 990, 1100])
@pytest.mark.parametrize("size", [1e6, -1e12])
def test_an_outlier_at_any_step_is_found(at: int, size: float) -> None:
    """Also the very first number, before anything tells what is usual."""
    rows = normal(2000).astype(np.float64)
    rows[at, 0] = size
    for count in (400, 2000):
        mean, deviation = measured(after(rows[: max(count, at + 1)]))
        assert np.abs(mean - 3.0).max() < 0.6
        assert deviation.min() > 1.7 and deviation.max() < 3.2


def test_other_columns_stay_what_they_are() -> None:
    rows = normal(3000).astype(np.float64)
    spoiled = rows.copy()
    spoiled[[10, 1500], 0] = 1e6
    (_, plain), (_, beside) = measured(after(rows)), measured(after(spoiled))
    assert plain[1] == beside[1]


def test_a_change_of_units_changes_nothing_else() -> None:
    """By a power of two, bit for bit, with outliers early and late."""
    rows = normal(5000).astype(np.float64)
    rows[[3, 200, 2500, 4000], [0, 1, 0, 1]] = 1e7
    one, other = measured(after(rows)), measured(after(rows * 2.0**12))
    assert [(each * 2.0**12).tolist() for each in one] == [each.tolist() for each in other]


def test_entities_outliers_do_not_count_for_all_rows() -> None:
    table = ObservationLayout(spaces.Box(-np.inf, np.inf, (5, 2))).parts[0]
    cars = msgspec.structs.replace(table, kind="entities")
    rows = normal(4000, 10).astype(np.float64)
    rows[::3, 4:] = 0.0  # absent
    rows[[50, 3000], [0, 2]] = 1e6
    mean, deviation = measured(after(rows, cars))
    assert np.abs(mean - 3.0).max() < 0.2 and deviation.max() < 2.5


# -- bytes and pictures ---------------------------------------------------------------------------


def test_bytes_are_measured_as_they_are_stored() -> None:
    rows = np.random.default_rng(0).integers(0, 3, (4000, 6)).astype(np.uint8)
    mean, deviation = measured(after(rows, part_of((6,), np.uint8, (0, 255))))
    np.testing.assert_allclose(mean, rows.mean(0))
    np.testing.assert_allclose(deviation, rows.std(0))


@pytest.mark.parametrize("order", ["hwc", "chw"])
def test_each_channel_of_a_picture_has_its_mean_and_deviation(order: str) -> None:
    numbers = np.random.default_rng(0)
    pictures = numbers.normal((5.0, 200.0, -3.0), (1.0, 50.0, 0.1), (400, 12, 14, 3))
    shown = pictures if order == "hwc" else np.moveaxis(pictures, -1, 1)
    part = part_of(shown.shape[1:], np.float32, (-1000, 1000))
    assert (part.kind, part.axes) == ("image", order)
    mean, deviation = measured(after(shown.reshape(400, -1), part))
    np.testing.assert_allclose(mean, pictures.mean((0, 1, 2)))
    np.testing.assert_allclose(deviation, pictures.std((0, 1, 2)))


def test_all_places_of_a_large_picture_are_measured_in_turn() -> None:
    place = np.arange(96 * 100).reshape(96, 100, 1).astype(np.float32)
    part = part_of((96, 100, 1), np.float32, (0, 10_000))
    mean, deviation = measured(after(np.tile(place.reshape(1, -1), (320, 1)), part))
    assert mean[0] == pytest.approx(place.mean(), rel=0.01)
    assert deviation[0] == pytest.approx(place.std(), rel=0.01)


def test_a_broken_picture_does_not_change_the_deviation() -> None:
    pictures = np.random.default_rng(0).normal(2000, 100, (2400, 8 * 9 * 1))
    pictures[[100, 1700]] = 1e5
    mean, deviation = measured(after(pictures, part_of((8, 9, 1), np.float32, (0, 1e5))))
    assert mean[0] == pytest.approx(2000, abs=30) and 95 < deviation[0] < 150


# -- saving ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [16, 160, 992, 1008, 1600, 4800])
def test_what_is_saved_continues_bit_for_bit(stop: int) -> None:
    rows = normal(6400).astype(np.float64)
    rows[[7, 150, 1000, 1003, 3000, 5000], [0, 1, 0, 1, 0, 1]] = 1e6
    rows[3500:, 1] *= 1000
    whole = after(rows)
    first = after(rows[:stop])
    second = NumberMoments(first.part)
    second.restore({name: np.asarray(value) for name, value in first.arrays().items()})
    for step in stepwise(rows[stop:]):
        second.observe(step)
    kept, same = whole.arrays(), second.arrays()
    assert kept.keys() == same.keys()
    for name, value in kept.items():
        np.testing.assert_array_equal(value, same[name], err_msg=name)


@pytest.mark.parametrize("stop", [160, 3200])
def test_what_an_earlier_version_saved_is_taken_over_and_gets_limits(stop: int) -> None:
    rows = normal(stop)
    saved = after(rows).arrays()
    old = {name: saved[name] for name in (f"observation.{key}" for key in ("origin", "count", "sums", "squares"))}
    moments = NumberMoments(part_of((2,)))
    moments.restore(old)
    np.testing.assert_allclose(measured(moments)[1], rows.std(0, dtype=np.float64))
    later = normal(4000, seed=1).astype(np.float64)
    later[3900] = 1e6
    for step in stepwise(later):
        moments.observe(step)
    assert measured(moments)[1].max() < 2.5


def test_older_steps_count_less_and_less() -> None:
    rows = np.concatenate([np.full((MEMORY, 1), -1.0), np.full((5 * MEMORY, 1), 1.0)]) + 0.1 * normal(6 * MEMORY, 1)
    mean, _ = measured(after(rows, envs=1000))
    assert mean[0] == pytest.approx(1.3, abs=0.05)
