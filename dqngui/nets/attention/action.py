"""Action attention: every action has a query of its own over the tokens."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from dqngui.catalog.attentions import ActionAttentionOptions
from dqngui.nets.attention.contract import Attention
from dqngui.nets.attention.pool import Pool
from dqngui.nets.attention.products import batched, weigh
from dqngui.nets.record import Record, ViewSpec


class ActionAttention(Attention):
    """Attention with the actions as queries and the tokens as keys and values: z_a = e_a + out(Σ_k w_ak v_k).

    Scaled dot product, Vaswani et al. 2017, arXiv:1706.03762. The queries come from learned embeddings e_a of the
    actions. The head uses the same weights for all actions, so z_a contains e_a, which says what action it is for.
    x, the memory's input, is pooled by a learned query per head, as in self-attention.
    Views: `attention/action` (head, action, key) and `attention/pool` (head, key).
    """

    per_action = True

    def __init__(self, *, width: int, tokens: int, actions: int, options: ActionAttentionOptions) -> None:
        super().__init__()
        self.heads = options.heads
        self.embedding = nn.Parameter(torch.empty(actions, width))
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # a bias would add the same to all keys of a query
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.pool = Pool(width, options.heads)

    def initialise(self, generator: Generator) -> None:
        nn.init.normal_(self.embedding, generator=generator)

    def views(self) -> tuple[ViewSpec, ...]:
        return (
            ViewSpec("attention/action", ("head", "action", "key"), weights=True),
            ViewSpec("attention/pool", ("head", "key"), weights=True),
        )

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        steps = tokens.shape[:2]
        x, present = batched(tokens, present)  # (N, K, D), N = T·B
        y = self.norm(x)
        scores = F.linear(y, self._query_weights()).unflatten(-1, (self.heads, -1))  # (N, K, H, A)
        values = self.value(y).unflatten(-1, (self.heads, -1))
        change = None if record is None else record.change_for("attention/action")
        mixed, weights = weigh(scores.permute(0, 3, 1, 2), values, present, change)
        z = self.out(mixed) + self.embedding  # (N, A, D)
        pooled, shares = self.pool(x, present, record)
        if record is not None:
            record.add("attention/action", weights.unflatten(0, steps))
            record.add("attention/pool", shares.unflatten(0, steps))
        return pooled.unflatten(0, steps), z.unflatten(0, steps)

    def _query_weights(self) -> Tensor:
        """The actions' queries as weights (H·A, D) on a normed token.

        The queries are the same at every step, so q_ha · (W_h y) = (W_hᵀ q_ha) · y saves computing the tokens' keys.
        """
        H = self.heads
        q = self.query(self.embedding).unflatten(-1, (H, -1)).transpose(0, 1)  # (H, A, d)
        weights: Tensor = (q @ self.key.weight.unflatten(0, (H, -1))).flatten(0, 1)
        return weights / math.sqrt(q.shape[-1])
