"""Runs that are asked for more steps than they began with, and runs that learn nothing or not everything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dqngui.config import Experiment, Schedule
from dqngui.jobs.branching import branch_point, differences, kept_whole, stays_whole
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.lab.session.run import RunState
from dqngui.messages import Command, Event, Finished, Learned, Request, SetKnob, Stop, Warned
from dqngui.runs.folder import create, read_experiment
from dqngui.runs.resume import load_resume
from dqngui.settings import with_settings
from tests.event_logs import run, stored_log
from tests.jobs.test_training_job import experiment, recorded
from tests.test_rules import measured

SCHEDULE = {"start": 1.0, "end": 0.1, "share": 0.5}


def resumed(folder: Path, *commands: Command, total: int | None = None) -> list[Event]:
    options = {} if total is None else {"total_steps": total}
    request = Request(job="train", folder=str(folder), resume=True, options=options)
    return list(train(request, Inbox(None, commands)))


def finished(runs: Path, asked: Experiment) -> Path:
    folder = create(runs, asked)
    list(recorded(folder, asked))
    return folder


# -- resuming ----------------------------------------------------------------------------------------


def test_a_run_that_was_resumed_for_longer_goes_on_to_there_when_it_is_resumed_again(tmp_path: Path) -> None:
    folder = finished(tmp_path, experiment(run__total_steps=200, learn__epsilon=SCHEDULE))
    written = (folder / "experiment.toml").read_bytes()
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    resumed(folder, Stop(at=300), total=400)
    _, present = branch_point(folder)
    assert (present.run.total_steps, present.learn.epsilon.steps) == (400, 100), "its exploration is what it was"
    state = RunState(read_experiment(folder))
    state.open_folder(folder, read_experiment(folder))
    assert not state.complete and state.experiment.run.total_steps == 400
    last = resumed(folder)[-1]
    assert isinstance(last, Finished) and (last.step, last.reason) == (400, "completed")
    assert (folder / "experiment.toml").read_bytes() == written
    resumed(whole, total=400)
    assert stored_log(folder) == stored_log(whole)
    state.open_folder(folder, read_experiment(folder))
    assert state.complete


def test_how_long_a_run_goes_on_is_kept_even_if_it_is_killed_at_once(tmp_path: Path) -> None:
    folder = finished(tmp_path, experiment(run__total_steps=200))
    request = Request(job="train", folder=str(folder), resume=True, options={"total_steps": 264})
    job = train(request, Inbox(None, ()))
    next(job)
    job.close()  # type: ignore[attr-defined]
    assert load_resume(folder).experiment.run.total_steps == 264
    assert resumed(folder)[-1].step == 264


# -- forking -----------------------------------------------------------------------------------------


def test_a_longer_fork_does_not_explore_again() -> None:
    began = measured(1_504)
    for step, steps in ((0, 3_000), (75, 150), (1_504, 150)):
        kept = kept_whole(began, with_settings(began, {"run.total_steps": 30_000}), step)
        assert isinstance(kept.learn.epsilon, Schedule) and kept.learn.epsilon.steps == steps
        assert "learn.epsilon" in kept.derived
        assert all(stays_whole(path) for path, _, _ in differences(began, kept))
        again = kept_whole(kept, with_settings(kept, {"run.total_steps": 90_000}), step or 9_000)
        assert isinstance(again.learn.epsilon, Schedule) and again.learn.epsilon.at(9_000) == pytest.approx(0.05)


def test_exploration_that_a_person_asks_for_in_a_fork_is_what_they_asked_for() -> None:
    began = measured(1_504)
    longer = {"run.total_steps": 30_000}
    asked = with_settings(began, longer | {"learn.epsilon.steps": 9_000})
    assert kept_whole(began, asked, 1_504).learn.epsilon == Schedule(start=1.0, end=0.05, steps=9_000)
    new_memory = with_settings(began, longer | {"net.width": 128})
    assert kept_whole(began, new_memory, 1_504) == new_memory, "it learns anew"
    share = with_settings(began, {"learn.epsilon.end": 0.02})
    assert kept_whole(share, with_settings(share, longer), 1_504).learn.epsilon.steps == 150  # type: ignore[union-attr]


def test_epsilon_does_not_rise_in_a_longer_fork_of_a_finished_run(tmp_path: Path) -> None:
    asked = experiment(run__total_steps=400, learn__epsilon={"start": 1.0, "end": 0.1, "share": 0.5})
    parent = finished(tmp_path, asked)
    step, began = branch_point(parent)
    longer = kept_whole(began, with_settings(began, {"run.total_steps": 1_600}), step)
    longer = with_settings(longer, {"run.total_steps": 600}, follow=False)
    folder = create(tmp_path, longer)
    events = list(train(Request(job="train", experiment=longer, folder=str(folder), fork=str(parent)), Inbox(None, ())))
    rows = [event.epsilon for event in events if isinstance(event, Learned)]
    assert rows == pytest.approx([0.1] * len(rows)) and rows


# -- nothing learned ---------------------------------------------------------------------------------


def warnings(events: list[Event]) -> list[str]:
    return [event.words for event in events if isinstance(event, Warned)]


def test_a_run_that_ends_without_an_update_says_so() -> None:
    (said,) = warnings(run(experiment(run__total_steps=64)))
    assert "nothing was learned" in said and "`learn.warmup` = 100" in said
    (said,) = warnings(run(experiment(run__total_steps=64, learn__algorithm="ppo")))
    assert "`learn.rollout`" in said
    assert warnings(run(experiment(run__total_steps=200))) == []
    assert warnings(run(experiment(run__total_steps=600), (Stop(at=48),))) == []


@pytest.mark.parametrize("steps", [1, 60, 150, 800, 20_000, 1_000_000])
def test_the_warm_up_leaves_most_of_a_run_for_learning(steps: int) -> None:
    warmup = measured(steps).learn.warmup
    assert warmup <= steps / 4
    assert warmup <= 2_000
    assert warmup >= min(200, steps // 4)


def test_steps_that_windows_from_the_start_never_reach_are_named_once(tmp_path: Path) -> None:
    asked = experiment(learn__window_from="start", learn__window=8, learn__burn_in=0, run__eval_every=0)
    folder = create(tmp_path, asked)
    events = list(recorded(folder, asked, (Stop(at=300),)))
    (said,) = warnings(events)
    assert "windows start with the episode and hold 8 steps" in said
    assert warnings(resumed(folder)) == []
    anywhere = with_settings(asked, {"learn.window_from": "anywhere"})
    assert warnings(run(anywhere, (Stop(at=300),))) == []
    turned = SetKnob(field="learn.window", value=150, at=0)
    long = with_settings(asked, {"learn.replay_capacity": 2000})
    assert warnings(run(long, (turned, Stop(at=300)))) == []
