"""Pooling as the only attention: learned queries weigh the tokens, which do not attend to each other."""

from __future__ import annotations

from torch import Tensor

from dqngui.catalog.attentions import PoolAttentionOptions
from dqngui.nets.attention.contract import Attention
from dqngui.nets.attention.pool import Pool
from dqngui.nets.attention.products import batched
from dqngui.nets.record import Record, ViewSpec


class PoolAttention(Attention):
    """Attention whose x is the output of `Pool`, with one learned query per head. View: `attention/pool` (head, key).

    Its cost grows with the number of tokens K, that of self-attention with K²: it suits the many cells of a grid.
    """

    def __init__(self, *, width: int, tokens: int, actions: int, options: PoolAttentionOptions) -> None:
        super().__init__()
        self.pool = Pool(width, options.heads, sharpness=options.sharpness)

    def views(self) -> tuple[ViewSpec, ...]:
        return (ViewSpec("attention/pool", ("head", "key"), weights=True),)

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        steps = tokens.shape[:2]
        x, present = batched(tokens, present)  # (N, K, D), N = T·B
        pooled, weights = self.pool(x, present, record)
        if record is not None:
            record.add("attention/pool", weights.unflatten(0, steps))
        return pooled.unflatten(0, steps), None
