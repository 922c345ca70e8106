"""Encoders of what has rows and columns, pictures and grids of categories: one token, or one a cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn

from dqngui.envs.spaces import Part
from dqngui.nets.encoders.contract import PartEncoder

MOST_CELLS = 64
"""A picture's last feature map is made no larger: attention between cells costs the square of their number."""
CELL_WIDTH = 16
"""Size of a grid cell's embedding, where the cells of a grid are joined to one token."""

Stage = tuple[int, int, int, int]
"""Channels, size of the kernel, stride and padding of a convolution."""


def stages_for(rows: int, columns: int) -> list[Stage]:
    """Convolutions for a picture: of 64 cells and more those of Mnih et al. 2015, for smaller ones smaller kernels."""
    side = min(rows, columns)
    if side >= 64:
        stages = [(32, 8, 4, 0), (64, 4, 2, 0), (64, 3, 1, 0)]
    elif side >= 24:
        stages = [(32, 4, 2, 1), (64, 4, 2, 1), (64, 3, 1, 1)]
    else:
        stages = [(16, 3, 1, 1), (32, 3, 1, 1)]
    return [*stages, *_shrinking(*after(stages, rows, columns), 32 if side < 24 else 64)]


def after(stages: Sequence[Stage], rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns that are left behind the convolutions."""
    for _, kernel, stride, padding in stages:
        rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in (rows, columns))
    return rows, columns


def _shrinking(rows: int, columns: int, channels: int) -> list[Stage]:
    """Convolutions of stride 2 until no more than MOST_CELLS are left."""
    stages: list[Stage] = []
    while math.prod(after(stages, rows, columns)) > MOST_CELLS:
        stages.append((channels, 3, 2, 1))
    return stages


class _OneToken(nn.Module):
    """The cells of a map as one token, through an MLP with ReLU: (N, h·w, C) -> (N, 1, D)."""

    def __init__(self, channels: int, cells: int, hidden: Sequence[int], width: int) -> None:
        super().__init__()
        sizes = [channels * cells, *hidden, width]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x.unsqueeze(1)


class _CellTokens(nn.Module):
    """The cells of a map as one token each, relu(W cell + position), positions learned: (N, h·w, C) -> (N, h·w, D)."""

    def __init__(self, channels: int, cells: int, width: int) -> None:
        super().__init__()
        self.cell = nn.Linear(channels, width, bias=False)
        self.position = nn.Parameter(torch.empty(cells, width))

    def initialise(self, generator: Generator) -> None:
        nn.init.uniform_(self.position, -0.5, 0.5, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.cell(x) + self.position)


class _MapEncoder(PartEncoder):
    """What pictures and grids share: convolutions over (N, C, H, W), then tokens from the cells that are left."""

    def __init__(
        self, part: Part, channels: int, stages: Sequence[Stage], tokens: str, hidden: Sequence[int], width: int
    ) -> None:
        super().__init__()
        self.raw_shape = part.raw_shape
        self.order = [part.axes.index(axis) for axis in "nchw" if axis in part.axes]
        self.planes, *sides = part.map_shape
        self.sides = (sides[0], sides[1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, kernel, stride, padding)
            for a, (b, kernel, stride, padding) in zip(
                [channels, *(stage[0] for stage in stages)], stages, strict=False
            )
        )
        rows, columns = after(stages, *self.sides)
        channels = stages[-1][0] if stages else channels
        self.readout: nn.Module
        if tokens == "one":
            self.labels = (part.name,)
            self.readout = _OneToken(channels, rows * columns, hidden, width)
        else:
            self.cells = (rows, columns)
            name = "cell" if part.name in ("observation", "image") else part.name
            self.labels = tuple(f"{name} {row},{column}" for row in range(rows) for column in range(columns))
            self.readout = _CellTokens(channels, rows * columns, width)

    def as_planes(self, part: Tensor) -> Tensor:
        """A part as it is stored, (T, B, F), with its axes in order: (N, C, H, W), N = T·B."""
        axes = part.flatten(0, 1).unflatten(-1, self.raw_shape).permute(0, *(1 + axis for axis in self.order))
        return axes.reshape(len(axes), self.planes, *self.sides)

    def tokens(self, x: Tensor, steps: torch.Size) -> Tensor:
        """Planes (N, C, H, W) as tokens (T, B, k, D)."""
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))
        tokens: Tensor = self.readout(x.flatten(2).transpose(1, 2))
        return tokens.unflatten(0, steps)


class ImageEncoder(_MapEncoder):
    """A picture through convolutions. (T, B, F) -> (T, B, 1, D), or one token a cell of the last feature map."""

    def __init__(self, part: Part, tokens: str, hidden: Sequence[int], width: int) -> None:
        planes, *sides = part.map_shape
        super().__init__(part, planes, stages_for(sides[0], sides[1]), tokens, hidden, width)
        self.scale = part.scale

    def forward(self, part: Tensor) -> Tensor:
        planes = self.as_planes(part).to(next(self.parameters()).dtype)
        return self.tokens(planes * self.scale if self.scale != 1.0 else planes, part.shape[:2])


class GridEncoder(_MapEncoder):
    """A grid of categories: the embeddings of a cell's channels summed, with ReLU. (T, B, F) -> (T, B, 1 or k, D).

    A grid of more than MOST_CELLS is made smaller by convolutions first.
    """

    def __init__(self, part: Part, tokens: str, hidden: Sequence[int], width: int) -> None:
        _, *sides = part.map_shape
        super().__init__(part, CELL_WIDTH, _shrinking(sides[0], sides[1], 2 * CELL_WIDTH), tokens, hidden, width)
        self.sizes = part.sizes
        self.embedding = nn.Linear(sum(part.sizes), CELL_WIDTH)  # of zeros and ones: a product is quicker than rows

    def initialise(self, generator: Generator) -> None:
        nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(len(self.sizes)), generator=generator)
        nn.init.zeros_(self.embedding.bias)

    def forward(self, part: Tensor) -> Tensor:
        ones = self._ones(self.as_planes(part).flatten(2).transpose(1, 2))
        cells = torch.relu(self.embedding(ones))  # (N, H·W, E)
        if not self.convolutions:
            tokens: Tensor = self.readout(cells)
            return tokens.unflatten(0, part.shape[:2])
        return self.tokens(cells.transpose(1, 2).unflatten(-1, self.sides), part.shape[:2])

    def _ones(self, categories: Tensor) -> Tensor:
        """Categories (N, H·W, C) as zeros and ones (N, H·W, all categories); one too large counts as the last."""
        sizes = torch.tensor(self.sizes, device=categories.device)
        places = torch.minimum(categories.long(), sizes - 1) + (sizes.cumsum(0) - sizes)
        ones = self.embedding.weight.new_zeros(*categories.shape[:2], sum(self.sizes))
        return ones.scatter_(-1, places, 1.0)
