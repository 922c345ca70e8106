"""Noisy layers and dropout. Both are deterministic until they are given a generator.

Nothing here draws from a global generator. The learner gives its own generators while it trains; evaluation and playing
give none, and then a noisy layer uses its mean weights and dropout passes everything.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn


class NoisyLinear(nn.Linear):
    """(W + σ_W ⊙ f(ε_out) f(ε_in)ᵀ) x + b + σ_b ⊙ f(ε_out), with f(x) = sgn(x)√|x|: (…, I) -> (…, O).

    Factorised Gaussian noise, Fortunato et al. 2018, arXiv:1706.10295, section 3.1. The same noise is used until the
    next `draw`.

    Args:
        deviation: σ₀; σ starts at σ₀/√I.
    """

    def __init__(self, inputs: int, outputs: int, deviation: float) -> None:
        super().__init__(inputs, outputs)
        self.deviation = deviation
        self.weight_sigma = nn.Parameter(torch.empty(outputs, inputs))
        self.bias_sigma = nn.Parameter(torch.empty(outputs))
        self.noise: tuple[Tensor, Tensor] | None = None

    def initialise(self, generator: Generator) -> None:
        """Mean weights uniform in ±1/√I (section 3.2)."""
        bound = 1 / math.sqrt(self.in_features)
        for mean, sigma in ((self.weight, self.weight_sigma), (self.bias, self.bias_sigma)):
            nn.init.uniform_(mean, -bound, bound, generator=generator)
            nn.init.constant_(sigma, self.deviation * bound)

    def draw(self, generator: Generator) -> None:
        """Draw the noise that the following calls use."""
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

    Any module of a network may have one. The learner finds it, gives it a generator for the pass that is
    differentiated, and takes the generator away again.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator: Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.generator is None:
            return x
        drawn = torch.rand(x.shape, generator=self.generator, dtype=x.dtype, device=self.generator.device)
        return x * (drawn.to(x.device) >= self.share) / (1.0 - self.share)
