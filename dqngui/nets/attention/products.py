"""Scaled dot-product attention for a few queries and keys, batched over steps.

Dimensions: N steps, Q queries, K keys, H heads of d = D/H numbers each. `present` (N, K) says which keys are present;
None: all. An absent key gets no weight, and a query without any present key gets zeros.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from dqngui.nets.record import WeightChange


def batched(tokens: Tensor, present: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Tokens (T, B, K, D) and `present` (T, B, K) with T and B merged into N = T·B; absent tokens become zeros."""
    x = tokens.flatten(0, 1)
    if present is None:
        return x, None
    present = present.flatten(0, 1)
    return x.masked_fill(~present.unsqueeze(-1), 0.0), present


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    heads: int,
    explicit: bool,
    present: Tensor | None = None,
    change: WeightChange | None = None,
) -> tuple[Tensor, Tensor | None]:
    """softmax(q kᵀ / √d) v per head: (N, Q, D), (N, K, D), (N, K, D) -> (N, Q, D) and weights (N, H, Q, K).

    The fused kernel returns no weights. With `explicit` the weights are computed, passed through `change`, and used for
    the output.
    """
    q, k, v = (part.unflatten(-1, (heads, -1)) for part in (q, k, v))  # (N, ·, H, d)
    few = _are_few(q, q.shape[1], k.shape[1])
    if not explicit and not few:
        allowed = None if present is None else _penalty(present, q.dtype).view(len(q), 1, 1, -1)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed).transpose(1, 2).flatten(2)
        return (mixed if present is None else mixed * present.any(-1).view(-1, 1, 1)), None
    q = q * q.shape[-1] ** -0.5
    if few:
        scores = (q.unsqueeze(2) * k.unsqueeze(1)).sum(-1)  # (N, Q, K, H)
    else:
        scores = (q.transpose(1, 2) @ k.permute(0, 2, 3, 1)).permute(0, 2, 3, 1)
    mixed, weights = weigh(scores, v, present, change)
    return mixed, weights if explicit else None


def weigh(
    scores: Tensor, v: Tensor, present: Tensor | None = None, change: WeightChange | None = None
) -> tuple[Tensor, Tensor]:
    """Mean of values (N, K, H, d), weighted by the softmax of scores (N, Q, K, H) over the keys.

    Returns (N, Q, D) and the weights (N, H, Q, K), which pass through `change` before they are used; absent keys get no
    weight even then.
    """
    by_head = shares(scores, present, change)
    if _are_few(scores, *scores.shape[1:3]):
        return (by_head.permute(0, 2, 3, 1).unsqueeze(-1) * v.unsqueeze(1)).sum(2).flatten(2), by_head
    return (by_head @ v.transpose(1, 2)).transpose(1, 2).flatten(2), by_head


def shares(scores: Tensor, present: Tensor | None = None, change: WeightChange | None = None) -> Tensor:
    """The softmax of scores (N, Q, K, H) over the keys as weights (N, H, Q, K), passed through `change`."""
    if present is not None:
        scores = scores + _penalty(present, scores.dtype).view(len(scores), 1, -1, 1)
    weights = torch.softmax(scores, dim=2)
    if present is not None:
        weights = weights * present.view(len(scores), 1, -1, 1)  # matters where no key is present
    by_head = weights.permute(0, 3, 1, 2)
    if change is not None and (changed := change(by_head)) is not by_head:
        by_head = changed if present is None else changed * present.view(len(scores), 1, 1, -1)
    return by_head


FEW_PAIRS = 9
_FEW_KEYS = 32


def _are_few(like: Tensor, queries: int, keys: int) -> bool:
    """Whether elementwise products over the whole batch are faster than many tiny matrix products, as on a CPU.

    For several queries up to `FEW_PAIRS` pairs, for a single one up to `_FEW_KEYS` keys.
    """
    return like.device.type == "cpu" and (queries * keys <= FEW_PAIRS or (queries == 1 and keys <= _FEW_KEYS))


def _penalty(present: Tensor, dtype: torch.dtype) -> Tensor:
    """What is added to scores: at absent keys the lowest finite number, since −∞ for all keys would give NaN."""
    zeros = torch.zeros(present.shape, dtype=dtype, device=present.device)
    return zeros.masked_fill(~present, torch.finfo(dtype).min)
