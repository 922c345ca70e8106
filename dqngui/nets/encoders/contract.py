"""The contract of an encoder of one part of an observation."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PartEncoder(nn.Module):
    """One part as it is stored, (T, B, F), to its k tokens (T, B, k, D).

    Attributes:
        labels: names of the k tokens.
        cells: rows and columns of the tokens, row by row, where they are places of a picture.
    """

    labels: tuple[str, ...]
    cells: tuple[int, int] | None = None

    def embedded(self, part: Tensor) -> Tensor:
        """What the tokens are a smooth function of, as a stored part is none of categories; `forward` takes it too.

        Numbers stay what they are, (T, B, F); a category becomes its embedding, (T, B, places, E).
        """
        return part if part.is_floating_point() else part.to(torch.get_default_dtype())

    def present(self, part: Tensor) -> Tensor | None:
        """Which of the tokens exist, (T, B, k) bool; None: all of them, always."""
        return None
