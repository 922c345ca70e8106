"""`device = auto` is settled by measuring, once, before a run starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.envs.spaces import Spaces
from dqngui.hosts import run_inline
from dqngui.jobs import device as device_module
from dqngui.learning import device_choice
from dqngui.learning.device_choice import DeviceChoice, fastest_device, seconds_per_step
from dqngui.messages import Failed, Noted, Opened, Request
from dqngui.runs.folder import create, read_experiment
from dqngui.settings import experiment_from
from tests.event_logs import log, run


def experiment_of(device: str = "auto", **changes: dict[str, Any]) -> Experiment:
    data: dict[str, dict[str, Any]] = {
        "env": {"id": "CartPole-v1", "num_envs": 4},
        "net": {"memory": "gru", "width": 16},
        "learn": {"window": 6, "burn_in": 2, "batch_size": 4, "warmup": 80, "update_every": 16, "replay_capacity": 400},
        "run": {"total_steps": 160, "eval_every": 0, "checkpoint_every": 160, "device": device},
    }
    for section, values in changes.items():
        data[section] = {**data[section], **values}
    return experiment_from(data)


@pytest.fixture
def spaces() -> Spaces:
    envs = make_vector(experiment_of().env, 1)
    envs.close()
    return envs.spaces


@pytest.mark.parametrize("faster", ["cpu", "cuda:0"])
def test_the_faster_device_is_chosen(faster: str, spaces: Spaces) -> None:
    def measure(experiment: Experiment, given: Spaces, device: torch.device) -> float:
        assert given is spaces
        return 1e-4 if str(device) == faster else 3e-4

    choice = fastest_device(experiment_of(), spaces, ["cpu", "cuda:0"], measure)
    assert choice.device == faster
    assert choice.seconds == {"cpu": 1e-4 if faster == "cpu" else 3e-4, "cuda:0": 1e-4 if faster != "cpu" else 3e-4}


def test_nothing_is_measured_without_a_choice(spaces: Spaces) -> None:
    def measure(experiment: Experiment, given: Spaces, device: torch.device) -> float:
        raise AssertionError("measured")

    assert fastest_device(experiment_of(), spaces, ["cpu"], measure) == DeviceChoice("cpu", {})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"net": {"memory": "none"}, "learn": {"window": 1, "burn_in": 0}},
        {"net": {"memory": "transformer"}, "learn": {"prioritized": True, "window_from": "start"}},
        {"learn": {"algorithm": "ppo", "rollout": 16}},
        {"env": {"id": "dqngui/Recall-v0"}},
    ],
    ids=["windows", "single steps", "from start", "ppo", "categories"],
)
def test_the_experiments_own_work_is_timed(changes: dict[str, Any]) -> None:
    experiment = experiment_of(**changes)
    envs = make_vector(experiment.env, 1)
    envs.close()
    before = torch.random.get_rng_state()
    assert 0 < seconds_per_step(experiment, envs.spaces, torch.device("cpu")) < 1
    assert torch.equal(torch.random.get_rng_state(), before)


def measured_as(monkeypatch: pytest.MonkeyPatch, device: str) -> list[str]:
    """Let this machine have a second device, and let measuring choose `device`; returns the calls."""
    calls: list[str] = []

    def fake(experiment: Experiment, spaces: Spaces, devices: Sequence[str] | None = None) -> DeviceChoice:
        calls.append(experiment.run.device)
        return DeviceChoice(device, {"cpu": 0.0002, "cuda:0": 0.0007})

    monkeypatch.setattr(device_module, "fastest_device", fake)
    monkeypatch.setattr(device_module, "available_devices", lambda: ["auto", "cpu", "cuda:0"])
    return calls


def test_a_new_run_measures_once_writes_the_result_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = measured_as(monkeypatch, "cpu")
    folder = create(tmp_path, experiment_of())
    events = list(run_inline(Request(job="train", experiment=read_experiment(folder), folder=str(folder))))
    assert calls == ["auto"]
    assert read_experiment(folder).run.device == "cpu"
    (opened,) = [event for event in events if isinstance(event, Opened)]
    assert opened.experiment.run.device == "cpu"
    (told,) = [event for event in events if isinstance(event, Noted)]
    assert "0.20 ms on cpu" in told.words and "0.70 ms on cuda:0" in told.words
    request = Request(job="train", folder=str(folder), resume=True, options={"total_steps": 320})
    again = list(run_inline(request))
    assert again[-1].step == 320
    assert calls == ["auto"], "measured again on resume"


def test_a_named_device_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = measured_as(monkeypatch, "cpu")
    run(experiment_of("cpu"))
    assert calls == []


def test_measuring_changes_nothing_in_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run(experiment_of("cpu"))
    monkeypatch.setattr(device_module, "available_devices", lambda: ["auto", "cpu", "cpu"])
    monkeypatch.setattr(device_choice, "available_devices", lambda: ["auto", "cpu", "cpu"])
    measured = run(experiment_of())
    assert [each for each in log(measured) if each["type"] != "Noted"] == log(plain)


def test_a_stored_run_of_a_device_that_this_machine_lacks_says_so(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    folder = create(tmp_path, experiment_of())
    list(run_inline(Request(job="train", experiment=read_experiment(folder), folder=str(folder))))
    path = folder / "experiment.toml"
    text = path.read_text(encoding="utf-8").replace('device = "auto"', 'device = "cuda:0"')
    path.write_text(text if "cuda:0" in text else text.replace("[run]", '[run]\ndevice = "cuda:0"'), encoding="utf-8")
    assert read_experiment(folder).run.device == "cuda:0"
    (failed,) = [
        event
        for event in run_inline(Request(job="train", folder=str(folder), resume=True))
        if isinstance(event, Failed)
    ]
    assert failed.mistake
    assert failed.words.startswith("`run.device`: this machine has no `cuda:0`; there are: ")
