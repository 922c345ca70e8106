"""Encoders of tables (N, F): one token per row, whose order counts, or per entity of a set."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from dqngui.envs.spaces import ObservationPart
from dqngui.nets.encoders.contract import PartEncoder
from dqngui.nets.scaling import Standardise
from dqngui.texts import say, words

_POSITION = 0.5  # largest size of what is learned for a place, at the start


class RowEncoder(PartEncoder):
    """Rows in a fixed order as one token each, relu(W row + b + position of the row). (T, B, N·F) -> (T, B, N, D)."""

    def __init__(self, part: ObservationPart, width: int, standardise: Standardise | None = None) -> None:
        super().__init__()
        self.shape = part.raw_shape
        name = "row" if part.name == "observation" else part.name
        self.labels = tuple(f"{name} {index + 1}" for index in range(self.shape[0]))
        self.standardise = standardise
        self.row = nn.Linear(self.shape[1], width)
        self.position = nn.Parameter(torch.empty(self.shape[0], width))

    def initialise(self, generator: Generator) -> None:
        nn.init.uniform_(self.position, -_POSITION, _POSITION, generator=generator)

    def forward(self, part: Tensor) -> Tensor:
        x = part.to(self.position.dtype)
        if self.standardise is not None:
            x = self.standardise(x)
        return torch.relu(self.row(x.unflatten(-1, self.shape)) + self.position)


class EntityEncoder(PartEncoder):
    """A set of N entities as one token each, relu(W row + b) with shared weights. (T, B, N·F) -> (T, B, N, D).

    A learned vector is added to the row of the agent itself, before the ReLU, if it is known. An entity is absent if
    its number of presence is 0; without such a number, if all its numbers are 0.
    """

    def __init__(self, part: ObservationPart, width: int, standardise: Standardise | None = None) -> None:
        super().__init__()
        self.part = part
        name = "entity" if part.name == "observation" else part.name
        labels = [f"{name} {index + 1}" for index in range(part.raw_shape[0])]
        if part.own is not None:
            labels[part.own] = own_label(part)
        self.labels = tuple(labels)
        self.standardise = standardise
        self.row = nn.Linear(part.raw_shape[1], width)
        self.own = None if part.own is None else nn.Parameter(torch.empty(width))

    def initialise(self, generator: Generator) -> None:
        if self.own is not None:
            nn.init.uniform_(self.own, -_POSITION, _POSITION, generator=generator)

    def forward(self, part: Tensor) -> Tensor:
        x = part.to(self.row.weight.dtype)
        if self.standardise is not None:
            x = self.standardise(x)
        rows = self.row(x.unflatten(-1, self.part.raw_shape))
        if self.own is not None:
            rows[..., self.part.own, :] += self.own
        return torch.relu(rows)

    def present(self, part: Tensor) -> Tensor:
        there: Tensor = self.part.present(part.unflatten(-1, self.part.raw_shape))
        return there


def own_label(part: ObservationPart) -> str:
    """Name of the row that is the agent itself."""
    return words(say("token.own") if part.name == "observation" else say("token.own_of", part=part.name))
