"""What a whole LSTM update costs beside its bare arithmetic: 64 units, window 20, batch 32.

The update samples windows from a replay of real CartPole steps, unrolls both networks, forms n-step
double-DQN targets, clips, steps Adam, moves the target network and reads back its statistics. The bare
side is plain torch with the same modules on ready tensors: both networks' forward passes over the
window and the bootstrap row, a mean-square loss, one backward pass, one step of Adam.

Prints one line of JSON: medians in ms and the median of the paired ratios.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from dqngui.jobs.training import Training
from dqngui.nets.initialise import build
from dqngui.nets.network import Inputs, QNetwork
from dqngui.settings import experiment_from

EXPERIMENT: dict[str, Any] = {
    "env": {"id": "CartPole-v1", "num_envs": 16, "wrappers": [{"name": "keep", "options": {"entries": [0, 2]}}]},
    "net": {"attention": "none", "memory": "lstm", "tokens": "one", "width": 64},
    "learn": {"window": 20, "burn_in": 0, "n_step": 1, "batch_size": 32, "warmup": 5_000},
    "run": {"device": "cpu"},
}
ROWS, BATCH = 21, 32


def whole_update() -> Callable[[], None]:
    training = Training(experiment_from(EXPERIMENT))
    training.begin()
    while training.counters.step < 5_000:
        training.act()
    return lambda: bool(training._updates(1)) and None


def bare_update() -> Callable[[], None]:
    """Both networks, the loss, one backward, one step, on tensors that are already there."""
    experiment = experiment_from(EXPERIMENT)
    training = Training(experiment)
    spaces = training.spaces
    training.close()
    online, target = (
        build(lambda: QNetwork(spaces, experiment), torch.Generator().manual_seed(seed)) for seed in range(2)
    )
    optimizer = torch.optim.Adam(online.parameters(), fused=True)
    generator = torch.Generator().manual_seed(0)
    observation = {part.name: torch.randn(ROWS, BATCH, *part.shape, generator=generator) for part in spaces.parts}
    inputs = Inputs(observation, torch.randint(0, 2, (ROWS, BATCH), generator=generator), torch.ones(ROWS, BATCH))
    state = online.initial_state(BATCH)

    def update() -> None:
        with torch.no_grad():
            wanted = target(inputs, state)[0]
        loss = (online(inputs, state)[0] - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return update


def milliseconds(update: Callable[[], None], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        update()
    return (time.perf_counter() - began) / count * 1e3


def main(repeats: int) -> None:
    torch.set_num_threads(1)
    whole, bare = whole_update(), bare_update()
    for update in (whole, bare):
        milliseconds(update, 20)
    pairs = [(milliseconds(whole, 20), milliseconds(bare, 20)) for _ in range(repeats)]
    print(
        json.dumps(
            {
                "update_ms": median(a for a, _ in pairs),
                "bare_ms": median(b for _, b in pairs),
                "ratio": median(a / b for a, b in pairs),
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
