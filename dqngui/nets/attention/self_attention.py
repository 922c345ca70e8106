"""Multi-head self-attention over the tokens of a step, then pooling by learned queries."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from dqngui.catalog.attentions import SelfAttentionOptions
from dqngui.nets.attention.contract import Attention
from dqngui.nets.attention.pool import Pool
from dqngui.nets.attention.products import attend, batched
from dqngui.nets.record import Record, ViewSpec, WeightChange


class SelfAttention(Attention):
    """Multi-head self-attention layers (pre-norm, residual), then pooling by a learned query per head.

    Scaled dot product, Vaswani et al. 2017, arXiv:1706.03762. Views: `attention/self/LAYER`
    (head, query, key) and `attention/pool` (head, key).
    """

    def __init__(self, *, width: int, tokens: int, actions: int, options: SelfAttentionOptions) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _SelfAttentionLayer(width, options.heads, options.widening) for _ in range(options.layers)
        )
        self.pool = Pool(width, options.heads)

    def views(self) -> tuple[ViewSpec, ...]:
        names = (f"attention/self/{index}" for index in range(len(self.layers)))
        layers = (ViewSpec(name, ("head", "query", "key"), weights=True) for name in names)
        return (*layers, ViewSpec("attention/pool", ("head", "key"), weights=True))

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        steps = tokens.shape[:2]
        x, present = batched(tokens, present)  # (N, K, D), N = T·B
        for index, layer in enumerate(self.layers):
            change = None if record is None else record.change_for(f"attention/self/{index}")
            x, weights = layer(x, present, change)
            if record is not None and weights is not None:
                record.add(f"attention/self/{index}", weights.unflatten(0, steps))
        pooled, weights = self.pool(x, present, record)
        if record is not None:
            record.add("attention/pool", weights.unflatten(0, steps))
        return pooled.unflatten(0, steps), None


class _SelfAttentionLayer(nn.Module):
    """x + attention(norm(x)), then, if `widening` is not 0, x + feed-forward(norm(x)).

    (N, K, D) -> (N, K, D) and, if a `change` is given, weights (N, H, K, K).
    """

    def __init__(self, width: int, heads: int, widening: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed = _FeedForward(width, widening) if widening else None

    def forward(self, x: Tensor, present: Tensor | None, change: WeightChange | None) -> tuple[Tensor, Tensor | None]:
        q, k, v = self.query_key_value(self.norm(x)).chunk(3, dim=-1)
        mixed, weights = attend(q, k, v, self.heads, change is not None, present, change)
        x = x + self.out(mixed)
        return (x if self.feed is None else x + self.feed(x)), weights


class _FeedForward(nn.Module):
    """Two linear layers with a GELU between them, applied to norm(x)."""

    def __init__(self, width: int, widening: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, widening * width)
        self.narrow = nn.Linear(widening * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(F.gelu(self.widen(self.norm(x))))
        return y
