"""Attention over the tokens of one step.

Every attention maps tokens (T, B, K, D) to `(x (T, B, D), z (T, B, A, D) or None)`: x is all that the
memory sees, z (one vector an action) goes round the memory to the head.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
    """Multi-head self-attention layers (pre-norm, residual), then pooling by a learned query a head.

    Scaled dot product, Vaswani et al. 2017, arXiv:1706.03762. Views: `attention/self/LAYER`
    (head, query, key) and `attention/pool` (head, key).
    """

    def __init__(self, *, width: int, tokens: int, options: SelfAttentionOptions) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(width, options.heads) for _ in range(options.layers))
        self.pool = _Pool(width, options.heads)

    def views(self) -> tuple[ViewSpec, ...]:
        layers = (ViewSpec(f"attention/self/{index}", ("head", "query", "key")) for index in range(len(self.layers)))
        return (*layers, ViewSpec("attention/pool", ("head", "key")))

    def forward(self, tokens: Tensor, record: Record | None = None) -> tuple[Tensor, Tensor | None]:
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


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, explicit: bool) -> tuple[Tensor, Tensor | None]:
    """softmax(q kᵀ / √(D/H)) v per head: (N, Q, D), (N, K, D), (N, K, D) -> (N, Q, D) and weights (N, H, Q, K).

    The fused kernel returns no weights; `explicit` computes them, and the output from them.
    """
    q, k, v = (part.unflatten(-1, (heads, -1)) for part in (q, k, v))  # (N, ·, H, D/H)
    if not explicit:
        if q.device.type == "cpu" and q.shape[1] * k.shape[1] <= _FEW_PAIRS:
            return _attend_few(q, k, v).flatten(2), None
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2), None
    q, k, v = (part.transpose(1, 2) for part in (q, k, v))
    weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), dim=-1)
    return (weights @ v).transpose(1, 2).flatten(2), weights


_FEW_PAIRS = 9
"""Query-key pairs up to which products over whole batches beat thousands of tiny matrix products on a CPU."""


def _attend_few(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The same for few tokens: (N, Q, H, d), (N, K, H, d) -> (N, Q, H, d)."""
    q = q * q.shape[-1] ** -0.5
    scores = (q.unsqueeze(2) * k.unsqueeze(1)).sum(-1)  # (N, Q, K, H)
    weights = torch.softmax(scores, dim=2)
    return (weights.unsqueeze(-1) * v.unsqueeze(1)).sum(2)
