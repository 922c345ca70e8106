"""Trains the default agent on fifteen tasks without a preset, as `dqngui train --env ID` does, and writes a table.

    python -m tests.evidence.without_preset [--only NAME ...] [--seeds 60 61 62 63 64] [--jobs 2] [--report]

Every run is one call of the command line, stored as one JSON file in assets/evidence/without-preset; a run whose file
is there is not repeated. The score of a seed is the mean of 100 greedy episodes of its checkpoint that were used for
nothing else. `--report` only writes the table README.md beside the files. popgym, MinAtar, mujoco and Box2D have to be
installed. The seeds were used for nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dqngui.config import EnvConfig
from dqngui.envs.make import make_env
from dqngui.statistics import mean_interval

FOLDER = Path(__file__).parents[2] / "assets" / "evidence" / "without-preset"
SEEDS = (60, 61, 62, 63, 64)
TEST_EPISODES, RANDOM_EPISODES = 100, 200
MEMORYLESS = ("net.memory=none", "net.previous_action=false", "net.previous_reward=false")


@dataclass(frozen=True)
class Task:
    """A task, how long it is trained, and the mean score over the seeds from which it passes.

    Attributes:
        at_least: None: the score has to be above `above`, with intervals apart.
        above: `random`, a random policy's mean return, or `memoryless`, the same agent without memory.
        known: a published or measured score for comparison.
        controlled: whether the agent without memory is trained too.
        missed: what is known about why it does not pass; the report shows it only where it does not.
    """

    env: str
    steps: int
    at_least: float | None = None
    above: str = ""
    known: str = ""
    controlled: bool = False
    missed: str = ""


TASKS = {
    "acrobot": Task(
        "Acrobot-v1",
        100_000,
        -80,
        known="-76.6 (rl-zoo DQN)",
        missed="Every seed is at about -90 after 30,000 steps, and then swings between -75 and -95 from one evaluation "
        "to the next. A learning rate that falls to a tenth, other windows and larger batches did not make it steadier "
        "(one to three seeds each).",
    ),
    "autoencode": Task("popgym-AutoencodeEasy-v0", 200_000, above="memoryless", controlled=True),
    "higher-lower": Task("popgym-HigherLowerEasy-v0", 400_000, 0.48, controlled=True),
    "count-recall": Task("popgym-CountRecallEasy-v0", 400_000, above="random", controlled=True),
    "concentration": Task(
        "popgym-ConcentrationEasy-v0",
        400_000,
        above="random",
        controlled=True,
        missed="Learning stops after about 50,000 steps, below a random policy, which meets more new cards: the agent "
        "does not learn to remember which cards it has turned.",
    ),
    "mountaincar": Task("MountainCar-v0", 120_000, -105, known="-100.8 (rl-zoo DQN)"),
    "space-invaders": Task(
        "MinAtar/SpaceInvaders-v1",
        200_000,
        30,
        known="about 15.5 (DQN of the authors at 200,000)",
        missed="Every seed reaches 25 after 50,000 to 60,000 steps and stays between 18 and 36. The picture shows "
        "nearly everything that counts: without memory one training reached 41 (another seed). Neither a replay of all "
        "steps nor leaving out the previous action and reward made a difference over two seeds.",
    ),
    "breakout": Task("MinAtar/Breakout-v1", 200_000, 9, known="about 7.3 (DQN of the authors at 200,000)"),
    "repeat-first": Task("popgym-RepeatFirstEasy-v0", 200_000, 0.9, controlled=True),
    "repeat-previous": Task("popgym-RepeatPreviousEasy-v0", 200_000, 0.95, controlled=True),
    "cartpole-positions": Task("popgym-PositionOnlyCartPoleEasy-v0", 200_000, 0.9, controlled=True),
    "tmaze": Task("dqngui/TMaze-v0", 100_000, 1.0, known="1 (oracle)", controlled=True),
    "cartpole": Task("CartPole-v1", 50_000, 500, known="500 (rl-zoo DQN)"),
    "inverted-pendulum": Task("InvertedPendulum-v5", 60_000, 1000, known="1000 (the time limit)"),
    "lunarlander": Task("LunarLander-v3", 150_000, 200, known="154 at 100,000 (rl-zoo DQN)"),
}


def train(name: str, agent: str, seed: int) -> None:
    """Train one seed of a task by the command line and store its curve and the returns of its test."""
    path = FOLDER / f"{name}-{agent}-{seed}.json"
    if path.exists():
        return
    task = TASKS[name]
    changes = [part for change in (MEMORYLESS if agent == "memoryless" else ()) for part in ("--set", change)]
    with tempfile.TemporaryDirectory() as runs:
        command = [sys.executable, "-m", "dqngui", "train", "--env", task.env, "--steps", str(task.steps), *changes]
        command += ["--seeds", str(seed), "--jobs", "1", "--test-episodes", str(TEST_EPISODES), "--json"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        started = time.monotonic()
        done = subprocess.run([*command, "--runs", runs], capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            print(f"{name} {agent} {seed}: {done.stderr.strip()[-500:]}", flush=True)
            return
    result = _read(done.stdout.splitlines()) | {"seed": seed, "wall_seconds": round(time.monotonic() - started, 1)}
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result) + "\n", encoding="utf-8")
    print(f"{name} {agent} {seed}: {np.mean(result['test']):.3f} in {result['wall_seconds']} s", flush=True)


def _read(lines: Sequence[str]) -> dict[str, Any]:
    events = [json.loads(line) for line in lines if line.startswith("{")]
    evaluations = [event for event in events if event.get("type") == "Evaluated"]
    test = next(event for event in evaluations if event.get("role") == "test")
    curve = [
        [each["step"], round(each["mean"], 4)] for each in evaluations if each.get("role", "selection") == "selection"
    ]
    return {"best_step": test["step"], "curve": curve, "test": [round(value, 4) for value in test["returns"]]}


def random_returns(task: Task) -> list[float]:
    """Returns of a random policy."""
    env = make_env(EnvConfig(id=task.env))
    returns = []
    env.action_space.seed(0)
    for episode in range(RANDOM_EPISODES):
        env.reset(seed=episode)
        total, ended = 0.0, False
        while not ended:
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            total, ended = total + float(reward), terminated or truncated
        returns.append(total)
    env.close()
    return returns


def _scores(name: str, agent: str) -> list[float]:
    """The mean test return of every stored seed."""
    files = sorted(FOLDER.glob(f"{name}-{agent}-*.json"))
    return [float(np.mean(json.loads(file.read_text(encoding="utf-8"))["test"])) for file in files]


def report() -> str:
    """The table, as Markdown."""
    lines = [
        "# The default agent without a preset",
        "",
        f"`dqngui train --env ID --steps N` with {len(SEEDS)} seeds; each is tested by {TEST_EPISODES} greedy episodes "
        "that were used for nothing else. Score: mean over the seeds, with a 95 % interval between seeds where it "
        "holds. Made by `make without-preset`; curves are in the files beside.",
        "",
        "| task | steps | bar | score | each seed | without memory | random | known | passes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    passed, causes = 0, []
    for name, task in TASKS.items():
        scores, control, chance = _scores(name, "default"), _scores(name, "memoryless"), random_returns(task)
        other = chance if task.above == "random" else control
        bar = f"above {task.above}" if task.at_least is None else f"{task.at_least:g}"
        verdict = "not run"
        compared = task.above != "memoryless" or len(control) == len(SEEDS)
        if scores and not compared:
            verdict = "the control was not run"
        elif scores and len(scores) < len(SEEDS):
            verdict = f"{len(scores)} of {len(SEEDS)} seeds run"
        elif scores:
            good = np.mean(scores) >= task.at_least if task.at_least is not None else _apart(scores, other)
            passed += bool(good)
            verdict = "yes" if good else "**no**"
            causes += [f"- **{task.env}**: {task.missed}"] * (not good and bool(task.missed))
        if scores and len(control) == len(SEEDS) and not _apart(scores, control):
            causes.append(
                f"- **{task.env}**: an agent without memory reaches as much, so this row says nothing of memory."
            )
        each = ", ".join(f"{score:.4g}" for score in scores)
        lines.append(
            f"| {task.env} | {task.steps:,} | {bar} | {_stated(scores)} | {each} | {_stated(control)} "
            f"| {_stated(chance)} | {task.known} | {verdict} |"
        )
    lines += ["", f"{passed} of {len(TASKS)} pass.", ""]
    return "\n".join([*lines, *(["What misses, and what else to know:", "", *causes, ""] if causes else [])])


def _apart(scores: Sequence[float], others: Sequence[float]) -> bool:
    mine, theirs = mean_interval(scores), mean_interval(others)
    low = mine.low if mine is not None else min(scores)
    high = theirs.high if theirs is not None else max(others, default=float("inf"))
    return low > high


def _stated(values: Sequence[float]) -> str:
    if not values:
        return ""
    found = mean_interval(values)
    return f"{np.mean(values):.4g}" + (f" [{found.low:.4g}, {found.high:.4g}]" if found is not None else "")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args(arguments)
    if not given.report:
        runs = [(name, "default", seed) for name in given.only for seed in given.seeds]
        runs += [(name, "memoryless", seed) for name in given.only if TASKS[name].controlled for seed in given.seeds]
        with ThreadPoolExecutor(given.jobs) as pool:
            list(pool.map(lambda run: train(*run), runs))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "README.md").write_text(report(), encoding="utf-8")


if __name__ == "__main__":
    main()
