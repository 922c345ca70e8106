"""Encoders: the parts of an observation become tokens (T, B, K, D)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.envs.spaces import Part, Spaces


class VectorEncoder(nn.Module):
    """A vector part as one token: an MLP with ReLU after every layer. (T, B, F) -> (T, B, 1, D)."""

    def __init__(self, part: Part, hidden: Sequence[int], width: int) -> None:
        super().__init__()
        self.scale = part.scale
        sizes = [math.prod(part.shape), *hidden, width]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.chain: tuple[nn.Linear, ...] = tuple(self.layers)  # type: ignore[arg-type]  # quicker to walk

    def flat(self, part: Tensor) -> Tensor:
        """The same without time and tokens: (N, F) -> (N, D)."""
        x = part if part.is_floating_point() else part.to(torch.get_default_dtype())
        if self.scale != 1.0:
            x = x * self.scale
        for layer in self.chain:
            x = torch.relu_(F.linear(x, layer.weight, layer.bias))
        return x

    def forward(self, part: Tensor) -> Tensor:
        return self.flat(part.flatten(0, 1)).unflatten(0, part.shape[:2]).unsqueeze(-2)


class FeatureEncoder(nn.Module):
    """A vector part as one token a feature, relu(x_f · slope_f + bias_f). (T, B, F) -> (T, B, F, D)."""

    def __init__(self, part: Part, width: int) -> None:
        super().__init__()
        self.scale = part.scale
        features = math.prod(part.shape)
        self.slope = nn.Parameter(torch.empty(features, width))
        self.bias = nn.Parameter(torch.empty(features, width))

    def initialise(self, generator: Generator) -> None:
        for parameter in (self.slope, self.bias):
            nn.init.uniform_(parameter, -1.0, 1.0, generator=generator)

    def forward(self, part: Tensor) -> Tensor:
        x = part.to(self.slope.dtype) * self.scale
        return torch.relu(torch.addcmul(self.bias, x.unsqueeze(-1), self.slope))


class DiscreteEncoder(nn.Module):
    """Integer categories as one token: the sum of their embeddings. (T, B, M) -> (T, B, 1, D)."""

    def __init__(self, part: Part, width: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(sum(part.sizes), width))
        offsets = [sum(part.sizes[:index]) for index in range(len(part.sizes))]
        self.offsets = offsets

    def initialise(self, generator: Generator) -> None:
        nn.init.normal_(self.embedding, std=1 / math.sqrt(len(self.offsets)), generator=generator)

    def forward(self, part: Tensor) -> Tensor:
        offsets = torch.tensor(self.offsets, device=part.device)
        rows = self.embedding[part.long().flatten(2) + offsets]  # (T, B, M, D)
        return rows.sum(-2, keepdim=True)


class Encoder(nn.Module):
    """All parts of an observation as tokens, concatenated: {name: (T, B, ...)} -> (T, B, K, D).

    Beside them (T, B, K) bool says which tokens are present, or None does that all are.
    """

    def __init__(self, spaces: Spaces, *, tokens: str, hidden: Sequence[int], width: int) -> None:
        super().__init__()
        self.names = [part.name for part in spaces.parts]
        self._layout = spaces.parts
        encoders: list[nn.Module] = []
        labels: list[str] = []
        features = iter(spaces.features)
        for part in spaces.parts:
            names = [next(features, "") for _ in range(math.prod(part.shape))] if part.kind == "vector" else []
            if part.kind == "discrete":
                encoders.append(DiscreteEncoder(part, width))
                labels.append(part.name)
            elif tokens == "feature":
                encoders.append(FeatureEncoder(part, width))
                count = math.prod(part.shape)
                numbered = [f"{part.name} {index}" if count > 1 else part.name for index in range(count)]
                labels += [name or number for name, number in zip(names, numbered, strict=True)]
            else:
                encoders.append(VectorEncoder(part, hidden, width))
                labels.append(part.name)
        self.parts = nn.ModuleList(encoders)
        self.labels = tuple(labels)
        """Name of each token, in order: of the part, or of the feature where each is a token."""

    @property
    def count(self) -> int:
        """Number of tokens K."""
        return len(self.labels)

    @property
    def raw_size(self) -> int:
        """Numbers F of the raw observation."""
        return sum(sum(part.sizes) or math.prod(part.shape) for part in self._layout)

    def raw(self, observation: Mapping[str, Tensor]) -> Tensor:
        """The observation as plain numbers (T, B, F): vectors scaled, categories as zeros and ones."""
        return torch.cat([_numbers(part, observation[part.name]) for part in self._layout], dim=-1)

    def forward(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        tokens = [encoder(observation[name]) for name, encoder in zip(self.names, self.parts, strict=True)]
        return (tokens[0] if len(tokens) == 1 else torch.cat(tokens, dim=-2)), None


def _numbers(part: Part, values: Tensor) -> Tensor:
    dtype = values.dtype if values.is_floating_point() else torch.get_default_dtype()
    if part.kind != "discrete":
        return values.to(dtype).flatten(2) * part.scale
    ones = [
        entry.unsqueeze(-1) == torch.arange(size, device=values.device)
        for entry, size in zip(values.flatten(2).unbind(-1), part.sizes, strict=True)
    ]
    return torch.cat(ones, dim=-1).to(dtype)
