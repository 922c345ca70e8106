"""Encoders of pictures and grids of categories: one token for all, or one per cell."""

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

MOST_CELLS = 64
"""Largest number of cells of a picture's last feature map: attention between cells costs its square."""
MOST_COMBINATIONS = 512
CELL_WIDTH = 16
"""Size of the embedding of a grid's cell."""

ConvolutionSpec = tuple[int, int, int, int]
"""A convolution: channels, kernel size, stride and padding."""


def convolutions_for(rows: int, columns: int, small: str) -> list[ConvolutionSpec]:
    """Convolutions for a picture: those of Mnih et al. 2015 from 64 pixels a side, smaller kernels for smaller
    pictures.

    Below 24 pixels a side, `small` is "one": the convolution of Young and Tian 2019, arXiv:1903.03176, section 3, or
    "three". On 10 x 10 pixels one takes a tenth of the time of three.
    """
    side = min(rows, columns)
    if side >= 64:
        specs = [(32, 8, 4, 0), (64, 4, 2, 0), (64, 3, 1, 0)]
    elif side >= 24:
        specs = [(32, 4, 2, 1), (64, 4, 2, 1), (64, 3, 1, 1)]
    elif small == "three":
        specs = [(16, 3, 1, 1), (32, 3, 1, 1)]
    else:
        specs = [(16, 3, 1, 0 if side >= 5 else 1)]
    return [*specs, *_shrinking(*map_size(specs, rows, columns), 32 if side < 24 else 64)]


def map_size(specs: Sequence[ConvolutionSpec], rows: int, columns: int) -> tuple[int, int]:
    """Rows and columns of the feature map after the convolutions."""
    for _, kernel, stride, padding in specs:
        rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in (rows, columns))
    return rows, columns


def _shrinking(rows: int, columns: int, channels: int) -> list[ConvolutionSpec]:
    """Convolutions of stride 2, until no more than MOST_CELLS cells are left."""
    specs: list[ConvolutionSpec] = []
    while math.prod(map_size(specs, rows, columns)) > MOST_CELLS:
        specs.append((channels, 3, 2, 1))
    return specs


class _OneToken(nn.Module):
    """Maps the cells of a feature map to one token by an MLP with ReLU: (N, h·w, C) -> (N, 1, D).

    Initialised as in He et al. 2015, arXiv:1502.01852: with torch's smaller weights a single cell among many has little
    effect, and an LSTM needed twice as many updates to remember it.
    """

    def __init__(self, channels: int, cells: int, hidden: Sequence[int], width: int) -> None:
        super().__init__()
        sizes = [channels * cells, *hidden, width]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def initialise(self, generator: Generator) -> None:
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.in_features), generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x.unsqueeze(1)


class _CellTokens(nn.Module):
    """Maps each cell of a feature map to a token, relu(W cell + learned position): (N, h·w, C) -> (N, h·w, D)."""

    def __init__(self, channels: int, cells: int, width: int) -> None:
        super().__init__()
        self.cell = nn.Linear(channels, width, bias=False)
        self.position = nn.Parameter(torch.empty(cells, width))

    def initialise(self, generator: Generator) -> None:
        nn.init.uniform_(self.position, -0.5, 0.5, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.cell(x) + self.position)


class _MapEncoder(PartEncoder):
    """Base of the encoders of pictures and grids: convolutions over (N, C, H, W), then tokens from the cells."""

    def __init__(
        self,
        part: ObservationPart,
        channels: int,
        specs: Sequence[ConvolutionSpec],
        tokens: str,
        hidden: Sequence[int],
        width: int,
    ) -> None:
        super().__init__()
        self.raw_shape = part.raw_shape
        self.order = [part.axes.index(axis) for axis in "nchw" if axis in part.axes]
        self.planes, *sides = part.map_shape
        self.sides = (sides[0], sides[1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, kernel, stride, padding)
            for a, (b, kernel, stride, padding) in zip([channels, *(spec[0] for spec in specs)], specs, strict=False)
        )
        rows, columns = map_size(specs, *self.sides)
        channels = specs[-1][0] if specs else channels
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
        """A stored part (T, B, F) with its axes in this order: (N, C, H, W), N = T·B."""
        axes = part.flatten(0, 1).unflatten(-1, self.raw_shape).permute(0, *(1 + axis for axis in self.order))
        return axes.reshape(len(axes), self.planes, *self.sides)

    def tokens(self, x: Tensor, steps: torch.Size) -> Tensor:
        """Tokens (T, B, k, D) of planes (N, C, H, W)."""
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))
        tokens: Tensor = self.readout(x.flatten(2).transpose(1, 2))
        return tokens.unflatten(0, steps)


class ImageEncoder(_MapEncoder):
    """Encodes a picture by convolutions: (T, B, F) -> (T, B, 1, D), or one token per cell of the last feature map."""

    def __init__(
        self,
        part: ObservationPart,
        tokens: str,
        hidden: Sequence[int],
        width: int,
        small: str,
        standardise: Standardise | None = None,
    ) -> None:
        planes, *sides = part.map_shape
        specs = convolutions_for(sides[0], sides[1], small if tokens == "one" else "three")
        super().__init__(part, planes, specs, tokens, hidden, width)
        self.scale, self.standardise = part.scale, standardise

    def forward(self, part: Tensor) -> Tensor:
        if self.standardise is not None:
            x = self.standardise(part.to(next(self.parameters()).dtype))
            return self.tokens(self.as_planes(x), part.shape[:2])
        planes = self.as_planes(part).to(next(self.parameters()).dtype)
        return self.tokens(planes * self.scale if self.scale != 1.0 else planes, part.shape[:2])


class GridEncoder(_MapEncoder):
    """Encodes a grid of categories: a cell is the ReLU of the sum of its channels' embeddings. (T, B, F) ->
    (T, B, k, D).

    A grid of more than MOST_CELLS cells is first made smaller by convolutions. Embeddings are looked up for groups of
    channels, in tables of all combinations of their categories, since combinations are far fewer than cells.
    """

    def __init__(self, part: ObservationPart, tokens: str, hidden: Sequence[int], width: int) -> None:
        _, *sides = part.map_shape
        super().__init__(part, CELL_WIDTH, _shrinking(sides[0], sides[1], 2 * CELL_WIDTH), tokens, hidden, width)
        self.sizes = part.sizes
        self.groups = _groups(part.sizes)
        self.embedding = nn.Parameter(torch.empty(sum(part.sizes), CELL_WIDTH))

    def initialise(self, generator: Generator) -> None:
        nn.init.normal_(self.embedding, std=1 / math.sqrt(len(self.sizes)), generator=generator)

    def embedded(self, part: Tensor) -> Tensor:
        """The embeddings of the cells, row by row, (T, B, H·W, E)."""
        return self._cells(self.as_planes(part).flatten(2).to(torch.int32)).unflatten(0, part.shape[:2])

    def forward(self, part: Tensor) -> Tensor:
        cells = (part if part.is_floating_point() else self.embedded(part)).flatten(0, 1)  # (N, H·W, E)
        if not self.convolutions:
            tokens: Tensor = self.readout(cells)
            return tokens.unflatten(0, part.shape[:2])
        return self.tokens(cells.transpose(1, 2).unflatten(-1, self.sides), part.shape[:2])

    def _cells(self, categories: Tensor) -> Tensor:
        """Embedded cells (N, H·W, E) of categories (N, C, H·W); a category that is too large counts as the last one."""
        by_channel = self.embedding.split(self.sizes)
        total: Tensor | None = None
        for group in self.groups:
            table, place = by_channel[group[0]], _bounded(categories, group[0], self.sizes)
            for channel in group[1:]:
                table = (table.unsqueeze(1) + by_channel[channel]).flatten(0, 1)
                place = place * self.sizes[channel] + _bounded(categories, channel, self.sizes)
            if len(self.groups) == 1:
                return F.embedding(place, torch.relu(table))
            rows = F.embedding(place, table)
            total = rows if total is None else total + rows
        assert total is not None
        return torch.relu(total)


def _bounded(categories: Tensor, channel: int, sizes: Sequence[int]) -> Tensor:
    return categories[:, channel].clamp(max=sizes[channel] - 1)


def _groups(sizes: Sequence[int]) -> list[list[int]]:
    """Groups of neighbouring channels with at most MOST_COMBINATIONS combinations of categories each."""
    groups: list[list[int]] = []
    count = MOST_COMBINATIONS
    for channel, size in enumerate(sizes):
        if not groups or count * size > MOST_COMBINATIONS:
            groups.append([])
            count = 1
        groups[-1].append(channel)
        count *= size
    return groups
