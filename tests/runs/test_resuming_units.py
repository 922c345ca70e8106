"""A run that is stopped while the units of its observations are first measured continues as if nothing had happened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from dqngui.config import ConfigError, Experiment
from dqngui.presets import to_toml
from dqngui.runs.folder import create
from dqngui.runs.resume import LogMark, read_meta, save_resume
from dqngui.settings import experiment_from
from tests.commanded import Here, events, here
from tests.doubles import panel

__all__ = ["here", "panel"]

SMALL: dict[str, Any] = {
    "env": {"id": "tests.doubles.panel:tests/Panel-v0", "num_envs": 4},
    "net": {"attention": "none", "memory": "none", "tokens": "one", "width": 8, "hidden": []},
    "learn": {
        "window": 1, "burn_in": 0, "n_step": 1, "batch_size": 8, "warmup": 64, "update_every": 32,
        "replay_capacity": 256, "epsilon": 0.5,
    },
    "run": {"device": "cpu", "total_steps": 1600, "eval_every": 0, "log_every": 128, "checkpoint_every": 1600},
}  # fmt: skip


def train(here: Here, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
    got, out, err = here("train", *arguments, "--json")
    assert got == status, err
    return events(out)


def last_weights(runs: Path) -> dict[str, Any]:
    (folder,) = runs.iterdir()
    weights: dict[str, Any] = torch.load(folder / "checkpoints" / "1600.pt", weights_only=True)
    return weights


def flat(tree: Any) -> list[torch.Tensor]:
    if isinstance(tree, dict):
        return [tensor for each in tree.values() for tensor in flat(each)]
    return [tree] if isinstance(tree, torch.Tensor) else []


def test_bytes_and_a_window_go_on_bit_for_bit(tmp_path: Path, here: Here) -> None:
    preset = tmp_path / "panel.toml"
    preset.write_text(to_toml(experiment_from(SMALL)), encoding="utf-8")
    whole = train(here, str(preset), "--runs", str(tmp_path / "whole"))
    stopped = train(here, str(preset), "--runs", str(tmp_path / "parts"), "--break", "loss > 0", status=3)
    (folder,) = (tmp_path / "parts").iterdir()
    resumed = train(here, "--resume", str(folder))
    losses = [[event["loss"] for event in part if event["type"] == "Learned"] for part in (whole, stopped, resumed)]
    assert len(losses[1]) == 1 and len(losses[0]) > 10
    assert losses[0] == losses[1] + losses[2]
    ours, theirs = (flat(last_weights(tmp_path / runs)) for runs in ("whole", "parts"))
    assert len(ours) == len(theirs) > 4
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_a_run_killed_in_the_middle_of_its_first_save_counts_as_never_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create(tmp_path, Experiment())
    replace = os.replace

    def killed(source: Path, target: Path) -> None:
        if Path(target).name == "meta.json":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_resume(folder, {}, {}, LogMark(step=1))
    monkeypatch.undo()
    assert (folder / "resume.new").exists()
    with pytest.raises(ConfigError, match="never saved"):
        read_meta(folder)
    save_resume(folder, {}, {}, LogMark(step=2))
    assert read_meta(folder)[0].step == 2
