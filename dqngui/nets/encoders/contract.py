"""The contract of an encoder of one part of an observation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dqngui.nets.scaling import Standardise


class PartEncoder(nn.Module):
    """Base of the encoders: maps one part as it is stored, (T, B, F), to its k tokens (T, B, k, D).

    Attributes:
        labels: names of the k tokens.
        cells: rows and columns, if the tokens are the cells of a picture, row by row; else None.
        standardise: standardises the part's numbers as they are stored; None if they have no units, and for a network
            that does not standardise, which sees them multiplied by the part's scale.
    """

    labels: tuple[str, ...]
    cells: tuple[int, int] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.standardise: Standardise | None = None

    def embedded(self, part: Tensor) -> Tensor:
        """The part as numbers of which the tokens are a differentiable function; `forward` accepts them too.

        Numbers stay as they are, (T, B, F); a category becomes its embedding, (T, B, entries, E).
        """
        return part if part.is_floating_point() else part.to(torch.get_default_dtype())

    def present(self, part: Tensor) -> Tensor | None:
        """Which of the tokens are present, (T, B, k) bool; None: always all."""
        return None
