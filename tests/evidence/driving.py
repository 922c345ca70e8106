"""Tests drivers of `highway-fast`: the simplest ones, an agent with ego attention, and one without attention.

    python -m tests.evidence.driving [--into FOLDER] [--seeds 3] [--episodes 100] [--only baselines|ego|flat] [RUN ...]

Trains what is not yet trained (about half an hour a run on one core) and writes one JSON file per driver, so that a
stopped call goes on. Greedy test episodes; 95 % intervals. Of a trained agent with attention it also asks whether the
vehicle with the most attention explains the choice, and the same of an untrained one. RUN: folders of stored runs that
are tested instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.envs.seeds import TEST_SEEDS
from dqngui.envs.vector import Parts
from dqngui.hosts import run_inline
from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.study.faithfulness import faithfulness
from dqngui.jobs.test import stored_network
from dqngui.learning.acting import inputs_of
from dqngui.messages import AskFaithfulness, Failed, Faithfulness, OpenAgent, Request
from dqngui.presets import read_experiment
from dqngui.runs.checkpoints import load_weights
from dqngui.runs.folder import create, trusted_experiment
from dqngui.settings import with_settings
from dqngui.statistics import mean_of
from dqngui.statistics.intervals import mean_interval
from dqngui.statistics.proportions import proportion_interval

IDLE, SLOWER = 1, 4
FLAT = {"net.attention": "none", "net.attention_options": {}, "net.tokens": "one", "net.hidden": [128, 64]}
"""The same agent with all rows in one vector."""
CPU = torch.device("cpu")
Policy = Callable[[Parts, bool], int]
"""The action for an observation; whether it is an episode's first."""


def always(action: int) -> Policy:
    return lambda parts, first: action


def at_random(actions: int) -> Policy:
    generator = np.random.default_rng(0)
    return lambda parts, first: int(generator.integers(actions))


def greedy(folder: Path) -> Policy:
    """The best checkpoint of a stored run."""
    experiment = trusted_experiment(folder)
    _, weights = load_weights(folder, "best")
    envs = make_vector(experiment.env, 1)
    envs.close()
    network = stored_network(envs.spaces, experiment, weights)
    memory: dict[str, Any] = {}

    def choose(parts: Parts, first: bool) -> int:
        if first:
            memory["state"], memory["action"] = network.initial_state(1), -1
        given = inputs_of(parts, np.array([memory["action"]]), np.zeros(1, np.float32), CPU)
        with torch.inference_mode():
            q, memory["state"] = network.preferences(given, memory["state"])
        memory["action"] = int(q[0, 0].argmax())
        return memory["action"]

    return choose


def driven(policy: Policy, experiment: Experiment, episodes: int) -> dict[str, Any]:
    """Test episodes of a driver: means with intervals, and the returns."""
    envs = make_vector(experiment.env, 1)
    returns, measures = [], []
    for seed in range(TEST_SEEDS, TEST_SEEDS + episodes):
        parts, total, over, first = envs.reset([seed]), 0.0, False, True
        while not over:
            parts, reward, terminated, truncated = envs.step(np.array([policy(parts, first)]))
            total, over, first = total + float(reward[0]), bool(terminated[0] or truncated[0]), False
        returns.append(total)
        measures.append(envs.infos[0]["measures"])
    envs.close()
    result: dict[str, Any] = {"episodes": episodes, "return": _with_interval(returns)}
    for name in ("mean speed", "right lane"):
        result[name] = _with_interval([each[name] for each in measures])
    crashes = sum(each["collision"] for each in measures)
    interval = proportion_interval(crashes, episodes)
    result["collisions"] = [crashes / episodes, None if interval is None else [round(end, 3) for end in interval]]
    return {**result, "returns": [round(value, 3) for value in returns]}


def _with_interval(values: list[float]) -> list[Any]:
    interval = mean_interval(values)
    return [round(mean_of(values), 3), None if interval is None else [round(end, 3) for end in interval]]


def explained(experiment: Experiment, folder: Path | None) -> dict[str, Any]:
    """What the faithfulness meter says of the vehicle with the most attention; without a folder, of random weights."""
    envs = make_vector(experiment.env, 1)
    envs.close()
    command = OpenAgent(folder=None if folder is None else str(folder), experiment=experiment)
    agent = LoadedAgent(command, experiment, envs.spaces)
    view = next(spec.name for spec in agent.network.views() if spec.weights)
    answers = faithfulness(agent, AskFaithfulness(number=1, view=view))
    (answer,) = [each for each in answers if isinstance(each, Faithfulness)]
    return {
        "verdict": answer.verdict,
        "undone by the top": answer.top.undone.value,
        "undone by random": answer.random.undone.value,
        "difference": [answer.undone.value, answer.undone.interval],
        "changed actions, top and random": [answer.top.changed_actions, answer.random.changed_actions],
        "lost return, top − random": None if answer.lost is None else [answer.lost.value, answer.lost.interval],
        "concentration": answer.concentration,
        "multiple": answer.multiple,
        "deciding steps": answer.deciding,
        "steps": answer.steps,
    }


def trained(name: str, seed: int, into: Path) -> Path:
    """The folder of a run, which is trained if it is not there. A run that was stopped midway begins again."""
    folder = into / "runs" / f"{name}-{seed}"
    if folder.exists():
        return folder
    settings = {"run.seed": seed, "run.device": "cpu", **(FLAT if name == "flat" else {})}
    experiment = with_settings(read_experiment("highway-fast"), settings)
    made = create(into / "unfinished", experiment)
    for event in run_inline(Request(job="train", experiment=experiment, folder=str(made))):
        if isinstance(event, Failed):
            raise RuntimeError(event.words)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return made.rename(folder)


def drivers(into: Path, seeds: int, only: str | None) -> Iterator[tuple[str, Callable[[], Policy], Path | None]]:
    """Name of each driver, what makes its policy, and the folder of its run."""
    if only in (None, "baselines"):
        yield "always slower", lambda: always(SLOWER), None
        yield "always idle", lambda: always(IDLE), None
        yield "random", lambda: at_random(5), None
    for kind in ("ego", "flat"):
        if only in (None, kind):
            for seed in range(seeds):
                folder = into / "runs" / f"{kind}-{seed}"
                yield f"{kind}-{seed}", lambda kind=kind, seed=seed: greedy(trained(kind, seed, into)), folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--into", type=Path, default=Path("build/driving"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--only", choices=("baselines", "ego", "flat"))
    asked = parser.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    found = (
        [(run.name, lambda run=run: greedy(run), run) for run in asked.runs]
        or drivers(asked.into, asked.seeds, asked.only)
    )  # fmt: skip
    for name, make, folder in found:
        file = asked.into / f"{name}.json"
        if not file.exists():
            policy = make()
            experiment = read_experiment("highway-fast") if folder is None else trusted_experiment(folder)
            result = driven(policy, experiment, asked.episodes)
            if folder is not None and experiment.net.attention != "none":
                result["faithfulness"] = explained(experiment, folder)
                result["faithfulness untrained"] = explained(experiment, None)
            file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        result = json.loads(file.read_text(encoding="utf-8"))
        shown = {key: value for key, value in result.items() if key != "returns"}
        print(name, json.dumps(shown, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
