"""Scaled dot products of a few queries and keys, batched over steps."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


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
