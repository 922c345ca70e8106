"""Curves of groups on a common axis, their final figures, and when a group is called better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dqngui.comparison.curves import AXES, group_curve, run_curve, running_mean
from dqngui.comparison.figures import figures, improvements, profile_thresholds, profiles
from dqngui.comparison.groups import grouped
from dqngui.comparison.results import RunResult, read_result
from dqngui.comparison.scores import score_named
from dqngui.statistics import iqm, iqm_interval, mean_interval
from tests.comparison.made_runs import made_run

FINAL = score_named("final")


def seeds(tmp_path: Path, finals: list[float], memory: str = "gru", every: int = 100) -> list[RunResult]:
    return [
        read_result(made_run(tmp_path, [0.0, value], seed=seed, every=every, net__memory=memory))
        for seed, value in enumerate(finals)
    ]


def test_the_axes_of_a_run(tmp_path: Path) -> None:
    result = read_result(made_run(tmp_path, [1.0, 2.0, 3.0]))
    found = {axis: run_curve(result, axis).x.tolist() for axis in AXES}
    assert found == {"steps": [100, 200, 300], "episodes": [2, 4, 6], "time": [2, 4, 6], "updates": [10, 20, 30]}


def test_a_group_has_its_statistic_and_interval_at_each_place(tmp_path: Path) -> None:
    values = [1.0, 2.0, 3.0, 4.0, 100.0]
    runs = seeds(tmp_path, values)
    mean, middle = group_curve(runs), group_curve(runs, statistic="iqm")
    assert mean.x.tolist() == [100, 200] and mean.y.tolist() == [0, 22] and mean.count.tolist() == [5, 5]
    assert (mean.low[1], mean.high[1]) == pytest.approx(mean_interval(values))
    assert middle.y[1] == iqm(values) == 3 and (middle.low[1], middle.high[1]) == pytest.approx(iqm_interval(values))
    assert np.isnan(mean.low[0])  # all equal: their spread is not known
    assert group_curve(runs, statistic="median").y[1] == 3


def test_few_seeds_have_no_band(tmp_path: Path) -> None:
    for statistic in ("mean", "iqm", "median"):
        assert np.isnan(group_curve(seeds(tmp_path, [1, 2, 3, 4]), statistic=statistic).low).all()  # type: ignore[arg-type]


def test_a_curve_is_whole_only_where_every_run_has_data(tmp_path: Path) -> None:
    runs = [
        read_result(made_run(tmp_path, curve, seed=seed)) for seed, curve in enumerate(([1.0, 2.0, 3.0], [3.0, 4.0]))
    ]
    found = group_curve(runs)
    assert found.y.tolist() == [2, 3, 3] and found.count.tolist() == [2, 2, 1]
    assert found.whole[:2].tolist() == [2, 3] and np.isnan(found.whole[2])


def test_runs_of_other_evaluation_steps_meet_on_one_axis(tmp_path: Path) -> None:
    runs = [*seeds(tmp_path, [4.0], every=100), *seeds(tmp_path, [4.0], every=150)]
    found = group_curve(runs)
    assert found.x.tolist() == [100, 150, 200, 300] and found.count.tolist() == [1, 2, 2, 1]
    assert found.y[1] == pytest.approx((2 + 0) / 2)


def test_smoothing_is_a_centred_mean_and_changes_no_ends_beyond_the_data() -> None:
    values = np.array([0.0, 3.0, 6.0, 9.0])
    assert running_mean(values, 3).tolist() == [1.5, 3, 6, 7.5] and running_mean(values, 1).tolist() == values.tolist()
    assert running_mean(np.array([5.0]), 9).tolist() == [5]
    assert running_mean(values, 100) == pytest.approx(np.full(4, 4.5))


def test_the_figures_count_what_has_a_score(tmp_path: Path) -> None:
    runs = [*seeds(tmp_path, [1, 2, 3, 4, 5]), read_result(made_run(tmp_path, [], seed=9, net__memory="gru"))]
    found = figures(grouped(runs), FINAL)[0]
    assert found.count == 5 and len(found.scores) == 6 and found.mean.value == 3
    assert found.mean.interval == mean_interval([1, 2, 3, 4, 5]) and found.iqm.interval is not None
    empty = figures(grouped(runs[5:]), FINAL)[0]
    assert empty.count == 0 and np.isnan(empty.mean.value) and empty.median.interval is None


def test_better_is_said_only_where_the_interval_allows_it(tmp_path: Path) -> None:
    clear = [*seeds(tmp_path, [6, 7, 8, 9, 10]), *seeds(tmp_path, [1, 2, 3, 4, 5], "lstm")]
    (found,) = improvements(figures(grouped(clear), FINAL), FINAL)
    assert found.probability.value == 1 and found.verdict == "better"
    (turned,) = improvements(figures(grouped([*clear[5:], *clear[:5]]), FINAL), FINAL)
    assert turned.probability.value == 0 and turned.verdict == "worse"
    overlapping = [*seeds(tmp_path, [6, 7, 8, 9, 10]), *seeds(tmp_path, [5, 6, 7, 8, 9], "lstm")]
    (found,) = improvements(figures(grouped(overlapping), FINAL), FINAL)
    assert found.verdict is None and found.probability.value > 0.5
    few = [*clear[:4], *clear[5:]]
    (found,) = improvements(figures(grouped(few), FINAL), FINAL)
    assert found.verdict is None and found.probability.interval is None


def test_fewer_steps_are_better_and_never_is_the_worst(tmp_path: Path) -> None:
    fast = [read_result(made_run(tmp_path, [0.0, 9.0], seed=seed)) for seed in range(5)]
    never = [read_result(made_run(tmp_path, [0.0, 0.0], seed=seed, net__memory="lstm")) for seed in range(5)]
    score = score_named("steps-to:5")
    found = figures(grouped([*fast, *never]), score)
    assert found[1].count == 0 and np.isnan(found[1].mean.value)
    (pair,) = improvements(found, score)
    assert pair.verdict == "better" and pair.probability.value == 1


def test_profiles_fall_from_all_runs_to_none(tmp_path: Path) -> None:
    found = figures(grouped([*seeds(tmp_path, [1, 2, 3, 4, 5]), *seeds(tmp_path, [3, 3, 3], "lstm")]), FINAL)
    thresholds = profile_thresholds(found)
    first, second = profiles(found, thresholds)
    assert first.share[0] == 1 and first.share[-1] == 0 and (np.diff(first.share) <= 0).all()
    assert first.share[thresholds == 3.0] == pytest.approx(0.4) and np.isfinite(first.low).all()
    assert np.isnan(second.low).all()
    assert len(profile_thresholds([])) == 0
