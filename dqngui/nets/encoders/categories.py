"""Encoders of categories and of texts: embeddings that are summed to one token."""

from __future__ import annotations

import math
from itertools import accumulate

import torch
from torch import Generator, Tensor, nn

from dqngui.envs.spaces import ObservationPart
from dqngui.nets.encoders.contract import PartEncoder

_MANY_ENTRIES = 8
_FEW_CATEGORIES = 24
"""From so many entries with at most so many categories each, on average, the sum of embeddings is a product with zeros
and ones, which is up to ten times faster to learn. With more categories it is slower (with 1,000 twenty times), and
needs memory for each of them.
"""


class DiscreteEncoder(PartEncoder):
    """Integer categories as one token: the sum of their embeddings. (T, B, M) -> (T, B, 1, D)."""

    offsets: Tensor

    def __init__(self, part: ObservationPart, width: int) -> None:
        super().__init__()
        self.labels = (part.name,)
        self.sizes, entries = part.sizes, len(part.sizes)
        self.embedding = nn.Parameter(torch.empty(sum(part.sizes), width))
        self.by_product = entries >= _MANY_ENTRIES and sum(part.sizes) <= _FEW_CATEGORIES * entries
        self.register_buffer("offsets", torch.empty(entries, dtype=torch.long), persistent=False)

    def initialise(self, generator: Generator) -> None:
        self.offsets.copy_(torch.tensor([0, *accumulate(self.sizes)][:-1]))
        nn.init.normal_(self.embedding, std=1 / math.sqrt(len(self.sizes)), generator=generator)

    def embedded(self, part: Tensor) -> Tensor:
        """The embedding of each entry, (T, B, M, D)."""
        return self.embedding[self._places(part)]

    def _places(self, part: Tensor) -> Tensor:
        """The row of `embedding` of each entry, (T, B, M)."""
        return part.long().flatten(2) + self.offsets

    def forward(self, part: Tensor) -> Tensor:
        if self.by_product and not part.is_floating_point():
            places = self._places(part)
            chosen = self.embedding.new_zeros(*places.shape[:2], len(self.embedding))
            return (chosen.scatter_(-1, places, 1.0) @ self.embedding).unsqueeze(-2)
        rows = part if part.is_floating_point() else self.embedded(part)
        return rows.sum(-2, keepdim=True)


class TextEncoder(PartEncoder):
    """Word ids (0: no word) as one token: the sum of their embeddings, weighted by position. (T, B, W) -> (T, B, 1, D).

    Word j of J weighs (1 − j/J) − (d/D)(1 − 2j/J) in unit d, so that the order of words counts: position encoding,
    Sukhbaatar et al. 2015, arXiv:1503.08895, section 4.1. The sum is divided by √J.
    """

    def __init__(self, part: ObservationPart, width: int) -> None:
        super().__init__()
        self.labels = (part.name,)
        self.embedding = nn.Parameter(torch.empty(part.sizes[0], width))

    def initialise(self, generator: Generator) -> None:
        nn.init.normal_(self.embedding, generator=generator)

    def forward(self, part: Tensor) -> Tensor:
        # The usual case is that the text stays the same. Other devices than the CPU would have to wait for the answer.
        if part.device.type == "cpu" and part.shape[0] > 1 and bool((part[1:] == part[:-1]).all()):
            return self._read(part[:1]).expand(part.shape[0], -1, -1, -1)
        return self._read(part)

    def _read(self, part: Tensor) -> Tensor:
        words, width = part.shape[-1], self.embedding.shape[1]
        rows = self.embedding[part.long()]  # (T, B, W, D)
        there = (part != 0).unsqueeze(-1).to(rows.dtype)
        count = there.sum(-2, keepdim=True).clamp(min=1)  # (T, B, 1, 1)
        j = torch.arange(1, words + 1, device=part.device, dtype=rows.dtype).unsqueeze(-1) / count  # (T, B, W, 1)
        d = torch.arange(1, width + 1, device=part.device, dtype=rows.dtype) / width  # (D,)
        weights = there * ((1 - j) - d * (1 - 2 * j))
        return (rows * weights).sum(-2, keepdim=True) / count.sqrt()
