"""Compares an update with its bare arithmetic, for every memory and every attention of the catalog.

    python -m tests.benchmarks.module_updates [NAME ...] [--repeats 25] [--json]

The update samples 32 windows of 32 steps from a replay of real CartPole steps, unrolls both networks, forms double-DQN
targets, clips the gradient, steps Adam, updates the target and the averaged network and reads its statistics. The bare
arithmetic is torch code with the same modules on prepared tensors of the same shapes: the forward pass of the target
without gradient and of the online network with it, a mean-square loss, one backward pass, one step of fused Adam. Both
are timed in turns on one thread; the table shows medians and the median of the paired ratios. The speed benchmark
shows the figure of `memory/lstm`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from dqngui import catalog
from dqngui.config import Experiment
from dqngui.jobs.training import Training
from dqngui.learning.batches import Batch
from dqngui.learning.dqn import DQN
from dqngui.learning.off_policy import OffPolicy
from dqngui.nets.initialise import build
from dqngui.nets.network import Inputs, QNetwork
from dqngui.settings import experiment_from

Update = Callable[[], None]
WINDOW, BATCH, FILLED = 32, 32, 3_000


def names() -> list[str]:
    """Every memory, then every attention (with a GRU, because recurrent attention needs a memory)."""
    return [*(f"memory/{name}" for name in catalog.MEMORIES), *(f"attention/{name}" for name in catalog.ATTENTIONS)]


def experiment(name: str) -> Experiment:
    """CartPole with this module at its default sizes."""
    slot, _, chosen = name.partition("/")
    net = {"memory": chosen, "attention": "none", "tokens": "one"}
    if slot == "attention":
        net = {"memory": "gru", "attention": chosen, "tokens": "feature"}
    learn = {"window": WINDOW, "burn_in": 0, "n_step": 1, "batch_size": BATCH, "warmup": FILLED}
    return experiment_from(
        {"env": {"id": "CartPole-v1", "num_envs": 16}, "net": net, "learn": learn, "run": {"device": "cpu"}}
    )


def updates(asked: Experiment) -> tuple[Update, Update]:
    """The whole update and its bare arithmetic, on tensors of the same shapes."""
    training = Training(asked)
    training.begin()
    while training.counters.step < FILLED:
        training.act()
    algorithm = training.algorithm
    assert isinstance(algorithm, OffPolicy)
    learner, store, learn = algorithm.learner, algorithm.store, asked.learn
    assert isinstance(learner, DQN)
    rule = learner.rule(asked)

    def draw() -> Batch:
        batch = store.sample(BATCH, rule, learn.gamma, learn.priority_beta)
        assert isinstance(batch, Batch)
        return batch

    return lambda: _whole(learner, draw(), asked), _bare(training, draw())


def _whole(learner: DQN, batch: Batch, asked: Experiment) -> None:
    learner.update(batch, asked)


def _bare(training: Training, batch: Batch) -> Update:
    asked, spaces = training.experiment, training.spaces
    online, target = (build(lambda: QNetwork(spaces, asked), torch.Generator().manual_seed(seed)) for seed in range(2))
    optimizer = torch.optim.Adam(online.parameters(), fused=True)
    observation = {name: torch.from_numpy(part) for name, part in batch.observation.items()}
    inputs = Inputs(observation, torch.from_numpy(batch.prev_action), torch.from_numpy(batch.prev_reward))
    state = None if batch.state is None else tuple(torch.from_numpy(part) for part in batch.state)

    def update() -> None:
        with torch.no_grad():
            wanted = target(inputs, state)[0]
        loss = (online(inputs, state)[0] - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return update


def compare(name: str, repeats: int) -> dict[str, float]:
    """Median times in ms of both, and the median of their paired ratios; each turn takes about 0.1 s."""
    whole, bare = updates(experiment(name))
    count = max(1, min(20, int(100 / max(milliseconds(whole, 2), milliseconds(bare, 2)))))
    pairs = [(milliseconds(whole, count), milliseconds(bare, count)) for _ in range(repeats)]
    return {
        "update_ms": median(a for a, _ in pairs),
        "bare_ms": median(b for _, b in pairs),
        "ratio": median(a / b for a, b in pairs),
    }


def milliseconds(update: Update, count: int) -> float:
    """Mean wall time of one call, over `count` calls."""
    began = time.perf_counter()
    for _ in range(count):
        update()
    return (time.perf_counter() - began) / count * 1e3


def measure(asked: list[str], repeats: int) -> dict[str, dict[str, float]]:
    """`compare` for each name, printed as a table."""
    torch.set_num_threads(1)
    print(f"Update of {BATCH} windows of {WINDOW} steps, and its bare arithmetic (ms)")
    found: dict[str, dict[str, float]] = {}
    for name in asked:
        figures = found[name] = compare(name, repeats)
        print(
            f"  {name:<22}{figures['update_ms']:>9.2f}{figures['bare_ms']:>9.2f}{figures['ratio']:>8.2f} times",
            flush=True,
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="such as memory/lru; default: all")
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--json", action="store_true", help="print one line of JSON for the first name")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.json:
        result: dict[str, Any] = compare(given.names[0], given.repeats)
        print(json.dumps(result))
    else:
        measure(given.names or names(), given.repeats)


if __name__ == "__main__":
    main()
