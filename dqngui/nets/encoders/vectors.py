"""Encoders of numbers as one token, or of a vector as one token per feature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.envs.spaces import ObservationPart
from dqngui.nets.encoders.contract import PartEncoder
from dqngui.nets.scaling import Standardise


class VectorEncoder(PartEncoder):
    """Numbers as one token: an MLP with ReLU after every layer. (T, B, F) -> (T, B, 1, D)."""

    def __init__(
        self, part: ObservationPart, hidden: Sequence[int], width: int, standardise: Standardise | None = None
    ) -> None:
        super().__init__()
        self.labels = (part.name,)
        self.scale, self.standardise = 1.0 if standardise else part.scale, standardise
        sizes = [math.prod(part.shape), *hidden, width]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.chain: tuple[nn.Linear, ...] = tuple(self.layers)  # type: ignore[arg-type]  # quicker to walk

    def flat(self, part: Tensor) -> Tensor:
        """The same without axes for time and tokens: (N, F) -> (N, D)."""
        x = part if part.is_floating_point() else part.to(torch.get_default_dtype())
        if self.scale != 1.0:
            x = x * self.scale
        if self.standardise is not None:
            x = self.standardise(x)
        for layer in self.chain:
            x = torch.relu_(F.linear(x, layer.weight, layer.bias))
        return x

    def forward(self, part: Tensor) -> Tensor:
        return self.flat(part.flatten(0, 1)).unflatten(0, part.shape[:2]).unsqueeze(-2)


class FeatureEncoder(PartEncoder):
    """A vector as one token per feature, relu(x_f · slope_f + bias_f). (T, B, F) -> (T, B, F, D)."""

    def __init__(
        self, part: ObservationPart, names: Sequence[str], width: int, standardise: Standardise | None = None
    ) -> None:
        super().__init__()
        features = math.prod(part.shape)
        numbered = [f"{part.name} {index}" if features > 1 else part.name for index in range(features)]
        self.labels = tuple(name or number for name, number in zip(names, numbered, strict=True))
        self.scale, self.standardise = 1.0 if standardise else part.scale, standardise
        self.slope = nn.Parameter(torch.empty(features, width))
        self.bias = nn.Parameter(torch.empty(features, width))

    def initialise(self, generator: Generator) -> None:
        for parameter in (self.slope, self.bias):
            nn.init.uniform_(parameter, -1.0, 1.0, generator=generator)

    def forward(self, part: Tensor) -> Tensor:
        x = part.to(self.slope.dtype) * self.scale
        if self.standardise is not None:
            x = self.standardise(x)
        return torch.relu(torch.addcmul(self.bias, x.unsqueeze(-1), self.slope))
