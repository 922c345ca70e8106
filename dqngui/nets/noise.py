"""Chance inside a network: noisy layers and dropout. Both are quiet until a generator is given to them.

Nothing here draws from a global generator. Whoever trains the network says when chance plays a part; evaluating and
playing it never gives a generator, and then a noisy layer uses its means and dropout passes everything.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn


class NoisyLinear(nn.Linear):
    """(W + σ_W ⊙ f(ε_out) f(ε_in)ᵀ) x + b + σ_b ⊙ f(ε_out), with f(x) = sgn(x)√|x|: (…, I) -> (…, O).

    Factorised Gaussian noise, Fortunato et al. 2018, arXiv:1706.10295, section 3.1. The same noise holds until the
    next `draw`.

    Args:
        deviation: σ₀, so that σ begins at σ₀/√I.
    """

    def __init__(self, inputs: int, outputs: int, deviation: float) -> None:
        super().__init__(inputs, outputs)
        self.deviation = deviation
        self.weight_sigma = nn.Parameter(torch.empty(outputs, inputs))
        self.bias_sigma = nn.Parameter(torch.empty(outputs))
        self.noise: tuple[Tensor, Tensor] | None = None

    def initialise(self, generator: Generator) -> None:
        """Means uniform in ±1/√I (section 3.2)."""
        bound = 1 / math.sqrt(self.in_features)
        for mean, sigma in ((self.weight, self.weight_sigma), (self.bias, self.bias_sigma)):
            nn.init.uniform_(mean, -bound, bound, generator=generator)
            nn.init.constant_(sigma, self.deviation * bound)

    def draw(self, generator: Generator) -> None:
        """Draw noise for the calls to come."""
        both = torch.randn(
            self.in_features + self.out_features, generator=generator, dtype=self.weight.dtype, device=generator.device
        ).to(self.weight.device)
        shaped = both.sign() * both.abs().sqrt()
        self.noise = shaped[: self.in_features], shaped[self.in_features :]

    def forward(self, x: Tensor) -> Tensor:
        if self.noise is None:
            return F.linear(x, self.weight, self.bias)
        into, out = self.noise
        weight = torch.addcmul(self.weight, self.weight_sigma, torch.outer(out, into))
        return F.linear(x, weight, torch.addcmul(self.bias, self.bias_sigma, out))


class Dropout(nn.Module):
    """Sets a share of the numbers to zero and scales the others up (Srivastava et al. 2014), while it has a generator.

    Any module of a network may hold one; the learner finds it, gives it the run's generator for the pass that is
    differentiated, and takes it away again.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator: Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.generator is None:
            return x
        chance = torch.rand(x.shape, generator=self.generator, dtype=x.dtype, device=self.generator.device)
        return x * (chance.to(x.device) >= self.share) / (1.0 - self.share)
