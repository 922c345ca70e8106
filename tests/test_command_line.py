"""The command line as its users meet it: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dqngui.__main__ import main
from dqngui.commands.arguments import TrainArguments, parse
from dqngui.commands.experiments import chosen_experiment
from dqngui.commands.output import ProgressLine
from dqngui.commands.several import SeedResult, median_row, print_table, seeds_of
from dqngui.config import ConfigError, EnvConfig
from dqngui.jobs.training import Training
from dqngui.messages import (
    EpisodeEnded,
    Evaluated,
    Learned,
)
from dqngui.presets import read_experiment, to_toml
from dqngui.runs.checkpoints import checkpoints
from dqngui.runs.folder import create
from dqngui.statistics import mean_interval
from dqngui.texts import say, words
from dqngui.texts.numbers import measured
from tests.commanded import SMALL, Here, events, here, run, start, trained
from tests.doubles.endless import NAME

__all__ = ["here", "trained"]


def test_json_is_one_event_a_line_and_ends_with_finished(trained: tuple[Path, str]) -> None:
    lines = events(trained[1])
    assert lines[0]["type"] == "Opened"
    assert {"EpisodeEnded", "Learned", "Evaluated", "CheckpointSaved"} <= {line["type"] for line in lines}
    episode = next(line for line in lines if line["type"] == "EpisodeEnded")
    assert episode["ret"] == episode["length"] > 0  # CartPole pays 1 a step
    end = lines[-1]
    assert (end["type"], end["reason"], end["step"]) == ("Finished", "completed", 1200)
    assert end["steps_per_second"] == pytest.approx(end["step"] / end["seconds"], rel=0.05)


def test_playing_is_greedy_and_repeats_itself(trained: tuple[Path, str], here: Here) -> None:
    runs, _ = trained
    command = ["play", "last", "--runs", str(runs), "--episodes", "3", "--seed", "7", "--json"]
    first, second = here(*command), run(*command)
    assert first[0] == 0
    evaluated = [line for line in events(first[1]) if line["type"] == "Evaluated"]
    assert len(evaluated[-1]["returns"]) == 3
    assert evaluated[-1]["mean"] == pytest.approx(sum(evaluated[-1]["returns"]) / 3)
    assert evaluated == [line for line in events(second[1]) if line["type"] == "Evaluated"]


def test_playing_without_json_prints_returns(trained: tuple[Path, str], here: Here) -> None:
    status, out, _ = here("play", "last", "--runs", str(trained[0]), "--episodes", "2")
    assert status == 0
    assert out.count("return") == 3
    assert "over 2 episodes, too few for an interval" in out
    status, out, _ = here("play", "last", "--runs", str(trained[0]), "--episodes", "5")
    returns = [float(found) for found in re.findall(r"episode \d: return (\d+)", out)]
    found = mean_interval(returns)
    expected = "all equal" if found is None else f"95\u00a0% interval {found.low:.4g} to {found.high:.4g}"
    assert len(returns) == 5 and f"over 5 episodes, {expected}" in out
    assert out.splitlines()[-1].startswith("With 5 episodes, an outcome of up to 45")


def test_runs_are_listed(trained: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    runs, _ = trained
    assert main(["runs", str(runs), "--json"]) == 0
    (listed,) = events(capsys.readouterr().out)
    assert (listed["type"], listed["step"], listed["state"]) == ("Run", 1200, "finished")
    tested = listed["tested"]
    assert tested["mean"] == listed["best"] and tested["episodes"] == 2 and tested["low"] is None
    assert main(["runs", str(runs)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert len(table) == 2
    assert "1,200 / 1,200" in table[1]
    assert re.split(" {2,}", table[0])[5:8] == ["test", "95\u00a0% interval", "chosen at"]
    assert re.split(" {2,}", table[1])[5:8] == [measured(tested["mean"]), "–", measured(tested["chosen_at"])]


def test_a_run_of_an_earlier_version_is_listed_with_what_chose_its_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = create(tmp_path, chosen_experiment("cartpole", None, []))
    stored = json.loads((folder / "summary.json").read_text())
    del stored["tested"]
    (folder / "summary.json").write_text(json.dumps({**stored, "best": 480.5}))
    assert main(["runs", str(tmp_path)]) == 0
    assert re.split(" {2,}", capsys.readouterr().out.splitlines()[1])[5:8] == ["–", "–", "480.5"]


def test_training_ends_with_a_test_on_fresh_episodes_and_with_what_chose_the_checkpoint(
    tmp_path: Path, here: Here
) -> None:
    command = ["train", *SMALL, "--set", "run.eval_episodes=6", "--steps", "600", "--runs", str(tmp_path)]
    status, out, _ = here(*command)
    assert status == 0
    first, test, unseen, *_ = out.splitlines()
    (summary,) = map(json.loads, (path.read_text() for path in tmp_path.glob("*/summary.json")))
    tested = summary["tested"]
    assert first.startswith("Completed at 600 steps") and "best" not in out
    assert test.startswith(f"Test:   {tested['mean']:.4g} on 6 fresh episodes, ")
    assert test.endswith(f"; chosen at {tested['chosen_at']:.4g}, the highest mean of repeated evaluations")
    assert f"95\u00a0% interval {tested['low']:.4g} to {tested['high']:.4g}" in test
    assert unseen.strip() == "With 6 episodes, an outcome of up to 39\u00a0% of all episodes may not have been seen."


def test_resuming_a_longer_run_goes_on(trained: tuple[Path, str], tmp_path: Path, here: Here) -> None:
    folder = shutil.copytree(next(trained[0].iterdir()), tmp_path / "run")
    status, out, err = here("train", "--resume", str(folder), "--steps", "2000", "--json")
    assert status == 0, err
    resumed = events(out)
    assert resumed[-1]["step"] == 2000
    assert min(line["step"] for line in resumed if line["type"] == "EpisodeEnded") > 1200


def test_forking_a_run_goes_on_from_its_end_with_changes(trained: tuple[Path, str], tmp_path: Path, here: Here) -> None:
    parent = shutil.copytree(next(trained[0].iterdir()), tmp_path / "parent")
    options = ["--fork", "parent", "--runs", str(tmp_path), "--set", "net.memory=lstm"]
    status, out, err = here("train", *options)
    assert (status, out) == (2, "")
    assert "starts at step 1,200, so it needs a total of more than 1,200 steps" in err
    assert list(tmp_path.iterdir()) == [parent]
    status, out, err = here("train", *options, "--steps", "1600")
    assert status == 0, err
    said = "Forked from parent at step 1,200 with net.memory: none → lstm; run.total_steps: 1,200 → 1,600."
    assert said in err
    assert "These start anew: optimizer, replay, random generators, memory.core" in err
    status, out, _ = here("runs", str(tmp_path), "--json")
    rows = {Path(row["folder"]).name: row for row in events(out)}
    assert rows.pop("parent")["parent"] == ""
    (child,) = rows.values()
    assert (child["parent"], child["memory"], child["step"], child["state"]) == ("parent", "lstm", 1600, "finished")
    _, out, _ = here("runs", str(tmp_path))
    assert out.splitlines()[0].endswith("fork of")
    assert sum(line.endswith(" parent") for line in out.splitlines()) == 1


def test_a_longer_fork_of_a_run_without_a_preset_keeps_its_replay(tmp_path: Path, here: Here) -> None:
    small = [f"--set=net.{name}" for name in ("width=8", "memory=none")]
    small += [f"--set=learn.{name}" for name in ("window=4", "batch_size=4", "update_every=64")]
    runs = ["--runs", str(tmp_path), "--set=run.eval_every=0"]
    assert here("train", "--env", "CartPole-v1", "--steps", "600", *small, *runs)[0] == 0
    (parent,) = tmp_path.iterdir()
    status, out, err = here("train", "--fork", parent.name, "--steps", "5400", *runs, "--json")
    assert status == 0, err
    (forked,) = [event for event in events(out) if event["type"] == "Forked"]
    assert forked["fresh"] == []
    assert "run.total_steps: 600 → 5,400" in forked["changes"]
    assert not any("warmup" in change for change in forked["changes"])


def test_a_fork_that_cannot_be_made_leaves_nothing(trained: tuple[Path, str], tmp_path: Path, here: Here) -> None:
    parent = shutil.copytree(next(trained[0].iterdir()), tmp_path / "parent")
    (parent / "resume" / "tensors.pt").write_bytes(b"PK")
    status, out, err = here("train", "--fork", "parent", "--runs", str(tmp_path), "--steps", "1600")
    assert (status, out) == (2, "")
    assert "damaged" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [parent]


def test_knobs_are_replayed_at_the_same_steps(tmp_path: Path, here: Here) -> None:
    experiment = chosen_experiment("cartpole", None, SMALL[2:], {"run.total_steps": 1000})
    from dqngui.hosts import run_inline
    from dqngui.messages import Request, SetKnob

    folder = create(tmp_path, experiment)
    knob = SetKnob(field="learn.lr", value=1e-4, at=400)
    list(run_inline(Request(job="train", experiment=experiment, folder=str(folder), schedule=(knob,))))
    status, out, _ = here("train", "--replay-knobs", str(folder), "--json", "--runs", str(tmp_path))
    (changed,) = [line for line in events(out) if line["type"] == "KnobChanged"]
    assert status == 0
    assert (changed["step"], changed["field"], changed["new"]) == (400, "learn.lr", 1e-4)


def test_several_seeds_end_in_a_table(tmp_path: Path, here: Here) -> None:
    command = ["train", *SMALL, "--steps", "600", "--seeds", "0-1", "--jobs", "2", "--test-episodes", "2"]
    status, out, err = here(*command, "--runs", str(tmp_path), "--json")
    assert status == 0, err
    table = events(out)[-1]
    assert table["type"] == "Table"
    assert [row["seed"] for row in table["rows"]] == [0, 1]
    for row in table["rows"]:
        assert (row["steps"], row["reason"]) == (600, "completed")
        assert row["test"] > 0
        assert row["seconds"] > 0
        assert row["low"] is None and row["chosen_at"] > 0  # two episodes are too few for an interval
    assert table["median"]["test"] == pytest.approx(sum(row["test"] for row in table["rows"]) / 2)


def test_the_table_of_seeds_begins_with_the_test_and_its_interval(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        SeedResult(seed=0, steps=600, seconds=3.0, best=410.0, test=400.0, low=380.5, high=419.5, chosen_at=436.0),
        SeedResult(seed=1, steps=600, seconds=3.0, best=500.0, test=500.0, chosen_at=500.0),
    ]
    print_table(rows, json=False)
    head, first, second, median, columns, mean, unseen = capsys.readouterr().out.splitlines()
    assert re.split(" {2,}", head)[3:7] == ["test", "95\u00a0% interval", "evaluation", "chosen at"]
    assert re.split(" {2,}", first)[3:7] == ["400", "380.5 to 419.5", "410", "436"]
    assert re.split(" {2,}", second)[3:7] == ["500", "–", "500", "500"]
    assert re.split(" {2,}", median)[3:7] == ["450", "–", "455", "468"]
    assert "highest mean of repeated evaluations, so it flatters" in columns
    assert mean == "test, mean of 2 seeds: 450 (too few for an interval)"
    assert unseen == "With 2 seeds, an outcome of up to 78\u00a0% of all seeds may not have been seen."


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_run_is_saved_and_can_go_on(tmp_path: Path, number: signal.Signals, here: Here) -> None:
    process = start("train", *SMALL, "--steps", "1000000", "--json", "--runs", str(tmp_path))
    assert process.stdout is not None
    folder = json.loads(process.stdout.readline())["folder"]
    for line in process.stdout:
        if json.loads(line)["step"] >= 500:
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    end = json.loads(out.splitlines()[-1])
    assert (end["type"], end["reason"]) == ("Finished", "stopped")
    status, out, _ = here("train", "--resume", folder, "--steps", str(end["step"] + 200), "--json")
    assert status == 0
    assert events(out)[-1]["step"] == end["step"] + 200


@pytest.mark.skipif(sys.platform == "win32", reason="pipes differ")
@pytest.mark.parametrize("arguments", [["train", *SMALL, "--steps", "1000000", "--json"], ["runs"]])
def test_a_closed_pipe_ends_quietly(tmp_path: Path, arguments: list[str]) -> None:
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "dqngui", *arguments], stdout=write, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    os.close(write)
    os.close(read)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


BAD = [
    (["train", "--set", "learn.lrr=1"], "learn.lrr"),
    (["train", "--set", "learn.lr=fast"], "learn.lr"),
    (["train", "--set", "learn.lr=7"], "<= 1"),
    (["train", "--set", "learn.lr=nan"], "finite"),
    (["train", "--set", "net.width=63"], "cannot be divided by 4 heads"),
    (["train", "--set", "learn.lr"], "section.field=value"),
    (["train", "--set", "env.id=CartPol-v1"], "CartPole-v1"),
    (["train", "--set", "net.memory=elephant"], "lstm"),
    (["train", "--set", "run.device=cuda:99"], "run.device"),
    (
        ["train", "--set", "env.id=Pendulum-v1"],
        '{ name = "discretize", options = { bins = 5 } }]',
    ),
    (["train", "--env", "Pendulum-v1", "--set", "env.wrappers=[{name='time_limit'}]"], 'name = "discretize"'),
    (["train", "--env", "nosuchmodule:Env-v0"], "nosuchmodule"),
    (["train", "nosuchpreset"], "cartpole-positions"),
    (["trian"], "commands: gui, train, play, runs, "),
    (["train", "cartpole", "--env", "CartPole-v1"], "not both"),
    (["train", "--steps", "many"], "--steps many: expected a whole number"),
    (["train", "--steps", "0"], "run.total_steps"),
    (["train", "--host", "moon"], "inline"),
    (["train", "--speed", "9"], "--speed"),
    (["train", "--seeds", "4-1"], "--seeds"),
    (["train", "--seeds", "0-1", "--jobs", "0"], "--jobs"),
    (["train", "--resume", "nosuchrun"], "nosuchrun"),
    (["train", "--resume", "configs", "--seed", "3"], "--resume"),
    (["train", "--replay-knobs", "nosuchrun"], "nosuchrun"),
    (["train", "--fork", "nosuchrun"], "nosuchrun"),
    (["train", "--fork", "last"], "there is no run in `runs`"),
    (["train", "cartpole", "--fork", "last"], "not with a FILE"),
    (["train", "--fork", "last", "--env", "CartPole-v1"], "--fork"),
    (["train", "--fork", "last", "--resume", "last"], "--resume"),
    (["train", "--fork", "last", "--seeds", "0-1"], "--fork"),
    (["play"], "RUN is missing"),
    (["play", "nosuchrun"], "nosuchrun"),
    (["play", "last"], "there is no run in `runs`"),
    (["runs", "nosuchfolder"], "nosuchfolder"),
    (["gui", "--size", "huge"], "1440x900"),
    (["gui", "--size", "10x10"], "800x500"),
    (["gui", "--quit-after", "-1"], "--quit-after"),
    (["gui", "--theme", "pink"], "dark"),
    (["--report"], "--report"),
]


@pytest.mark.parametrize(("arguments", "named"), BAD, ids=[" ".join(case[0]) for case in BAD])
def test_mistakes_get_one_sentence_and_change_nothing(
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("dqngui")
    assert captured.err.count("\n") == 1, captured.err
    assert named in captured.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"[learn\nlr = 1", "TOML"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[learn]\nlr = inf", "learn.lr"),
        (b"[learn]\nlr = '1'", "learn.lr"),
        (b"[sky]\nblue = 1", "sky"),
    ],
)
def test_bad_files_get_one_sentence(
    content: bytes, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    assert main(["train", str(path), "--runs", str(tmp_path / "runs")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert named in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("damage", ["experiment", "resume"])
def test_a_torn_run_is_refused(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "torn"
    folder.mkdir()
    if damage == "experiment":
        (folder / "experiment.toml").write_text("[learn")
    else:
        (folder / "experiment.toml").write_text(to_toml(read_experiment("cartpole")))
    before = sorted(path.name for path in folder.iterdir())
    assert main(["train", "--resume", str(folder)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="displays are found otherwise elsewhere")
def test_without_a_display_the_window_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 2
    assert "dqngui train" in capsys.readouterr().err


def test_an_error_in_dqngui_has_its_own_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(arguments: Any) -> int:
        raise RuntimeError("broken inside")

    monkeypatch.setattr("dqngui.commands.runs.run", broken)
    assert main(["runs"]) == 1
    assert "broken inside" in capsys.readouterr().err


def test_help_answers_at_once() -> None:
    began = time.perf_counter()
    status, out, _ = run("--help")
    assert status == 0
    assert "dqngui train" in out
    assert time.perf_counter() - began < 2.0  # 0.2 s on an idle machine


def test_settings_come_in_one_or_several_words() -> None:
    name, arguments = parse(["train", "cartpole", "--set", "a.b=1", "c.d=2", "--set", "e.f=3", "--json"])
    assert (name, arguments.file, arguments.set) == ("train", "cartpole", ("a.b=1", "c.d=2", "e.f=3"))
    assert arguments.json


def test_no_command_means_the_window() -> None:
    name, arguments = parse(["cartpole", "--size", "1440x900"])
    assert (name, arguments.file, arguments.size) == ("gui", "cartpole", "1440x900")


def test_the_default_experiment_remembers() -> None:
    experiment = chosen_experiment(None, None, ["learn.lr=2e-3"])
    assert (experiment.net.attention, experiment.net.memory, experiment.learn.lr) == ("self", "gru", 2e-3)


def test_another_environment_starts_from_clean_settings(capsys: pytest.CaptureFixture[str]) -> None:
    former = chosen_experiment("cartpole-positions", None, [])
    assert former.env.wrappers and former.env.features and capsys.readouterr().err == ""
    experiment = chosen_experiment("cartpole-positions", None, ["env.id=Acrobot-v1", "env.actions=['a','b','c']"])
    expected = EnvConfig(id="Acrobot-v1", num_envs=former.env.num_envs, actions=("a", "b", "c"))
    assert (experiment.env, experiment.title, experiment.net) == (expected, "", former.net)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Acrobot-v1 starts from clean settings: env.wrappers, env.features of" in said
    kept = ["env.id=Acrobot-v1", "env.features=[]", "env.wrappers=[{name='time_limit', options={steps=9}}]"]
    assert chosen_experiment("cartpole-positions", None, kept).env.wrappers[0].name == "time_limit"
    assert ": env.actions of CartPole-v1" in capsys.readouterr().err
    assert chosen_experiment("cartpole-positions", None, ["env.id=CartPole-v1"]) == former


@pytest.mark.parametrize(
    ("env", "tokens", "attention"),
    [("CartPole-v1", "feature", "none"), ("FrozenLake-v1", "one", "none")],
)
def test_the_default_agent_suits_the_environment(env: str, tokens: str, attention: str) -> None:
    experiment = chosen_experiment(None, env, ["learn.lr=2e-3"])
    assert experiment.env.id == env
    assert (experiment.net.tokens, experiment.net.attention, experiment.learn.lr) == (tokens, attention, 2e-3)


def test_the_default_agent_reads_a_grid_and_its_mission() -> None:
    pytest.importorskip("minigrid")
    experiment = chosen_experiment(None, "MiniGrid-Empty-5x5-v0", [])
    assert experiment.env.wrappers == ()
    assert (experiment.net.tokens, experiment.net.attention) == ("one", "self")


def test_seeds_are_ranges_and_lists() -> None:
    assert seeds_of("0-4") == [0, 1, 2, 3, 4]
    assert seeds_of("7,0-2,1") == [7, 0, 1, 2]
    with pytest.raises(ConfigError):
        seeds_of("x")


def test_a_median_with_a_gap_is_none() -> None:
    rows = [
        SeedResult(seed=seed, steps=steps, test=test)
        for seed, steps, test in ((0, 10, 1.0), (1, 30, None), (2, 20, 3.0))
    ]
    median = median_row(rows)
    assert (median["steps"], median["test"]) == (20, None)


def test_the_progress_line_shows_speed_time_left_and_evaluations() -> None:
    line = ProgressLine(10_000)
    line.take(EpisodeEnded(step=2_000, ret=31.0, length=31))
    line.take(Learned(step=2_500, updates=10, steps_per_second=100.0))
    line.take(Evaluated(step=2_500, returns=(40.0,), lengths=(40,), mean=40.0, best=True))
    line.take(Evaluated(step=5_000, returns=(20.0,), lengths=(20,), mean=20.0))
    assert line.text() == (
        "5,000 / 10,000 ██████████░░░░░░░░░░ 50%  100 steps/s  0:50 min left  return 31  evaluation 20 (highest 40)"
    )
    fresh = Evaluated(
        step=5_000, returns=(50.0, 30.0), lengths=(50, 30), mean=40.0, role="confirmation", best=True, score=30.0,
        reported=1,
    )  # fmt: skip
    line.take(fresh)
    assert line.text().endswith("evaluation 40 (kept: test 30)")


def test_arguments_have_the_defaults_of_their_help() -> None:
    assert msgspec.to_builtins(TrainArguments())["test_episodes"] == 20


def test_a_mistake_that_shows_later_keeps_what_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Training, budget: float) -> None:
        raise ConfigError("`env.id`: its port is in use")

    monkeypatch.setattr(Training, "evaluation", refused)
    assert main(["train", *SMALL, "--steps", "800", "--runs", str(tmp_path), "--json"]) == 2
    (folder,) = tmp_path.iterdir()
    assert checkpoints(folder)[0] == 0 and 500 <= checkpoints(folder)[-1] < 600  # the second one before it failed


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_signal_interrupts_a_slow_evaluation_of_an_endless_policy_at_once(
    tmp_path: Path, number: signal.Signals
) -> None:
    log = tmp_path / "steps"
    env = {**os.environ, "ENDLESS_STEP_S": "0.06", "ENDLESS_LOG": str(log)}
    agent = ["net.memory=none", "net.attention=none", "net.width=8", "learn.window=1", "learn.burn_in=0"]
    options = ["--set", *agent, "learn.warmup=100", "run.eval_every=200", "--host", "inline", "--steps", "2000"]
    process = start("train", "--env", NAME, *options, "--runs", str(tmp_path / "runs"), env=env)
    assert process.stderr is not None and process.stdout is not None
    end = time.monotonic() + 60
    while not log.exists() or log.stat().st_size < 50:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    sent = time.monotonic()
    process.send_signal(number)
    lines = []
    while words(say("shown.stopping")) not in "".join(lines[-1:]):
        lines.append(process.stderr.readline())
        assert lines[-1], lines
    assert time.monotonic() - sent < 1.0
    process.communicate(timeout=20)
    assert process.returncode == 130 and time.monotonic() - sent < 5.0
    assert list((tmp_path / "runs").glob("*/resume*"))
