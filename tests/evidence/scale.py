"""Checks that the units of rewards and observations make no difference to learning: trains in several units.

    python -m tests.evidence.scale [--tasks cartpole tmaze] [--seeds 0 1 2 3 4] [--steps N] [--jobs 2]

Each task is trained with rewards times 0.01, 1 and 100, and tasks of vectors also with observations times 1,000 plus
50, with the same seeds. A run stops when two evaluations reach its goal. The table has the steps to solve of every run,
and the ratio of the medians to that of the original units. With rewards in another unit whole logs should be equal,
apart from that unit; the last column says up to which step the lengths of all episodes were.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing import get_context
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

OBSERVED = "tests/InOtherUnits-v0"


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


def experiment_of(task: Task, unit: str, seed: int, steps: int | None) -> Experiment:
    """The experiment of a task in a unit: `rewards × 0.01`, `rewards × 1`, `rewards × 100` or `observations`."""
    base = read_experiment(task.preset) if task.preset else default_experiment(EnvConfig(id=task.env))
    data = as_data(base)
    factor = float(unit.split()[-1]) if unit.startswith("rewards") else 1.0
    if factor != 1.0:
        data["env"]["wrappers"] = [*data["env"]["wrappers"], {"name": "reward_scale", "options": {"factor": factor}}]
    if unit == "observations":
        data["env"] |= {"id": OBSERVED, "kwargs": {"base": task.env}}
    run = {
        "run.seed": seed,
        "run.device": "cpu",
        "run.total_steps": steps or task.steps,
        "run.stop_at": task.goal * factor,
    }
    # The facts of the task are kept, since a wrapper would make them those of another task.
    return with_settings(experiment_from(data), {**run, "run.host": "inline"})


def run(name: str, unit: str, seed: int, steps: int | None) -> tuple[int | None, list[tuple[int, int]]]:
    """Steps to solve (None: not solved), and step and length of every training episode."""
    register()
    experiment = experiment_of(TASKS[name], unit, seed, steps)
    solved, episodes = None, []
    evaluated = 0
    for event in run_inline(Request(job="train", experiment=experiment)):
        if isinstance(event, EpisodeEnded):
            episodes.append((event.step, event.length))
        elif isinstance(event, Evaluated):
            evaluated = event.step
        elif isinstance(event, Finished) and event.reason == "solved":
            solved = evaluated
    return solved, episodes


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(30, 35)))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args(arguments)
    print("task | unit | steps to solve, by seed | median | ratio | episodes equal up to step")
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        for name in asked.tasks:
            units = ["rewards × 1", "rewards × 0.01", "rewards × 100"] + ["observations"] * TASKS[name].vector
            jobs = {unit: [pool.submit(run, name, unit, seed, asked.steps) for seed in asked.seeds] for unit in units}
            original = [job.result() for job in jobs[units[0]]]
            for unit in units:
                print(_row(name, unit, [job.result() for job in jobs[unit]], original), flush=True)


Result = tuple[int | None, list[tuple[int, int]]]


def _row(name: str, unit: str, results: list[Result], original: list[Result]) -> str:
    steps, base = ([float("inf") if each is None else each for each, _ in some] for some in (results, original))
    equal = [_equal_until(mine, theirs) for (_, mine), (_, theirs) in zip(results, original, strict=True)]
    ratio = median(steps) / median(base) if median(base) < float("inf") else float("nan")
    return f"{name} | {unit} | {steps} | {median(steps):,.0f} | {ratio:.2f} | {equal}"


def _equal_until(mine: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> str:
    """The step of the last training episode up to which all were equal; `end` if all are."""
    same = list(takewhile(lambda pair: pair[0] == pair[1], zip(mine, theirs, strict=False)))
    if len(same) == len(mine) == len(theirs):
        return "end"
    return str(same[-1][0][0] if same else 0)


if __name__ == "__main__":
    main()
