"""Trains the agents of the zoo: `python -m tests.zoo assets/zoo [--only cartpole tmaze] [--again]`.

Each shipped preset is trained with a fixed seed, and its best checkpoint is tested on episodes that chose nothing. Only
what is needed to play is kept. A preset whose agent is still up to date is passed over, so a stopped call goes on.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import msgspec

import dqngui
from dqngui import presets
from dqngui.config import ConfigError
from dqngui.envs.seeds import TEST_SEEDS
from dqngui.hosts import run_inline
from dqngui.messages import Evaluated, Event, Failed, Request
from dqngui.messages.tested import CheckpointTest
from dqngui.runs import zoo
from dqngui.runs.checkpoints import BEST, FOLDER
from dqngui.runs.folder import EXPERIMENT, SUMMARY, RunSummary, create
from dqngui.settings import with_settings

SEED, TEST_EPISODES = 7, 100
MOST_BYTES = 20_000_000
LEFT_OUT = {"bench-cartpole"}
"""It is for benchmarks, and trains what `cartpole` trains."""
STOP_AT = {
    "cartpole": 495.0,
    "cartpole-ppo": 495.0,
    "cartpole-positions": 495.0,
    "cartpole-positions-ppo": 495.0,
    "cartpole-positions-transformer": 495.0,
    "catch": 1.0,
    "find": 8.0,
    "tmaze": 1.0,
    "tmaze-ppo": 1.0,
    "tmaze-100": 1.0,
    "recall": 1.0,
    "minigrid-memory": 0.95,
    "minigrid-memory-cells": 0.95,
    "senses": 7.95,
}
"""Mean return of an evaluation at which the training may end, where nothing better can follow."""


def up_to_date(name: str) -> bool:
    """Whether the zoo has an agent of this preset that belongs to its present settings."""
    try:
        zoo.playable(name)
    except ConfigError:
        return False
    return True


def command_of(name: str) -> tuple[dict[str, object], str]:
    """The settings beside those of the preset, and the command that trains so."""
    wanted: dict[str, object] = {"run.seed": SEED, "run.device": "cpu"}
    if name in STOP_AT:
        wanted["run.stop_at"] = STOP_AT[name]
    assignments = " ".join(f"{path}={value}" for path, value in wanted.items())
    return wanted, f"dqngui train {name} --set {assignments}"


def last_evaluation(request: Request) -> Evaluated:
    """Follow a job to its end, and give its last evaluation."""
    found: Evaluated | None = None
    for event in run_inline(request):
        _check(event)
        if isinstance(event, Evaluated):
            found = event
            print(f"  {event.step:,} steps, {event.role} {event.mean:g}", flush=True)
    if found is None:
        sys.exit("nothing was evaluated")
    return found


def _check(event: Event) -> None:
    if isinstance(event, Failed):
        sys.exit(event.words)


def train(name: str, into: Path) -> None:
    """Train and test the agent of a preset, and keep it in the folder `into`."""
    wanted, command = command_of(name)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as runs:
        experiment = with_settings(presets.read_experiment(name), wanted)
        run = create(Path(runs), experiment)
        last_evaluation(Request(job="train", experiment=experiment, folder=str(run)))
        seconds = time.perf_counter() - began
        options = {"checkpoint": "best", "episodes": TEST_EPISODES, "seed": TEST_SEEDS + 100_000}
        tested = last_evaluation(Request(job="test", folder=str(run), options=options))
        test = CheckpointTest.of(tested.returns)
        if test is None:
            sys.exit(f"{name}: a return is not finite")
        keep(run, into / name)
    agent = zoo.ZooAgent(
        preset=name,
        command=command,
        version=dqngui.__version__,
        step=tested.step,
        seconds=round(seconds, 1),
        tested=test,
    )
    text = msgspec.json.format(msgspec.json.encode(agent)) + b"\n"
    (into / name / zoo.FILE).write_bytes(text)  # last: without it the agent does not count
    print(f"{name}: {test.mean:g} over {test.episodes} episodes, {seconds:.0f} s", flush=True)


def keep(run: Path, folder: Path) -> None:
    """Copy what playing needs, without what tells of the machine."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / FOLDER).mkdir(parents=True)
    shutil.copyfile(run / FOLDER / BEST, folder / FOLDER / BEST)
    text = (run / EXPERIMENT).read_text(encoding="utf-8")
    (folder / EXPERIMENT).write_text(re.sub(r'(?m)^platform = ".*"\n', "", text), encoding="utf-8")
    summary = msgspec.json.decode((run / SUMMARY).read_bytes(), type=RunSummary)
    plain = msgspec.structs.replace(summary, pid=0, pid_since=0.0)
    (folder / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(plain)) + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("into", type=Path)
    parser.add_argument("--only", nargs="+", default=[], metavar="PRESET")
    parser.add_argument("--again", action="store_true", help="train those that are up to date too")
    arguments = parser.parse_args()
    os.nice(10)
    names = arguments.only or [name for name in presets.preset_names() if name not in LEFT_OUT]
    for name in names:
        if arguments.again or not up_to_date(name):
            print(name, flush=True)
            train(name, arguments.into)
    size = sum(file.stat().st_size for file in arguments.into.rglob("*") if file.is_file())
    print(f"{arguments.into}: {size:,} bytes")
    if size > MOST_BYTES:
        sys.exit(f"that is more than {MOST_BYTES:,}")


if __name__ == "__main__":
    main()
