"""Checks that the units of rewards and observations make no difference to learning: trains in several units.

    python -m tests.evidence.scale [--only cartpole tmaze] [--seeds 30 31 32 33 34] [--jobs 2] [--report]

Each task is trained with rewards times 0.01, 1 and 100, and tasks of vectors also with observations times 1,000 plus
50, with the same seeds, which were used for nothing else. A run stops when two evaluations reach its goal. Every run is
stored as one JSON file in assets/evidence/scale; a run whose file is there is not repeated. `--report` only writes the
table README.md beside the files: the steps to solve of every run, and the ratio of the medians to that of the original
units. With rewards in another unit whole logs should be equal, apart from that unit; the last column says up to which
step the lengths of all episodes were.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from dqngui.config import EnvConfig, Experiment
from dqngui.defaults import default_experiment
from dqngui.hosts import run_inline
from dqngui.messages import EpisodeEnded, Evaluated, Finished, Request
from dqngui.presets import read_experiment
from dqngui.settings import as_data, experiment_from, with_settings

FOLDER = Path(__file__).parents[2] / "assets" / "evidence" / "scale"
SEEDS = (30, 31, 32, 33, 34)
OBSERVED = "tests/InOtherUnits-v0"
COMPARED_EVERY = 1_000
"""Steps between the points at which the episodes of two runs are compared."""


@dataclass(frozen=True)
class Task:
    """A task and when it is solved.

    Attributes:
        preset: the shipped experiment; empty: the default agent.
        vector: the observation is one vector, which can be shown in other units.
        goal: mean return, in the original unit, that two evaluations have to reach.
    """

    env: str
    preset: str
    vector: bool
    goal: float
    steps: int


TASKS = {
    "cartpole": Task("CartPole-v1", "", True, 475.0, 60_000),
    "tmaze": Task("dqngui/TMaze-v0", "", True, 1.0, 100_000),
    "repeat-previous": Task("popgym-RepeatPreviousEasy-v0", "", False, 0.9, 150_000),
    "minigrid-memory": Task("MiniGrid-MemoryS7-v0", "minigrid-memory", False, 0.8, 300_000),
}


class InOtherUnits(gymnasium.ObservationWrapper[Any, Any, Any]):
    """An environment whose observed numbers are multiplied by 1,000, plus 50."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        space = env.observation_space
        assert isinstance(space, spaces.Box)
        self.observation_space = spaces.Box(-np.inf, np.inf, space.shape, np.float32)

    def observation(self, observation: Any) -> Any:
        return (np.asarray(observation, np.float64) * 1000 + 50).astype(np.float32)


def _in_other_units(base: str, **kwargs: Any) -> gymnasium.Env[Any, Any]:
    return InOtherUnits(gymnasium.make(base, disable_env_checker=True, **kwargs))


def register() -> None:
    """Register the environment in other units, in this process."""
    if OBSERVED not in gymnasium.registry:
        gymnasium.register(OBSERVED, entry_point=_in_other_units)


def units_of(task: Task) -> list[str]:
    """The units that a task is trained in, the original ones first."""
    return ["rewards-1", "rewards-0.01", "rewards-100", *["observations"] * task.vector]


def experiment_of(task: Task, unit: str, seed: int) -> Experiment:
    """The experiment of a task in a unit of `units_of`."""
    base = read_experiment(task.preset) if task.preset else default_experiment(EnvConfig(id=task.env))
    data = as_data(base)
    factor = float(unit.removeprefix("rewards-")) if unit.startswith("rewards") else 1.0
    if factor != 1.0:
        data["env"]["wrappers"] = [*data["env"]["wrappers"], {"name": "reward_scale", "options": {"factor": factor}}]
    if unit == "observations":
        data["env"] |= {"id": OBSERVED, "kwargs": {"base": task.env}}
    run = {
        "run.seed": seed,
        "run.device": "cpu",
        "run.total_steps": task.steps,
        "run.stop_at": task.goal * factor,
    }
    # The facts of the task are kept, since a wrapper would make them those of another task.
    return with_settings(experiment_from(data), {**run, "run.host": "inline"})


def run(name: str, unit: str, seed: int) -> None:
    """Train a task in a unit, and store the steps to solve (None: not solved) and checksums of its episodes."""
    path = FOLDER / f"{name}-{unit}-{seed}.json"
    if path.exists():
        return
    register()
    solved, evaluated, check = None, 0, 0
    checks: list[int] = []  # of all training episodes up to COMPARED_EVERY, twice as many steps, ...
    for event in run_inline(Request(job="train", experiment=experiment_of(TASKS[name], unit, seed))):
        if isinstance(event, EpisodeEnded):
            while event.step > COMPARED_EVERY * (len(checks) + 1):
                checks.append(check)
            check = zlib.crc32(f"{event.step} {event.length};".encode(), check)
        elif isinstance(event, Evaluated):
            evaluated = event.step
        elif isinstance(event, Finished) and event.reason == "solved":
            solved = evaluated
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"solved": solved, "checks": [*checks, check]}) + "\n", encoding="utf-8")
    print(f"{name} {unit} {seed}: {'not solved' if solved is None else f'solved at {solved:,}'}", flush=True)


def _stored(name: str, unit: str) -> dict[int, dict[str, Any]]:
    """Stored runs by seed."""
    files = {seed: FOLDER / f"{name}-{unit}-{seed}.json" for seed in SEEDS}
    return {seed: json.loads(file.read_text(encoding="utf-8")) for seed, file in files.items() if file.exists()}


def report() -> str:
    """The table, as Markdown."""
    lines = [
        "# The same learning in other units",
        "",
        "Steps to solve of five paired seeds, the ratio of their median to that in the original units, and up to which "
        "step, in thousands of steps, the episodes of each seed were the same (all: to the end). Made by `make scale`.",
        "",
        "| task | unit | solved at, by seed | median | ratio | the same episodes up to |",
        "|---|---|---|---|---|---|",
    ]
    stored, asked = 0, 0
    for name, task in TASKS.items():
        runs = {unit: _stored(name, unit) for unit in units_of(task)}
        original, *_ = runs.values()
        lines += [_row(name, unit, found, original) for unit, found in runs.items() if found]
        stored, asked = stored + sum(map(len, runs.values())), asked + len(runs) * len(SEEDS)
    if stored < asked:
        lines += ["", f"{stored} of {asked} runs are stored; the others were not made yet."]
    return "\n".join([*lines, ""])


def _row(name: str, unit: str, found: dict[int, dict[str, Any]], original: dict[int, dict[str, Any]]) -> str:
    paired = [seed for seed in found if seed in original]
    steps, base = ([_steps(some[seed]) for seed in paired] for some in (found, original))
    middle, reference = (median(some) if some else float("nan") for some in (steps, base))
    ratio = "–" if not paired or float("inf") in (middle, reference) else f"{middle / reference:.2f}"
    *each, middle_words = ["never" if step == float("inf") else f"{step:,.0f}" for step in (*steps, middle)]
    equal = ", ".join(_equal_until(found[seed]["checks"], original[seed]["checks"]) for seed in paired)
    words = {"observations": "observations × 1,000 + 50"}.get(unit, unit.replace("-", " × "))
    return f"| {TASKS[name].env} | {words} | {', '.join(each)} | {middle_words} | {ratio} | {equal} |"


def _steps(stored: dict[str, Any]) -> float:
    return float("inf") if stored["solved"] is None else float(stored["solved"])


def _equal_until(mine: list[int], theirs: list[int]) -> str:
    """Thousands of steps up to which the training episodes were the same; `all` if they are to the end."""
    if mine == theirs:
        return "all"
    pairs = enumerate(zip(mine, theirs, strict=False))
    return str(next((i for i, (one, other) in pairs if one != other), min(len(mine), len(theirs)) - 1))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args(arguments)
    if not given.report:
        runs = [(name, unit, seed) for name in given.only for unit in units_of(TASKS[name]) for seed in given.seeds]
        with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
            for job in [pool.submit(run, *each) for each in runs]:
                job.result()
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "README.md").write_text(report(), encoding="utf-8")


if __name__ == "__main__":
    main()
