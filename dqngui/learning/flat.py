"""All parameters of a network in one contiguous vector.

The optimizer, the gradient's norm and the target network then work on one tensor: a handful of
kernels instead of several a layer, which is most of an update's cost for the small networks of
reinforcement learning.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FlatParameters:
    """Moves a network's parameters, and their gradients, into one vector each; the network keeps views."""

    def __init__(self, network: nn.Module) -> None:
        parameters = list(network.parameters())
        size = sum(p.numel() for p in parameters)
        like = parameters[0]
        self.values = nn.Parameter(torch.empty(size, dtype=like.dtype, device=like.device))
        self.gradient = torch.zeros_like(self.values)
        self.values.grad = self.gradient
        position = 0
        with torch.no_grad():
            for parameter in parameters:
                piece = slice(position, position + parameter.numel())
                self.values[piece].copy_(parameter.flatten())
                parameter.data = self.values.data[piece].view_as(parameter)
                parameter.grad = self.gradient[piece].view_as(parameter)
                position += parameter.numel()

    def clear_gradient(self) -> None:
        """Zero it in place; autograd then adds into the same memory."""
        self.gradient.zero_()

    def clip_gradient(self, largest: float) -> Tensor:
        """Scale the gradient down to norm `largest` (0: never); returns the norm before, a 0-d tensor."""
        norm = torch.linalg.vector_norm(self.gradient)
        if largest > 0:
            self.gradient.mul_((largest / (norm + 1e-6)).clamp(max=1.0))
        return norm
