"""Multi-head self-attention over the tokens of a step, then pooling by learned queries."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from dqngui.catalog import SelfAttentionOptions
from dqngui.nets.attention.contract import Attention
from dqngui.nets.attention.products import attend
from dqngui.nets.record import Record, ViewSpec


class SelfAttention(Attention):
    """Multi-head self-attention layers (pre-norm, residual), then pooling by a learned query a head.

    Scaled dot product, Vaswani et al. 2017, arXiv:1706.03762. Views: `attention/self/LAYER`
    (head, query, key) and `attention/pool` (head, key).
    """

    def __init__(self, *, width: int, tokens: int, actions: int, options: SelfAttentionOptions) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(width, options.heads) for _ in range(options.layers))
        self.pool = _Pool(width, options.heads)

    def views(self) -> tuple[ViewSpec, ...]:
        layers = (ViewSpec(f"attention/self/{index}", ("head", "query", "key")) for index in range(len(self.layers)))
        return (*layers, ViewSpec("attention/pool", ("head", "key")))

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        steps = tokens.shape[:2]
        x = tokens.flatten(0, 1)  # (N, K, D), N = T·B
        for index, layer in enumerate(self.layers):
            x, weights = layer(x, record is not None)
            if record is not None and weights is not None:
                record.add(f"attention/self/{index}", weights.unflatten(0, steps))
        pooled, weights = self.pool(x)
        if record is not None:
            record.add("attention/pool", weights.transpose(1, 2).unflatten(0, steps))
        return pooled.unflatten(0, steps), None


class _Layer(nn.Module):
    """x + attention(norm(x)): (N, K, D) -> (N, K, D) and, when asked, weights (N, H, K, K)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, explicit: bool) -> tuple[Tensor, Tensor | None]:
        q, k, v = self.query_key_value(self.norm(x)).chunk(3, dim=-1)
        mixed, weights = attend(q, k, v, self.heads, explicit)
        return x + self.out(mixed), weights


class _Pool(nn.Module):
    """Tokens averaged by softmax(u_h · norm(x) / √(D/H)), u_h a learned query in key space. (N, K, D) -> (N, D)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, heads, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.norm(x)
        scores = self.query(y) / math.sqrt(x.shape[-1] // self.heads)
        weights = torch.softmax(scores, dim=1)  # (N, K, H)
        values = self.value(y).unflatten(-1, (self.heads, -1))  # (N, K, H, D/H)
        return self.out((weights.unsqueeze(-1) * values).sum(1).flatten(1)), weights
