"""Tokens of a step averaged into one."""

from __future__ import annotations

import math

from torch import Tensor, nn

from dqngui.nets.attention.products import weigh
from dqngui.nets.record import Record


class Pool(nn.Module):
    """Tokens averaged by softmax(u_h · norm(x) / √(D/H)), u_h a learned query in key space.

    (N, K, D) -> (N, D) and weights (N, H, K), the view `attention/pool`; absent tokens get no weight.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, heads, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, present: Tensor | None, record: Record | None = None) -> tuple[Tensor, Tensor]:
        y = self.norm(x)
        scores = self.query(y) / math.sqrt(x.shape[-1] // self.heads)  # (N, K, H)
        values = self.value(y).unflatten(-1, (self.heads, -1))  # (N, K, H, D/H)
        change = None if record is None else record.changing("attention/pool", 2)
        mixed, weights = weigh(scores.unsqueeze(1), values, present, change)
        return self.out(mixed.squeeze(1)), weights.squeeze(2)
