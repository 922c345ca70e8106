"""Heads: from the memory's output, and one vector an action where the attention gives it, to action values.

A head maps h (…, D) and z (…, A, D) or None to an estimate: q (…, A), or a distribution of returns (…, A, N) of which
`values` makes q. With z, every action is judged by the same weights from [h, z_a].
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from dqngui.config import NetConfig


class Head(nn.Module):
    """Base of all heads; its estimate is q itself unless `kind` says otherwise."""

    kind: ClassVar[str] = "mean"

    def values(self, estimate: Tensor) -> Tensor:
        """Action values q (…, A) of an estimate."""
        return estimate

    def forward(self, h: Tensor, z: Tensor | None) -> Tensor:
        raise NotImplementedError


class LinearHead(Head):
    """One linear layer: (…, D) -> q (…, A)."""

    def __init__(self, width: int, actions: int, per_action: bool) -> None:
        super().__init__()
        self.q = nn.Linear(2 * width, 1) if per_action else nn.Linear(width, actions)

    def forward(self, h: Tensor, z: Tensor | None) -> Tensor:
        return _of_actions(self.q, h, z)


class DuelingHead(Head):
    """q = V + A − mean A (Wang et al. 2016, arXiv:1511.06581): (…, D) -> q (…, A)."""

    def __init__(self, width: int, actions: int, per_action: bool) -> None:
        super().__init__()
        self.value = nn.Linear(width, 1)
        self.advantage = nn.Linear(2 * width, 1) if per_action else nn.Linear(width, actions)

    def forward(self, h: Tensor, z: Tensor | None) -> Tensor:
        advantage = _of_actions(self.advantage, h, z)
        return self.value(h) + advantage - advantage.mean(-1, keepdim=True)


def _of_actions(layer: nn.Module, h: Tensor, z: Tensor | None) -> Tensor:
    """One number an action: of h for all of them, or of [h, z_a] for each by the same layer."""
    if z is None:
        numbers: Tensor = layer(h)
        return numbers
    pairs = torch.cat([h.unsqueeze(-2).expand(*z.shape[:-1], h.shape[-1]), z], dim=-1)
    each: Tensor = layer(pairs).squeeze(-1)
    return each


def make_head(net: NetConfig, actions: int, *, per_action: bool) -> Head:
    """The head that an experiment asks for."""
    kinds: dict[str, type[LinearHead] | type[DuelingHead]] = {"linear": LinearHead, "dueling": DuelingHead}
    return kinds[net.head](net.width, actions, per_action)
