"""Attention of every step to the last `length` steps: scaled dot products with a learned bias per head and lag.

Dimensions: B episodes, T query steps, S key steps (the last T of them are the query steps), H heads of
d = D/H numbers each. q (B, T, D), k and v (B, S, D) -> (B, T, D).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from dqngui.nets.record import WeightChange

LEAST_BLOCK = 32
"""Smallest number of steps in a block: with smaller matrices, calls cost more than multiplications."""


def bias_of(lag_bias: Tensor, T: int, S: int) -> Tensor:
    """What is added to the scores, (H, T, S): the bias (H, length) of each lag, and −∞ where attention is not allowed.

    Each row has the numbers of the row before, moved by one step, so all rows are a sliding view of one vector.
    """
    L = lag_bias.shape[-1]
    steps = F.pad(lag_bias.flip(-1), (S - L, T - 1), value=-math.inf)  # (H, S + T − 1)
    return steps.unfold(-1, S, 1).flip(1)


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lag_bias: Tensor,
    empty: Tensor | None,
    explicit: bool,
    change: WeightChange | None = None,
) -> tuple[Tensor, Tensor | None]:
    """softmax(q kᵀ / √d + bias) v, and, if `explicit`, the weights (B, H, T, S).

    Args:
        empty: (B, S − T) which of the earlier steps do not exist; None: all exist.
        change: explicit weights pass through it before they are used; steps that do not exist get no weight even then.
    """
    T, S, L = q.shape[1], k.shape[1], lag_bias.shape[-1]
    c = max(L, LEAST_BLOCK)
    if explicit or 3 * c > T:
        return _whole(q, k, v, lag_bias, empty, explicit, change)
    # Steps in blocks of c >= L attend to their own block and the one before, so the cost is linear in T.
    first, _ = _whole(q[:, :c], k[:, : S - T + c], v[:, : S - T + c], lag_bias, empty, False)
    end = -T % c
    blocks = F.pad(q[:, c:], (0, 0, 0, end)).unflatten(1, (-1, c)).flatten(0, 1)
    k, v = (_with_block_before(F.pad(part[:, S - T :], (0, 0, 0, end)), c) for part in (k, v))
    others, _ = _whole(blocks, k, v, lag_bias, None, False)
    others = others.view(len(q), -1, q.shape[-1])
    return torch.cat([first, others[:, : T - c]], dim=1), None


def _with_block_before(x: Tensor, c: int) -> Tensor:
    """(B, n·c, D) -> (B·(n − 1), 2c, D): each block except the first, joined to the block before it."""
    blocks = x.unflatten(1, (-1, c))
    return torch.cat([blocks[:, :-1], blocks[:, 1:]], dim=2).flatten(0, 1)


def _whole(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    lag_bias: Tensor,
    empty: Tensor | None,
    explicit: bool,
    change: WeightChange | None = None,
) -> tuple[Tensor, Tensor | None]:
    T, S, heads = q.shape[1], k.shape[1], len(lag_bias)
    bias = bias_of(lag_bias, T, S)
    if empty is not None:
        hidden = F.pad(empty, (0, T)).view(-1, 1, 1, S)
        bias = bias.masked_fill(hidden, -math.inf)  # (B, H, T, S)
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (q, k, v))  # (B, H, ·, d)
    if explicit:
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias, dim=-1)
        if change is not None and (changed := change(weights)) is not weights:
            weights = changed if empty is None else changed.masked_fill(hidden, 0.0)
        return (weights @ v).transpose(1, 2).flatten(2), weights
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2), None
