"""The contract of an encoder of one part of an observation."""

from __future__ import annotations

from torch import Tensor, nn


class PartEncoder(nn.Module):
    """One part as it is stored, (T, B, F), to its k tokens (T, B, k, D).

    Attributes:
        labels: names of the k tokens.
        cells: rows and columns of the tokens, row by row, where they are places of a picture.
    """

    labels: tuple[str, ...]
    cells: tuple[int, int] | None = None

    def present(self, part: Tensor) -> Tensor | None:
        """Which of the tokens exist, (T, B, k) bool; None: all of them, always."""
        return None
