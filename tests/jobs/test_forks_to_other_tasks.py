"""A fork to another task: it is measured, and what followed from the old one is derived anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dqngui.commands.arguments import parse
from dqngui.commands.experiments import experiment_of, forked_experiment
from dqngui.config import EnvConfig, Experiment
from dqngui.defaults import default_experiment, with_task_measured
from dqngui.derivation import awaits_task
from dqngui.jobs.branching import branch_point
from dqngui.jobs.inbox import Inbox
from dqngui.jobs.train import train
from dqngui.lab.session.draft import Draft
from dqngui.messages import Noted, Opened, Request, Stop
from dqngui.runs.folder import create, read_experiment
from dqngui.settings import with_settings
from tests.jobs.test_training_job import recorded

SMALL = {"env.num_envs": 4, "run.total_steps": 200, "run.device": "cpu", "run.eval_every": 0, "run.host": "inline"}


def settings_from_task(experiment: Experiment) -> tuple[Any, ...]:
    learn, net = experiment.learn, experiment.net
    return net.horizon, net.memory_options, learn.window_from, learn.window, learn.burn_in


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    usual = default_experiment(EnvConfig(id="dqngui/TMaze-v0", kwargs={"length": 10}))
    asked = with_settings(usual, SMALL | {"net.width": 16, "learn.batch_size": 5})
    folder = create(tmp_path, asked)
    list(recorded(folder, asked, (Stop(at=60),)))
    return folder


def test_the_command_line_measures_the_new_task(parent: Path) -> None:
    _, arguments = parse(
        [
            "train",
            "--fork",
            str(parent),
            "--set",
            "env.kwargs.length=60",
            "--steps",
            "300",
            "--runs",
            str(parent.parent),
        ]
    )
    _, experiment = forked_experiment(arguments)
    assert settings_from_task(read_experiment(parent)) == (11, {"chrono": 11}, "start", 11, 0)
    assert settings_from_task(experiment) == (61, {"chrono": 61}, "start", 61, 0)
    assert (experiment.learn.batch_size, experiment.net.width) == (5, 16), "chosen"
    assert experiment.task is not None and experiment.task.longest == 61


@pytest.mark.parametrize("measured_before", [True, False])
def test_the_job_measures_where_nobody_did_and_says_what_was_derived_anew(parent: Path, measured_before: bool) -> None:
    """The window does not measure before it starts a fork."""
    _, began = branch_point(parent)
    draft = Draft(began)
    draft.edit({"env.kwargs.length": 60, "learn.n_step": 3})
    asked = draft.forked(60)
    assert awaits_task(asked) and set(draft.changes) == {"env.kwargs", "learn.n_step"}
    if measured_before:
        asked = with_task_measured(asked)
    folder = create(parent.parent, asked)
    request = Request(job="train", experiment=asked, folder=str(folder), fork=str(parent))
    events = list(train(request, Inbox(None, (Stop(at=80),))))
    (opened,) = [event for event in events if isinstance(event, Opened)]
    assert opened.experiment == read_experiment(folder)
    assert settings_from_task(opened.experiment) == (61, {"chrono": 61}, "start", 61, 0)
    assert opened.experiment.learn.n_step == 3
    (said,) = [event.words for event in events if isinstance(event, Noted)]
    assert "another task than its parent" in said and "learn.window = 61" in said and "batch_size" not in said


def test_what_was_chosen_for_the_old_task_stays_and_nothing_is_measured_without_need(parent: Path) -> None:
    _, began = branch_point(parent)
    chosen = with_settings(began, {"learn.window": 20, "net.horizon": 20})
    moved = with_task_measured(with_settings(chosen, {"env.kwargs.length": 60}))
    assert settings_from_task(moved) == (20, {"chrono": 20}, "anywhere", 20, 8)
    assert with_task_measured(began) is began
    # There and back, the draft still waits and follows what is edited; a rebase keeps that.
    draft = Draft(began)
    draft.edit({"env.kwargs.length": 60})
    draft.rebase(with_settings(began, {"learn.lr": 3e-4}))
    assert awaits_task(draft.experiment) and set(draft.experiment.derived) == set(began.derived)
    assert draft.experiment.learn.lr == 3e-4


def test_wrappers_that_were_added_for_the_old_task_are_not_asked_of_the_new_one() -> None:
    usual = default_experiment(EnvConfig(id="Pendulum-v1"))
    assert [wrapper.name for wrapper in usual.env.wrappers] == ["discretize"]
    assert with_task_measured(with_settings(usual, {"env.id": "CartPole-v1"})).env.wrappers == ()
    again = with_task_measured(with_settings(usual, {"env.kwargs.g": 5.0}))
    assert again.env.wrappers == usual.env.wrappers and again.task is not None
    assert again.task.added_wrappers == ("discretize",)
    own = with_settings(usual, {"env.wrappers": [{"name": "discretize", "options": {"bins": 7}}]})
    assert with_settings(own, {"env.kwargs.g": 5.0}).env.wrappers == own.env.wrappers


def test_a_setting_of_a_preset_may_be_left_to_the_task() -> None:
    _, arguments = parse(["train", "tmaze", "--set", "learn.window=auto", "--set", "learn.window_from=auto"])
    experiment = experiment_of(arguments)
    assert (experiment.learn.window_from, experiment.learn.window) == ("start", 31)
    assert experiment.learn.batch_size == with_settings(experiment, {}).learn.batch_size
    assert set(experiment.derived) == {"learn.window", "learn.window_from", "net.memory_options.chrono"}
