"""Attention over the tokens of one step.

Every attention maps tokens (T, B, K, D) to `(x (T, B, D), z (T, B, A, D) or None)`: x is all that the
memory sees, z (one vector an action) goes round the memory to the head.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.nets.record import Record, ViewSpec

if TYPE_CHECKING:
    from dqngui.catalog import SelfAttentionOptions
    from dqngui.schema import Options


class NoAttention(nn.Module):
    """Tokens side by side through one linear layer; a single token passes as it is."""

    def __init__(self, *, width: int, tokens: int, options: Options) -> None:
        super().__init__()
        self.join = nn.Linear(tokens * width, width) if tokens > 1 else None

    def views(self) -> tuple[ViewSpec, ...]:
        return ()

    def forward(self, tokens: Tensor, record: Record | None = None) -> tuple[Tensor, Tensor | None]:
        if self.join is None:
            return tokens.squeeze(-2), None
        return torch.relu(self.join(tokens.flatten(-2))), None


class SelfAttention(nn.Module):
    """Multi-head self-attention layers (pre-norm), then pooling by a learned query.

    Scaled dot product per head, Vaswani et al. 2017, arXiv:1706.03762. Views: `attention/self/LAYER`
    (head, query, key) and `attention/pool` (head, key).
    """

    def __init__(self, *, width: int, tokens: int, options: SelfAttentionOptions) -> None:
        super().__init__()
        self.heads = options.heads
        self.layers = nn.ModuleList(_Block(width, options.heads) for _ in range(options.layers))
        self.norm = nn.LayerNorm(width)
        self.pool_query = nn.Parameter(torch.empty(width))
        self.pool_key_value = nn.Linear(width, 2 * width)
        self.pool_out = nn.Linear(width, width)

    def initialise(self, generator: Generator) -> None:
        nn.init.normal_(self.pool_query, generator=generator)

    def views(self) -> tuple[ViewSpec, ...]:
        layers = (ViewSpec(f"attention/self/{index}", ("head", "query", "key")) for index in range(len(self.layers)))
        return (*layers, ViewSpec("attention/pool", ("head", "key")))

    def forward(self, tokens: Tensor, record: Record | None = None) -> tuple[Tensor, Tensor | None]:
        T, B, K, D = tokens.shape
        x = tokens.reshape(T * B, K, D)
        for index, layer in enumerate(self.layers):
            x = layer(x, record, f"attention/self/{index}", (T, B))
        k, v = self.pool_key_value(self.norm(x)).chunk(2, dim=-1)
        q = self.pool_query.expand(T * B, 1, D)
        pooled, weights = attend(q, k, v, self.heads, record is not None)  # (TB, 1, D), (TB, H, 1, K)
        if record is not None and weights is not None:
            record.add("attention/pool", weights.squeeze(2).unflatten(0, (T, B)))
        return self.pool_out(pooled).view(T, B, D), None


class _Block(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x)). (N, K, D) -> (N, K, D)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_forward = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def forward(self, x: Tensor, record: Record | None, name: str, steps: tuple[int, int]) -> Tensor:
        q, k, v = self.query_key_value(self.norm_attention(x)).chunk(3, dim=-1)
        mixed, weights = attend(q, k, v, self.heads, record is not None)
        if record is not None and weights is not None:
            record.add(name, weights.unflatten(0, steps))
        x = x + self.out(mixed)
        return x + self.narrow(torch.relu(self.widen(self.norm_forward(x))))


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, explicit: bool) -> tuple[Tensor, Tensor | None]:
    """softmax(q kᵀ / √d) v per head: (N, Q, D), (N, K, D), (N, K, D) -> (N, Q, D) and weights (N, H, Q, K).

    The fused kernel returns no weights; `explicit` computes them, and the output from them.
    """
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (q, k, v))  # (N, H, ·, D/H)
    if not explicit:
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2), None
    weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), dim=-1)
    return (weights @ v).transpose(1, 2).flatten(2), weights
