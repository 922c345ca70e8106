"""Views that are computed from a recorded step: attention rollout and saliency.

Saliency is how much each part of the observation contributes to the value of the agent's action, while the
memory's state is held fixed: gradient × input, and integrated gradients from an observation of zeros. For numbers that
the network standardises, input and zeros are as it sees them: distances from the mean, which here is the baseline. From
plain zeros, which may be a thousand deviations away, nearly all of the way would be clipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dqngui.envs.spaces import ObservationPart, Spaces
from dqngui.envs.vector import Parts
from dqngui.messages import View
from dqngui.nets.memory.contract import State
from dqngui.nets.trunk import Inputs, Trunk

ROLLOUT, POOLED, POOL, LAYER = "attention/rollout", "attention/rollout/pool", "attention/pool", "attention/self/"
GRADIENT, INTEGRATED = "saliency/gradient", "saliency/integrated"
STEPS = 32
"""Number of points between the baseline and the observation at which gradients are computed."""

Tensors = dict[str, Tensor]


# -- attention rollout ----------------------------------------------------------------------------


def rollout_views(recorded: Sequence[View]) -> tuple[View, ...]:
    """The views that `add_rollout` adds; none for fewer than two layers of self-attention."""
    layers = [view for view in recorded if view.name.startswith(LAYER)]
    if len(layers) < 2:
        return ()
    tokens = layers[0].shape[-1]
    views = [View(ROLLOUT, ("query", "key"), (tokens, tokens))]
    if any(view.name == POOL for view in recorded):
        views.append(View(POOLED, ("key",), (tokens,)))
    return tuple(views)


def rollout(layers: Sequence[Tensor]) -> Tensor:
    """Attention rollout: how much of each input token reaches each output. Abnar & Zuidema 2020, arXiv:2005.00928.

    R = A_L … A_1 with A = (W + I) / 2, W the mean of a layer's heads and I its residual connection, rows summing to
    one. Feed-forward layers are ignored.

    Args:
        layers: weights of each layer, the first one first, (…, head, query, key).

    Returns:
        (…, query, key).
    """
    rolled: Tensor | None = None
    for weights in layers:
        mixed = weights.mean(-3)
        mixed = mixed + torch.eye(mixed.shape[-1], dtype=mixed.dtype, device=mixed.device)
        mixed = mixed / mixed.sum(-1, keepdim=True)  # where no token is present W is zero
        rolled = mixed if rolled is None else mixed @ rolled
    if rolled is None:
        raise ValueError("rollout needs at least one layer")
    return rolled


def add_rollout(record: Tensors) -> None:
    """Add the rollout of the recorded layers, and how much of each token reaches the pooled one, to the record."""
    count = sum(name.startswith(LAYER) for name in record)
    if count >= 2:
        record[ROLLOUT] = rolled = rollout([record[f"{LAYER}{layer}"] for layer in range(count)])
        if POOL in record:
            record[POOLED] = (record[POOL].mean(-2, keepdim=True) @ rolled).squeeze(-2)


# -- saliency -------------------------------------------------------------------------------------


class Saliency:
    """Computes how much each part of an observation contributes to an action's value in one network.

    Attributes:
        views: what can be computed, per feature, or, if a picture or grid is observed, per row and column of the first
            one; none if the observation has too many numbers, or only texts.
    """

    def __init__(self, network: Trunk, spaces: Spaces, features: Sequence[str]) -> None:
        self._network = network
        self._parts = [part for part in spaces.parts if part.kind != "text"]
        self._map = next((part for part in self._parts if part.kind in ("image", "grid")), None)
        categories = any(part.kind in ("grid", "discrete") for part in self._parts)
        axes: tuple[str, ...] = ("feature",)
        shape: tuple[int, ...] = (len(features),)
        if self._map is not None:
            axes, shape = ("row", "column"), self._map.map_shape[1:]
        # A memory of raw numbers reads categories beside their embeddings.
        possible = 0 not in shape and not (categories and network.memory.sees_observation)
        self.views = tuple(View(name, axes, shape, signed=True) for name in (GRADIENT, INTEGRATED) if possible)

    def of(self, seen: Parts, inputs: Inputs, state: State, action: int) -> Tensors:
        """Both attributions of one step's observation, (1, 1, *axes) each, by the names of `views`.

        Args:
            seen: observation by part, (1, *shape).
            inputs: the network's inputs, with the previous action and reward.
            state: before this step; it is held fixed.
            action: the action whose value is explained.
        """
        with torch.inference_mode(False), torch.enable_grad():
            whole = {name: torch.from_numpy(np.array(values)).unsqueeze(0) for name, values in seen.items()}
            gradient, integrated = self._attribute(whole, inputs, state, action)
        names = (view.name for view in self.views)
        return {name: values[None, None] for name, values in zip(names, (gradient, integrated), strict=True)}

    def _attribute(self, seen: Tensors, inputs: Inputs, state: State, action: int) -> tuple[Tensor, Tensor]:
        encoder = self._network.encoder
        with torch.no_grad():
            embedded = {part.name: encoder.embedded(part.name, seen[part.name]) for part in self._parts}
            units = encoder.standardised
            middle = {
                name: units[name].middle(x) if name in units else torch.zeros_like(x) for name, x in embedded.items()
            }
        leaves = {name: _between(middle[name], x).requires_grad_() for name, x in embedded.items()}
        way = {name: (x - middle[name])[0, 0] for name, x in embedded.items()}
        count = STEPS + 1
        texts = {name: x.expand(-1, count, *x.shape[2:]) for name, x in seen.items() if name not in leaves}
        previous = (x.clone().expand(-1, count) for x in (inputs.prev_action, inputs.prev_reward))
        states = tuple(x.clone().expand(count, *x.shape[1:]).contiguous() for x in state)
        q, _ = self._network(Inputs({**texts, **leaves}, *previous), states)
        gradients = torch.autograd.grad(q[0, :, action].sum(), list(leaves.values()))
        slopes = dict(zip(leaves, gradients, strict=True))
        at_it = self._as_view({name: slopes[name][0, -1] * x for name, x in way.items()})
        along = self._as_view({name: _mean_slope(slopes[name][0, :-1]) * x for name, x in way.items()})
        return at_it, along

    def _as_view(self, attributed: Tensors) -> Tensor:
        """Attributions of the embedded parts as one view: summed over embeddings and channels."""
        if self._map is not None:
            return _on_map(self._map, attributed[self._map.name])
        rows = [x.sum(-1) if x.ndim > 1 else x for x in attributed.values()]
        return torch.cat(rows).detach()


def _between(baseline: Tensor, x: Tensor) -> Tensor:
    """Points from the baseline to x (1, 1, …) each, then x itself, (1, STEPS + 1, …).

    Their shares of the way are the cubes of the midpoints of STEPS equal pieces: a layer norm changes most where all
    that it gets is near zero.
    """
    shares = torch.ones(STEPS + 1, dtype=x.dtype, device=x.device)
    shares[:-1] = _midpoints(x) ** 3
    return baseline + (x - baseline) * shares.view(1, -1, *[1] * (x.ndim - 2))


def _mean_slope(slopes: Tensor) -> Tensor:
    """The mean over the way of the slopes (STEPS, …) at the points of `_between`, (…)."""
    return torch.tensordot(3 * _midpoints(slopes) ** 2 / STEPS, slopes, dims=1)


def _midpoints(like: Tensor) -> Tensor:
    return torch.arange(STEPS, dtype=like.dtype, device=like.device).add(0.5) / STEPS


def _on_map(part: ObservationPart, values: Tensor) -> Tensor:
    """Sums per row and column, of a grid's cells (H·W, E) or a picture's numbers (F,) in the order of its axes."""
    if values.ndim > 1:
        return values.sum(-1).view(part.map_shape[1:]).detach()
    named = values.view(part.raw_shape)
    other = [index for index, axis in enumerate(part.axes) if axis in "nc"]
    return (named.sum(other) if other else named).detach()
