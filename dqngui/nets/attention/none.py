"""No attention: the tokens of a step are concatenated."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dqngui.nets.attention.contract import Attention
from dqngui.nets.record import Record
from dqngui.schema import Options


class NoAttention(Attention):
    """Concatenates the tokens and maps them by one linear layer with ReLU; a single token is passed on unchanged.

    Absent tokens count as zeros.
    """

    def __init__(self, *, width: int, tokens: int, actions: int, options: Options) -> None:
        super().__init__()
        self.join = nn.Linear(tokens * width, width) if tokens > 1 else None

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        if present is not None:
            tokens = tokens.masked_fill(~present.unsqueeze(-1), 0.0)
        if self.join is None:
            return tokens.squeeze(-2), None
        return torch.relu(self.join(tokens.flatten(-2))), None
