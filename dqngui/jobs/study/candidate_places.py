"""Candidate places: the places along a view's last axis that could have weight, such as tokens that are present."""

from __future__ import annotations

import torch
from torch import Tensor

from dqngui.nets.record import ViewSpec


def candidate_places(spec: ViewSpec, weights: Tensor) -> Tensor:
    """Which places could have weight, bool (n, K), in a view's weights (n, *axes) with K places along the last axis.

    These are all slots; past steps up to the farthest one with weight; and tokens that have weight in any row, since
    absent tokens have exactly no weight. (A sharp softmax may also give exactly no weight to a present place.)
    """
    weighed = (weights > 0).flatten(1, -2).any(1) if weights.ndim > 2 else weights > 0
    if spec.axes[-1] == "slot":
        return torch.ones_like(weighed)
    if spec.axes[-1] == "lag":
        return weighed.flip(-1).int().cummax(-1).values.flip(-1).bool()
    return weighed
