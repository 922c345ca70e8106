"""In which order a memory's units stand, and what is said of their correlation."""

from __future__ import annotations

import numpy as np
import pytest

from dqngui.lab.analysis.ordering import Ordering, by_correlation, by_variance, compared_quantity, correlation, orders
from dqngui.lab.playback.episode import PlayedEpisode
from tests.doubles.made_playing import HIDDEN, began, extend, rows_of


def told_by(
    values: np.ndarray, *, until: int, ended: bool = False, playing: PlayedEpisode | None = None
) -> PlayedEpisode:
    tensors = rows_of((HIDDEN,), len(values))
    generator = np.random.default_rng(3)
    tensors["reward"] = generator.standard_normal(len(values))
    tensors["observation"] = generator.standard_normal((len(values), 2)).astype(np.float32)
    tensors[f"view/{HIDDEN.name}"] = values
    return extend(playing or began((HIDDEN,)), tensors, until, ended)


def test_correlation_is_pearsons_and_knows_what_it_cannot_know() -> None:
    generator = np.random.default_rng(0)
    values = generator.standard_normal((200, 4)).astype(np.float32)
    other = generator.standard_normal(200)
    values[:, 1] = (-3 * other + 0.1).astype(np.float32)
    values[:, 2] = np.float32(0.1)
    r = correlation(values, other)
    assert r[0] == pytest.approx(np.corrcoef(values[:, 0], other)[0, 1], abs=1e-6)
    assert r[1] == pytest.approx(-1.0, abs=1e-6)
    assert np.isnan(r[2]), "a constant unit goes along with nothing"
    values[50:60, 0] = np.nan
    left = np.r_[0:50, 60:200]
    assert correlation(values, other)[0] == pytest.approx(np.corrcoef(values[left, 0], other[left])[0, 1], abs=1e-6)
    other[7] = np.nan
    assert np.isfinite(correlation(values, other)[[0, 1, 3]]).all()
    assert np.isnan(correlation(values, np.ones(200))).all(), "a reward that never varies"
    assert np.isnan(correlation(values[:0], np.empty(0))).all()


def test_units_stand_by_the_size_of_r_and_constant_ones_last() -> None:
    time = np.arange(300.0)
    values = np.random.default_rng(1).standard_normal((300, 6)).astype(np.float32)
    values[:, 4] -= 0.1 * time.astype(np.float32)
    values[:, 2] += 0.01 * time.astype(np.float32)
    values[:, 0] = values[:, 5] = 0.0
    order = by_correlation(values, time).tolist()
    assert order[:2] == [4, 2] and order[-2:] == [0, 5]


def test_a_large_memory_is_judged_by_some_of_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dqngui.lab.analysis.ordering.MAX_VALUES", 1_000)
    values = np.random.default_rng(2).standard_normal((900, 8)).astype(np.float32) * np.arange(1.0, 9.0)
    assert by_variance(values.astype(np.float32)).tolist() == list(range(7, -1, -1))


def test_units_are_compared_with_rewards_steps_and_named_entries() -> None:
    playing = told_by(np.zeros((80, 64), np.float32), until=50)
    playing.ready = type(playing.ready)(step=0, environment="E", features=("x", "pole angle"))
    assert orders(playing)[1] == {"reward": "reward", "time": "time", "entry 0": "x", "entry 1": "pole angle"}
    for key, expected in (
        ("reward", playing.reward), ("time", np.arange(50.0)), ("entry 1", playing.observation[:, 1]),
    ):  # fmt: skip
        found = compared_quantity(key, playing)
        assert found is not None
        np.testing.assert_array_equal(found, expected)
    assert compared_quantity("entry 9", playing) is None and compared_quantity("index", playing) is None


def test_the_order_holds_still_until_the_end_unless_asked() -> None:
    generator = np.random.default_rng(4)
    values = generator.standard_normal((400, 64)).astype(np.float32)
    values[200:] += np.linspace(-3, 3, 64, dtype=np.float32) * np.linspace(0, 1, 200, dtype=np.float32)[:, None]
    ordering, time = Ordering(), np.arange(400.0)
    playing = told_by(values, until=20)
    ordering.key = "time"
    assert ordering.order(values[:20], playing).tolist() == list(range(64))
    early = by_correlation(values[:32], time[:32]).tolist()
    for until in (40, 300):
        told_by(values, until=until, playing=playing)
        assert ordering.order(values[:until], playing).tolist() == early
    ordering.choose("time", values[:300], playing)
    assert ordering.order(values[:300], playing).tolist() == by_correlation(values[:300], time[:300]).tolist() != early
    told_by(values, until=400, ended=True, playing=playing)
    assert ordering.order(values, playing).tolist() == by_correlation(values, time).tolist()
    ordering.begin()
    assert ordering.correlation_text(values[:, 63], playing).startswith("r 0.")
    assert ordering.correlation_text(np.zeros(400, np.float32), playing) == "no r with time"
    ordering.choose("variance", values, playing)
    assert ordering.correlation_text(values[:, 63], playing) == ""
