"""What the charts of a comparison draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dqngui.comparison.charts import curves_chart, profiles_chart
from dqngui.comparison.dimensions import score_dimension, setting_dimensions, slots
from dqngui.comparison.figures import figures
from dqngui.comparison.groups import grouped
from dqngui.comparison.results import read_result
from dqngui.comparison.scores import score_named
from dqngui.comparison.writing import figures_csv, profiles_csv, settings_csv
from tests.comparison.made_runs import made_run


def test_a_line_is_whole_dotted_where_runs_are_missing_and_its_runs_are_faint(tmp_path: Path) -> None:
    runs = [made_run(tmp_path, [1.0, 2.0, 3.0, 4.0][: 4 - 2 * (seed == 0)], seed=seed) for seed in range(5)]
    chart, curves = curves_chart(grouped([read_result(folder) for folder in runs]))
    (line,) = chart.lines
    assert line.named.endswith("n = 5") and len(line.faint) == 5
    assert line.y[:2].tolist() == [1, 2] and np.isnan(line.y[2:]).all()
    assert np.isnan(line.fewer[0]) and line.fewer[1:].tolist() == [2, 3, 4]
    assert chart.has_fewer and not chart.lacks_bands and curves[0].count.tolist() == [5, 5, 4, 4]
    assert chart.range_of_x() == (100, 400) and chart.range_of_y() == (1, 4)


def test_the_smoothed_line_stands_beside_the_line_of_before(tmp_path: Path) -> None:
    runs = [made_run(tmp_path, [0.0, 9.0, 0.0], seed=seed) for seed in range(3)]
    chart, _ = curves_chart(grouped([read_result(folder) for folder in runs]), smoothed=3, runs=False)
    (line,) = chart.lines
    assert line.y.tolist() == [4.5, 3, 4.5]
    ((x, y),) = line.faint
    assert x.tolist() == [100, 200, 300] and y.tolist() == [0, 9, 0] and chart.lacks_bands


def test_a_wide_band_does_not_flatten_the_curves(tmp_path: Path) -> None:
    runs = [made_run(tmp_path, [0.0, value], seed=seed) for seed, value in enumerate((0, 0, 0, 0, 10))]
    chart, _ = curves_chart(grouped([read_result(folder) for folder in runs]), statistic="mean")
    found = chart.range_of_y()
    assert found is not None and found[0] >= -2.5 and found[1] <= 12.5


def test_nothing_to_draw_is_an_empty_chart() -> None:
    chart, curves = curves_chart(grouped([]))
    assert chart.lines == () and curves == [] and chart.range_of_x() is None and chart.range_of_y() is None
    assert profiles_chart([]).lines == ()


def test_the_axes_of_settings(tmp_path: Path) -> None:
    made = [("gru", 1e-4, 3.0), ("lstm", 1e-2, 5.0), ("lstm", 1e-3, None)]
    runs = [
        made_run(tmp_path, [1.0, each] if each else [], net__memory=memory, learn__lr=lr) for memory, lr, each in made
    ]
    grouping = grouped([read_result(folder) for folder in runs])
    axes = {each.path: each for each in setting_dimensions(grouping)}
    memory, lr = axes["net.memory"], axes["learn.lr"]
    assert memory.places.tolist() == [0.25, 0.75, 0.75] and [text for _, text in memory.ticks] == ["GRU", "LSTM"]
    assert lr.places == pytest.approx([0, 1, 0.5]) and lr.ticks[1] == (pytest.approx(0.5), "1e-3")  # logarithmic
    score = score_named("final")
    scores = score_dimension(figures(grouping, score), score)
    assert scores.places[:2].tolist() == [0, 1] and np.isnan(scores.places[2]) and scores.texts[2] == "–"
    assert slots(grouping) == [0, 1, 2]


def test_tables_hold_no_formulas_and_exact_numbers(tmp_path: Path) -> None:
    runs = [made_run(tmp_path, [0.1 + 0.2], seed=seed, net__memory=each) for each in ("gru", "lru") for seed in (0, 1)]
    grouping = grouped([read_result(folder) for folder in runs])
    found = figures(grouping, score_named("final"))
    rows = figures_csv(found, "final").splitlines()
    assert rows[0] == "group,what,seed,final,low,high,runs" and rows[1] == "GRU,run,0,0.30000000000000004,,,"
    assert rows[3] == "GRU,mean,,0.30000000000000004,,,2"
    assert settings_csv(grouping).splitlines()[:2] == ["setting,why,GRU,LRU", "net.memory,names,gru,lru"]
    thresholds = np.array([0.0])
    from dqngui.comparison.figures import profiles

    names = [group.name for group in grouping.groups]
    assert profiles_csv(names, thresholds, profiles(found, thresholds), "=final").splitlines() == [
        "group,'=final,share above,low,high", "GRU,0,1,,", "LRU,0,1,,"
    ]  # fmt: skip
