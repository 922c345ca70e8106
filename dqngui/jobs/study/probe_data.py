"""What a probe needs of the recorded episodes: the fact, the observation, and what each network holds, step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dqngui.jobs.study.linear import Array
from dqngui.nets.trunk import Inputs, Trunk

MAX_STEPS_READ = 128
"""Largest number of steps that are probed: of longer episodes every second one, every fourth, and so on."""
MAX_NUMBERS = 256
"""Larger arrays are projected onto this number of random directions, which keeps linear information well enough."""
MAX_FLOATS = 40_000_000
"""Largest number of stored numbers, about: with many episodes of large memories fewer steps are probed."""


@dataclass(frozen=True, slots=True)
class StepData:
    """Step t of all n episodes that were that long.

    Attributes:
        numbers: what each network holds after the step, the agent first, (n, F) each.
        q: numbers of the agent's actions, (n, A).
        observation: the present observation alone, (n, O).
        fact, episode: (n,).
    """

    t: int
    numbers: tuple[Array, ...]
    q: Array
    observation: Array
    fact: Array
    episode: NDArray[np.int64]


class ProbeData:
    """Collects the rows of every step; of long episodes it keeps every second step, every fourth, and so on.

    Attributes:
        counts: the fact is a category rather than a quantity.
        every: distance of the kept steps.
    """

    def __init__(self, episodes: int) -> None:
        self.counts = True
        self.every = 1
        self._episodes = episodes
        self._rows: dict[int, list[tuple[NDArray[np.float64], ...]]] = {}

    def take(
        self,
        episode: NDArray[np.int64],
        t: NDArray[np.int64],
        numbers: Sequence[Tensor],
        q: Tensor,
        observation: Tensor,
        facts: Sequence[float | int],
    ) -> None:
        """Add one step of n episodes, which may be at different steps."""
        self.counts = self.counts and not any(isinstance(fact, (float, np.floating)) for fact in facts)
        fact = np.array([float(value) for value in facts])
        arrays = [each.numpy() for each in (*(projected(part) for part in numbers), q, projected(observation))]
        for time in np.unique(t[(t % self.every == 0) & np.isfinite(fact)]).tolist():
            rows = (t == time) & np.isfinite(fact)
            chosen = (episode[rows], fact[rows], *(array[rows].copy() for array in arrays))
            self._rows.setdefault(time, []).append(chosen)
        size = self._episodes * sum(array.shape[1] for array in arrays)
        if len(self._rows) > min(MAX_STEPS_READ, max(8, MAX_FLOATS // size)):
            self.every *= 2
            self._rows = {time: rows for time, rows in self._rows.items() if time % self.every == 0}

    def steps(self, fewest: int) -> list[StepData]:
        """Data of the steps that enough episodes reached, in order."""
        found = []
        for t, chunks in sorted(self._rows.items()):
            episode, fact, *arrays = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
            if len(fact) < fewest:
                continue
            *numbers, q, observation = (np.asarray(array, np.float64) for array in arrays)
            found.append(StepData(t, tuple(numbers), q, observation, fact, episode.astype(np.int64)))
        return found


def projected(numbers: Tensor, most: int = MAX_NUMBERS) -> Tensor:
    """Numbers (n, F) with F at most `most`, by a fixed random projection if there are more."""
    if numbers.shape[1] <= most:
        return numbers
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(numbers.shape[1], most, generator=generator) / math.sqrt(most)
    return numbers @ directions


def observed_numbers(
    network: Trunk, inputs: Inputs, sizes: dict[str, tuple[int, ...]], previous_action: bool = False
) -> Tensor:
    """The present observation as numbers (n, O), with the previous reward if the network sees it.

    The previous action is the agent's own: it may tell a fact only because the memory held it one step before. So it
    is no part of what the observation alone shows; untrained networks read it with all other inputs.

    Args:
        sizes: numbers of categories of each entry of the discrete parts, by part; these are given as one-hot vectors.
        previous_action: add it, if the network sees it.
    """
    columns: list[Tensor] = []
    for name, part in inputs.observation.items():
        values = part[0].flatten(1)
        if name in sizes:
            columns += [
                (values[:, place : place + 1].long() == torch.arange(size)).float()
                for place, size in enumerate(sizes[name])
            ]
        else:
            columns.append(values.float())
    if previous_action and network.sees_action:
        columns.append(network.reading.marked(inputs.prev_action[0]).float())
    if network.sees_reward:
        columns.append(inputs.prev_reward[0].unsqueeze(-1).float())
    return torch.cat(columns, dim=1)
