"""What is read of a stored run, and its scores."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from dqngui.comparison.results import read_result
from dqngui.comparison.scores import score_named
from dqngui.config import ConfigError
from dqngui.messages import CheckpointTest, EpisodeEnded, Evaluated, Forked, KnobChanged, decode_event, encode
from tests.comparison.made_runs import made_run, write_log


def test_the_columns_are_those_of_the_log(tmp_path: Path) -> None:
    knob = KnobChanged(step=150, field="learn.lr", old=1e-3, new=1e-4)
    result = read_result(made_run(tmp_path, [1.0, 3.0], seed=7, extra=[knob], net__memory="gru"))
    assert result.experiment.net.memory == result.summary.memory == "gru" and result.summary.seed == 7
    assert result.evaluations.step.tolist() == [100, 200] and result.evaluations.mean.tolist() == [1.0, 3.0]
    assert result.evaluations.returns == ((-1.0, 3.0), (1.0, 5.0)) and set(result.evaluations.role) == {"selection"}
    assert result.episodes.step.tolist() == [50, 100, 150, 200] and result.episodes.ret.tolist() == [0, 2, 2, 4]
    assert result.rows.updates.tolist() == [10, 20] and result.rows.seconds.tolist() == [2.0, 4.0]
    assert result.changes == (knob,) and result.last_step == 200 and result.fork is None and not result.damaged


def test_until_cuts_every_column_and_score(tmp_path: Path) -> None:
    best = Evaluated(step=300, returns=(9.0,), lengths=(1,), mean=9.0, role="confirmation", best=True, score=8.0)
    result = read_result(made_run(tmp_path, [1.0, 3.0, 9.0], extra=[best]), until=299)
    assert result.evaluations.step.tolist() == [100, 200] and result.episodes.step.max() == 250
    assert result.rows.step.max() == 200 and result.last_step == 250
    assert math.isnan(score_named("best")(result)) and score_named("final")(result) == 3.0


def test_the_scores_of_a_run(tmp_path: Path) -> None:
    chosen = Evaluated(step=300, returns=(8.0,), lengths=(1,), mean=8.0, role="confirmation", best=True, score=7.5)
    result = read_result(made_run(tmp_path, [0.0, 4.0, 10.0, 2.0], extra=[chosen]))
    assert score_named("best")(result) == 7.5  # what no choice used, and not the largest mean
    assert score_named("final")(result) == 2.0
    assert score_named("area")(result) == pytest.approx((0 + 4) / 2 / 3 + (4 + 10) / 2 / 3 + (10 + 2) / 2 / 3)
    assert score_named("steps-to:4")(result) == 200 and score_named("steps-to:4.5")(result) == 300
    assert math.isnan(score_named("steps-to:11")(result))
    assert not score_named("steps-to:4").larger_is_better and score_named("area").larger_is_better


def test_a_run_that_was_never_evaluated_has_no_score(tmp_path: Path) -> None:
    result = read_result(made_run(tmp_path, []))
    assert all(math.isnan(score_named(name)(result)) for name in ("best", "final", "area", "steps-to:1"))
    assert result.evaluations.step.shape == result.episodes.ret.shape == result.rows.seconds.shape == (0,)


def test_the_area_of_one_evaluation_is_its_mean(tmp_path: Path) -> None:
    assert score_named("area")(read_result(made_run(tmp_path, [5.0]))) == 5.0


def test_a_return_that_is_no_number_damages_no_line(tmp_path: Path) -> None:
    tested = CheckpointTest(mean=math.nan, episodes=2)
    odd = Evaluated(step=300, returns=(1.0, math.nan), lengths=(1, 2), mean=math.nan, tested=tested)
    result = read_result(made_run(tmp_path, [5.0, math.nan], extra=[odd]))
    assert not result.damaged and result.evaluations.step.tolist() == [100, 200, 300]
    assert math.isnan(result.evaluations.returns[2][1]) and math.isnan(score_named("area")(result))
    read = decode_event(encode(odd))
    assert isinstance(read, Evaluated) and read.tested is not None and read.tested.low is None and read.score is None


@pytest.mark.parametrize("name", ["bset", "", "steps-to:", "steps-to:x", "steps-to:nan", "steps-to"])
def test_an_unknown_score_names_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError, match="best, final, area, mmer, steps-to:R"):
        score_named(name)


def test_damaged_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    folder = made_run(tmp_path, [1.0, 3.0])
    log = folder / "events.jsonl"
    log.write_bytes(b"\0\0\0\nnonsense\n" + log.read_bytes() + b'{"type": "Evalu')
    result = read_result(folder)
    assert result.damaged == 2 and "line 1" in str(result.problem)
    assert result.evaluations.mean.tolist() == [1.0, 3.0]


def test_a_fork_says_so(tmp_path: Path) -> None:
    folder = made_run(tmp_path, [])
    write_log(folder, [Forked(step=500, parent="other"), Evaluated(step=600, returns=(), lengths=(), mean=2.0)])
    result = read_result(folder)
    assert result.fork is not None and result.fork.parent == "other" and result.evaluations.step.tolist() == [600]


def test_what_is_no_run_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_result(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"experiment\.toml"):
        read_result(tmp_path)
    folder = made_run(tmp_path, [1.0])
    (folder / "events.jsonl").unlink()
    os.symlink("/etc/hostname", folder / "events.jsonl")
    with pytest.raises(ConfigError, match="link"):
        read_result(folder)


def test_a_long_log_is_read_in_columns(tmp_path: Path) -> None:
    result = read_result(made_run(tmp_path, np.arange(5000.0).tolist()))
    assert len(result.episodes.step) == 10_000 and result.episodes.step.dtype == np.int64


def test_mmer_is_the_largest_mean_return_of_a_hundred_training_episodes(tmp_path: Path) -> None:
    ended = [EpisodeEnded(step=step, ret=float(200 <= step < 250), length=1) for step in range(1, 400)]
    folder = made_run(tmp_path, [], extra=ended)
    assert score_named("mmer")(read_result(folder)) == 0.5
    assert score_named("mmer")(read_result(folder, until=210)) == pytest.approx(0.11)
    with pytest.raises(ConfigError, match="mmer"):
        score_named("mmer", "success")


def test_a_measure_of_which_less_is_better_is_reached_from_above(tmp_path: Path) -> None:
    evaluated = [
        Evaluated(step=step, returns=(1.0,), lengths=(1,), mean=1.0, measures={"falls": (value,)})
        for step, value in ((100, 0.5), (200, 0.25), (300, 0.0))
    ]
    result = read_result(made_run(tmp_path, [], extra=evaluated))
    assert score_named("steps-to:0.25", "falls", lower=True)(result) == 200
    assert (
        score_named("final", "falls")(result) == 0.0 and not score_named("final", "falls", lower=True).larger_is_better
    )
    assert math.isnan(score_named("final", "unknown")(result))
