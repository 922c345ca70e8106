"""The history keeps everything, and its short answers have the shape of the whole."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from dqngui import messages as m
from dqngui.lab.session.curve import Curve
from dqngui.lab.session.history import History
from dqngui.messages import EpisodeEnded, Evaluated, KnobChanged, Learned, Paused, Warned


def curve_of(count: int, seed: int = 0) -> Curve:
    curve = Curve()
    generator = np.random.default_rng(seed)
    curve.extend(np.arange(count) * 10.0, generator.normal(size=count))
    return curve


def test_a_short_curve_is_answered_as_it_is() -> None:
    curve = curve_of(100)
    x, y = curve.query(-1, 1e9, 500)
    assert np.array_equal(x, curve.x.values)
    assert np.array_equal(y, curve.y.values)


@pytest.mark.parametrize("count", [1_001, 65_536, 100_003])
@pytest.mark.parametrize("bounds", [(-1.0, 1e9), (20_000.0, 500_000.0), (3.0, 4_567.0)])
def test_a_long_curve_keeps_its_extremes_in_few_points(count: int, bounds: tuple[float, float]) -> None:
    curve = curve_of(count)
    x, y = curve.query(*bounds, 300)
    inside = (curve.x.values >= bounds[0]) & (curve.x.values <= bounds[1])
    if inside.any():
        assert y.min() <= curve.y.values[inside].min()
        assert y.max() >= curve.y.values[inside].max()
    assert len(x) == len(y) <= 602
    assert np.all(np.diff(x) >= 0)
    assert set(y) <= set(curve.y.values)


def test_piece_by_piece_equals_at_once() -> None:
    whole, pieces = curve_of(50_000), Curve()
    start = 0
    for size in np.random.default_rng(1).integers(0, 900, size=200):
        pieces.extend(whole.x.values[start : start + size], whole.y.values[start : start + size])
        start += size
    pieces.extend(whole.x.values[start:], whole.y.values[start:])
    for bounds in ((0.0, 5e5), (1e5, 1.2e5)):
        assert all(
            np.array_equal(a, b) for a, b in zip(pieces.query(*bounds, 200), whole.query(*bounds, 200), strict=True)
        )
        for a, b in zip(pieces.smoothed(*bounds, 200, 100), whole.smoothed(*bounds, 200, 100), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)


def test_smoothing_is_the_trailing_mean_and_deviation() -> None:
    curve = curve_of(400)
    x, mean, sd = curve.smoothed(-1, 1e9, 10_000, 25)
    y = curve.y.values
    assert len(x) == 400
    assert mean[0] == y[0]
    assert math.isnan(sd[0])  # one point has no deviation
    for i in (1, 3, 24, 25, 399):
        window = y[max(0, i - 24) : i + 1]
        assert mean[i] == pytest.approx(window.mean())
        assert sd[i] == pytest.approx(window.std(), abs=1e-9)
        assert curve.moments_at(i, 25) == (mean[i], sd[i])


def test_a_smoothed_place_stands_for_all_its_points() -> None:
    curve = curve_of(100_000)
    x, mean, _ = curve.smoothed(-1, 1e9, 200, 25)
    assert len(x) <= 202
    start = int(np.searchsorted(curve.x.values, x[99])) + 1
    stop = int(np.searchsorted(curve.x.values, x[100])) + 1
    assert mean[100] == pytest.approx(curve.y.values[start:stop].mean())


@pytest.mark.parametrize("window", [10, 30])
def test_points_with_one_x_are_one_place_with_the_deviation_of_all(window: int) -> None:
    """So a band does not start as a wedge: its first place has the width of all episodes that ended there."""
    generator = np.random.default_rng(0)
    curve, y = Curve(), generator.normal(size=16 * 20)
    curve.extend(np.repeat(np.arange(20) * 100.0, 16), y)
    x, mean, sd = curve.smoothed(0, 1e9, 500, window)
    assert x.tolist() == (np.arange(20) * 100.0).tolist()
    assert mean[0] == pytest.approx(y[:16].mean())
    assert sd[0] == pytest.approx(y[:16].std())


def test_a_slope_is_no_saw() -> None:
    curve = Curve()
    curve.extend(np.arange(10_000), -np.arange(10_000.0))
    assert np.all(np.diff(curve.query(0, 1e9, 300)[1]) <= 0)


def test_the_latest_value_is_the_last_known() -> None:
    curve = Curve()
    assert curve.latest() is None
    curve.extend(np.arange(1_000), [5.0] + [np.nan] * 999)
    assert curve.latest() == 5.0


def test_dots_are_few_and_real() -> None:
    curve = curve_of(100_000)
    x, y = curve.scattered(-1, 1e9, 500)
    assert 500 < len(x) == len(y) <= 1502
    assert set(y) <= set(curve.y.values)


def test_large_returns_keep_their_deviation() -> None:
    curve = Curve()
    noise = np.random.default_rng(0).normal(size=200_000)
    curve.extend(np.arange(200_000.0), 1e7 + noise)
    assert curve.moments_at(199_999, 100)[1] == pytest.approx(noise[-100:].std(), rel=1e-3)


def test_gaps_are_neither_drawn_nor_averaged() -> None:
    curve = Curve()
    curve.extend([1, 2, 3, 4, 5], [None, 1.0, math.nan, 3.0, math.inf])
    assert curve.range() == (1.0, 3.0)
    mean = curve.smoothed(0, 9, 1_000, 3)[1]
    assert math.isnan(mean[0])
    assert mean[2] == 1.0
    assert mean[3] == 2.0
    assert mean[4] == 3.0
    curve.extend(np.arange(6, 9_000), np.full(8_994, np.nan))
    assert curve.range() == (1.0, 3.0)


def test_an_empty_curve_answers_nothing() -> None:
    curve = Curve()
    assert len(curve.query(0, 1, 100)[0]) == 0
    assert len(curve.smoothed(0, 1, 100, 5)[0]) == 0
    assert curve.range() is None
    assert curve.near(3) is None


def test_nearest_point() -> None:
    curve = curve_of(10)
    assert [curve.near(x) for x in (-5, 0, 14, 16, 900)] == [0, 0, 1, 2, 9]


def test_events_are_kept_by_kind() -> None:
    events = [
        EpisodeEnded(step=10, ret=1.5, length=10),
        Learned(step=12, updates=1, loss=None, td_error=0.5, epsilon=0.9),
        Evaluated(step=20, returns=(3.0,), lengths=(3,), mean=3.0, best=True),
        Evaluated(step=30, returns=(2.0,), lengths=(2,), mean=2.0),
        KnobChanged(step=31, field="learn.lr", old=1e-3, new=5e-4),
        Warned(step=32, text="slow disk"),
        Paused(step=33),
    ]
    history = History.of(events, chunk=2)
    assert history.returns.y.values.tolist() == [1.5]
    assert history.lengths.y.values.tolist() == [10]
    assert math.isnan(history.learned["loss"].y.values[0])
    assert history.learned["epsilon"].y.values.tolist() == [0.9]
    assert history.best is events[2]
    assert len(history.evaluations) == 2
    assert history.knobs == [events[4]]
    assert history.log_events == events[2:6]
    assert history.last_step == 32
    assert not history.empty
    assert History().empty


def test_a_million_points_are_asked_as_fast_as_a_few_thousand() -> None:
    def cost(curve: Curve) -> float:
        best = math.inf
        for _ in range(20):
            start = time.thread_time()
            curve.query(-1, 1e12, 900)
            curve.smoothed(-1, 1e12, 900, 100)
            best = min(best, time.thread_time() - start)
        return best

    assert cost(curve_of(1_000_000)) < 10 * cost(curve_of(4_000)) + 0.001


def test_the_past_of_a_history_is_the_history_of_its_events() -> None:
    events: list[m.Event] = [
        m.EpisodeEnded(step=10, ret=1.0, length=10),
        m.Learned(step=20, updates=1, loss=0.5),
        m.Evaluated(step=20, returns=(3.0,), lengths=(1,), mean=3.0, best=True),
        m.KnobChanged(step=30, field="learn.lr", old=1e-3, new=2e-3),
        m.EpisodeEnded(step=30, ret=2.0, length=20),
        m.Evaluated(step=40, returns=(5.0,), lengths=(1,), mean=5.0, best=True),
        m.EpisodeEnded(step=50, ret=3.0, length=20),
        m.Learned(step=60, updates=2, loss=0.25),
    ]
    whole = History.of(events)
    for step in (0, 9, 10, 20, 30, 45, 60):
        past, expected = whole.until(step), History.of(event for event in events if event.step <= step)
        assert past.returns.y.values.tolist() == expected.returns.y.values.tolist()
        assert past.learned["loss"].x.values.tolist() == expected.learned["loss"].x.values.tolist()
        for name in ("evaluations", "knobs", "log_events", "best", "last_step", "empty"):
            assert getattr(past, name) == getattr(expected, name), (step, name)
