"""The encoder of whole observations: the tokens of all parts, concatenated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.nets.encoders.categories import DiscreteEncoder, TextEncoder
from dqngui.nets.encoders.contract import PartEncoder
from dqngui.nets.encoders.maps import GridEncoder, ImageEncoder
from dqngui.nets.encoders.rows import EntityEncoder, RowEncoder
from dqngui.nets.encoders.vectors import FeatureEncoder, VectorEncoder
from dqngui.nets.scaling import Standardise


class Encoder(nn.Module):
    """Maps all parts of an observation to their tokens, concatenated: {name: (T, B, ...)} -> (T, B, K, D).

    It also returns which tokens are present, (T, B, K) bool, or None if all are.
    """

    def __init__(
        self,
        spaces: Spaces,
        *,
        tokens: str,
        hidden: Sequence[int],
        width: int,
        standardise: bool = False,
        convolutions: str = "one",
    ) -> None:
        super().__init__()
        made = {part.name: Standardise(part) for part in spaces.parts if standardise and part.has_units}
        self.names = [part.name for part in spaces.parts]
        self._layout = spaces.parts
        encoders: list[PartEncoder] = []
        features = iter(spaces.features)
        for part in spaces.parts:
            names = [next(features, "") for _ in range(part.named_numbers)]
            encoders.append(_encoder(part, names, tokens, hidden, width, made.get(part.name), convolutions))
        self.parts = nn.ModuleList(encoders)
        self.labels = tuple(label for encoder in encoders for label in encoder.labels)
        """Name of each token: of its part, or of its feature, cell, row or entity if each of these is a token."""

    @property
    def standardised(self) -> dict[str, Standardise]:
        """What standardises the parts whose numbers have units, by the part's name."""
        found = {name: cast(PartEncoder, each).standardise for name, each in zip(self.names, self.parts, strict=True)}
        return {name: each for name, each in found.items() if each is not None}

    def share_standardised(self, other: Encoder) -> None:
        """Standardise as another encoder of the same parts does."""
        for mine, theirs in zip(self.parts, other.parts, strict=True):
            cast(PartEncoder, mine).standardise = cast(PartEncoder, theirs).standardise

    @property
    def count(self) -> int:
        """Number of tokens K."""
        return len(self.labels)

    @property
    def token_counts(self) -> tuple[tuple[str, int], ...]:
        """Names of the parts, and the number of tokens of each, in the order of the tokens."""
        return tuple((name, len(part.labels)) for name, (_, part) in zip(self.names, self._placed(), strict=True))

    @property
    def cells(self) -> tuple[int, int, int] | None:
        """Index of the first cell token of a picture or grid, and the rows and columns of its cells; None without
        any.
        """
        return next(((first, *each.cells) for first, each in self._placed() if each.cells is not None), None)

    @property
    def entities(self) -> tuple[int, int] | None:
        """Index of the first entity token, and the number of entities; the same of rows without any entities; None
        without either.
        """
        tables = [(first, each) for first, each in self._placed() if isinstance(each, (EntityEncoder, RowEncoder))]
        tables.sort(key=lambda table: isinstance(table[1], RowEncoder))
        return next(((first, len(each.labels)) for first, each in tables), None)

    @property
    def own(self) -> int | None:
        """Index of the token of the agent's own row; None if no row is known to be it, or without a token a row."""
        placed = ((first, each) for first, each in self._placed() if isinstance(each, EntityEncoder))
        return next((first + each.part.own for first, each in placed if each.part.own is not None), None)

    def _placed(self) -> Iterator[tuple[int, PartEncoder]]:
        """Each part's encoder, with the index of its first token."""
        first = 0
        for encoder in self.parts:
            part = cast(PartEncoder, encoder)
            yield first, part
            first += len(part.labels)

    @property
    def raw_size(self) -> int:
        """Number of numbers F in the raw observation."""
        return sum(_raw_size(part) for part in self._layout)

    @property
    def raw_standardised(self) -> Tensor:
        """Which of these numbers `raw` gives in standard deviations, (F,) bool."""
        units = self.standardised
        parts = [torch.full((_raw_size(part),), part.name in units) for part in self._layout if part.kind != "text"]
        return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.bool)

    def raw(self, observation: Mapping[str, Tensor]) -> Tensor:
        """The observation as plain numbers (T, B, F).

        Vectors, pictures, rows and entities are standardised where the encoder does so, else scaled; a grid's
        categories become shares from 0 to 1, and discrete parts become one-hot; texts are left out.
        """
        units = self.standardised
        parts = [
            _numbers(part, observation[part.name], units.get(part.name)) for part in self._layout if part.kind != "text"
        ]
        if parts:
            return torch.cat(parts, dim=-1)
        some = observation[self.names[0]]
        return torch.zeros(*some.shape[:2], 0, device=some.device)

    def embedded(self, name: str, part: Tensor) -> Tensor:
        """A part as `PartEncoder.embedded` gives it; `forward` accepts it in place of the part."""
        return cast(PartEncoder, self.parts[self.names.index(name)]).embedded(part)

    def forward(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
        tokens, present = [], []
        for name, encoder in zip(self.names, self.parts, strict=True):
            tokens.append(encoder(observation[name]))
            present.append(cast(PartEncoder, encoder).present(observation[name]))
        if len(tokens) == 1:
            return tokens[0], present[0]
        return torch.cat(tokens, dim=-2), self._joined(present, tokens)

    def _joined(self, present: Sequence[Tensor | None], tokens: Sequence[Tensor]) -> Tensor | None:
        if all(each is None for each in present):
            return None
        there = [
            torch.ones(part.shape[:-1], dtype=torch.bool, device=part.device) if each is None else each
            for each, part in zip(present, tokens, strict=True)
        ]
        return torch.cat(there, dim=-1)


def _encoder(
    part: ObservationPart,
    names: Sequence[str],
    tokens: str,
    hidden: Sequence[int],
    width: int,
    standardise: Standardise | None,
    convolutions: str,
) -> PartEncoder:
    match part.kind:
        case "discrete":
            return DiscreteEncoder(part, width)
        case "text":
            return TextEncoder(part, width)
        case "image":
            return ImageEncoder(part, tokens, hidden, width, convolutions, standardise)
        case "grid":
            return GridEncoder(part, tokens, hidden, width)
        case "entities" if tokens == "feature":
            return EntityEncoder(part, width, standardise)
        case "rows" if tokens == "feature":
            return RowEncoder(part, width, standardise)
        case "vector" if tokens == "feature":
            return FeatureEncoder(part, names, width, standardise)
    return VectorEncoder(part, hidden, width, standardise)


def _raw_size(part: ObservationPart) -> int:
    if part.kind == "text":
        return 0
    return sum(part.sizes) if part.kind == "discrete" else math.prod(part.shape)


def _numbers(part: ObservationPart, values: Tensor, standardise: Standardise | None) -> Tensor:
    dtype = values.dtype if values.is_floating_point() else torch.get_default_dtype()
    if part.kind == "grid":
        return _shares(part, values.to(dtype)).flatten(2)
    if standardise is not None:
        standardised: Tensor = standardise(values.to(dtype).flatten(2))
        return standardised
    if part.kind != "discrete":
        return values.to(dtype).flatten(2) * part.scale
    ones = [
        entry.unsqueeze(-1) == torch.arange(size, device=values.device)
        for entry, size in zip(values.flatten(2).unbind(-1), part.sizes, strict=True)
    ]
    return torch.cat(ones, dim=-1).to(dtype)


def _shares(part: ObservationPart, values: Tensor) -> Tensor:
    """Categories (T, B, F) divided by the largest of their channel, in the axes of the space."""
    largest = torch.tensor(part.sizes, dtype=values.dtype, device=values.device) - 1
    shape = [size if axis in "nc" else 1 for axis, size in zip(part.axes, part.raw_shape, strict=True)]
    return values.unflatten(-1, part.raw_shape) / largest.clamp(min=1).reshape(shape)
