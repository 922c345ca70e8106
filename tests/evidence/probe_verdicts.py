"""What the probe says of untrained agents, of trained ones, and of one that never saw the cue.

Untrained: 10 agents of each of 6 presets, with the seeds 501 to 510, chosen before the first run of this program. At
most one of the 60 may be called held and used. Of the agent that balances a pole, which must know its velocity, only
*used* is asked: where its choice matters are too few steps to say how well the velocity is held.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from dqngui import messages as m
from dqngui.config import Experiment
from dqngui.envs.make import make_vector
from dqngui.hosts import run_inline
from dqngui.lab.analysis.probe_verdict import verdict
from dqngui.nets.network import build_network
from dqngui.presets import read_experiment
from dqngui.runs.folder import create
from dqngui.settings import with_settings

SEEDS = range(501, 511)
PRESETS = {
    "tmaze": "cue",
    "tmaze-ppo": "cue",
    "recall": "asked symbol",
    "catch-blind": "column",
    "cartpole-positions": "pole velocity",
    "periodic": "next change",
}
"""The fact that is asked of each preset's agents."""
EPISODES = 100
_SHORT = {"env.kwargs": {"length": 10}, "net.horizon": 10, "learn.window": 11}
_HIDDEN = {"env.wrappers": [{"name": "keep", "options": {"entries": [1, 2]}}], "net.memory": "gru"}
TRAINED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "T-maze 30, GRU": ("tmaze", "cue", {"net.memory": "gru", "run.total_steps": 40_000}),
    "T-maze 30, LSTM": ("tmaze", "cue", {"run.total_steps": 40_000}),
    "T-maze 30, transformer": ("tmaze", "cue", {"net.memory": "transformer", "run.total_steps": 40_000}),
    "T-maze 10, MANN": ("tmaze", "cue", {**_SHORT, "net.memory": "mann", "run.total_steps": 40_000}),
    "Recall, GRU": ("recall", "asked symbol", {"run.total_steps": 100_000}),
    "CartPole from positions, GRU and self-attention": (
        "cartpole-positions",
        "pole velocity",
        {"run.total_steps": 150_000, "run.stop_at": 490.0},
    ),
    "T-maze 10, GRU, cue erased": ("tmaze", "cue", {**_SHORT, **_HIDDEN, "run.total_steps": 20_000}),
}
USED = ("CartPole from positions, GRU and self-attention",)
HEADER = (
    "| agent | held | used | score | untrained | difference | noise | actions that follow | of | after random moves "
    "| return | memory moved | moved at random | random actions |"
)


def untrained(preset: str, seed: int) -> tuple[m.Command, ...]:
    """Commands that open an untrained agent."""
    asked = read_experiment(preset)
    envs = make_vector(asked.env, 1)
    network = build_network(envs.spaces, asked, torch.Generator().manual_seed(seed))
    envs.close()
    return m.OpenAgent(experiment=asked), m.UseWeights(step=0, tensors=network.state_dict())


def trained(asked: Experiment, runs: Path) -> tuple[m.Command, ...]:
    """Train an agent, and the command that opens it."""
    folder = create(runs, asked)
    for event in run_inline(m.Request(job="train", experiment=asked, folder=str(folder))):
        if isinstance(event, m.Failed):
            raise RuntimeError(str(event.text))
    return (m.OpenAgent(folder=str(folder)),)


def ask(commands: tuple[m.Command, ...], fact: str) -> m.Probed:
    """The probe's answer. Raises RuntimeError without one."""
    schedule = (*commands, m.AskProbe(number=1, fact=fact, episodes=EPISODES))
    answers = list(run_inline(m.Request(job="study", schedule=schedule)))
    found = [event for event in answers if isinstance(event, m.Probed)]
    if not found:
        raise RuntimeError(f"no answer: {answers[-2:]}")
    return found[0]


def row(name: str, answer: m.Probed) -> str:
    """A line of the table."""
    found, held, moved = verdict(answer), answer.held, answer.moved
    numbers = ["", "", ""] if held is None else [f"{held.score:.2f}", f"{held.untrained:.2f}", _ends(held)]
    effects = [""] * 7
    if moved is not None:
        returns = (moved.own_return, moved.moved_return, moved.random_return, moved.chance_return)
        shares = [f"{100 * moved.effect.value:.0f} %", f"{moved.expected:,}", f"{100 * moved.random:.0f} %"]
        effects = [*(shares if moved.expected else ["–", "0", "–"]), *(f"{value:.3g}" for value in returns)]
    cells = [name, found.held, found.used, *numbers, f"{100 * answer.noise:.0f} %", *effects]
    return "| " + " | ".join(cells) + " |"


def _ends(held: m.Held) -> str:
    ends = held.difference_interval
    return f"{held.difference:.2f}" if ends is None else f"{held.difference:.2f} [{ends[0]:.2f}, {ends[1]:.2f}]"


def answers() -> Iterator[tuple[str, str, m.Probed]]:
    """Kind (`untrained`, `trained`, `erased`), name and answer of each agent."""
    with tempfile.TemporaryDirectory() as runs:
        for name, (preset, fact, changes) in TRAINED.items():
            asked = with_settings(read_experiment(preset), {**changes, "run.device": "cpu"})
            yield "erased" if "erased" in name else "trained", name, ask(trained(asked, Path(runs)), fact)
    for preset, fact in PRESETS.items():
        for seed in SEEDS:
            yield "untrained", f"{preset}, untrained, seed {seed}", ask(untrained(preset, seed), fact)


def main(path: Path) -> int:
    """Write the table; 1 if a verdict is wrong."""
    torch.set_num_threads(1)
    lines, wrong, said_yes = [HEADER, "|" + "---|" * (HEADER.count("|") - 1)], [], 0
    for kind, name, answer in answers():
        lines.append(row(name, answer))
        print(lines[-1], flush=True)
        found = verdict(answer)
        yes = (found.held, found.used) == ("held", "used")
        said_yes += yes and kind == "untrained"
        right = found.used == "used" if name in USED else yes
        if (kind == "trained" and not right) or (
            kind == "erased" and (found.held != "not held" or found.used == "used")
        ):
            wrong.append(name)
    count = len(PRESETS) * len(SEEDS)
    summary = (
        f"Held and used: {said_yes} of {count} untrained agents. Wrong of the others: {', '.join(wrong) or 'none'}."
    )
    print(summary)
    path.write_text("# What the probe says\n\n" + summary + "\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return 1 if wrong or said_yes > 1 else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
