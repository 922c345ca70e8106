"""Which places a row of weights could have gone to: by how many it is judged, and among which random ones are drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from dqngui.nets.record import ViewSpec


def candidate_places(spec: ViewSpec, weights: Tensor) -> Tensor:
    """Which places can be weighed, bool (n, K), of a view's weights (n, *axes), K places along the last axis.

    All slots can. Of past steps there are those up to the farthest one that is weighed, of tokens those that anybody
    weighs: absent ones have exactly no weight. A sharp softmax gives exactly none to places that are there, too.
    """
    weighed = (weights > 0).flatten(1, -2).any(1) if weights.ndim > 2 else weights > 0
    if spec.axes[-1] == "slot":
        return torch.ones_like(weighed)
    if spec.axes[-1] == "lag":
        return weighed.flip(-1).int().cummax(-1).values.flip(-1).bool()
    return weighed
