"""Networks that follow an agent's episodes: they read what the agent observed, did and got, and choose nothing.

An untrained network with the agent's architecture is the baseline of everything that is said about its memory: a random
recurrent network also keeps much of its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.jobs.agent import LoadedAgent
from dqngui.jobs.study.collecting import ParallelStep
from dqngui.nets.memory.contract import State
from dqngui.nets.network import build_network
from dqngui.nets.trunk import MEMORY_OUTPUT, Inputs, Trunk

UNTRAINED = 8
"""Number of untrained networks that follow."""
_FIRST_SEED = 7_000_000


@dataclass(frozen=True, slots=True)
class NetworkStep:
    """One step of one network in n episodes.

    Attributes:
        state, next_state: before and after the step, n rows.
        q: numbers of the actions (n, A).
        memory_output: output of the memory (n, D); None if the network has none.
    """

    state: State
    next_state: State
    q: Tensor
    memory_output: Tensor | None

    @classmethod
    def of_agent(cls, step: ParallelStep) -> NetworkStep:
        """The step of the agent that plays."""
        return cls(step.state, step.next_state, step.q, step.memory_output)


def untrained_networks(agent: LoadedAgent, count: int = UNTRAINED) -> list[Trunk]:
    """Networks like the agent's with parameters as before training, each from another seed.

    Buffers, such as the statistics by which observations are normalised, are the agent's own: only what training
    changes by gradients differs.
    """
    buffers = dict(agent.network.named_buffers())
    networks = []
    for seed in range(_FIRST_SEED, _FIRST_SEED + count):
        network = build_network(agent.spaces, agent.experiment, torch.Generator().manual_seed(seed)).eval()
        for name, buffer in network.named_buffers():
            buffer.copy_(buffers[name])
        networks.append(network)
    return networks


class FollowingNetwork:
    """Keeps the states of one network in the episodes that run."""

    def __init__(self, network: Trunk) -> None:
        self.network = network
        self._episodes: NDArray[np.int64] = np.zeros(0, np.int64)
        self._state: State = ()

    def follow(self, step: ParallelStep) -> NetworkStep:
        """Read the agent's inputs of its next step."""
        with torch.inference_mode():
            state = self.network.initial_state(len(step.episode))
            going = np.flatnonzero(step.t > 0)
            if len(going):
                order = np.argsort(self._episodes)
                before = order[np.searchsorted(self._episodes, step.episode[going], sorter=order)]
                rows, former = torch.from_numpy(going), torch.from_numpy(before)
                state = tuple(
                    new.clone().index_copy_(0, rows, old[former]) for new, old in zip(state, self._state, strict=True)
                )
        q, next_state, output = forward(self.network, step.inputs, state)
        self._episodes, self._state = step.episode, next_state
        return NetworkStep(state, next_state, q, output)


def forward(
    network: Trunk, inputs: Inputs, state: State, added: Tensor | None = None
) -> tuple[Tensor, State, Tensor | None]:
    """One step without gradients: q (n, A), the next state, and the memory's output (n, D), None if it is not called.

    Args:
        added: (n, D), added to the memory's output before the head reads it.
    """
    outputs: list[Tensor] = []

    def on_output(_: Any, __: Any, output: tuple[Tensor, State]) -> tuple[Tensor, State]:
        value = output[0] if added is None else output[0] + added
        outputs.append(value)
        return value, output[1]

    handle = network.memory.register_forward_hook(on_output)
    try:
        with torch.inference_mode():
            q, next_state = network(inputs, state)
    finally:
        handle.remove()
    return q[0], next_state, outputs[-1][-1] if outputs else None


# -- the numbers that a probe reads ---------------------------------------------------------------


def held_numbers(network: Trunk, views: Sequence[str], state: State, output: Tensor | None) -> Tensor:
    """What the views of the state, and of the memory's output, contain, side by side: (n, F) float32."""
    held = network.state_views()
    tensors = [held[name].of(state) if name in held else output for name in views]
    return torch.cat([tensor.flatten(1).float() for tensor in tensors if tensor is not None], dim=1)


def moved_forward(network: Trunk, views: Sequence[str], inputs: Inputs, state: State, change: Tensor) -> Tensor:
    """q (n, A) of a step before which `change` (n, F), in the order of `held_numbers`, is added to what is held.

    Views of the state are changed before the step, the memory's output at the step itself.
    """
    held, first, added = network.state_views(), 0, None
    for name in views:
        if name in held:
            values = held[name].of(state)
            size = values[0].numel()
            part = change[:, first : first + size].view_as(values).to(values.dtype)
            state = held[name].put(values + part, state)
        else:
            assert name == MEMORY_OUTPUT
            size = network.width
            added = change[:, first : first + size]
        first += size
    q, _, _ = forward(network, inputs, state, added)
    return q
