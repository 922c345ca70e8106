"""What a setting explains of the scores, and that chance is not called an explanation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dqngui.comparison.dimensions import setting_dimensions
from dqngui.comparison.figures import figures
from dqngui.comparison.groups import grouped
from dqngui.comparison.importance import importance, importances, parts_of
from dqngui.comparison.results import read_result
from dqngui.comparison.scores import score_named
from tests.comparison.made_runs import made_run


def test_noise_explains_more_than_chance_as_seldom_as_it_should() -> None:
    rng, parts = np.random.default_rng(0), np.repeat(np.arange(3), 5)
    told = [importance(parts, rng.exponential(size=15), seed).told for seed in range(400)]
    assert np.mean(told) <= 0.08


def test_the_share_is_that_of_the_variance_between_the_values() -> None:
    rng, parts = np.random.default_rng(1), np.repeat(np.arange(2), 2000)
    found = importance(parts, 2.0 * parts + rng.normal(size=4000))  # variances 1 between and 1 within
    assert found.share == pytest.approx(0.5, abs=0.03) and found.told
    assert importance(parts, rng.normal(size=4000)).share < 0.01


def test_many_values_are_divided_into_parts() -> None:
    places = np.linspace(0, 1, 40)
    assert len(np.unique(parts_of(places))) == 4
    assert parts_of(np.repeat([0.0, 0.2, 0.5, 0.7, 1.0], 3)).tolist() == np.repeat(np.arange(5), 3).tolist()


def test_of_two_settings_the_one_that_matters_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    runs = [
        made_run(tmp_path, [float(10 * (memory == "gru") + rng.normal())], seed=seed, net__memory=memory, learn__lr=lr)
        for memory in ("gru", "lstm") for lr in (1e-3, 2e-3) for seed in range(3)
    ]  # fmt: skip
    grouping = grouped([read_result(folder) for folder in runs])
    found = importances(setting_dimensions(grouping), figures(grouping, score_named("final")))
    assert found["net.memory"].share > 0.9 and found["net.memory"].told
    assert not found["learn.lr"].told


def test_few_runs_or_equal_scores_explain_nothing(tmp_path: Path) -> None:
    runs = [made_run(tmp_path, [1.0], seed=seed, net__memory=each) for each in ("gru", "lru") for seed in range(4)]
    results = [read_result(folder) for folder in runs]
    for some in (results[:6], results):
        grouping = grouped(some)
        assert importances(setting_dimensions(grouping), figures(grouping, score_named("final"))) == {}
    assert importances([], []) == {}
