"""What the faithfulness meter says of agents whose answer is known: untrained ones, and trained ones that need a place.

Untrained: ten agents of each of six tasks with a map, with random weights from the seeds 100 to 109, which were written
down before any was measured. Each is measured as it was made, and sharpened: all weights times three, so that its maps
are concentrated without meaning anything. Trained (seven agents, about six minutes): the map of the past of three
transformers of the T-maze preset for each of two lengths, of all heads and of each, and that of a transformer whose
task needs no past.

Run by `make meter-verdicts`, which writes a table. Exits with status 1 if a verdict is not as it should be: at most one
*explains* in 60 untrained agents; at least one map that *explains* in every T-maze agent, with its largest effect at
the junction; none where no past is needed. Which map it is depends on the agent. Where one head of four looks at the
cue, that head explains; where several heads carry the cue, all of them together explain, and removing it from one of
them changes no return.
"""

from __future__ import annotations

import argparse
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
_QUICK: Settings = {"run.eval_every": 4_000, "run.eval_episodes": 20, "run.device": "cpu"}
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
            "net.width": 32,
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


def largest_effect_at(answer: Event) -> int | None:
    """The step of the episode at which removing the largest weights takes most away; None without an answer."""
    if not isinstance(answer, Faithfulness):
        return None
    return int(answer.tensors["t"][answer.tensors["top"].argmax()])


def measure_untrained() -> Iterator[tuple[str, str, Counter[str]]]:
    """Task, `as made` or `sharpened`, and how often each verdict was given."""
    for title, (preset, settings, view) in TASKS.items():
        experiment = experiment_of(preset, settings)
        for name, sharper in (("as made", 1.0), ("sharpened", SHARPER)):
            asked = AskFaithfulness(number=1, view=view)
            yield title, name, Counter(verdict_of(ask(*untrained(experiment, seed, sharper), asked)) for seed in SEEDS)


def measure_trained(runs: Path) -> Iterator[tuple[str, str, str, int | None]]:
    """Agent, map, verdict, and step of the largest effect, of the maps of all heads and of each head."""
    for title in TRAINED:
        folder = train(title, runs)
        every = ask(OpenAgent(folder=str(folder)), AskFaithfulness(number=1, view=PAST))
        yield title, "all heads", verdict_of(every), largest_effect_at(every)
        for head, answer in heads(folder, PAST):
            yield title, f"head {head + 1}", verdict_of(answer), largest_effect_at(answer)


def _in_words(verdict: str) -> str:
    return verdict.replace("_", " ")


def main() -> int:
    """Measure, write the table, and say whether all is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("into", type=Path)
    into: Path = parser.parse_args().into
    torch.set_num_threads(1)
    lines: list[str] = []

    def add(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    totals: Counter[str] = Counter()
    add("| untrained agents of | weights | verdicts of 10 |\n|---|---|---|")
    for title, name, verdicts in measure_untrained():
        totals[name] += verdicts["explains"]
        told = ", ".join(f"{_in_words(verdict)} {count}" for verdict, count in verdicts.most_common())
        add(f"| {title} | {name} | {told} |")
    add("\n| trained agent | map | verdict | largest effect at step |\n|---|---|---|---|")
    explained: dict[str, dict[str, int | None]] = {title: {} for title in TRAINED}
    with tempfile.TemporaryDirectory() as runs:
        for title, name, verdict, step in measure_trained(Path(runs)):
            add(f"| {title} | {name} | {_in_words(verdict)} | {'–' if step is None else step} |")
            if verdict == "explains":
                explained[title][name] = step
    mazes = {title: maps for title, maps in explained.items() if title.startswith("T-maze")}
    at_junction = all(
        step == TRAINED[title][1]["net.horizon"] for title, maps in mazes.items() for step in maps.values()
    )
    right = max(totals.values()) <= MOST and all(mazes.values()) and at_junction and not explained["Find, transformer"]
    summary = (
        f"Explains: {totals['as made']} of 60 untrained agents, and {totals['sharpened']} of 60 with all weights times "
        f"{SHARPER:g}. Of {len(mazes)} trained T-maze agents, the map of all heads explains in "
        f"{sum('all heads' in maps for maps in mazes.values())}, that of one head in "
        f"{sum(any(name != 'all heads' for name in maps) for maps in mazes.values())}, at least one of them in "
        f"{sum(bool(maps) for maps in mazes.values())}; {'always' if at_junction else 'not always'} with its largest "
        "effect at the junction."
    )
    print(summary)
    into.write_text(
        "# What the faithfulness meter says\n\n" + summary + "\n\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
