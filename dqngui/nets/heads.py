"""Heads: from the memory's output to action values."""

from __future__ import annotations

from torch import Tensor, nn


class LinearHead(nn.Module):
    """One linear layer: (T, B, D) -> q (T, B, A)."""

    def __init__(self, width: int, actions: int) -> None:
        super().__init__()
        self.q = nn.Linear(width, actions)

    def forward(self, h: Tensor) -> Tensor:
        return self.q(h)


class DuelingHead(nn.Module):
    """q = V + A − mean A (Wang et al. 2016, arXiv:1511.06581): (T, B, D) -> q (T, B, A)."""

    def __init__(self, width: int, actions: int) -> None:
        super().__init__()
        self.value = nn.Linear(width, 1)
        self.advantage = nn.Linear(width, actions)

    def forward(self, h: Tensor) -> Tensor:
        advantage = self.advantage(h)
        return self.value(h) + advantage - advantage.mean(-1, keepdim=True)


HEADS: dict[str, type[LinearHead] | type[DuelingHead]] = {"linear": LinearHead, "dueling": DuelingHead}
