"""The contract of an attention over the tokens of one step.

`forward(tokens (T,B,K,D), present, query, record) -> (x (T,B,D), z (T,B,A,D) or None)`: x is all that the memory sees;
z, one vector an action, goes round the memory to the head. Steps are independent of each other: what an attention
knows of the past is in its `query` only.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from dqngui.nets.record import Record, ViewSpec

Prepared = tuple[Tensor, ...]
"""What an attention that asks the memory can know before it is asked, time first."""


class Attention(nn.Module):
    """Base of all attentions; subclasses are made with `(width=..., tokens=..., actions=..., options=...)`."""

    per_action: ClassVar[bool] = False
    """It answers every action: z is not None."""
    queries_memory: ClassVar[bool] = False
    """Its query is the memory's previous output (B, D), so that the network has to go step by step."""

    def views(self) -> tuple[ViewSpec, ...]:
        """What `forward` records when asked."""
        return ()

    def forward(
        self, tokens: Tensor, present: Tensor | None = None, query: Tensor | None = None, record: Record | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Weigh tokens (T, B, K, D).

        Args:
            present: (T, B, K) bool, which tokens exist; None: all of them. An absent token gets no weight and
                its content does not matter; where no token is present x does not depend on them.
            query: (B, D), given when `queries_memory`; then T is 1.
        """
        raise NotImplementedError

    def prepare(self, tokens: Tensor, present: Tensor | None) -> Prepared:
        """When `queries_memory`: all that does not depend on the query, for a whole window at once."""
        raise NotImplementedError

    def ask(self, prepared: Prepared, query: Tensor, record: Record | None = None) -> tuple[Tensor, Tensor | None]:
        """`forward` of one step from what was prepared for it, (B, ...) each: x (B, D), z (B, A, D) or None."""
        raise NotImplementedError
