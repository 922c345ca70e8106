"""The contract of an attention over the tokens of one step.

`forward(tokens (T,B,K,D), present, query, record) -> (x (T,B,D), z (T,B,A,D) or None)`: x is the memory's input; z, one
vector per action, bypasses the memory and goes to the head. Steps are independent of each other: only the `query`
brings information about the past.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from dqngui.nets.record import Record, ViewSpec

Prepared = tuple[Tensor, ...]
"""Tensors that an attention with `queries_memory` computes before it has the query, time first."""


class Attention(nn.Module):
    """Base of all attentions; subclasses are made with `(width=..., tokens=..., actions=..., options=...)`."""

    per_action: ClassVar[bool] = False
    """Whether it gives a vector for every action: z is not None."""
    queries_memory: ClassVar[bool] = False
    """Whether its query is the memory's previous output (B, D); the network then runs step by step."""
    takes_own: ClassVar[bool] = False
    """Whether it is also made with `own`: the index of the agent's own token, or None."""

    def views(self) -> tuple[ViewSpec, ...]:
        """What `forward` can record."""
        return ()

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Attend to tokens (T, B, K, D).

        Args:
            present: (T, B, K) bool, which tokens are present; None: all. An absent token gets no weight and its content
                is ignored; if no token is present, x does not depend on the tokens.
            query: (B, D), given when `queries_memory`; then T is 1.
        """
        raise NotImplementedError

    def prepare(self, tokens: Tensor, present: Tensor | None) -> Prepared:
        """If `queries_memory`: everything that does not depend on the query, for a whole window at once."""
        raise NotImplementedError

    def ask(self, prepared: Prepared, query: Tensor, record: Record | None = None) -> tuple[Tensor, Tensor | None]:
        """`forward` of one step, from what `prepare` gave for it, (B, ...) each: x (B, D), z (B, A, D) or None."""
        raise NotImplementedError
