"""What the faithfulness meter says of agents whose answer is known: untrained ones, and trained ones that need a place.

Untrained: ten agents of each of six tasks with a map, with random weights from the seeds 100 to 109, which were written
down before any was measured. Each is measured as it was made, and sharpened: all weights times three, so that its maps
are concentrated without meaning anything. Trained (seven agents, about three minutes): the map of the past of three
T-maze transformers for each of two lengths, of all heads and of each, and that of a transformer whose task needs no
past.

Run by `make meter-verdicts`. Prints a table, writes it as JSON, and exits with status 1 if a verdict is not as it
should be: at most one *explains* in 60 untrained agents, at least one map that *explains* in every T-maze agent, that
of one head in those of 30 steps, and none where no past is needed. Which map it is depends on the agent. Where one head
of four looks at the cue, that head explains, and the largest weights of all heads together may be elsewhere; where
several heads carry the cue, all of them together explain, and removing it from one of them changes no return.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.hosts import run_inline
from dqngui.messages import AskFaithfulness, Command, Event, Failed, Faithfulness, OpenAgent, Request, UseWeights
from dqngui.nets.network import build_network
from dqngui.presets import read_experiment
from dqngui.runs.folder import create
from dqngui.settings import with_settings

SEEDS = range(100, 110)
SHARPER = 3.0
MOST = 1
"""Largest number of *explains* in 60 untrained agents."""
Settings = dict[str, Any]
TASKS: dict[str, tuple[str, Settings, str]] = {
    "T-maze, transformer": ("tmaze", {"net.memory": "transformer"}, "memory/attention/0"),
    "Recall, MANN": ("recall", {"net.memory": "mann"}, "memory/read"),
    "Find, self-attention": ("find", {}, "attention/self/0"),
    "MiniGrid Memory, cells": ("minigrid-memory-cells", {"env.kwargs": {"max_steps": 60}}, "attention/pool"),
    "CartPole, transformer": ("cartpole-positions-transformer", {}, "memory/attention/0"),
    "LunarLander, self-attention": (
        "lunarlander",
        {"net.attention": "self", "net.tokens": "feature"},
        "attention/pool",
    ),
}
"""Preset, changed settings, and the map that is asked about, by title."""
_QUICK: Settings = {"net.width": 32, "run.eval_every": 4_000, "run.eval_episodes": 20, "run.device": "cpu"}
TRAINED: dict[str, tuple[str, Settings]] = {
    f"T-maze {length}, transformer, seed {seed}": (
        "tmaze",
        {
            "env.kwargs": {"length": length},
            "net.memory": "transformer",
            "net.horizon": length,
            "learn.window": length + 1,
            "learn.epsilon.steps": 4_000,
            "run.total_steps": steps,
            "run.seed": seed,
            "net.standardise": False,  # with standardised inputs several heads carry the cue together
            "net.shortcut": False,  # so that what one place of the map carries is all that the head has of it
            "learn.reward_scale": 1.0,
            **_QUICK,
        },
    )
    for length, steps in ((10, 24_000), (30, 40_000))
    for seed in range(3)
} | {
    "Find, transformer": (
        "find",
        {
            "env.kwargs": {"entities": 3, "fewest": 3},
            "net.attention": "none",
            "net.tokens": "one",
            "net.memory": "transformer",
            "net.horizon": 4,
            "learn.window": 8,
            "learn.epsilon.steps": 3_000,
            "run.total_steps": 12_000,
            **_QUICK,
        },
    )
}
PAST = "memory/attention/0"


def experiment_of(preset: str, settings: Settings) -> Experiment:
    """A preset with other settings, by their dotted names."""
    return with_settings(read_experiment(preset), settings)


def untrained(experiment: Experiment, seed: int, sharper: float = 1.0) -> tuple[Command, Command]:
    """Commands that open an agent with random weights, multiplied by `sharper`."""
    envs = make_vector(experiment.env, 1)
    network = build_network(envs.spaces, experiment, torch.Generator().manual_seed(seed))
    envs.close()
    weights = {
        name: value * sharper if value.is_floating_point() else value for name, value in network.state_dict().items()
    }
    return OpenAgent(experiment=experiment), UseWeights(step=0, tensors=weights)


def train(title: str, runs: Path) -> Path:
    """Train an agent of `TRAINED` in a new folder, which is returned. Raises RuntimeError if that fails."""
    experiment = experiment_of(*TRAINED[title])
    folder = create(runs, experiment)
    for event in run_inline(Request(job="train", experiment=experiment, folder=str(folder))):
        if isinstance(event, Failed):
            raise RuntimeError(event.words)
    return folder


def ask(*commands: Command) -> Event:
    """The study's answer: `Faithfulness` or `Unanswered`."""
    answered = list(run_inline(Request(job="study", schedule=commands)))
    return next(event for event in reversed(answered) if hasattr(event, "number") and not hasattr(event, "share"))


def verdict_of(answer: Event) -> str:
    """The verdict of an answer; *unanswered* if there is none."""
    return answer.verdict if isinstance(answer, Faithfulness) else "unanswered"


def heads(folder: Path, view: str) -> Iterator[tuple[int, Event]]:
    """The answer for each head of a map."""
    count = read_heads(folder)
    for head in range(count):
        yield head, ask(OpenAgent(folder=str(folder)), AskFaithfulness(number=1, view=view, head=head))


def read_heads(folder: Path) -> int:
    """Number of heads of a run's transformer."""
    from dqngui.runs.folder import read_experiment as read_run

    experiment = read_run(folder)
    envs = make_vector(experiment.env, 1)
    network = build_network(envs.spaces, experiment, torch.Generator().manual_seed(0))
    envs.close()
    return int(next(value.shape[0] for name, value in network.state_dict().items() if name.endswith("lag_bias")))


def _row(title: str, verdicts: Counter[str]) -> str:
    told = ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common())
    return f"| {title} | {told} |"


def measure_untrained() -> dict[str, dict[str, Counter[str]]]:
    """How often each verdict was given, by task, as made and sharpened."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for title, (preset, settings, view) in TASKS.items():
        experiment = experiment_of(preset, settings)
        found[title] = {}
        for name, sharper in (("as made", 1.0), ("sharpened", SHARPER)):
            verdicts = Counter(
                verdict_of(ask(*untrained(experiment, seed, sharper), AskFaithfulness(number=1, view=view)))
                for seed in SEEDS
            )
            found[title][name] = verdicts
            print(_row(f"{title}, untrained, {name}", verdicts), flush=True)
    return found


def measure_trained(runs: Path) -> dict[str, dict[str, str]]:
    """Verdicts of trained agents, of all heads and of each head."""
    found: dict[str, dict[str, str]] = {}
    for title in TRAINED:
        folder = train(title, runs)
        every = ask(OpenAgent(folder=str(folder)), AskFaithfulness(number=1, view=PAST))
        found[title] = {"all heads": verdict_of(every)}
        found[title] |= {f"head {head + 1}": verdict_of(answer) for head, answer in heads(folder, PAST)}
        print(f"| {title}, trained | " + ", ".join(f"{k}: {v}" for k, v in found[title].items()) + " |", flush=True)
    return found


def main() -> int:
    """Measure, print, write, and say whether all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("build/meter_verdicts.json"))
    into: Path = parser.parse_args().into
    torch.set_num_threads(1)
    print("| agents | verdicts |\n|---|---|")
    blank = measure_untrained()
    with tempfile.TemporaryDirectory() as runs:
        trained = measure_trained(Path(runs))
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text(json.dumps({"untrained": blank, "trained": trained}, indent=1) + "\n", encoding="utf-8")
    wrong = sum(rows[name]["explains"] for rows in blank.values() for name in rows)
    totals = {name: sum(rows[name]["explains"] for rows in blank.values()) for name in ("as made", "sharpened")}
    print(f"*explains* of 60 untrained agents as made: {totals['as made']}, sharpened: {totals['sharpened']}")
    mazes = [rows for title, rows in trained.items() if title.startswith("T-maze")]
    right = all(count <= MOST for count in totals.values()) and wrong <= 2 * MOST
    right &= all("explains" in rows.values() for rows in mazes)
    right &= all(
        "explains" in [rows[head] for head in rows if head != "all heads"]
        for title, rows in trained.items()
        if title.startswith("T-maze 30")
    )
    right &= "explains" not in trained["Find, transformer"].values()
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
