"""Recurrent attention: the query comes from the memory."""

from __future__ import annotations

import math

from torch import Tensor, nn

from dqngui.catalog.attentions import RecurrentAttentionOptions
from dqngui.nets.attention.contract import Attention, Prepared
from dqngui.nets.attention.products import weigh
from dqngui.nets.record import Record, ViewSpec


class RecurrentAttention(Attention):
    """Attention whose query is the memory's output of the step before: x = out(Σ_k w_k v_k) over this step's tokens.

    Soft attention as in DARQN, Sorokin et al. 2015, arXiv:1512.01693, with scaled dot products and several heads in
    place of its small network. What the agent attends to depends on its memory, so a window is processed step by step;
    keys and values of all its steps are computed at once. View: `attention/recurrent` (head, key).
    """

    queries_memory = True

    def __init__(self, *, width: int, tokens: int, actions: int, options: RecurrentAttentionOptions) -> None:
        super().__init__()
        self.heads = options.heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # a bias would add the same to all keys of a query
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def views(self) -> tuple[ViewSpec, ...]:
        return (ViewSpec("attention/recurrent", ("head", "key"), weights=True),)

    def prepare(self, tokens: Tensor, present: Tensor | None) -> Prepared:
        if present is not None:
            tokens = tokens.masked_fill(~present.unsqueeze(-1), 0.0)
        y = self.norm(tokens)
        keys = self.key(y).unflatten(-1, (self.heads, -1))  # (T, B, K, H, d)
        values = self.value(y).unflatten(-1, (self.heads, -1))
        return (keys, values) if present is None else (keys, values, present)

    def ask(self, prepared: Prepared, query: Tensor, record: Record | None = None) -> tuple[Tensor, None]:
        keys, values, *present = prepared
        scaled = self.query(query).unflatten(-1, (1, self.heads, -1)) / math.sqrt(keys.shape[-1])
        scores = (keys * scaled).sum(-1).unsqueeze(1)  # (B, 1, K, H)
        change = None if record is None else record.change_for("attention/recurrent", 2)
        mixed, weights = weigh(scores, values, present[0] if present else None, change)
        if record is not None:
            record.add("attention/recurrent", weights.squeeze(2).unsqueeze(0))
        return self.out(mixed.squeeze(1)), None

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        if query is None:
            raise TypeError("recurrent attention needs a query from the memory")
        (step,) = zip(*self.prepare(tokens, present), strict=True)
        x, z = self.ask(step, query, record)
        return x.unsqueeze(0), z
