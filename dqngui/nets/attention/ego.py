"""Ego attention: the agent's own token asks, and all tokens of the step answer, its own too."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from dqngui.catalog.attentions import EgoAttentionOptions
from dqngui.nets.attention.contract import Attention
from dqngui.nets.attention.products import attend, batched
from dqngui.nets.record import Record, ViewSpec


class EgoAttention(Attention):
    """Attention with one query per head, from the agent's own token: x = decode(own + out(Σ_k w_k v_k)).

    The ego-attention of Leurent and Mercat 2019, arXiv:1911.12250, figure 2: encoder layers shared by the entities, one
    layer of scaled dot-product attention that only the ego vehicle asks, the residual of its own token, and decoder
    layers. Its cost grows with the number of tokens K, that of self-attention with K².

    Where no token is known to be the agent's own, a learned vector asks, and nothing is added to the answer: the order
    of the tokens does not count then either. View: `attention/ego` (head, key).
    """

    takes_own = True

    def __init__(
        self, *, width: int, tokens: int, actions: int, options: EgoAttentionOptions, own: int | None = None
    ) -> None:
        """`own` is the index of the agent's own token; None: there is none, or it is not known."""
        super().__init__()
        self.heads, self.own = options.heads, own
        self.embed = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # a bias would add the same to all keys of a query
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.decode = nn.Linear(width, width)
        self.asks = nn.Parameter(torch.empty(width)) if own is None else None

    def initialise(self, generator: Generator) -> None:
        """Keep the size of numbers from layer to layer (He et al. 2015, arXiv:1502.01852).

        With torch's usual initialisation six layers in a row would hardly pass on what is observed.
        """
        for layer in (self.embed, self.decode):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        for layer in (self.query, self.key, self.value, self.out):
            nn.init.xavier_normal_(layer.weight, generator=generator)
        if self.asks is not None:
            nn.init.normal_(self.asks, generator=generator)

    def views(self) -> tuple[ViewSpec, ...]:
        return (ViewSpec("attention/ego", ("head", "key"), weights=True),)

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        steps = tokens.shape[:2]
        x, present = batched(tokens, present)  # (N, K, D), N = T·B
        x = torch.relu(self.embed(x))
        own = x[:, self.own] if self.own is not None else None  # (N, D)
        asking = own if own is not None else self.asks.expand(len(x), -1)  # type: ignore[union-attr]
        change = None if record is None else record.change_for("attention/ego", 2)
        q = self.query(asking).unsqueeze(1)
        mixed, weights = attend(q, self.key(x), self.value(x), self.heads, record is not None, present, change)
        answer = self.out(mixed.squeeze(1))
        answer = answer if own is None else own + answer
        if record is not None and weights is not None:
            record.add("attention/ego", weights.squeeze(2).unflatten(0, steps))
        return torch.relu(self.decode(torch.relu(answer))).unflatten(0, steps), None
